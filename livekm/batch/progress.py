"""Show the progress of many clips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from tqdm import tqdm

from livekm.batch.job import Job, JobEvent, JobProgress
from livekm.errors import printable

_MOST_LINES = 8  # of clips in work; more would scroll the terminal
_LONGEST_NAME = 30


class BatchProgress:
    """Tell what happens; on a terminal, show a bar for all clips and a line for each in work.

    Parameters
    ----------
    n_jobs : int
    tell : callable
        Take a message for the user.
    quiet : bool
        Whether to tell failures only, and show no bar.
    """

    def __init__(self, n_jobs: int, tell: Callable[[str], None], *, quiet: bool) -> None:
        self._n_jobs = n_jobs
        self._tell, self._is_quiet = tell, quiet
        self._counts: Counter[str] = Counter()
        self._shares: dict[Job, float] = {}  # how much of each clip in work is done
        self._lines: dict[Job, tqdm] = {}
        self._bar = tqdm(
            total=n_jobs,
            disable=True if quiet else None,  # None: unless stderr is a terminal
            bar_format="{percentage:3.0f}%|{bar}| {desc} [{elapsed}<{remaining}]",
        )
        self._refresh()

    def __enter__(self) -> BatchProgress:
        return self

    def __exit__(self, *exception: object) -> None:
        for line in self._lines.values():
            line.close()
        self._bar.close()

    def show(self, event: JobEvent) -> None:
        """Show an event."""
        if isinstance(event, JobProgress):
            self._shares[event.job] = min(1.0, event.n_frames / event.total) if event.total else 0
            if not self._bar.disable:
                self._show_line(event)
        else:
            self._counts[event.outcome] += 1
            self._shares.pop(event.job, None)
            line = self._lines.pop(event.job, None)
            if line is not None:
                line.close()
            lines = [line for detail in event.details for line in detail.splitlines()]
            others = [] if self._is_quiet else [*lines, *event.warnings]
            for message in [*others, *([event.reason] if event.reason else [])]:
                with tqdm.external_write_mode():  # clears the bars meanwhile
                    self._tell(message)
        self._refresh()

    def _show_line(self, event: JobProgress) -> None:
        line = self._lines.get(event.job)
        if line is None:
            if len(self._lines) == _MOST_LINES:
                return
            taken = {line.pos for line in self._lines.values()}
            free = next(place for place in range(1, _MOST_LINES + 1) if -place not in taken)
            line = self._lines[event.job] = tqdm(
                total=event.total,
                unit=" frames",
                desc=f"  {_short(printable(str(event.job.source))):{_LONGEST_NAME}s}",
                position=free,
                leave=False,
            )
        line.n = event.n_frames
        line.refresh()

    def _refresh(self) -> None:
        if self._bar.disable:
            return
        done = sum(self._counts.values())
        failed = f", {self._counts['failed']} failed" if self._counts["failed"] else ""
        self._bar.n = done + sum(self._shares.values())
        self._bar.set_description_str(f"{done} of {self._n_jobs} clips{failed}")


def _short(name: str) -> str:
    """Return the end of a name, in which clips differ."""
    return name if len(name) <= _LONGEST_NAME else f"...{name[3 - _LONGEST_NAME :]}"
