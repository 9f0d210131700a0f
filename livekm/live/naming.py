"""The names that the user types for segments."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from livekm.core.segmenter import Segmenter
from livekm.live.entry import Entry
from livekm.live.hud import Hud
from livekm.live.processing import Processing
from livekm.live.saving import Saving


class SegmentNaming:
    """Asks for the names of segments and gives them, also to a table of names.

    Parameters
    ----------
    segmenter, processing, hud, saving
        Of the session.
    table : Path or None
        The table of names that is kept up to date.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        processing: Processing,
        hud: Hud,
        saving: Saving,
        table: Path | None,
    ) -> None:
        self._segmenter, self._processing = segmenter, processing
        self._hud, self._saving, self._table = hud, saving, table
        self._entry: Entry | None = None

    @property
    def is_typing(self) -> bool:
        """Whether keys are the letters of a name."""
        return self._entry is not None

    def ask(self, identity: int) -> None:
        """Let the user type a name for the segment of an id."""
        self._entry = Entry(f"name of {identity}", partial(self.give, identity))
        self._hud.prompt = str(self._entry)

    def press(self, key: str) -> None:
        """Take a key of what is typed."""
        entry = self._entry
        if entry is not None:
            entry.press(key)
            self._entry = entry if entry.is_open else None
            self._hud.prompt = str(entry) if entry.is_open else ""

    def give(self, identity: int, name: str) -> None:
        """Name the segment of an id; "" takes its name away."""
        found = self._processing.segmentation
        labels = [] if found is None else np.flatnonzero(found.ids == identity).tolist()
        if found is None or not labels:
            self._hud.say(f"{identity} is gone")
            return
        blue, green, red = found.palette[labels[0]].tolist()
        self._segmenter.name_segment(identity, name, (blue, green, red))
        self._processing.note_change()
        if not name:
            self._hud.say(f"{identity} has no name")
        elif self._table is None:
            self._hud.say(f"{identity} is {name}; --names FILE keeps it")
        else:
            self._saving.save_name(self._table, name, (blue, green, red))
