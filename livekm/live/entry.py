"""A line of text that the user types in the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from livekm.core.names import LONGEST_NAME
from livekm.live.keys import ENTER, ESCAPE

_BACK = "\b\x7f"


@dataclass(slots=True)
class Entry:
    """Takes the keys until Enter or Esc.

    Attributes
    ----------
    label : str
        What the text is for.
    on_end : callable
        Is given the text after Enter.
    text : str
        What has been typed.
    is_open : bool
        False after Enter or Esc.
    """

    label: str
    on_end: Callable[[str], None]
    text: str = ""
    is_open: bool = True

    def press(self, key: str) -> None:
        """Take a key."""
        if key in (ENTER, ESCAPE):
            self.is_open = False
            if key == ENTER:
                self.on_end(self.text.strip())
        elif key in _BACK:
            self.text = self.text[:-1]
        elif key.isascii() and key.isprintable() and len(self.text) < LONGEST_NAME:
            self.text += key

    def __str__(self) -> str:
        return f"{self.label}: {self.text}_"
