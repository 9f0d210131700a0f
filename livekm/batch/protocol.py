"""Report to the livekm process that started this one, a line of JSON at a time."""

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
"""Option for other programs: print `Report` lines, and end when stdin ends."""

STOP = "stop\n"
"""A line on stdin that asks to end early and keep what is done."""

_PERIOD = 0.2  # seconds from one report of progress to the next
_PATIENCE = 5  # seconds that an interrupted process gets to clean up


@dataclass(frozen=True, slots=True)
class Report:
    """How far a clip is, or a message about it.

    Attributes
    ----------
    kind : {"progress", "detail", "warning", "failure"}
    text : str
        A detail for ``--verbose``, a warning, or why there is no output.
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
    """Report what happens; as a handler of logging, report its records.

    Parameters
    ----------
    say : callable
        Take a line and print it.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        """Report a record: from warnings on as a warning, below as a detail."""
        kind = "warning" if record.levelno >= logging.WARNING else "detail"
        self._tell(Report(kind, record.getMessage()))

    def detail(self, text: str) -> None:
        """Report what ``--verbose`` shows."""
        self._tell(Report("detail", text))

    def fail(self, reason: str) -> None:
        """Report why there is no output."""
        self._tell(Report("failure", reason))

    @contextmanager
    def progress(self, total: int | None) -> Iterator[Callable[[], object]]:
        """Report how many frames are done; give a function to call after each."""
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
    """Read stdin in a thread: call `on_stop` for a `STOP` line, and `on_death` when stdin ends.

    So a process whose parent was killed does not work on unseen. `on_death` is called again and
    again: an interrupt is lost in Python code that C called, such as numba's cache.
    """

    def read() -> None:
        # sys.stdin.read would hold a lock when the interpreter ends.
        while content := os.read(sys.stdin.fileno(), 4096):
            if STOP.encode() in content:
                on_stop()
        while True:
            on_death()
            time.sleep(_PATIENCE)

    threading.Thread(target=read, daemon=True).start()
