"""Where images go: a window, a clip, a still image, nowhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from livekm.frame import VideoInfo
from livekm.sinks.base import Sink
from livekm.sinks.clip import CONTAINERS, ClipSink
from livekm.sinks.display import has_display
from livekm.sinks.image import IMAGE_SUFFIXES, ImageSink
from livekm.sinks.null import NullSink
from livekm.sinks.window import WindowSink

__all__ = [
    "FILE_SINKS",
    "IMAGE_SUFFIXES",
    "ClipSink",
    "ImageSink",
    "NullSink",
    "Sink",
    "WindowSink",
    "has_display",
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
) -> Sink:
    """Open the sink that writes `path`, chosen by its suffix.

    Parameters
    ----------
    path : path or None
        The file to write; None to write nothing.
    info : VideoInfo
        What the frames come from.
    overwrite : bool
        Whether an existing file may be replaced. The input itself never is.
    from_zero, verify : bool
        Of clips, see `ClipSink`; other files have neither times nor a second look.

    Raises
    ------
    ValueError
        If no sink knows the suffix.
    SinkError
        If the file exists or cannot be written.

    Examples
    --------
    >>> open_sink("out.gif", VideoInfo("example", 64, 48))
    Traceback (most recent call last):
    ValueError: cannot tell the format of out.gif; end it in .mp4, .mov, .mkv, .png, .jpg, ...
    """
    if path is None:
        return NullSink()
    sink = FILE_SINKS.get(Path(path).suffix.lower())
    if sink is None:
        raise ValueError(f"cannot tell the format of {path}; end it in {', '.join(FILE_SINKS)}")
    if sink is ClipSink:
        return ClipSink(path, info, overwrite=overwrite, from_zero=from_zero, verify=verify)
    return sink(path, info, overwrite=overwrite)
