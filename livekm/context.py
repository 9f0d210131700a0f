"""What must be closed, as a context manager."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import TypeVar

from livekm.errors import NameTakenError, SinkError

_Self = TypeVar("_Self", bound="Closing")


class Closing(ABC):
    """Is closed at the end of a ``with`` block, or given up where an exception ends it.

    A `NameTakenError` of another output ends it well: that one is complete too. What goes wrong
    then is told together with it.
    """

    @abstractmethod
    def close(self) -> None:
        """Complete what was begun and release everything."""

    def abort(self) -> None:
        """Release everything; what was begun is given up. By default the same as `close`."""
        self.close()

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, NameTakenError):
            try:
                self.close()
            except SinkError as another:
                raise type(another)(f"{error}; {another}") from another
        elif error is None:
            self.close()
        else:
            self.abort()
