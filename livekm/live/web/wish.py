"""What a viewer asks for."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wish:
    """What a viewer asks for: a command, a key, or a click.

    Attributes
    ----------
    command : str
        As `livekm.live.commands.do` takes it; may be empty.
    key : str
        As `livekm.live.commands.press` takes it; may be empty.
    click : (float, float) or None
        Parts of the picture's width and height.
    drops : bool
        Whether the click leaves a segment out.
    """

    command: str = ""
    key: str = ""
    click: tuple[float, float] | None = None
    drops: bool = False


def read_wish(text: str) -> Wish | None:
    """Return what a message asks for; None for one that only says that the viewer is ready.

    What is no such message is a wish for nothing.
    """
    try:
        message = json.loads(text)
        if message.get("ready"):
            return None
        click = message.get("click")
        place = (float(click[0]), float(click[1])) if click is not None else None
        if place is not None and not (0 <= place[0] <= 1 and 0 <= place[1] <= 1):
            place = None
        return Wish(
            str(message.get("do", "")),
            str(message.get("key", "")),
            place,
            bool(message.get("drops")),
        )
    except (ValueError, TypeError, AttributeError, IndexError, KeyError):
        return Wish()
