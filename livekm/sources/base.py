"""The contract that every source keeps."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

from livekm.context import Closing
from livekm.frame import Frame, VideoInfo


class Source(Closing):
    """An iterable of frames that must be closed.

    A source is a stream, maybe an endless one: it is read once, from front to back. Opening
    happens in the constructor, which raises `SourceError` if there is nothing to read; `info` is
    known from then on. Iterating raises `SourceError` where reading fails for good, and
    `ValueError` once the source is closed.

    Attributes
    ----------
    info : VideoInfo
        Size, rate and length of the frames that follow.
    """

    info: VideoInfo

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in the order of their times."""

    def skip(self, seconds: float) -> None:
        """Say that frames before so many seconds from the first one on are not wanted.

        Where they can be left undecoded without a change in the others, they are; the first
        frame comes all the same. A source that has nothing to gain by it does nothing.
        """

    def name_of(self, index: int) -> str:
        """Name a frame for people, by its `Frame.index`: where images have files, by its file."""
        return f"{self.info.name}, frame {index}"

    @abstractmethod
    def close(self) -> None:
        """Release the device or file. Closing twice is allowed."""
