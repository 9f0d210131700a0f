"""The contract that every sink keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import TypeVar

from livekm.frame import Frame, Image

_Self = TypeVar("_Self", bound="Sink")


class Sink(ABC):
    """A place where images go, one for each frame.

    Used as a context manager. Leaving the block normally calls `close`, which completes the
    output; leaving it by an exception calls `abort`, which leaves nothing under the final name.
    """

    @abstractmethod
    def write(self, frame: Frame, image: Image) -> None:
        """Take `image`, which was made from `frame`; raises `SinkError` or `ValueError`."""

    @abstractmethod
    def close(self) -> None:
        """Complete the output. Closing twice is allowed."""

    def abort(self) -> None:
        """Give the output up; nothing stays under the final name."""
        self.close()

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()
