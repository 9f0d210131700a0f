"""The head-up display (HUD) drawn over the picture: its parts, and for how long each is shown."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from livekm.core.segmentation import Segmentation
from livekm.frame import Image
from livekm.live.settings import LiveSettings
from livekm.live.strip import draw_strip, label_at, strip_height
from livekm.live.text import AMBER, WHITE, banner_height, draw_banner, draw_recording, draw_table
from livekm.views import legend

_FLASH_SECONDS = 1.0
_LONG_SECONDS = 4.0
_FIRST_NOTE = "press ? for the keys"
_NOTE_HEIGHT = 1.5  # of a note above the bottom, by the strip's height
_HELP_COLORS = (AMBER, WHITE, AMBER, WHITE)
_TOP_LEFT, _MIDDLE = (0.0, 0.0), (0.5, 0.5)

HelpGroups: TypeAlias = Mapping[str, Sequence[tuple[str, str]]]
"""Each key and what it does, by what such keys are about."""


class Hud:
    """Lines of text, the strip of colours, notes, a banner, the help, the dot of a recording.

    Parameters
    ----------
    settings : LiveSettings
        Tells which of them are shown.
    help_groups : mapping of str to sequence of (str, str)
        Each key and what it does, by what such keys are about.

    Attributes
    ----------
    banner : str or None
        Is drawn across the picture.
    """

    def __init__(self, settings: LiveSettings, help_groups: HelpGroups) -> None:
        self.banner: str | None = None
        self._settings = settings
        self._help_groups = help_groups
        self._size = (0, 0)  # of the picture that was drawn into last
        self._note, self._note_until = "", 0.0
        self.say(_FIRST_NOTE, is_long=True)

    def say(self, text: str, *, is_long: bool = False) -> None:
        """Flash a note, also while the HUD is hidden; one that is long stays some seconds."""
        seconds = _LONG_SECONDS if is_long else _FLASH_SECONDS
        self._note, self._note_until = text, time.monotonic() + seconds

    @property
    def note(self) -> str:
        """The note that is shown now, or nothing."""
        return self._note if time.monotonic() < self._note_until else ""

    def hide_note(self) -> None:
        """Take the note away."""
        self._note_until = 0.0

    def label_at(self, x: int, y: int, segmentation: Segmentation) -> int | None:
        """Return the label whose colour in the strip is at a pixel of the last picture."""
        if self._settings.hud == "hidden":
            return None
        sort = self._settings.sorts_strip
        return label_at(x, y, self._size, segmentation.shares, sort=sort)

    def draw(self, image: Image, lines: Sequence[str], segmentation: Segmentation | None) -> None:
        """Draw the lines, the strip, the note and the banner into `image`.

        Parameters
        ----------
        image : (H, W, 3) uint8, BGR
        lines : sequence of str
            Are left out where the help is shown.
        segmentation : Segmentation or None
            Gives the strip its colours; without it there is none.
        """
        settings = self._settings
        self._size = image.shape[1], image.shape[0]
        if settings.hud != "hidden":
            if not settings.shows_help:
                draw_table(image, [(line,) for line in lines], _TOP_LEFT)
            if segmentation is not None:
                colors = legend(settings.view, segmentation, settings.colors)
                draw_strip(
                    image,
                    colors,
                    segmentation.shares,
                    segmentation.ids,
                    sort=settings.sorts_strip,
                    chosen=settings.chosen,
                    names=segmentation.names,
                )
        if self.note:
            draw_note(image, self.note)
        if self.banner:
            draw_banner(image, self.banner, at_top=settings.shows_help)

    def draw_aids(self, image: Image, recording_seconds: float | None) -> None:
        """Draw what no recording shall have: the help, and the dot of the recording itself."""
        if recording_seconds is not None:
            draw_recording(image, recording_seconds)
        if self._settings.shows_help:
            below = banner_height(image) if self.banner else 0
            draw_help(image[below:], self._help_groups)


def draw_note(image: Image, text: str) -> None:
    """Write `text` in a box above the place of the strip."""
    height = image.shape[0]
    above = 1 - _NOTE_HEIGHT * strip_height(height) / height
    draw_table(image, [(text,)], (0.5, max(0.0, above)), AMBER)


def draw_help(image: Image, groups: HelpGroups) -> None:
    """Write what keys do into the middle of `image`, in two columns of groups."""
    columns: tuple[list[tuple[str, str]], ...] = ([], [])
    for name, rows in sorted(groups.items(), key=lambda group: -len(group[1])):
        shorter = min(columns, key=len)
        shorter.extend([*[("", "")] * bool(shorter), ("", name.upper()), *rows])
    pairs = itertools.zip_longest(*columns, fillvalue=("", ""))
    draw_table(image, [left + right for left, right in pairs], _MIDDLE, *_HELP_COLORS)
