"""Read a section of another source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from livekm.errors import SourceError, UsageError
from livekm.frame import Frame, VideoInfo
from livekm.sources.base import Source
from livekm.sources.stream import DerivedStream


class SectionSource(DerivedStream):
    """The frames of a source from one time to another.

    Frames keep the index and time that they have in the source. Clips are decoded from the last
    key picture before `start` on.

    Parameters
    ----------
    source : Source
        Is closed with the section.
    start, end : float
        In seconds from the source's first frame on: frames with ``start <= time < end``.

    Raises
    ------
    ValueError
        If `end` does not come after `start`, or if the source is live.
    SourceError
        From the loop, if no frame lies in the section.

    Examples
    --------
    >>> from livekm.sources.demo.source import DemoSource
    >>> with SectionSource(DemoSource(64, 48, fps=10), start=0.2, end=0.5) as section:
    ...     [frame.time for frame in section]
    [0.2, 0.3, 0.4]
    """

    def __init__(self, source: Source, start: float = 0.0, end: float = float("inf")) -> None:
        if not 0 <= start < end:
            raise UsageError(f"the end must come after the start, got {start:g} to {end:g} s")
        if source.info.is_live:
            raise UsageError(f"{source.info.name} is live: leave --start and --end out")
        self._start, self._end, self._skipped = start, end, 0.0
        super().__init__(source, _shortened(source.info, start, end), self._section())

    def skip(self, seconds: float) -> None:
        """Skip what is within `seconds` of the start, if that saves decoding it."""
        self._skipped = seconds

    def reopened(self) -> SectionSource | None:
        """Open the source anew, and take the same section of it."""
        again = self._source.reopened()
        return None if again is None else SectionSource(again, self._start, self._end)

    def _section(self) -> Iterator[Frame]:
        source, start, end = self._source, self._start, self._end
        first, time, is_empty = None, 0.0, True
        source.skip(start + self._skipped)
        for frame in source:
            if first is None:
                first = frame.time
            # Round: the difference of two float times is inexact.
            time = round(frame.time - first, 6)
            if time >= end:
                break
            if time >= start:
                is_empty = False
                yield frame
        if is_empty:
            until = "on" if end == float("inf") else f"to {end:g} s"
            raise SourceError(
                f"{source.info.name}: no frame from {start:g} s {until}; "
                f"its last one is at {time:g} s"
            )


def _shortened(info: VideoInfo, start: float, end: float) -> VideoInfo:
    if info.n_frames is None or info.fps is None:
        return replace(info, n_frames=None)
    length = info.n_frames / float(info.fps)
    n_frames = round((min(end, length) - start) * float(info.fps))
    return replace(info, n_frames=max(n_frames, 2))  # 1 must be exact, this is an estimate


def seconds(text: str) -> float:
    """Read seconds, or minutes and hours before them.

    Examples
    --------
    >>> seconds("90"), seconds("1:30"), seconds("0:01:30.5")
    (90.0, 90.0, 90.5)
    """
    *larger, last = text.split(":")
    total = float(last)
    if len(larger) > 2 or not 0 <= total < (60 if larger else float("inf")):
        raise ValueError(text)
    for power, part in enumerate(reversed(larger), 1):
        if not part.isdecimal():
            raise ValueError(text)
        total += int(part) * 60**power
    return total
