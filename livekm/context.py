"""What must be ended, as a context manager."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import suppress
from types import TracebackType
from typing import TypeVar

_Self = TypeVar("_Self", bound="Closing")


class GiveUp(KeyboardInterrupt):
    """End at once and leave nothing: the user insists, after a first request to end."""


class Closing(ABC):
    """End with the ``with`` block: `close` where it ends well, else `keep`, or `abort`.

    An exception keeps what there is, a script's Ctrl-C and `sys.exit` too; only `GiveUp` leaves
    nothing. Whatever goes wrong then, the exception that ended the block is the one that is told.
    """

    @abstractmethod
    def close(self) -> None:
        """Complete what was begun and release everything."""

    def keep(self) -> None:
        """Save what there is of what is not complete, and release everything."""
        self.abort()

    def abort(self) -> None:
        """Give up what was begun and release everything; by default the same as `close`."""
        self.close()

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
            return
        with suppress(Exception):
            if isinstance(error, GiveUp):
                self.abort()
            else:
                self.keep()
