"""Clips and images to files, without a window."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from livekm import pipeline
from livekm.core.segmentation import Segmentation
from livekm.core.segmenter import Segmenter
from livekm.errors import ImageSizeError, SourceError
from livekm.frame import Frame
from livekm.outputs import DEFAULT_ENCODER, EncoderOptions, open_sink
from livekm.outputs.tables import OpenSidecar, Sidecar
from livekm.prefetch import ReadAhead, WriteBehind
from livekm.sources.base import Source
from livekm.views import VIEWS, View


@dataclass(frozen=True, slots=True)
class ClipResult:
    """What became of a clip.

    Attributes
    ----------
    n_frames : int
        The frames that were segmented.
    paths : tuple of Path
        The clip and the sidecars that were written, as far as they were asked for. Those of an
        interrupted run have names that say ``partial``.
    """

    n_frames: int
    paths: tuple[Path, ...]


def process_clip(
    source: Source,
    segmenter: Segmenter,
    view: View,
    output: str | Path | None,
    *,
    sidecars: Sequence[OpenSidecar] = (),
    scale: float = 1.0,
    max_frames: int | None = None,
    from_zero: bool = False,
    overwrite: bool = False,
    verify: bool = True,
    encoder: EncoderOptions = DEFAULT_ENCODER,
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
        The file; its suffix tells the format. It has this name only once it is complete.
    sidecars : sequence of callable, default ()
        What opens each file that is written beside the clip; see `livekm.outputs.tables`. For
        instance ``partial(open_labels, "labels.npz")``.
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
    on_frame : callable, optional
        Is called with each frame and its segmentation, for progress.
    should_stop : callable, optional
        Is asked after each frame whether to end early; the files then hold what was done and are
        named as partial, unless the source is live and nothing else ends it.

    Raises
    ------
    SourceError, SinkError
    """
    is_stopped = False

    def stop() -> bool:
        nonlocal is_stopped
        is_stopped = should_stop()
        return is_stopped

    with _named_images(source), ExitStack() as stack:
        sink = stack.enter_context(
            open_sink(
                output,
                source.info,
                overwrite=overwrite,
                from_zero=from_zero,
                verify=verify,
                encoder=encoder,
            )
        )
        written = stack.enter_context(WriteBehind(sink))
        # A camera is not read ahead: what waits would be the past.
        frames = source if source.info.is_live else stack.enter_context(ReadAhead(source))
        opened_sidecars = _open(stack, sidecars, source, overwrite)
        if output is None:
            view = VIEWS["original"]  # nothing is painted that nobody sees

        def note(frame: Frame, segmentation: Segmentation) -> None:
            for sidecar in opened_sidecars:
                sidecar.write(frame, segmentation)
            on_frame(frame, segmentation)

        n_frames = pipeline.run(
            frames,
            segmenter,
            view,
            written,
            scale=scale,
            max_frames=max_frames,
            on_frame=note,
            should_stop=stop,
        )
        is_endless = source.info.is_live and max_frames is None  # only the user can end it
        if is_stopped and n_frames != max_frames and not is_endless:
            sink.mark_partial()
            for sidecar in opened_sidecars:
                sidecar.mark_partial()
    paths = (sink.path, *(sidecar.path for sidecar in opened_sidecars))
    return ClipResult(n_frames, tuple(path for path in paths if path is not None))


@contextmanager
def _named_images(source: Source) -> Iterator[None]:
    """Name the image that has another size than the others where the output holds one size."""
    try:
        yield
    except ImageSizeError as error:
        raise SourceError(f"{source.name_of(error.index)}: {error}") from error


def _open(
    stack: ExitStack, sidecars: Sequence[OpenSidecar], source: Source, overwrite: bool
) -> list[Sidecar]:
    """Open what is asked for; `stack` closes it."""
    return [stack.enter_context(open_it(source.info, overwrite=overwrite)) for open_it in sidecars]


def process_image(
    source: Source,
    segmenter: Segmenter,
    view: View,
    output: str | Path | None,
    *,
    sidecars: Sequence[OpenSidecar] = (),
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
    sidecars : sequence of callable, default ()
        As of `process_clip`.
    scale : float, default 1.0
        The image is resized by this factor first.
    overwrite : bool, default False
        Whether files of those names may be replaced.

    Raises
    ------
    SourceError, SinkError
    """
    with ExitStack() as stack:
        sink = stack.enter_context(open_sink(output, source.info, overwrite=overwrite))
        opened_sidecars = _open(stack, sidecars, source, overwrite)
        frame = pipeline.scaled(next(iter(source)), scale)
        segmentation = segmenter.fit(frame.image)
        sink.write(view(frame, segmentation), frame.time, frame.index)
        for sidecar in opened_sidecars:
            sidecar.write(frame, segmentation)
    return segmentation
