"""What stands over the picture in a live session: which parts of it, and for how long."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from livekm.frame import Image
from livekm.live.hud import draw_banner, draw_dot, draw_help, draw_hud, slot_at
from livekm.segmentation import Segmentation

_NOTICE_SECONDS = 2.0


class Display:
    """The head-up display, the help, notices, a banner, and the dot of a recording.

    Parameters
    ----------
    help_rows : sequence of (str, str)
        Each key and what it does.

    Attributes
    ----------
    banner : str or None
        Stands across the picture.
    """

    def __init__(self, help_rows: Sequence[tuple[str, str]]) -> None:
        self.banner: str | None = None
        self._help_rows = help_rows
        self._is_shown = True
        self._help = False
        self._by_share = False
        self._size = (0, 0)
        self._notice = ("press ? for the keys", time.monotonic() + 2 * _NOTICE_SECONDS)

    def toggle(self) -> None:
        """Hide or show the lines and the strip."""
        self._is_shown = not self._is_shown

    def toggle_help(self) -> None:
        """Show or hide the table of keys."""
        self._help = not self._help

    def toggle_order(self) -> None:
        """Sort the strip of colours by share, or by slot."""
        self._by_share = not self._by_share

    def say(self, text: str) -> None:
        """Add a line for a moment."""
        self._notice = (text, time.monotonic() + _NOTICE_SECONDS)

    def slot_at(self, x: int, y: int, segmentation: Segmentation) -> int | None:
        """Return the slot whose colour in the strip is at a pixel of the last picture."""
        if not self._is_shown:
            return None
        return slot_at(x, y, self._size, segmentation.shares, by_share=self._by_share)

    def draw(
        self,
        image: Image,
        lines: Sequence[str],
        found: Segmentation | None,
        *,
        chosen: Collection[int],
        is_recording: bool,
    ) -> None:
        """Draw into `image`, (H, W, 3) uint8 BGR.

        Parameters
        ----------
        image : (H, W, 3) uint8, BGR
        lines : sequence of str
            Of the head-up display; empty ones are left out.
        found : Segmentation or None
            Gives the strip its colours; None while kernels are compiled.
        chosen : collection of int
            The slots that are marked in the strip.
        is_recording : bool
        """
        self._size = image.shape[1], image.shape[0]
        if self._is_shown:
            waiting = "compiling kernels" if found is None else ""
            text, until = self._notice
            notice = text if time.monotonic() < until and not self._help else ""
            draw_hud(
                image,
                [line for line in (*lines, waiting, notice) if line],
                None if found is None else found.palette,
                None if found is None else found.shares,
                by_share=self._by_share,
                chosen=chosen,
            )
        if is_recording:
            draw_dot(image)
        if self.banner:
            draw_banner(image, self.banner)
        if self._help:
            draw_help(image, self._help_rows)
