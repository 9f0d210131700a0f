"""Write an output to stdout instead of a file."""

from __future__ import annotations

import os
import select
import stat
import sys
from pathlib import Path

from livekm.errors import ReaderGoneError
from livekm.outputs.atomic import PartFile

STDOUT = "-"
"""The name of an output that goes to stdout."""

_SLICE = 0.05  # seconds between two looks at whether the write was given up
_PIECE = 4096  # bytes that a pipe takes at once where it takes any, on all systems


class StdoutPart(PartFile):
    """Stand in for the part file of an output that goes to stdout, which cannot be taken back.

    Until it ends, what else the process prints goes to stderr, so that nothing but the data goes to
    stdout.

    Attributes
    ----------
    target : Path
        What messages call it.
    is_gone : bool
        Whether the reader has ended, or the output was given up.
    """

    def __init__(self) -> None:
        self.target: Path = Path("stdout")
        self.path: Path = self.target
        self.name_was_taken: bool = False
        self._number: int | None = os.dup(1)
        self._is_given_up = False
        self.is_gone: bool = False
        self._may_wait = sys.platform != "win32" and not stat.S_ISREG(os.fstat(1).st_mode)
        os.dup2(2, 1)

    def write(self, data: bytes | memoryview) -> int:
        """Write all of it, or raise; it waits as long as the reader is slow.

        Raises
        ------
        ReaderGoneError
            If the reader has ended, or the output was given up meanwhile.
        """
        view = memoryview(data).cast("B")
        left = view
        try:
            while left and self._number is not None:
                if self._is_given_up:
                    raise BrokenPipeError  # noqa: TRY301 - it is the same to the writer
                if not self._may_wait:
                    left = left[os.write(self._number, left) :]
                elif select.select([], [self._number], [], _SLICE)[1]:
                    left = left[os.write(self._number, left[:_PIECE]) :]
        except BrokenPipeError:
            self.is_gone = True
            raise ReaderGoneError("the reader of stdout has ended") from None
        return len(view)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is there; what was written to stdout is away."""
        return False

    def give_up(self) -> None:
        """End a write that waits for the reader; callable from any thread."""
        self._is_given_up = True

    def commit(self, *, is_partial: bool = False) -> None:
        """Give stdout back."""
        self.discard()

    def discard(self) -> None:
        """Give stdout back. Calling it twice is allowed."""
        number, self._number = self._number, None
        if number is not None:
            os.dup2(number, 1)
            os.close(number)
