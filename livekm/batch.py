"""Clips and images to files, without a window."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from livekm import pipeline
from livekm.frame import Frame
from livekm.segmentation import Segmentation
from livekm.segmenter import Segmenter
from livekm.sinks import open_sink
from livekm.sinks.labels import encode_label_png
from livekm.sinks.part_file import WholeFile
from livekm.sources.base import Source
from livekm.views import View


def process_clip(
    source: Source,
    segmenter: Segmenter,
    view: View,
    output: str | Path,
    *,
    scale: float = 1.0,
    max_frames: int | None = None,
    overwrite: bool = False,
    on_frame: Callable[[Frame, Segmentation], None] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> int:
    """Segment every frame of a source into a file; return how many frames were written.

    Parameters
    ----------
    source : Source
    segmenter : Segmenter
    view : callable
        See `livekm.views`.
    output : str or Path
        The file; its suffix tells the format. It has this name only once it is complete.
    scale : float, default 1.0
        Frames are resized by this factor first.
    max_frames : int, optional
        Stop after so many frames.
    overwrite : bool, default False
        Whether a file of that name may be replaced.
    on_frame : callable, optional
        Is called with each frame and its segmentation, for progress and statistics.
    should_stop : callable, optional
        Is asked after each frame whether to end early; the file then holds what was done.

    Raises
    ------
    SourceError, SinkError
    """
    with open_sink(output, source.info, overwrite=overwrite) as sink:
        return pipeline.run(
            source,
            segmenter,
            view,
            sink,
            scale=scale,
            max_frames=max_frames,
            on_frame=on_frame,
            should_stop=should_stop,
        )


def process_image(
    source: Source,
    segmenter: Segmenter,
    view: View,
    output: str | Path | None,
    *,
    labels: str | Path | None = None,
    figure: str | Path | None = None,
    scale: float = 1.0,
    overwrite: bool = False,
) -> Segmentation:
    """Segment a still image by k-means run to convergence, and write what is asked for.

    Parameters
    ----------
    source : Source
        Of one frame; of more, the first is taken.
    segmenter : Segmenter
    view : callable
        What `output` shows; see `livekm.views`.
    output : str or Path, optional
        The segmented image.
    labels : str or Path, optional
        A palettised PNG: its pixel values are the labels, its colours the palette.
    figure : str or Path, optional
        A page of the original, the segments, the palette with shares, and each segment.
    scale : float, default 1.0
        The image is resized by this factor first.
    overwrite : bool, default False
        Whether files of those names may be replaced.

    Raises
    ------
    SourceError, SinkError
    """
    with ExitStack() as stack:
        path = source.info.path

        def opened(target: str | Path | None) -> WholeFile | None:
            if target is None:
                return None
            return stack.enter_context(WholeFile(target, overwrite=overwrite, source=path))

        sink = stack.enter_context(open_sink(output, source.info, overwrite=overwrite))
        labels_file, figure_file = opened(labels), opened(figure)
        frame = pipeline.scaled(next(iter(source)), scale)
        segmentation = segmenter.fit(frame.image)
        sink.write(frame, view(frame, segmentation))
        if labels_file is not None:
            labels_file.write(encode_label_png(segmentation.labels, segmentation.palette))
        if figure_file is not None and figure is not None:
            from livekm import figures  # matplotlib takes half a second to import

            drawn = figures.segmentation_figure(frame.image, segmentation, source.info.name)
            figure_file.write(figures.render(drawn, Path(figure).suffix))
    return segmentation
