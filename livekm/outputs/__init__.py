"""Write images to a clip, a still image, a row of them, or nowhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2  # noqa: F401 - where PyAV is loaded before OpenCV, OpenCV's window hangs

from livekm.errors import UsageError
from livekm.frame import VideoInfo
from livekm.outputs.base import Sink
from livekm.outputs.conflicts import check_distinct
from livekm.outputs.images.encoding import ALPHA_SUFFIXES, WRITABLE_IMAGES
from livekm.outputs.images.image import ImageSink
from livekm.outputs.images.sequence import SequenceSink, is_image_row
from livekm.outputs.null import NullSink
from livekm.outputs.stdout import STDOUT
from livekm.outputs.video.formats import (
    CODECS,
    CONTAINERS,
    DEFAULT_ENCODER,
    EncoderOptions,
    alpha_codec,
    choose_encoding,
)
from livekm.outputs.video.pipe import PIPE_FORMATS, PipeSink
from livekm.outputs.video.sink import ClipSink
from livekm.sources.stream import frame_rate

__all__ = [
    "ALPHA_SUFFIXES",
    "CODECS",
    "CONTAINERS",
    "DEFAULT_ENCODER",
    "FILE_SINKS",
    "PIPE_FORMATS",
    "STDOUT",
    "WRITABLE_IMAGES",
    "ClipSink",
    "EncoderOptions",
    "ImageSink",
    "NullSink",
    "PipeSink",
    "SequenceSink",
    "Sink",
    "alpha_codec",
    "check_distinct",
    "choose_encoding",
    "is_image_row",
    "open_sink",
]

FILE_SINKS: dict[str, Callable[..., Sink]] = {
    **dict.fromkeys(CONTAINERS, ClipSink),
    **dict.fromkeys(WRITABLE_IMAGES, ImageSink),
}
"""Suffix of the output file -> the sink that writes it, ``(path, info, *, overwrite)``."""


def open_sink(
    path: str | os.PathLike[str] | None,
    info: VideoInfo | None = None,
    *,
    fps: float | Fraction | None = None,
    overwrite: bool = False,
    from_zero: bool = False,
    verify: bool = True,
    encoder: EncoderOptions = DEFAULT_ENCODER,
    form: str = "y4m",
) -> Sink:
    """Open the sink that writes `path`, chosen by its suffix.

    Parameters
    ----------
    path : path or None
        The file to write, or the pattern of a row of images (``out/%06d.png``); ``-`` for stdout;
        None to write nothing.
    info : VideoInfo, optional
        What the frames come from: their rate and times, and sound to copy.
    fps : float or Fraction, optional
        Images a second, where there is no `info`; 25 by default.
    overwrite : bool
        Whether an existing file may be replaced. The input itself never is.
    from_zero, verify, encoder
        Of clips, see `ClipSink`; images have none of them.
    form : str
        How a clip is written to stdout, see `PipeSink`; an image becomes a PNG.

    Raises
    ------
    ValueError
        If no sink knows the suffix, if it does not go with the codec or its options, or for a
        rate beside `info`, which has its own.
    SinkError
        If the file exists or cannot be written.

    Examples
    --------
    Frames keep their times (``sink.write(image, frame.time)``); images that have none follow each
    other:

    >>> import numpy as np, tempfile
    >>> from livekm import open_source
    >>> folder = tempfile.TemporaryDirectory()
    >>> with open_sink(f"{folder.name}/out.mp4", fps=10) as sink:
    ...     for level in range(0, 250, 10):
    ...         sink.write(np.full((48, 64, 3), level, np.uint8))
    >>> with open_source(f"{folder.name}/out.mp4") as clip:
    ...     [frame.time for frame in clip][-3:]
    [2.2, 2.3, 2.4]
    >>> folder.cleanup()

    >>> open_sink("out.wmv")
    Traceback (most recent call last):
    livekm.errors.UsageError: cannot tell the format of out.wmv; end it in .mp4, ...
    """
    if path is None:
        return NullSink()
    if info is None:
        rate = None if fps is None else frame_rate(fps)
        info = VideoInfo(Path(path).name, width=0, height=0, fps=rate)  # the images tell the size
    elif fps is not None:
        raise UsageError(f"{info.name} has its own rate and times; leave fps out")
    if path == STDOUT:
        if info.is_still:
            return ImageSink(path, info)
        return PipeSink(info, form=form, encoder=encoder, from_zero=from_zero)
    sink = FILE_SINKS.get(Path(path).suffix.lower())
    if sink is None:
        raise UsageError(f"cannot tell the format of {path}; end it in {', '.join(FILE_SINKS)}")
    if sink is ClipSink:
        return ClipSink(
            path, info, encoder=encoder, overwrite=overwrite, from_zero=from_zero, verify=verify
        )
    if is_image_row(path):
        sink = SequenceSink
    return sink(path, info, overwrite=overwrite)
