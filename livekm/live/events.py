"""What a pointing device does over the picture that a front shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

PointerKind: TypeAlias = Literal["press", "drop", "move", "release", "wheel", "leave"]
"""``press`` is the main button; ``drop`` another one, or the main one with Shift."""


@dataclass(frozen=True, slots=True)
class PointerEvent:
    """One thing that a pointing device does.

    Attributes
    ----------
    kind : str
    x, y : int
        In pixels of what is shown.
    steps : int
        Of a wheel: up, or below 0 down.
    """

    kind: PointerKind
    x: int = 0
    y: int = 0
    steps: int = 0
