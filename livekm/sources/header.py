"""Read what a clip's container states about its picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer

from livekm.errors import SourceError
from livekm.sources.container import (
    codec_name,
    open_container,
    picture_stream,
    playlist_kind,
)

# Some containers state their clock's rate instead (1000, 90000, 180000).
_MAX_RATE = 1000

_SAME_RATE = 0.02  # by which two rates differ that mean the same


@dataclass(frozen=True, slots=True)
class Header:
    """What the container states."""

    fps: Fraction | None
    n_frames: int | None
    time_base: Fraction
    start: int | None  # in units of time_base; None where there are no time stamps
    duration: float | None
    pixel_aspect: Fraction
    is_variable: bool  # in its rate


def read_header(path: Path) -> Header:
    """Read the container's header; PyAV gives rates and time bases as exact fractions."""
    if kind := playlist_kind(path):
        raise SourceError(
            f"{path}: a playlist ({kind}), which names other files; give the clips themselves"
        )
    try:
        with open_container(path) as container:
            return header_of(container, str(path), lambda: codec_name(path))
    except av.FFmpegError as error:
        raise SourceError(_not_a_video(str(path))) from error


def header_of(container: InputContainer, name: str, codec: Callable[[], str]) -> Header:
    """Return what an open container states; raise `SourceError` if it has no picture.

    Parameters
    ----------
    container : InputContainer
    name : str
        What messages call it.
    codec : callable
        Tells the name of its codec where there is no decoder for it.
    """
    # FFmpeg's "tty" reads any text file as a terminal recording.
    if container.format.name == "tty":
        raise SourceError(_not_a_video(name))
    stream = picture_stream(container)
    if stream is None:
        raise SourceError(f"{name}: no picture in it, only sound; give a video")
    if stream.codec_context is None:
        raise SourceError(f"{name}: no decoder for codec {codec()}; convert it to H.264 MP4")
    # From PyAV 19 on, its rates are of a type of its own.
    fps = _plausible_rate(Fraction(stream.average_rate or 0))
    time_base = Fraction(stream.time_base or Fraction(1, av.time_base))
    seconds = container.duration / av.time_base if container.duration else None
    length = stream.duration
    if container.format.name == "avi" and fps:
        # Of a file that was cut off, FFmpeg guesses it from what is there.
        length = round(stream.frames / fps / time_base)
    duration = float(length * time_base) if length else None
    return Header(
        fps=fps,
        n_frames=_count(stream.frames, duration or seconds, fps),
        time_base=time_base,
        start=stream.start_time,
        duration=duration,
        pixel_aspect=Fraction(stream.sample_aspect_ratio or 1),
        is_variable=_is_variable(fps, _plausible_rate(Fraction(stream.guessed_rate or 0))),
    )


def _not_a_video(name: str) -> str:
    return f"{name}: not a video that can be read; the file is damaged or of another kind"


def _is_variable(mean: Fraction | None, base: Fraction | None) -> bool:
    """Tell whether frames come at a rate other than their mean; the one of fields is twice it."""
    if mean is None or base is None:
        return False
    ratio = float(base / mean)
    return abs(ratio - 1) > _SAME_RATE and abs(ratio - 2) > _SAME_RATE


def _plausible_rate(rate: Fraction) -> Fraction | None:
    return rate if 0 < rate < _MAX_RATE else None


def _count(stated: int, seconds: float | None, fps: Fraction | None) -> int | None:
    """Return the stated number of frames, or estimate it from the duration.

    Matroska and MPEG-TS state none, an MP4 in fragments may state that of the first one.
    """
    if stated == 1:  # 1 must be exact, see `VideoInfo`
        return stated
    guess = round(seconds * fps) if seconds and seconds > 0 and fps else 0
    return max(stated, guess) or None
