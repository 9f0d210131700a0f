"""What stands over the picture in a live session: which parts of it, and for how long."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from livekm.core.segmentation import Segmentation
from livekm.frame import Image
from livekm.live.hud import draw_banner, draw_help, draw_hud, draw_note, draw_recording, slot_at

_NOTE_SECONDS = 2.0


class Display:
    """The head-up display, the help, notes, a banner, and the dot of a recording.

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
        self._note = "press ? for the keys"
        self._note_until = time.monotonic() + 2 * _NOTE_SECONDS
        self._note_always = False

    def toggle(self) -> None:
        """Hide or show the lines and the strip."""
        self._is_shown = not self._is_shown

    def toggle_help(self) -> None:
        """Show or hide the table of keys."""
        self._help = not self._help
        self._note_until = 0.0

    def toggle_order(self) -> None:
        """Sort the strip of colours by share, or by slot."""
        self._by_share = not self._by_share
        self.say(f"strip by {'share' if self._by_share else 'slot'}")

    def say(self, text: str, *, always: bool = False) -> None:
        """Add a note for a moment; `always` also while the display is hidden."""
        self._note, self._note_always = text, always
        self._note_until = time.monotonic() + _NOTE_SECONDS

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
    ) -> None:
        """Draw the lines, the strip, the note and the banner into `image`.

        Parameters
        ----------
        image : (H, W, 3) uint8, BGR
        lines : sequence of str
            Of the head-up display; empty ones are left out.
        found : Segmentation or None
            Gives the strip its colours; without it there is none.
        chosen : collection of int
            The slots that are marked in the strip.
        """
        self._size = image.shape[1], image.shape[0]
        if self._is_shown:
            draw_hud(
                image,
                [] if self._help else [line for line in lines if line],
                None if found is None else found.palette,
                None if found is None else found.shares,
                by_share=self._by_share,
                chosen=chosen,
            )
        if time.monotonic() < self._note_until and (self._is_shown or self._note_always):
            draw_note(image, self._note)
        if self.banner:
            draw_banner(image, self.banner)

    def draw_aids(self, image: Image, recording_seconds: float | None) -> None:
        """Draw what no recording shall have: the help, and the dot of the recording itself."""
        if recording_seconds is not None:
            draw_recording(image, recording_seconds)
        if self._help:
            draw_help(image, self._help_rows)
