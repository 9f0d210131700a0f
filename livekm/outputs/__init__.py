"""Where images go: a clip, a still image, a row of them, nowhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from livekm.frame import VideoInfo
from livekm.outputs.base import Sink
from livekm.outputs.conflicts import check_distinct
from livekm.outputs.images.encoding import ALPHA_SUFFIXES, IMAGE_SUFFIXES
from livekm.outputs.images.image import ImageSink
from livekm.outputs.images.sequence import SequenceSink, is_image_row
from livekm.outputs.null import NullSink
from livekm.outputs.video.formats import (
    CODECS,
    CONTAINERS,
    DEFAULT_ENCODER,
    EncoderOptions,
    choose_encoding,
)
from livekm.outputs.video.sink import ClipSink

__all__ = [
    "ALPHA_SUFFIXES",
    "CODECS",
    "CONTAINERS",
    "DEFAULT_ENCODER",
    "FILE_SINKS",
    "IMAGE_SUFFIXES",
    "ClipSink",
    "EncoderOptions",
    "ImageSink",
    "NullSink",
    "SequenceSink",
    "Sink",
    "check_distinct",
    "choose_encoding",
    "is_image_row",
    "open_sink",
]

FILE_SINKS: dict[str, Callable[..., Sink]] = {
    **dict.fromkeys(CONTAINERS, ClipSink),
    **dict.fromkeys(IMAGE_SUFFIXES, ImageSink),
}
"""Suffix of the output file -> the sink that writes it, ``(path, info, *, overwrite)``."""


def open_sink(
    path: str | os.PathLike[str] | None,
    info: VideoInfo,
    *,
    overwrite: bool = False,
    from_zero: bool = False,
    verify: bool = True,
    encoder: EncoderOptions = DEFAULT_ENCODER,
) -> Sink:
    """Open the sink that writes `path`, chosen by its suffix.

    Parameters
    ----------
    path : path or None
        The file to write, or the pattern of a row of images (``out/%06d.png``); None to write
        nothing.
    info : VideoInfo
        What the frames come from.
    overwrite : bool
        Whether an existing file may be replaced. The input itself never is.
    from_zero, verify, encoder
        Of clips, see `ClipSink`; images have none of them.

    Raises
    ------
    ValueError
        If no sink knows the suffix, or if it does not go with the codec or its options.
    SinkError
        If the file exists or cannot be written.

    Examples
    --------
    >>> open_sink("out.wmv", VideoInfo("example", 64, 48))
    Traceback (most recent call last):
    ValueError: cannot tell the format of out.wmv; end it in .mp4, .mov, .mkv, .webm, .avi, ...
    """
    if path is None:
        return NullSink()
    sink = FILE_SINKS.get(Path(path).suffix.lower())
    if sink is None:
        raise ValueError(f"cannot tell the format of {path}; end it in {', '.join(FILE_SINKS)}")
    if sink is ClipSink:
        return ClipSink(
            path, info, encoder=encoder, overwrite=overwrite, from_zero=from_zero, verify=verify
        )
    if is_image_row(path):
        sink = SequenceSink
    return sink(path, info, overwrite=overwrite)
