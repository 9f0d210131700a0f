"""The contract that every source keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from types import TracebackType
from typing import TypeVar

from livekm.frame import Frame, VideoInfo

_Self = TypeVar("_Self", bound="Source")


class Source(ABC):
    """An iterable of frames that must be closed.

    A source is a stream, maybe an endless one: it is read once, from front to back. Opening
    happens in the constructor, which raises `SourceError` if there is nothing to read; `info` is
    known from then on. Iterating raises `SourceError` where reading fails for good.

    Attributes
    ----------
    info : VideoInfo
        Size, rate and length of the frames that follow.
    """

    info: VideoInfo

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in the order of their times."""

    @abstractmethod
    def close(self) -> None:
        """Release the device or file. Closing twice is allowed."""

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
