"""The time that each stage of a frame loop takes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class StageSummary:
    """The median, the 95th and the 99th percentile of a stage's times, in milliseconds."""

    median_ms: float
    p95_ms: float
    p99_ms: float


class StageTimer:
    """Measures the stages of a frame loop and the periods from frame to frame.

    Parameters
    ----------
    memory : int or None
        Frames that are remembered; None for all.

    Examples
    --------
    >>> timer = StageTimer()
    >>> for _ in range(3):
    ...     with timer.stage("segment"):
    ...         pass
    ...     timer.end_frame()
    >>> list(timer.summary())
    ['segment', 'frame']
    """

    def __init__(self, memory: int | None = None) -> None:
        self._memory = memory
        self._times: dict[str, deque[float]] = {}
        self._periods: deque[float] = deque(maxlen=memory)
        self._last: float | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure the block as the stage `name`; a block that raises does not count."""
        start = time.perf_counter()
        yield
        self.note(name, time.perf_counter() - start)

    def note(self, name: str, seconds: float) -> None:
        """Take what the stage `name` took."""
        self._times.setdefault(name, deque(maxlen=self._memory)).append(seconds)

    def end_frame(self) -> None:
        """End a frame: the period is the time since the last frame's end."""
        now = time.perf_counter()
        if self._last is not None:
            self._periods.append(now - self._last)
        self._last = now

    def skip_period(self) -> None:
        """Leave the time from the last frame to the next one out of the periods."""
        self._last = None

    def forget(self, n_frames: int) -> None:
        """Forget the first `n_frames` frames of those that are remembered."""
        for times in self._times.values():
            _drop_first(times, n_frames)
        _drop_first(self._periods, n_frames - 1)  # the first frame has no period

    @property
    def fps(self) -> float | None:
        """Frames a second: the inverse of the mean period; None before the second frame."""
        total = sum(self._periods)
        return len(self._periods) / total if total > 0 else None

    def times(self) -> dict[str, list[float]]:
        """Return the seconds of each stage by name, in order, and the periods as ``"frame"``."""
        rows = {**self._times, "frame": self._periods}
        return {name: list(times) for name, times in rows.items() if times}

    def summary(self) -> dict[str, StageSummary]:
        """Return each stage by name, in order, and the whole period as ``"frame"``."""
        return {
            name: StageSummary(*(1e3 * np.percentile(times, [50, 95, 99])).tolist())
            for name, times in self.times().items()
        }


def _drop_first(times: deque[float], n: int) -> None:
    for _ in range(min(n, len(times))):
        times.popleft()
