"""What the loop shows pictures in where there is no window: nothing."""

from __future__ import annotations

import time

from livekm.context import Closing
from livekm.frame import Image
from livekm.live.events import PointerEvent


class NoWindow(Closing):
    """Takes a window's place where another front shows the pictures."""

    is_open = True

    def fit(self, width: int, height: int, below: int = 0) -> tuple[int, int]:
        """Return the size, as of a window that is as large as it should be."""
        return width, height + below

    def show(self, image: Image) -> None:
        """Do nothing."""

    def poll(self, milliseconds: int = 1) -> str | None:
        """Wait as a window does in which no key is pressed."""
        time.sleep(milliseconds / 1000)
        return None

    def take_events(self) -> list[PointerEvent]:
        """Return none."""
        return []

    def set_full_screen(self, fills: bool) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
