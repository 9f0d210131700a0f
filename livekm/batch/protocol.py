"""What a livekm process tells the livekm process that started it, line by line."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

REPORT_OPTION = "--report"
"""Of the command line, for other programs: print `Report` lines, and end when stdin does."""

STOP = "stop\n"
"""A line on stdin that asks to end early and keep what is done."""

_PERIOD = 0.2  # seconds from one report of progress to the next
_PATIENCE = 5  # seconds that an interrupted process has to clean up


@dataclass(frozen=True, slots=True)
class Report:
    """How far a clip is, or what is to be said about it.

    Attributes
    ----------
    kind : {"progress", "warning", "failure"}
    text : str
        A warning, or why there is no output.
    n_frames : int
        Frames done.
    total : int or None
        Frames in all; an estimate, or None where it is not known.

    Examples
    --------
    >>> line = Report("progress", n_frames=3, total=10).to_line()
    >>> Report.from_line(line).n_frames
    3
    >>> Report.from_line("anything else")
    """

    kind: str
    text: str = ""
    n_frames: int = 0
    total: int | None = None

    def to_line(self) -> str:
        """Return the report as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_line(cls, line: str) -> Report | None:
        """Read a line of `to_line`; None for any other."""
        try:
            return cls(**json.loads(line))
        except (ValueError, TypeError):
            return None


class Reporter(logging.Handler):
    """Tells what happens; as a handler of logging, it tells warnings.

    Parameters
    ----------
    say : callable
        Takes each line.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        """Tell a warning."""
        self._tell(Report("warning", record.getMessage()))

    def fail(self, reason: str) -> None:
        """Tell why there is no output."""
        self._tell(Report("failure", reason))

    @contextmanager
    def progress(self, total: int | None) -> Iterator[Callable[[], object]]:
        """Tell how many frames are done; what it gives is to be called after each."""
        done, last = 0, time.monotonic()

        def count() -> None:
            nonlocal done, last
            done += 1
            if time.monotonic() - last > _PERIOD:
                last = time.monotonic()
                self._tell(Report("progress", n_frames=done, total=total))

        try:
            yield count
        finally:
            self._tell(Report("progress", n_frames=done, total=total))

    def _tell(self, report: Report) -> None:
        self._say(report.to_line())


def follow_parent(on_stop: Callable[[], None], on_death: Callable[[], None]) -> None:
    """Read stdin in a thread: call `on_stop` for a `STOP` line, `on_death` where stdin ends.

    A process whose parent was killed does not work on for hours, unseen. `on_death` is called again
    and again: an interruption is lost where it meets Python that C called, such as numba's cache.
    """

    def read() -> None:
        # Not sys.stdin's own methods: their lock would be held when the interpreter ends.
        while content := os.read(sys.stdin.fileno(), 4096):
            if STOP.encode() in content:
                on_stop()
        while True:
            on_death()
            time.sleep(_PATIENCE)

    threading.Thread(target=read, daemon=True).start()
