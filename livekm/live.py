"""The live window: frames in, keys back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from livekm.controls import key_table, press
from livekm.feeds import Ages, Feed, open_feed
from livekm.segmenter import Segmenter
from livekm.session import Session
from livekm.sinks.window import WindowSink
from livekm.sources.base import Source
from livekm.warmup import WarmUp

_SLICE = 0.05  # seconds for which the window works undisturbed
_MEMORY = 30  # frames over which ages are taken


@dataclass(frozen=True, slots=True)
class LiveSummary:
    """How a live session went.

    Attributes
    ----------
    n_frames : int
        Frames shown.
    n_dropped : int
        Frames of a camera that came while the loop was busy, or frames of a clip that were left
        out to keep its speed.
    fps : float or None
        Frames a second, over the last frames.
    age_ms : float or None
        How old the frames were when they stood on the screen, counted from their capture: the
        median over the last frames, in milliseconds. None where nothing live was shown.
    max_age_ms : float or None
        The age of the oldest of all.
    """

    n_frames: int
    n_dropped: int
    fps: float | None
    age_ms: float | None = None
    max_age_ms: float | None = None


def run(
    source: Source,
    segmenter: Segmenter,
    *,
    view: str = "segments",
    scale: float = 1.0,
    mirror: bool = False,
    reconnect: bool = True,
    max_frames: int | None = None,
    snapshots: str | Path = ".",
    should_stop: Callable[[], bool] = lambda: False,
) -> LiveSummary:
    """Show the segmented feed of a source in a window until the user quits or it ends.

    Of a live source the newest frame is shown, whatever the loop takes; a clip plays at its own
    speed, a still image stays. Until the kernels are compiled the picture is shown as it is. To
    be called in the main thread.

    Parameters
    ----------
    source : Source
        Opened, and closed, by the caller.
    segmenter : Segmenter
    view : str, default "segments"
        A key of `livekm.views.VIEWS` to begin with.
    scale : float, default 1.0
        Frames are resized by this factor first.
    mirror : bool, default False
        Whether to begin with left and right exchanged, as in a mirror.
    reconnect : bool, default True
        Keep the last picture when a camera fails, and go on when it is back.
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
    session = Session(
        segmenter,
        view,
        scale,
        Path(snapshots),
        key_table(),
        mirror=mirror,
        are_ready=WarmUp().are_ready,
    )
    with (
        WindowSink(f"livekm - {source.info.name}") as window,
        open_feed(source, session.timer, max_frames, reconnect=reconnect) as feed,
    ):
        ages = Ages(_MEMORY)
        shown = _loop(source, session, feed, ages, window, should_stop)
        fps = session.timer.fps
        return LiveSummary(shown, feed.n_dropped, fps, ages.median_ms, ages.greatest_ms)


def _loop(
    source: Source,
    session: Session,
    feed: Feed,
    ages: Ages,
    window: WindowSink,
    should_stop: Callable[[], bool],
) -> int:
    """Show frames until the end; return how many."""

    def is_over() -> bool:
        return not session.running or not window.is_open or should_stop()

    lost = f"{source.info.name} sends no frames: waiting for it"
    can_wait = not source.info.is_live  # for the kernels
    is_still = source.info.n_frames == 1
    shown = 0
    while not is_over():
        is_held = session.paused or (
            shown > 0 and (is_still or (can_wait and not session.can_segment))
        )
        frame = None if is_held else feed.take()
        if frame is not None:
            session.segment(frame)
            shown += 1
        elif feed.is_over:
            break
        session.set_banner(lost if feed.is_interrupted else None)
        if is_held:
            feed.hold()
        if is_held or feed.is_interrupted:
            session.settle()
            session.timer.skip_period()
        if not session.has_picture:
            continue
        current, image = session.picture(_status(feed, ages))
        with session.timer.stage("show"):
            window.write(current, image)
        # Only now: the first image was waiting for the window to open.
        until = time.perf_counter() + session.patience if is_held else feed.due(current)
        _obey(session, window, until, is_over)
        if frame is not None:
            ages.note(feed.age)
            session.timer.end_frame()
    return shown


def _status(feed: Feed, ages: Ages) -> str:
    """Say how the display keeps up with the source."""
    age = [] if ages.median_ms is None else [f"age {ages.median_ms:.0f} ms"]
    return "   ".join([*age, f"{feed.n_dropped} dropped"])


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
