"""Segment clips and images into files, without a window."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from livekm import pipeline
from livekm.context import Closing
from livekm.core.segmentation import Segmentation
from livekm.core.segmenter import Segmenter
from livekm.errors import ImageSizeError, LivekmError, ReaderGoneError, SourceError
from livekm.frame import Frame
from livekm.outputs import DEFAULT_ENCODER, EncoderOptions, NullSink, Sink, open_sink
from livekm.outputs.base import Output, OutputGroup
from livekm.outputs.tables import OpenSidecar, Sidecar
from livekm.prefetch import ReadAhead, WriteBehind
from livekm.regions import RegionSegmenter
from livekm.sources import Source, open_source
from livekm.validation import named
from livekm.views import VIEWS, View

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClipResult:
    """The frames of a clip that were segmented, and the files that were written.

    Attributes
    ----------
    n_frames : int
        The frames that were segmented.
    paths : tuple of Path
        The clip and the sidecars that were written, as far as they were asked for. Those of an
        interrupted run have names that say ``partial``.
    renamed : tuple of (Path, Path)
        Names that were asked for but taken by others meanwhile, each with the one of `paths`
        that the output has instead.
    n_dropped : int
        Frames of a live source that did not go to stdout, because its reader was too slow.
    """

    n_frames: int
    paths: tuple[Path, ...]
    renamed: tuple[tuple[Path, Path], ...] = ()
    n_dropped: int = 0


@dataclass(frozen=True, slots=True)
class ImageResult:
    """A still image's segmentation, and what was written of it.

    Attributes
    ----------
    segmentation : Segmentation
    paths, renamed
        As of `ClipResult`.
    """

    segmentation: Segmentation
    paths: tuple[Path, ...]
    renamed: tuple[tuple[Path, Path], ...] = ()


def process_clip(
    source: Source,
    segmenter: Segmenter,
    view: View,
    output: str | Path | None,
    *,
    sidecars: Sequence[OpenSidecar] = (),
    regions: RegionSegmenter | None = None,
    scale: float = 1.0,
    max_frames: int | None = None,
    from_zero: bool = False,
    overwrite: bool = False,
    verify: bool = True,
    encoder: EncoderOptions = DEFAULT_ENCODER,
    form: str = "y4m",
    on_frame: Callable[[Frame, Segmentation], None] = lambda frame, segmentation: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> ClipResult:
    """Segment every frame of a source into files.

    Parameters
    ----------
    source : Source
    segmenter : Segmenter
    view : callable
        See `livekm.views`.
    output : str or Path or None
        The file; its suffix tells the format. It has this name only once it is complete. ``-`` is
        stdout; of a live source, frames are dropped where its reader is slow.
    sidecars : sequence of callable, default ()
        What opens each file that is written beside the clip; see `livekm.outputs.tables`. For
        instance ``partial(open_labels, "labels.npz")``.
    regions : RegionSegmenter, optional
        Finds the regions of each frame, for a view or a sidecar that shows them.
    scale : float, default 1.0
        Frames are resized by this factor first.
    max_frames : int, optional
        Stop after so many frames.
    from_zero : bool, default False
        Whether the output begins at 0, whatever the first frame's time is.
    overwrite : bool, default False
        Whether files of those names may be replaced.
    verify : bool, default True
        Whether a written clip is read again before it gets its name.
    encoder : EncoderOptions
        How the clip is encoded.
    form : str, default "y4m"
        How it is written to stdout; see `open_sink`.
    on_frame : callable, optional
        Is called with each frame and its segmentation, for progress.
    should_stop : callable, optional
        Is asked after each frame, and while one is awaited, whether to end early; the files then
        hold what was done and are named as partial, unless the source is live and nothing else
        ends it.

    Raises
    ------
    SourceError, SinkError
        Each output is completed as far as it goes all the same: under its own name if it lacks
        nothing, else under one that says ``partial``. The message tells these names.
    """
    is_stopped = False
    is_live = source.info.is_live
    is_endless = is_live and max_frames is None  # only the user can end it
    reader_gone: ReaderGoneError | None = None
    n_frames = 0

    def stop() -> bool:
        nonlocal is_stopped
        is_stopped = is_stopped or should_stop()
        return is_stopped

    with _told(OutputGroup()) as outputs, _named_images(source):
        sink: Sink = NullSink()
        if output is None:
            view = VIEWS["original"]  # nothing is painted that nobody sees
        else:
            sink = open_sink(
                output,
                source.info,
                overwrite=overwrite,
                from_zero=from_zero,
                verify=verify,
                encoder=encoder,
                form=form,
            )
            outputs.add(sink)
        opened_sidecars = _opened(outputs, sidecars, source, overwrite)
        try:
            with _Threads(is_live) as threads, ReadAhead(source, should_stop=stop) as frames:
                written = threads.behind(sink)
                beside = [
                    threads.behind(sidecar) if sidecar.goes_to_stdout else sidecar
                    for sidecar in opened_sidecars
                ]

                def note(frame: Frame, segmentation: Segmentation) -> None:
                    nonlocal n_frames
                    n_frames += 1
                    for sidecar in beside:
                        sidecar.write(frame, segmentation)
                    on_frame(frame, segmentation)

                pipeline.run(
                    frames,
                    segmenter,
                    view,
                    written,
                    regions=regions,
                    scale=scale,
                    max_frames=max_frames,
                    on_frame=note,
                    should_stop=stop,
                )
        except ReaderGoneError as error:
            if not is_endless:
                raise
            reader_gone = error
        if is_stopped and n_frames != max_frames and not is_endless:
            outputs.keep()
    if reader_gone is not None:
        raise reader_gone
    return ClipResult(n_frames, outputs.paths, outputs.renamed, threads.n_dropped)


class _Threads(Closing):
    """Write to outputs in threads; those that go to stdout drop frames of a live source."""

    def __init__(self, is_live: bool) -> None:
        self._is_live = is_live
        self._all: list[WriteBehind] = []

    def behind(self, output: Sink | Sidecar) -> WriteBehind:
        """Begin to write to an output."""
        drops = self._is_live and output.goes_to_stdout
        self._all.append(WriteBehind(output, drops=drops))
        return self._all[-1]

    @property
    def n_dropped(self) -> int:
        """Frames that were dropped."""
        return sum(written.n_dropped for written in self._all)

    def close(self) -> None:
        """Wait until all is written; raise the first error."""
        with ExitStack() as closing:
            for written in self._all:
                closing.callback(written.close)

    def keep(self) -> None:
        """Do the same: what was found until an error is kept."""
        self.close()

    def abort(self) -> None:
        """Give up what waits."""
        for written in self._all:
            written.abort()


@contextmanager
def _named_images(source: Source) -> Iterator[None]:
    """Name the image that has another size than the others where the output holds one size."""
    try:
        yield
    except ImageSizeError as error:
        raise SourceError(f"{source.name_of(error.index)}: {error}") from error


def _opened(
    outputs: OutputGroup, sidecars: Sequence[OpenSidecar], source: Source, overwrite: bool
) -> list[Sidecar]:
    """Open what is asked for beside the images, in the group that ends it."""
    return [outputs.add(open_it(source.info, overwrite=overwrite)) for open_it in sidecars]


@contextmanager
def _told(outputs: OutputGroup) -> Iterator[OutputGroup]:
    """End the outputs with the block; add what was kept of them to the message of an error."""
    try:
        with outputs:
            yield outputs
    except ReaderGoneError:
        if outputs.paths:
            _log.warning("kept %s", ", ".join(map(str, outputs.paths)))
        raise
    except Exception as error:
        if not outputs.paths:
            raise
        kept = f"kept {', '.join(map(str, outputs.paths))}"
        if isinstance(error, (LivekmError, MemoryError)):
            raise type(error)(f"{str(error) or 'not enough memory'}; {kept}") from error
        _log.warning("%s", kept)
        raise


def process_image(
    source: Source,
    segmenter: Segmenter,
    view: View,
    output: str | Path | None,
    *,
    sidecars: Sequence[OpenSidecar] = (),
    regions: RegionSegmenter | None = None,
    scale: float = 1.0,
    overwrite: bool = False,
) -> ImageResult:
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
    sidecars, regions
        As of `process_clip`.
    scale : float, default 1.0
        The image is resized by this factor first.
    overwrite : bool, default False
        Whether files of those names may be replaced.

    Raises
    ------
    SourceError, SinkError
        If one of the outputs fails, the others are written all the same.
    """
    with _told(OutputGroup()) as outputs:
        if output is not None:
            outputs.add(open_sink(output, source.info, overwrite=overwrite))
        _opened(outputs, sidecars, source, overwrite)
        frame = pipeline.scaled(next(iter(source)), scale)
        segmentation = segmenter.fit(frame.image, mask=frame.mask)
        segmentation = pipeline.with_regions(frame, segmentation, regions)
        image = view(frame, segmentation)

        def write(written: Output) -> None:
            if isinstance(written, Sink):
                written.write(image, frame.time, frame.index)
            elif isinstance(written, Sidecar):
                written.write(frame, segmentation)

        outputs.each(write)
    return ImageResult(segmentation, outputs.paths, outputs.renamed)


def convert(
    source: str | Path,
    output: str | Path,
    k: int | Literal["auto"] = 8,
    *,
    view: str | View = "segments",
    detail: float = 0.13,
    color_space: str = "bgr",
    hysteresis: float = 2.0,
    smoothing: int = 0,
    random_state: int | None = None,
    scale: float = 1.0,
    overwrite: bool = False,
    encoder: EncoderOptions = DEFAULT_ENCODER,
    on_frame: Callable[[Frame, Segmentation], None] = lambda frame, segmentation: None,
) -> ClipResult:
    """Segment a clip or an image into a file: ``convert("a.mp4", "b.mp4", k=8)``.

    Parameters
    ----------
    source : str or Path
        What to read; see `open_source`.
    output : str or Path
        The file to write; its suffix tells the format. It has this name only once it is complete.
    k : int or "auto", default 8
        The number of clusters, from 1 to 256, or that of `suggest_n_clusters` for the first frame.
    view : str or callable, default "segments"
        What is written: a key of `VIEWS`, or a function of a `Frame` and its `Segmentation`.
    detail : float, default 0.13
        Of the view ``"regions"``; see `RegionSegmenter.detail`.
    color_space, hysteresis, smoothing, random_state
        See `Segmenter`.
    scale : float, default 1.0
        Frames are resized by this factor first.
    overwrite : bool, default False
        Whether a file of that name may be replaced.
    encoder : EncoderOptions
        How a clip is encoded.
    on_frame : callable, optional
        Is called with each frame of a clip and its segmentation, for progress.

    Returns
    -------
    result : ClipResult

    Raises
    ------
    SourceError, SinkError
        If the source cannot be read or the file not written.
    ValueError, TypeError
        For a parameter out of its range.
    """
    shown = named("view", view, VIEWS) if isinstance(view, str) else view
    segmenter = Segmenter(
        k,
        color_space=color_space,
        hysteresis=hysteresis,
        smoothing=smoothing,
        random_state=random_state,
    )
    regions = RegionSegmenter.with_detail(detail) if view == "regions" else None
    with open_source(source) as frames:
        if frames.info.is_still:
            made = process_image(
                frames,
                segmenter,
                shown,
                output,
                regions=regions,
                scale=scale,
                overwrite=overwrite,
            )
            return ClipResult(1, made.paths, made.renamed)
        return process_clip(
            frames,
            segmenter,
            shown,
            output,
            regions=regions,
            scale=scale,
            overwrite=overwrite,
            encoder=encoder,
            on_frame=on_frame,
        )
