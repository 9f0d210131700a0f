"""Read chapters and the timecode of a clip, which are no tracks to be copied."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer

from livekm.sources.container import readable

# Timecodes count frames, so that only these rates have them.
_RATES = {rate * n for rate in (24, 25, 30) for n in (1, 2)} | {
    Fraction(rate * n * 1000, 1001) for rate in (24, 30) for n in (1, 2)
}


def chapters_between(source: InputContainer, origin: Fraction, end: Fraction) -> list[Any]:
    """Return a clip's chapters for a part of it, as PyAV's ``set_chapters`` takes them.

    Parameters
    ----------
    source : InputContainer
    origin : Fraction
        The clip's time, in seconds, that becomes 0.
    end : Fraction
        When the part ends, in seconds from `origin` on.
    """
    chapters = []
    for chapter in source.chapters():
        base = chapter["time_base"] or Fraction(1, av.time_base)
        first, last = (chapter[key] * base - origin for key in ("start", "end"))
        if first < end and last > 0:
            chapters.append({
                "id": chapter["id"],
                "start": round(1000 * max(first, Fraction(0))),
                "end": round(1000 * min(last, end)),
                "time_base": Fraction(1, 1000),
                "metadata": {readable(k): readable(v) for k, v in chapter["metadata"].items()},
            })  # fmt: skip
    return chapters


def is_chapters(stream: Any) -> bool:
    """Tell whether a track is what MP4 and MOV make of chapters, which FFmpeg reads as such."""
    if stream.type != "data" or "mov" not in stream.container.format.name:
        return False
    discard = getattr(stream, "discard", None)  # PyAV 17 has none
    return discard.name == "all" if discard is not None else bool(stream.container.chapters())


def timecode_of(source: InputContainer) -> str | None:
    """Return the timecode of a clip's first picture."""
    for holder in (*source.streams, source):
        if "timecode" in holder.metadata:
            return readable(holder.metadata["timecode"])
    return None


def is_timecode(stream: Any) -> bool:
    """Tell whether a track holds nothing but the timecode."""
    return stream.type == "data" and "timecode" in stream.metadata


def has_timecode(container: str, rate: Fraction | None) -> bool:
    """Tell whether a container can state a timecode for pictures of a rate."""
    return container in ("mov", "mp4", "matroska") and rate in _RATES
