"""Obey the livekm process that started this one and report to it, a line of JSON at a time."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from queue import SimpleQueue

REPORT_OPTION = "--report"
"""Option for other programs: print `Report` lines, and obey the `Parent`."""

STOP = "stop\n"
"""A line on stdin that asks to end early and keep what is done."""

_PERIOD = 0.2  # seconds from one report of progress to the next
_PATIENCE = 5  # seconds that an interrupted process gets to clean up
_SLICE = 0.1  # seconds between two looks whether there is work to interrupt


@dataclass(frozen=True, slots=True)
class Report:
    """How far a clip is, or a message about it.

    Attributes
    ----------
    kind : {"progress", "detail", "warning", "failure", "end"}
    text : str
        A detail for ``--verbose``, a warning, why there is no output, or the exit code of the end.
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

    def end(self, code: int) -> None:
        """Report that the command line has ended, and its exit code."""
        self._tell(Report("end", str(code)))

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


class Parent:
    """The livekm process that started this one, as it is heard on stdin.

    It sends `STOP`, and further command lines, each a list of JSON in one line. When stdin ends, it
    is gone, and a process that it started does not work on unseen.
    """

    def __init__(self) -> None:
        self._orders: tuple[Callable[[], None], Callable[[], None]] | None = None
        self._command_lines: SimpleQueue[list[str] | None] = SimpleQueue()
        threading.Thread(target=self._listen, name="livekm parent", daemon=True).start()

    def next_command_line(self) -> list[str] | None:
        """Wait for the next one; None when there will be none."""
        return self._command_lines.get()

    @contextmanager
    def obeyed(self, on_stop: Callable[[], None], on_death: Callable[[], None]) -> Iterator[None]:
        """Call `on_stop` when the parent asks to stop, and `on_death` when it is gone.

        The latter again and again: an interrupt is lost in Python code that C called, such as
        numba's cache.
        """
        self._orders = on_stop, on_death
        try:
            yield
        finally:
            self._orders = None

    def _listen(self) -> None:
        unread = b""
        # sys.stdin.read would hold a lock when the interpreter ends.
        while content := os.read(sys.stdin.fileno(), 1 << 16):
            *lines, unread = (unread + content).split(b"\n")
            for line in lines:
                if line.decode() == STOP.rstrip():
                    self._order(0)
                else:
                    self._command_lines.put(json.loads(line))
        self._command_lines.put(None)
        while True:
            time.sleep(_PATIENCE if self._order(1) else _SLICE)

    def _order(self, which: int) -> bool:
        orders = self._orders
        if orders is not None:
            orders[which]()
        return orders is not None


def to_line(command_line: Sequence[str]) -> str:
    """Return a command line as a `Parent` sends it."""
    return json.dumps(list(command_line)) + "\n"
