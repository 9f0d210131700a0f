"""Progress bars of many clips."""

from __future__ import annotations

from collections import Counter

from tqdm import tqdm

from livekm.batch.job import Job, JobEvent, JobProgress

_MOST_LINES = 8  # of clips in work; more would push what is above off the screen
_LONGEST_NAME = 30


class BatchProgress:
    """A bar for all clips and, on a terminal, a line for each in work; a context manager.

    Parameters
    ----------
    n_jobs : int
    hidden : bool
    """

    def __init__(self, n_jobs: int, *, hidden: bool) -> None:
        self._n_jobs = n_jobs
        self._hidden = hidden
        self._counts: Counter[str] = Counter()
        self._shares: dict[Job, float] = {}  # of the clips in work that are done
        self._lines: dict[Job, tqdm] = {}
        self._bar = tqdm(
            total=n_jobs,
            disable=hidden,
            bar_format="{percentage:3.0f}%|{bar}| {desc} [{elapsed}<{remaining}]",
        )
        self._has_lines = not hidden and self._bar.fp.isatty()
        self._refresh()

    def __enter__(self) -> BatchProgress:
        return self

    def __exit__(self, *exception: object) -> None:
        for line in self._lines.values():
            line.close()
        self._bar.close()

    def show(self, event: JobEvent) -> None:
        """Take what happened to a clip."""
        if isinstance(event, JobProgress):
            self._shares[event.job] = min(1.0, event.n_frames / event.total) if event.total else 0
            if self._has_lines:
                self._show_line(event)
        else:
            self._counts[event.outcome] += 1
            self._shares.pop(event.job, None)
            line = self._lines.pop(event.job, None)
            if line is not None:
                line.close()
            if not self._hidden:
                reasons = [event.reason] if event.reason else []
                for text in [*event.details, *event.warnings, *reasons]:
                    self._bar.write(f"livekm: {text}", file=self._bar.fp)
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
                desc=f"  {_short(str(event.job.source)):{_LONGEST_NAME}s}",
                position=free,
                leave=False,
            )
        line.n = event.n_frames
        line.refresh()

    def _refresh(self) -> None:
        if self._hidden:
            return
        done = sum(self._counts.values())
        failed = f", {self._counts['failed']} failed" if self._counts["failed"] else ""
        self._bar.n = done + sum(self._shares.values())
        self._bar.set_description_str(f"{done} of {self._n_jobs} clips{failed}")


def _short(name: str) -> str:
    """Keep the end of a name, which tells clips apart."""
    return name if len(name) <= _LONGEST_NAME else f"...{name[3 - _LONGEST_NAME :]}"
