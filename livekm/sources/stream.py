"""Base of the sources whose frames come from one iterator."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from livekm.errors import UsageError
from livekm.frame import Frame, VideoInfo
from livekm.sources.base import Source


class FrameStream(Source):
    """A source over one iterator of frames.

    A second loop continues where the first one stopped. Iterating after `close` raises
    `ValueError`.

    Parameters
    ----------
    info : VideoInfo
        Describes the frames.
    frames : iterator of Frame
        Makes each frame when it is asked for.
    """

    def __init__(self, info: VideoInfo, frames: Iterator[Frame]) -> None:
        self.info = info
        self._frames = frames
        self._closed = False

    def __iter__(self) -> Iterator[Frame]:
        while True:
            if self._closed:
                raise ValueError(f"{self.info.name}: the source is closed")
            frame = next(self._frames, None)
            if frame is None:
                return
            yield frame

    def close(self) -> None:
        """End the stream. Closing twice is allowed."""
        self._closed = True


class DerivedStream(FrameStream):
    """Frames that are made of another source's, which is closed with this one.

    Parameters
    ----------
    source : Source
    info : VideoInfo
        Describes the frames.
    frames : iterator of Frame
        Makes each frame when it is asked for.
    """

    def __init__(self, source: Source, info: VideoInfo, frames: Iterator[Frame]) -> None:
        self._source = source
        super().__init__(info, frames)

    def name_of(self, index: int) -> str:
        """Name a frame as the source does."""
        return self._source.name_of(index)

    def interrupt(self) -> None:
        """End a read of the source that waits."""
        self._source.interrupt()

    def close(self) -> None:
        """Close the source. Closing twice is allowed."""
        super().close()
        self._source.close()


def frame_rate(fps: float | Fraction) -> Fraction:
    """Return the exact fraction of a frame rate: 29.97003 becomes 30000/1001.

    Examples
    --------
    >>> frame_rate(29.97003)
    Fraction(30000, 1001)
    """
    if not 0 < fps < float("inf"):
        raise UsageError(f"fps must be a number above 0, not {fps}")
    return Fraction(fps).limit_denominator(1001)
