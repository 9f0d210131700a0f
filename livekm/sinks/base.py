"""The contract that every sink keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from livekm.frame import Frame, Image

_Self = TypeVar("_Self", bound="Sink")


class Sink(ABC):
    """A place where images go, one for each frame.

    Used as a context manager. Leaving the block normally calls `close`, which completes the
    output; leaving it by an exception calls `abort`, which leaves nothing under the final name.

    Attributes
    ----------
    path : Path or None
        The file, once it is complete; None where there is none.
    """

    path: Path | None = None

    @abstractmethod
    def write(self, frame: Frame, image: Image) -> None:
        """Take `image`, which was made from `frame`; raises `SinkError` or `ValueError`."""

    @abstractmethod
    def close(self) -> None:
        """Complete the output. Closing twice is allowed."""

    def mark_partial(self) -> None:  # noqa: B027 - only files have a name that can say so
        """Say that frames are missing at the end: `close` puts ``partial`` into a clip's name."""

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
