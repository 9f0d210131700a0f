"""Feeds give the window its next frame: a camera's newest, or a clip's at its own speed."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from livekm.context import Closing
from livekm.errors import UsageError
from livekm.frame import Frame
from livekm.live.capture import NewestFrame
from livekm.live.controls import Timeline
from livekm.pipeline import timed_frames
from livekm.sources.base import Source
from livekm.timing import StageTimer

_SLICE = 0.05  # seconds to wait for a camera's frame before the window is drawn again
_LATE = 0.1  # seconds after its time at which a clip's frame is dropped
_EXACT = 1e-3  # seconds by which the frame at a time may come before it
_HOPELESS = 1.0  # seconds behind at which a clip's clock is set anew instead


class Feed(ABC):
    """Gives the window's loop its frames.

    Attributes
    ----------
    is_over : bool
        Whether there will be no more frames.
    loops : bool
        Whether a recorded source begins again at its end.
    """

    is_over: bool = False
    loops: bool = False

    @abstractmethod
    def take(self) -> Frame | None:
        """Return the next frame to show; None if there is none yet, or at the end."""

    @abstractmethod
    def hold(self) -> None:
        """Stop the clock while the picture is held."""

    @property
    @abstractmethod
    def n_dropped(self) -> int:
        """Frames left out to keep up."""

    @property
    def age(self) -> float | None:
        """Seconds since the last frame was captured; None for a clip."""
        return None

    @property
    def timeline(self) -> Timeline | None:
        """Where in a recorded source the last frame is; None where there is no going back."""
        return None

    def seek(self, seconds: float) -> None:
        """Go on at a time of a recorded source, in seconds from its first frame."""
        raise UsageError("a live source has no other place to go to")

    @property
    def is_interrupted(self) -> bool:
        """Whether a live source has stopped sending frames."""
        return False

    def due(self, frame: Frame) -> float:
        """Return the `time.perf_counter` until which the frame stays on the screen."""
        return 0.0


@contextmanager
def open_feed(
    source: Source, timer: StageTimer, max_frames: int | None = None, *, reconnect: bool = True
) -> Iterator[Feed]:
    """Read a source by the feed that fits it while the block lasts; the source stays open."""
    if source.info.is_live:
        with NewestFrame(source, reconnect=reconnect) as capture:
            yield LiveFeed(capture, timer, max_frames)
    else:
        with RecordedFeed(source, timer, max_frames) as feed:
            yield feed


class LiveFeed(Feed):
    """The newest frame of a live source."""

    def __init__(self, capture: NewestFrame, timer: StageTimer, max_frames: int | None) -> None:
        self._capture = capture
        self._timer = timer
        self._left = max_frames
        self._held = False

    def take(self) -> Frame | None:
        """Return the newest frame that was not taken yet."""
        if self._left == 0:
            self.is_over = True
            return None
        if self._held:
            self._capture.discard()
            self._held = False
        start = time.perf_counter()
        frame = self._capture.take(_SLICE)
        if frame is None:
            self.is_over: bool = self._capture.is_over
            return None
        self._timer.note("wait", time.perf_counter() - start)
        if self._left is not None:
            self._left -= 1
        return frame

    def hold(self) -> None:
        """Discard frames until the next `take`; raise the error that ended the stream."""
        self._held = True
        self._capture.discard()
        self._capture.take(0)

    @property
    def n_dropped(self) -> int:
        """Frames that came while the loop was busy."""
        return self._capture.n_dropped

    @property
    def age(self) -> float | None:
        """Seconds since the last frame was captured."""
        return self._capture.age

    @property
    def is_interrupted(self) -> bool:
        """Whether the source is away, or silent for too long."""
        return self._capture.is_interrupted


class RecordedFeed(Feed, Closing):
    """A clip at its own speed: waits for early frames, drops late ones, and keeps the last one.

    Parameters
    ----------
    source : Source
        The caller closes it; those that it is opened anew as are closed with the feed.
    timer : StageTimer
    max_frames : int or None
        After so many frames it is over; without it, never: one can go back from the last frame.
    """

    def __init__(self, source: Source, timer: StageTimer, max_frames: int | None) -> None:
        self._original = self._source = source
        self._timer = timer
        self._left = max_frames
        self._frames = timed_frames(source, timer)
        self._start: float | None = None
        self._n_dropped = 0
        self._first: float | None = None  # time of the first frame, and of the last one taken
        self._last = 0.0
        self._target: float | None = None
        self._is_at_end = False

    def take(self) -> Frame | None:
        """Return the next frame that is not too late; None at the end."""
        if self._left == 0:
            self.is_over = True
            return None
        frame = self._next()
        if frame is None and self.loops and self._can_seek:
            self.seek(0.0)
            frame = self._next()
        self._is_at_end = frame is None
        if frame is None:
            self.is_over = not self._can_seek
            return None
        if self._left is not None:
            self._left -= 1
        return frame

    def hold(self) -> None:
        """Set the clock anew at the next frame."""
        self._start = None

    def seek(self, seconds: float) -> None:
        """Open the source anew and go on at a time, or at its last frame before it."""
        again = self._original.reopened() if self._can_seek else None
        if again is None:
            return
        self._close_reopened()
        again.skip(seconds)
        self._source, self._frames = again, timed_frames(again, self._timer)
        self._target, self._is_at_end = seconds, False
        self.hold()

    @property
    def timeline(self) -> Timeline | None:
        """Where the last frame is; None for a source that has no end, or only one frame."""
        info = self._original.info
        if not self._can_seek or self._first is None:
            return None
        duration = None
        if info.n_frames and info.fps:
            duration = max(0.0, (info.n_frames - 1) / float(info.fps))
        return Timeline(self._last - self._first, duration, self._is_at_end)

    @property
    def n_dropped(self) -> int:
        """Frames left out to keep the clip's speed."""
        return self._n_dropped

    def due(self, frame: Frame) -> float:
        """Return the time of the frame on the clock."""
        if self._start is None:
            self._start = time.perf_counter() - frame.time
        return self._start + frame.time

    def close(self) -> None:
        """Close what was opened anew. Closing twice is allowed."""
        self._close_reopened()

    @property
    def _can_seek(self) -> bool:
        return bool(self._original.info.path) and not self._original.info.is_still

    def _close_reopened(self) -> None:
        if self._source is not self._original:
            self._source.close()
            self._source = self._original

    def _next(self) -> Frame | None:
        before = None  # the last frame before the target: a clip may end earlier than it says
        for frame in self._frames:
            if self._first is None:
                self._first = frame.time
            if self._target is not None and frame.time - self._first < self._target - _EXACT:
                before = frame
                continue
            if self._target is None and self._is_late(frame):
                continue
            before = frame
            break
        self._target = None
        if before is not None:
            self._last = before.time
        return before

    def _is_late(self, frame: Frame) -> bool:
        if self._start is None:
            return False
        late = time.perf_counter() - self._start - frame.time
        if late > _HOPELESS:
            self.hold()
        elif late > _LATE:
            self._n_dropped += 1
            return True
        return False


class Ages:
    """Collects how old frames were when they appeared on the screen.

    Parameters
    ----------
    memory : int
        Frames of which the median is taken.
    """

    def __init__(self, memory: int) -> None:
        self._last: deque[float] = deque(maxlen=memory)
        self.greatest_ms: float | None = None

    def note(self, age: float | None) -> None:
        """Take the age of the next frame in seconds; None, of a recorded one, counts nothing."""
        if age is not None:
            self._last.append(1e3 * age)
            self.greatest_ms = max(1e3 * age, self.greatest_ms or 0.0)

    @property
    def median_ms(self) -> float | None:
        """The median over the last frames, in milliseconds; None before the first."""
        return float(np.median(self._last)) if self._last else None
