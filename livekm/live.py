"""The live window: frames in, keys back."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from livekm.controls import key_table, press
from livekm.frame import Frame
from livekm.pipeline import timed_frames
from livekm.segmenter import Segmenter
from livekm.session import Session
from livekm.sinks.window import WindowSink
from livekm.sources.base import Source

_SLICE = 0.05  # seconds for which the window works undisturbed
_LATE = 0.1  # seconds after which a frame of a clip is dropped,
_HOPELESS = 1.0  # and after which the clip goes on from where it is instead


@dataclass(frozen=True, slots=True)
class LiveSummary:
    """How a live session went.

    Attributes
    ----------
    n_frames : int
        Frames shown.
    n_dropped : int
        Frames of a clip that were left out to keep its speed.
    fps : float or None
        Frames a second, over the last frames.
    """

    n_frames: int
    n_dropped: int
    fps: float | None


def run(
    source: Source,
    segmenter: Segmenter,
    *,
    view: str = "segments",
    scale: float = 1.0,
    max_frames: int | None = None,
    snapshots: str | Path = ".",
    should_stop: Callable[[], bool] = lambda: False,
) -> LiveSummary:
    """Show the segmented feed of a source in a window until the user quits or it ends.

    A clip plays at its own speed, a still image stays. To be called in the main thread.

    Parameters
    ----------
    source : Source
        Opened, and closed, by the caller.
    segmenter : Segmenter
    view : str, default "segments"
        A key of `livekm.views.VIEWS` to begin with.
    scale : float, default 1.0
        Frames are resized by this factor first.
    max_frames : int, optional
        End after so many frames.
    snapshots : str or Path, default "."
        The folder of snapshots.
    should_stop : callable, optional
        Is asked again and again whether to end.

    Raises
    ------
    SinkError
        If there is no display.
    SourceError
        If the source fails for good.
    """
    session = Session(segmenter, view, scale, Path(snapshots), key_table())
    clock = _Clock(paced=not source.info.is_live)
    is_still = source.info.n_frames == 1
    shown = 0
    with WindowSink(f"livekm - {source.info.name}") as window:

        def is_over() -> bool:
            return not session.running or not window.is_open or should_stop()

        frames: Iterator[Frame] = itertools.islice(timed_frames(source, session.timer), max_frames)
        while not is_over():
            is_held = session.paused or (is_still and shown > 0)
            if is_held:
                session.settle()
                clock.restart()
                session.timer.skip_period()
            else:
                frame = next(frames, None)
                if frame is None:
                    break
                if clock.is_late(frame):
                    continue
                session.segment(frame)
                shown += 1
            current, image = session.picture()
            with session.timer.stage("show"):
                window.write(current, image)
            # Only now: the first image was waiting for the window to open.
            until = time.perf_counter() + session.patience if is_held else clock.due(current)
            _obey(session, window, until, is_over)
            if not is_held:
                session.timer.end_frame()
    return LiveSummary(shown, clock.n_dropped, session.timer.fps)


def _obey(session: Session, window: WindowSink, until: float, is_over: Callable[[], bool]) -> None:
    """Do what keys say until a time of `time.perf_counter`, at the least what has been typed."""
    while not is_over():
        left = until - time.perf_counter()
        code = window.poll(max(1, round(1e3 * min(left, _SLICE))))
        if code is None:
            if left <= _SLICE:
                return
        else:
            press(session, code)
            if session.paused:  # what the key did shows in the held picture at once
                return


class _Clock:
    """Keeps a clip at its own speed: waits for early frames, drops late ones."""

    def __init__(self, paced: bool) -> None:
        self.n_dropped = 0
        self._paced = paced
        self._start: float | None = None

    def restart(self) -> None:
        """Take the next frame as being in time."""
        self._start = None

    def is_late(self, frame: Frame) -> bool:
        """Tell whether a frame is to be dropped, and count it."""
        if not self._paced or self._start is None:
            return False
        late = time.perf_counter() - self._start - frame.time
        if late > _HOPELESS:
            self.restart()
        elif late > _LATE:
            self.n_dropped += 1
            return True
        return False

    def due(self, frame: Frame) -> float:
        """Return the `time.perf_counter` until which the frame is to be seen."""
        if not self._paced:
            return 0.0
        if self._start is None:
            self._start = time.perf_counter() - frame.time
        return self._start + frame.time
