"""The live loop without a window: each newest frame and its segmentation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from livekm.context import Closing
from livekm.core.segmentation import Segmentation
from livekm.core.segmenter import Segmenter
from livekm.frame import Frame, VideoInfo
from livekm.live.feeds import Feed, open_feed
from livekm.pipeline import scaled
from livekm.sources import Source, open_source
from livekm.timing import StageTimer
from livekm.validation import check_positive

_SLICE = 0.05  # seconds between two looks at whether to stop


class LiveFrames(Closing):
    """An iterable of frames and their segmentations; `live_frames` makes it.

    It is read once. A loop that ends, by ``break`` too, releases the source.

    Attributes
    ----------
    info : VideoInfo
        Of the source.
    """

    def __init__(
        self,
        source: Source,
        segmenter: Segmenter,
        *,
        scale: float,
        max_frames: int | None,
        reconnect: bool,
        should_stop: Callable[[], bool],
    ) -> None:
        self.info: VideoInfo = source.info
        self._source, self._segmenter = source, segmenter
        self._scale, self._max_frames = scale, max_frames
        self._reconnect, self._should_stop = reconnect, should_stop
        self._feed: Feed | None = None

    def __iter__(self) -> Iterator[tuple[Frame, Segmentation]]:
        timer = StageTimer(memory=1)
        opened = open_feed(self._source, timer, self._max_frames, reconnect=self._reconnect)
        with self, opened as self._feed:
            while (frame := self._next(self._feed)) is not None:
                frame = scaled(frame, self._scale)
                yield frame, self._segmenter.update(frame.image, frame.mask)

    def run(self, on_frame: Callable[[Frame, Segmentation], None]) -> int:
        """Call `on_frame` with each frame and its segmentation; return how many there were."""
        n_frames = 0
        for frame, segmentation in self:
            on_frame(frame, segmentation)
            n_frames += 1
        return n_frames

    @property
    def n_dropped(self) -> int:
        """Frames that were left out to keep up with the source."""
        return 0 if self._feed is None else self._feed.n_dropped

    @property
    def age(self) -> float | None:
        """Seconds since the last frame was captured; None of a clip."""
        return None if self._feed is None else self._feed.age

    def close(self) -> None:
        """Release the source. Closing twice is allowed."""
        self._source.close()

    def _next(self, feed: Feed) -> Frame | None:
        """Wait for the next frame; None at the end."""
        frame = None
        while frame is None and not self._should_stop():
            frame = feed.take()
            if frame is None and (feed.is_over or _is_at_end(feed)):
                return None
        while frame is not None and (left := feed.due(frame) - time.perf_counter()) > 0:
            if self._should_stop():
                return None
            time.sleep(min(left, _SLICE))
        return frame


def _is_at_end(feed: Feed) -> bool:
    """Tell whether a clip has ended, in which a window could still go back."""
    timeline = feed.timeline
    return timeline is not None and timeline.is_at_end


def live_frames(
    source: int | str | Path | Source,
    segmenter: Segmenter | None = None,
    *,
    scale: float = 1.0,
    max_frames: int | None = None,
    reconnect: bool = True,
    should_stop: Callable[[], bool] = lambda: False,
) -> LiveFrames:
    """Iterate over the newest frames of a source and their segmentations, without a window.

    Who is slower than a camera misses frames but never sees the past. A clip plays at its own
    speed, and loses the frames for which there is no time.

    Parameters
    ----------
    source : int, str, Path or Source
        What `open_source` takes, or a source; it is closed with the loop.
    segmenter : Segmenter, optional
        One of 8 clusters by default.
    scale : float, default 1.0
        Frames are resized by this factor first.
    max_frames : int, optional
        End after so many frames.
    reconnect : bool, default True
        Wait for a camera that fails, and go on when it is back.
    should_stop : callable, optional
        Asked while frames are awaited whether to end.

    Returns
    -------
    LiveFrames
        Iterable once, of (`Frame`, `Segmentation`); ``run(on_frame)`` calls a function instead.
        ``n_dropped`` and ``age`` tell how well the loop keeps up.

    Raises
    ------
    SourceError
        If there is nothing to read; from the loop, if the source fails for good.

    Examples
    --------
    >>> for frame, segmentation in live_frames(0):  # doctest: +SKIP
    ...     print(frame.index, segmentation.shares)

    >>> clip = open_source("demo", width=64, height=48, fps=100)
    >>> live_frames(clip, max_frames=2).run(lambda frame, found: print(found.n_clusters))
    8
    8
    2
    """
    check_positive("scale", scale)
    check_positive("max_frames", max_frames)
    return LiveFrames(
        source if isinstance(source, Source) else open_source(source),
        segmenter or Segmenter(),
        scale=scale,
        max_frames=max_frames,
        reconnect=reconnect,
        should_stop=should_stop,
    )
