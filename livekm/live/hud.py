"""The head-up display (HUD) drawn over the picture: its parts, and for how long each is shown."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from livekm.frame import Image
from livekm.live.settings import LiveSettings
from livekm.live.text import (
    AMBER,
    BLUE,
    SMALLEST,
    WHITE,
    Rows,
    banner_height,
    draw_banner,
    draw_recording,
    draw_table,
    fitting_size,
    font_size,
    line_height,
    table_stamp,
)

_FLASH_SECONDS = 1.0
_LONG_SECONDS = 4.0
_FIRST_NOTE = "press ? for the keys"
_LEAST_HELP = SMALLEST - 1  # pixels of its font: where less would fit, it has several pages
_HELP_COLORS = (AMBER, WHITE, BLUE)
_GAP = 12  # pixels from the pointer to what is said about its place

HelpRow: TypeAlias = tuple[str, str, str]
"""A key, what it does, and the value that it changes, or nothing."""

HelpGroups: TypeAlias = Mapping[str, Sequence[HelpRow]]
"""Each key, by what such keys are about."""


class Hud:
    """Lines of text, notes, a banner, the help, the dot of a recording.

    Parameters
    ----------
    settings : LiveSettings
        Tells which of them are shown.

    Attributes
    ----------
    banner : str or None
        Is drawn across the picture.
    prompt : str
        What is being typed; is shown in the place of notes.
    """

    def __init__(self, settings: LiveSettings) -> None:
        self.banner: str | None = None
        self.prompt = ""
        self._settings = settings
        self._n_pages = 1  # of the help, in the room in which it was shown last
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

    def turn_help(self) -> None:
        """Show the help, its next page, or after the last one nothing."""
        page = self._settings.help_page + 1
        self._settings.help_page = page if page <= self._n_pages else 0
        if self._settings.help_page == 0:
            self._n_pages = 1

    def draw(self, picture: Image, lines: Sequence[str], captions: Sequence[str] = ()) -> None:
        """Draw the lines, the captions, the note and the banner into the picture.

        Parameters
        ----------
        picture : (H, W, 3) uint8, BGR
        lines : sequence of str
            Are left out where the help is shown.
        captions : sequence of str
            What the left and the right half show, if that differs.
        """
        settings = self._settings
        if settings.hud != "hidden":
            if lines and not settings.help_page:
                draw_table(picture, [(line,) for line in lines], (0.0, 0.0))
            draw_captions(picture, captions)
        if self.prompt or self.note:
            draw_note(picture, self.prompt or self.note)
        if self.banner:
            draw_banner(picture, self.banner, at_top=bool(settings.help_page))

    def draw_aids(
        self, picture: Image, recording_seconds: float | None, help_groups: HelpGroups
    ) -> None:
        """Draw what no recording shall have: the help, and the dot of the recording itself."""
        if recording_seconds is not None:
            draw_recording(picture, recording_seconds)
        page = self._settings.help_page
        if page:
            below = picture[banner_height(picture) if self.banner else 0 :]
            pages = help_pages(help_groups, below)
            self._n_pages = len(pages)
            shown = pages[min(page, len(pages)) - 1]
            draw_table(below, shown, (0.5, 0.5), *_HELP_COLORS * (len(shown[0]) // 3))


def card(size: tuple[int, int], text: str) -> Image:
    """Return a black picture of a width and height that says `text`."""
    picture: Image = np.zeros((size[1], size[0], 3), np.uint8)
    draw_note(picture, text)
    return picture


def draw_note(picture: Image, text: str) -> None:
    """Write `text` in a box above the bottom, and above the captions there."""
    line = line_height(font_size(picture))
    draw_table(picture[: max(1, picture.shape[0] - 2 * line)], [(text,)], (0.5, 1.0), AMBER)


def draw_captions(picture: Image, captions: Sequence[str]) -> None:
    """Write a text each into the lower corners."""
    for text, across in zip(captions, (0.0, 1.0), strict=False):
        table_stamp(((text,),), font_size(picture)).put_within(picture, (across, 1.0))


def draw_tip(image: Image, text: str, at: tuple[int, int]) -> None:
    """Write `text` beside the pointer."""
    stamp = table_stamp(((text,),), font_size(image))
    (x, y), (width, height) = at, stamp.size
    left = min(max(0, x - width // 2), max(0, image.shape[1] - width))
    above = y - height - _GAP
    stamp.put(image, left, above if above >= 0 else y + 2 * _GAP)


def help_pages(groups: HelpGroups, picture: Image) -> list[Rows]:
    """Return the tables that tell what keys do: one, or several where it would be too small."""
    room = picture.shape[1], picture.shape[0]
    whole = _in_two_columns(groups)
    if fitting_size(whole, _LEAST_HELP, room) == _LEAST_HELP:
        return [whole]
    lines = [line for name, rows in groups.items() for line in (("", name.upper(), ""), *rows)]
    n_lines = max(2, room[1] // line_height(_LEAST_HELP) - 1)
    return [tuple(lines[start : start + n_lines]) for start in range(0, len(lines), n_lines)]


def _in_two_columns(groups: HelpGroups) -> Rows:
    nothing = ("", "", "")
    columns: tuple[list[HelpRow], ...] = ([], [])
    for name, rows in sorted(groups.items(), key=lambda group: -len(group[1])):
        shorter = min(columns, key=len)
        shorter.extend([*[nothing] * bool(shorter), ("", name.upper(), ""), *rows])
    pairs = itertools.zip_longest(*columns, fillvalue=nothing)
    return tuple(left + right for left, right in pairs)
