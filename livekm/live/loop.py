"""The live window: frames in, keys back."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from livekm.core.rests import Rest
from livekm.core.segmentation import Segmentation
from livekm.core.segmenter import Segmenter
from livekm.core.selection import EVERYTHING, Selection
from livekm.frame import Frame, Image
from livekm.live.choice import Choice
from livekm.live.commands import press
from livekm.live.feeds import Ages, Feed, open_feed
from livekm.live.hud import card
from livekm.live.keys import COMMAND_OF, key_groups
from livekm.live.pace import AutoScale
from livekm.live.pointer import Pointer
from livekm.live.presentation import Look
from livekm.live.session import Session
from livekm.live.status import STARTING
from livekm.live.summary import LiveSummary
from livekm.live.warmup import WarmUp
from livekm.live.web import WebFront
from livekm.live.window import NoWindow, Window
from livekm.regions import RegionSegmenter
from livekm.sources.base import Source
from livekm.timing import StageTimer
from livekm.validation import check_positive, named
from livekm.views import VIEWS

if TYPE_CHECKING:
    from livekm.live.web.server import Server

_log = logging.getLogger(__name__)

_SLICE = 0.05  # seconds that the window waits for a key at most before it asks for the next
_LOOK = 0.004  # seconds between two polls of the window while a frame is segmented
_MEMORY = 30  # frames over which the median age is taken
_LONG_MEMORY = 10_000  # frames whose periods the summary is made of


def run(
    source: Source,
    segmenter: Segmenter,
    *,
    view: str = "segments",
    detail: float = 0.13,
    scale: float | None = None,
    target_fps: float | None = None,
    mirror: bool = False,
    rest: Rest | None = None,
    colors: npt.NDArray[np.uint8] | None = None,
    min_area: int | None = None,
    selection: Selection = EVERYTHING,
    reconnect: bool = True,
    max_frames: int | None = None,
    folder: str | Path = ".",
    on_frame: Callable[[Frame, Segmentation], None] | None = None,
    on_choice: Callable[[Choice], None] | None = None,
    names_file: str | Path | None = None,
    server: Server | None = None,
    opens_window: bool = True,
    on_picture: Callable[[Image, float], None] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> LiveSummary:
    """Show the segmented feed of a source in a window until the user quits or a camera ends.

    A live source's newest frame is shown, however slow the loop is; a clip plays at its own speed,
    and its last frame stays; a still image stays. Until the kernels are compiled, the picture is
    shown unsegmented. Call it in the main thread.

    Parameters
    ----------
    source : Source
        Opened, and closed, by the caller.
    segmenter : Segmenter
    view : str, default "segments"
        A key of `livekm.views.VIEWS` to begin with.
    detail : float, default 0.13
        How fine the regions of the view ``regions`` are; see `RegionSegmenter.detail`.
    scale : float, optional
        Frames are resized by this factor first. By default it is 1, and goes down to a quarter
        where the loop would not hold its rate.
    target_fps : float, optional
        The rate to hold; the source's own by default.
    mirror : bool, default False
        Whether to begin with left and right exchanged, as in a mirror.
    rest : str or Backdrop, optional
        What becomes of segments that are not isolated, by default pale, and of what does not
        count, by default nothing; see `Selection`.
    colors : (n, 3) uint8, BGR, optional
        Other colours for the segments, by their ids.
    min_area : int, optional
        Regions of fewer pixels of the frame have no borders; by default a thousandth of it.
    selection : Selection, optional
        Which segments, or in the view ``regions`` which regions, are isolated to begin with.
    reconnect : bool, default True
        Keep the last picture when a camera fails, and go on when it is back.
    max_frames : int, optional
        End after so many frames.
    folder : str or Path, default "."
        Where snapshots and recordings go.
    on_frame : callable, optional
        Called in the main thread with each frame, scaled and mirrored, and its segmentation.
    on_choice : callable, optional
        Called with what was chosen until then when the user asks how to run it again.
    names_file : str or Path, optional
        The table of names to which those are added that the user types; see `Segmenter.read_names`.
    server : Server, optional
        Of `livekm.live.web.server`: shows the feed to browsers, too, and passes on what they ask.
    opens_window : bool, default True
        Whether there is a window; without one, the call may be in any thread.
    on_picture : callable, optional
        Called with each new picture, without the HUD, (H, W, 3) uint8 BGR, and its frame's time;
        never with one that is not segmented, but with a black one that says so.
    should_stop : callable, optional
        Called between frames and keys; True ends the run.

    Raises
    ------
    SinkError
        If there is no display.
    SourceError
        If the source fails for good.
    ValueError
        For a view that is not there, or a scale, rate or number that is not positive.
    """
    named("view", view, VIEWS)
    check_positive("scale", scale)
    check_positive("target_fps", target_fps)
    check_positive("max_frames", max_frames)
    check_positive("min_area", min_area)
    rate = target_fps or (float(source.info.fps) if source.info.fps else None)
    session = Session(
        segmenter,
        view,
        AutoScale(rate) if scale is None else scale,
        Path(folder),
        key_groups(),
        regions=RegionSegmenter.with_detail(detail),
        mirror=mirror,
        rest=rest,
        colors=colors,
        min_area=min_area,
        are_ready=WarmUp().are_ready,
        on_choice=on_choice,
        names_file=None if names_file is None else Path(names_file),
    )
    if not selection.is_everything:
        session.settings.chosen = set(selection.ids)
        session.settings.drops = selection.drop
    before = session.choice
    if not opens_window:
        session.settings.hud = "hidden"
    web = None if server is None else WebFront(server, session, source.info.name)
    title = f"livekm - {source.info.name}"
    with (
        _one_opencv_thread(),
        Window(title, on_lost=partial(_leave, session)) if opens_window else NoWindow() as window,
        open_feed(source, session.timer, max_frames, reconnect=reconnect) as feed,
        session,
    ):
        loop = _Loop(source, session, feed, window, web, on_frame, should_stop, on_picture)
        shown = loop.run()
        session.close()
        periods = loop.periods.summary().get("frame")
        return LiveSummary(
            n_frames=shown,
            n_dropped=feed.n_dropped,
            fps=loop.periods.fps,
            p95_ms=None if periods is None else periods.p95_ms,
            age_ms=loop.ages.median_ms,
            max_age_ms=loop.ages.greatest_ms,
            recordings=tuple(session.saving.recorder.paths),
            n_not_recorded=session.saving.recorder.n_dropped,
            choice=session.choice if session.choice != before else None,
        )


def _leave(session: Session) -> None:
    """Complete the recording, say why, and end the process, which Qt would do without a word."""
    session.abort()
    kept = "".join(f"; kept {path}" for path in session.saving.recorder.paths)
    _log.error("the display is gone%s", kept)
    os._exit(1)


@contextmanager
def _one_opencv_thread() -> Iterator[None]:
    """Keep OpenCV's threads out of it: between two frames they spin for longer than they work."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


class _Loop:
    """Takes frames from a feed and shows them, until the end.

    A thread reads and segments one frame at a time while the main thread polls the window: OpenCV
    reports only the last key that was pressed between two polls.
    """

    def __init__(
        self,
        source: Source,
        session: Session,
        feed: Feed,
        window: Window | NoWindow,
        web: WebFront | None,
        on_frame: Callable[[Frame, Segmentation], None] | None,
        should_stop: Callable[[], bool],
        on_picture: Callable[[Image, float], None] | None,
    ) -> None:
        self._session = session
        self._feed = feed
        self._window = window
        self._web = web
        self._pointer = Pointer(session)
        self._on_frame = on_frame
        self._should_stop = should_stop
        self._on_picture = on_picture
        self._lost = f"{source.info.name} sends no frames: waiting for it"
        self._is_still = source.info.n_frames == 1
        self._source = source
        self._can_wait = not source.info.is_live  # for the kernels
        self._shown = 0
        self.ages = Ages(_MEMORY)
        self.periods = StageTimer(memory=_LONG_MEMORY)

    def run(self) -> int:
        """Show frames until the end; return how many."""
        session, feed = self._session, self._feed
        with ThreadPoolExecutor(1, thread_name_prefix="livekm frames") as thread:
            while not self._is_over():
                is_held = self._is_held()
                work = thread.submit(self._settle if is_held else self._advance)
                keys = self._await(work)
                frame, start = work.result()
                if frame is None and feed.is_over and not is_held:
                    break
                self._note(frame, is_held)
                for key in keys:
                    press(self._session, key)
                look = session.look()
                if look is not None:
                    self._show(look, frame, start, is_held)
        return self._shown

    def _is_over(self) -> bool:
        return not self._session.is_running or not self._window.is_open or self._should_stop()

    def _is_held(self) -> bool:
        settings, timeline = self._session.settings, self._feed.timeline
        if not settings.wants_frame:
            return True
        if timeline is not None and timeline.is_at_end:
            return settings.seek_to is None and not settings.loops
        waits = self._can_wait and not self._session.processing.can_segment()
        return self._shown > 0 and (self._is_still or waits)

    def _advance(self) -> tuple[Frame | None, float]:
        """Segment the next frame, if there is one; return it, and when the work on it began."""
        processing, settings = self._session.processing, self._session.settings
        self._feed.loops = settings.loops
        if settings.seek_to is not None:
            self._feed.seek(settings.seek_to)
            settings.seek_to = None
        frame = self._feed.take()
        start = time.perf_counter()
        if frame is not None:
            processing.take(frame)
        elif self._feed.is_interrupted:
            processing.settle()
        return frame, start

    def _settle(self) -> tuple[Frame | None, float]:
        """Segment the held frame again, if need be."""
        self._session.processing.settle()
        return None, time.perf_counter()

    def _await(self, work: Future[tuple[Frame | None, float]]) -> list[str]:
        """Poll the window until the work is done; return the keys that were pressed."""
        keys = []
        while not wait([work], _LOOK).done:
            key = self._window.poll()
            if key is not None:
                keys.append(key)
            quits = not self._session.naming.is_typing and "quit" in map(COMMAND_OF.get, keys)
            ends = self._is_over() or quits
            if ends and self._can_wait:
                self._source.interrupt()  # a pipe's next frame may never come
        return keys

    def _note(self, frame: Frame | None, is_held: bool) -> None:
        session, feed, processing = self._session, self._feed, self._session.processing
        if session.settings.seek_to is None:
            before, session.timeline = session.timeline, feed.timeline
            is_at_end = session.timeline is not None and session.timeline.is_at_end
            if is_at_end and not (before is not None and before.is_at_end):
                processing.hold()  # the last frame stands still, until a key changes it
        if frame is not None:
            self._shown += 1
            done, found = processing.frame, processing.segmentation
            if self._on_frame is not None and done is not None and found is not None:
                self._on_frame(done, found)
        session.interrupt(self._lost if feed.is_interrupted else None)
        if is_held:
            feed.hold()
        if is_held or feed.is_interrupted:
            session.timer.skip_period()
            self.periods.skip_period()

    def _show(self, look: Look, frame: Frame | None, start: float, is_held: bool) -> None:
        """Show the picture; `start` is when work on the frame began, if there is a new one."""
        session, feed, window = self._session, self._feed, self._window
        room = window.fit(*look.wanted_size, session.rows_below)
        image = session.draw(look, room, self._progress())
        with session.timer.stage("show"):
            window.show(image)
        window.set_full_screen(session.settings.fills_screen)
        if self._web is not None:
            with session.timer.stage("send"):
                self._web.show(look)
        # Take the time here: the first image had to wait for the window to open.
        now = time.perf_counter()
        held = session.processing.source_frame
        assert held is not None
        if self._on_picture is not None and frame is not None:
            is_made = look.segmentation is not None
            picture = look.image() if is_made else card(look.full_size, STARTING)
            self._on_picture(picture, frame.time)
        until = now + session.patience() if is_held else feed.due(held)
        self._obey(until, is_held=is_held)
        if frame is not None:
            session.processing.note_load(now - start)
            self.ages.note(feed.age)
            session.timer.end_frame()
            self.periods.end_frame()

    def _obey(self, until: float, *, is_held: bool) -> None:
        """Obey keys and clicks until a `time.perf_counter`, and in any case those that wait."""
        window = self._window
        while not self._is_over():
            left = until - time.perf_counter()
            key = window.poll(max(1, round(1e3 * min(left, _SLICE))))
            events = window.take_events()
            for event in events:
                self._pointer.obey(event)
            has_obeyed = self._web is not None and self._web.obey()
            if key is not None:
                press(self._session, key)
            elif left <= _SLICE:
                return
            if (key is not None or events or has_obeyed) and is_held:
                return  # it shows in the held picture at once

    def _progress(self) -> list[str]:
        """Return the frames' age and how many were dropped, for the HUD."""
        feed, age_ms = self._feed, self.ages.median_ms
        dropped = [f"{feed.n_dropped} dropped"] if feed.n_dropped else []
        is_held = feed.is_interrupted or self._session.settings.is_paused
        return dropped if is_held or age_ms is None else [f"age {age_ms:.0f} ms", *dropped]
