"""What a viewer says: that it is ready for a picture, or what it asks for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

Point = tuple[float, float]
"""Parts of the picture's width and height, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A viewer has drawn its last picture and takes the next.

    Attributes
    ----------
    pointer : (float, float) or None
        Where its pointer is in the picture.
    """

    pointer: Point | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a viewer asks for: a command, a key, a click, or a rectangle.

    Attributes
    ----------
    command : str
        As `livekm.live.commands.do` takes it; may be empty.
    key : str
        As `livekm.live.commands.press` takes it; may be empty.
    click : (float, float) or None
    drops : bool
        Whether the click leaves a segment out.
    corners : ((float, float), (float, float)) or None
        Of the rectangle that is to count.
    """

    command: str = ""
    key: str = ""
    click: Point | None = None
    drops: bool = False
    corners: tuple[Point, Point] | None = None


def read_message(text: str) -> Ready | Wish:
    """Return what a message says. What is no such message is a wish for nothing."""
    try:
        message = json.loads(text)
        if message.get("ready"):
            return Ready(_point(message.get("at")))
        corners = message.get("part")
        one, other = (None, None) if corners is None else map(_point, corners)
        return Wish(
            str(message.get("do", "")),
            str(message.get("key", "")),
            _point(message.get("click")),
            bool(message.get("drops")),
            (one, other) if one and other else None,
        )
    except (ValueError, TypeError, AttributeError, IndexError, KeyError):
        return Wish()


def _point(value: Any) -> Point | None:
    if value is None:
        return None
    x, y = map(float, value)
    return (x, y) if 0 <= x <= 1 and 0 <= y <= 1 else None
