"""The frame loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from livekm.core.image_scaling import scaled_image, scaled_mask
from livekm.core.segmentation import Segmentation
from livekm.core.segmenter import Segmenter
from livekm.frame import Frame
from livekm.outputs.base import Sink
from livekm.regions import RegionSegmenter
from livekm.sources.base import Source
from livekm.timing import StageTimer
from livekm.views import View


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
    image, mask = scaled_image(frame.image, scale), scaled_mask(frame.mask, scale)
    return Frame(image, frame.index, frame.time, mask)


def with_regions(
    frame: Frame, segmentation: Segmentation, regions: RegionSegmenter | None
) -> Segmentation:
    """Return the segmentation with the regions of the frame, where there is what finds them."""
    if regions is None:
        return segmentation
    return replace(segmentation, regions=regions.update(frame.image, segmentation))


def segmented(
    taken: Frame,
    segmenter: Segmenter,
    regions: RegionSegmenter | None,
    scale: float,
    timer: StageTimer,
) -> tuple[Frame, Segmentation]:
    """Return a clip's next frame at its scale, and what it is segmented into; measure both."""
    with timer.stage("segment"):
        frame = scaled(taken, scale)
        segmentation = segmenter.update(frame.image, frame.mask)
    if regions is not None:
        with timer.stage("regions"):
            segmentation = with_regions(frame, segmentation, regions)
    return frame, segmentation


def run(
    source: Source,
    segmenter: Segmenter,
    view: View,
    sink: Sink,
    *,
    regions: RegionSegmenter | None = None,
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
    regions : RegionSegmenter, optional
        Finds regions between segmenter and view: `Segmentation.regions`.
    scale : float, default 1.0
        Frames are resized by this factor before anything else.
    max_frames : int, optional
        Stop after so many frames.
    timer : StageTimer, optional
        Is told the times of the stages ``read``, ``segment``, ``regions``, ``view`` and ``write``.
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
        frame, segmentation = segmented(taken, segmenter, regions, scale, timer)
        with timer.stage("view"):
            picture = view(frame, segmentation)
        with timer.stage("write"):
            sink.write(picture, frame.time, frame.index)
        timer.end_frame()
        done += 1
        if on_frame is not None:
            on_frame(frame, segmentation)
        if done == max_frames or should_stop():
            break
    return done
