"""Write to stdout and stderr, where nobody may listen."""

from __future__ import annotations

import errno
import io
import logging
import os
import sys
from contextlib import suppress
from typing import Any, TextIO, cast

from livekm.errors import LivekmError, printable


class LenientStream:
    """Write to another stream and ignore what fails: a disk may be full, a pipe closed.

    Everything else is the other stream's.

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
        """Write; ignore a failure."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush; ignore a failure. Python flushes stderr at its end, too."""
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class PrintableFormatter(logging.Formatter):
    """Format a record as one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text with its control characters escaped."""
        return printable(super().format(record))


def set_up() -> None:
    """Open a stdout and a stderr if the process was started without (``2>&-``, pythonw).

    Otherwise the next file to be opened would get the number of one, and the text that libraries
    print. Let stderr ignore failed writes: no message and no progress bar costs a clip.
    """
    if sys.stdout is None or sys.stderr is None:
        null = os.open(os.devnull, os.O_RDWR)
        while null < 2:
            null = os.dup(null)  # takes the lowest free number
        nowhere = os.fdopen(null, "w", encoding="utf-8")
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
    if isinstance(sys.stdout, io.TextIOWrapper):
        # As Python sets up stderr: file names may hold characters that the encoding lacks.
        sys.stdout.reconfigure(errors="backslashreplace")
    if not isinstance(sys.stderr, LenientStream):
        sys.stderr = cast(TextIO, LenientStream(sys.stderr))


def tell(message: str) -> None:
    """Print a message to stderr, in one line."""
    print(f"livekm: {printable(message)}", file=sys.stderr)


def say(text: str) -> None:
    """Print to stdout; ignore a pipe or a terminal that is gone.

    Raises
    ------
    LivekmError
        If stdout takes nothing for another reason, such as a full disk.
    """
    try:
        print(text, flush=True)
    except OSError as error:
        # Python would otherwise try to write the rest at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno not in (errno.EPIPE, errno.EIO, errno.EINVAL):
            raise LivekmError(f"cannot print to stdout: {error.strerror}") from error
