"""Measure the frame loop on frames that are in memory, in one way or in several."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product

from livekm.benchmark.machine import describe_machine, peak_memory
from livekm.benchmark.report import Measurement, Report
from livekm.core.image_scaling import scaled_image, scaled_mask
from livekm.core.segmenter import Segmenter
from livekm.frame import Frame
from livekm.outputs.checks import as_image
from livekm.pipeline import segmented, timed_frames
from livekm.regions import RegionSegmenter
from livekm.sources.base import Source
from livekm.timing import StageTimer
from livekm.views import View

WARM_UP = 10
"""Frames left out at the start: kernels load, buffers and caches fill."""

_MOST_BYTES = 2**30  # of frames that are held


@dataclass(frozen=True, slots=True)
class Sweep:
    """What to measure, each with each; None is what is usual.

    Attributes
    ----------
    size : tuple of (int or None)
        Rows of the frames.
    k, threads : tuple of (int or None)
    """

    size: tuple[int | None, ...] = (None,)
    k: tuple[int | None, ...] = (None,)
    threads: tuple[int | None, ...] = (None,)


MakeSegmenter = Callable[[int | None, int | None], Segmenter]
"""Takes k and a number of threads, None for what is usual; returns a new segmenter."""


def run(
    source: Source,
    make_segmenter: MakeSegmenter,
    view: View,
    *,
    make_regions: Callable[[], RegionSegmenter | None] = lambda: None,
    scale: float = 1.0,
    max_frames: int = 300,
    sweep: Sweep = Sweep(),
    should_stop: Callable[[], bool] = lambda: False,
) -> Report:
    """Measure how fast frames are segmented and painted, without a window and an output.

    They are read into memory first, as many as a gigabyte holds: what a source takes to draw or to
    decode a frame is measured by itself.

    Parameters
    ----------
    source : Source
    make_segmenter : callable
    view : View
    make_regions : callable, optional
        Return what finds regions, where the view shows them.
    scale : float, default 1.0
        Frames are resized by this factor first; this is a part of ``segment``.
    max_frames : int, default 300
        Frames to measure, after `WARM_UP` others.
    sweep : Sweep, optional
        One way only, by default.
    should_stop : callable, optional
        Is asked after each frame whether to end early.
    """
    read = StageTimer()
    frames = list(_held(timed_frames(source, read), WARM_UP + max_frames, should_stop))
    measurements: list[Measurement] = []
    for size, k, threads in product(sweep.size, sweep.k, sweep.threads):
        if should_stop() and measurements:
            break
        resized = [_at_height(frame, size) for frame in frames]
        segmenter = make_segmenter(k, threads)
        measurements.append(_measure(resized, segmenter, make_regions(), view, scale, should_stop))
    return Report(
        source=source.info.name,
        read=read.summary()["read"],
        measurements=tuple(measurements),
        peak_memory=peak_memory(),
        machine=describe_machine(),
    )


def _held(frames: Iterable[Frame], most: int, should_stop: Callable[[], bool]) -> Iterator[Frame]:
    held = 0
    for number, frame in enumerate(frames, start=1):
        yield frame
        held += frame.image.nbytes
        is_enough = held > _MOST_BYTES and number > 2 * WARM_UP
        if number == most or is_enough or should_stop():
            return


def _at_height(frame: Frame, height: int | None) -> Frame:
    if height is None:
        return frame
    factor = height / frame.image.shape[0]
    image, mask = scaled_image(frame.image, factor), scaled_mask(frame.mask, factor)
    return Frame(image, frame.index, frame.time, mask)


def _measure(
    frames: list[Frame],
    segmenter: Segmenter,
    regions: RegionSegmenter | None,
    view: View,
    scale: float,
    should_stop: Callable[[], bool],
) -> Measurement:
    timer, seen, shape, processor = StageTimer(), 0, (0, 0), 0.0
    for taken in frames:
        if seen == WARM_UP:
            processor = time.process_time()
        frame, segmentation = segmented(taken, segmenter, regions, scale, timer)
        with timer.stage("view"):
            as_image(view(frame, segmentation))  # painted, as for a window
        timer.end_frame()
        seen, shape = seen + 1, segmentation.labels.shape
        if should_stop():
            break
    processor = time.process_time() - processor
    measured = seen - WARM_UP if seen > WARM_UP else seen
    if seen > WARM_UP:
        timer.forget(WARM_UP)
    times = {name: [round(1e3 * s, 3) for s in row] for name, row in timer.times().items()}
    return Measurement(
        width=shape[1],
        height=shape[0],
        n_clusters=segmenter.n_clusters,
        threads=segmenter.threads,
        n_frames=measured,
        fps=timer.fps,
        processor_ms=1e3 * processor / measured if seen > WARM_UP else None,
        stages=timer.summary(),
        times_ms=times,
    )
