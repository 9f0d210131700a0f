"""A stream for what may be missed."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, TextIO


class LenientStream:
    """Writes to another stream as far as that takes it: a disk may be full, a pipe closed.

    Has everything else of the other one.

    Examples
    --------
    >>> import io
    >>> class Broken(io.StringIO):
    ...     def write(self, text):
    ...         raise OSError(28, "No space left on device")
    >>> print("a message", file=LenientStream(Broken()))
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or miss it."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, or miss it; Python's own at the end of the program as well."""
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
