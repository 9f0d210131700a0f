"""The frame loop and the time each of its stages takes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np

from livekm.frame import Frame
from livekm.segmentation import Segmentation
from livekm.segmenter import Segmenter
from livekm.sinks.base import Sink
from livekm.sources.base import Source
from livekm.views import View, seen


@dataclass(frozen=True, slots=True)
class StageSummary:
    """The median and the 95th percentile of a stage's times, in milliseconds."""

    median_ms: float
    p95_ms: float


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
            name: StageSummary(1e3 * float(np.median(times)), 1e3 * float(np.percentile(times, 95)))
            for name, times in self.times().items()
        }


def _drop_first(times: deque[float], n: int) -> None:
    for _ in range(min(n, len(times))):
        times.popleft()


def timed_frames(source: Source, timer: StageTimer) -> Iterator[Frame]:
    """Yield the frames of `source` and measure how long each took to come, as ``read``."""
    frames = iter(source)
    while True:
        try:
            with timer.stage("read"):
                frame = next(frames)
        except StopIteration:
            return
        yield frame


def scaled(frame: Frame, scale: float) -> Frame:
    """Return the frame at `scale` times its size, at least one pixel wide and high."""
    if scale == 1:
        return frame
    height, width = frame.image.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    image = np.asarray(cv2.resize(frame.image, size, interpolation=way), np.uint8)
    return Frame(image, frame.index, frame.time)


def run(
    source: Source,
    segmenter: Segmenter,
    view: View,
    sink: Sink,
    *,
    scale: float = 1.0,
    max_frames: int | None = None,
    timer: StageTimer | None = None,
    on_frame: Callable[[Frame, Segmentation], None] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> int:
    """Segment every frame of a source and write what the view makes of it to a sink.

    Parameters
    ----------
    source, segmenter, view, sink
        The way of a frame, in order. The caller opens and closes them.
    scale : float, default 1.0
        Frames are resized by this factor before anything else.
    max_frames : int, optional
        Stop after so many frames.
    timer : StageTimer, optional
        Is told the times of the stages ``read``, ``segment``, ``view`` and ``write``.
    on_frame : callable, optional
        Is called with each frame, as it was segmented, and its segmentation.
    should_stop : callable, optional
        Is asked after each frame whether to end early.

    Returns
    -------
    n_frames : int
        The number of frames written.
    """
    timer = timer or StageTimer(memory=1)
    done = 0
    if max_frames is not None and max_frames <= 0:
        return done
    for taken in timed_frames(source, timer):
        with timer.stage("segment"):
            frame = scaled(taken, scale)
            segmentation = segmenter.update(frame.image)
        with timer.stage("view"):
            picture = seen(view, frame, segmentation)
        with timer.stage("write"):
            sink.write(frame, picture)
        timer.end_frame()
        done += 1
        if on_frame is not None:
            on_frame(frame, segmentation)
        if done == max_frames or should_stop():
            break
    return done
