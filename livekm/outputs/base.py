"""The contract that every sink keeps."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

from livekm.context import Closing
from livekm.core.painting import Picture
from livekm.frame import Frame


class Sink(Closing):
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
    def write(self, frame: Frame, image: Picture) -> None:
        """Take `image`, which was made from `frame`; raises `SinkError` or `ValueError`.

        It is a (H, W, 3) uint8 BGR array, or a `Painting`, which a sink paints as it needs it.
        """

    @abstractmethod
    def close(self) -> None:
        """Complete the output. Closing twice is allowed."""

    def mark_partial(self) -> None:
        """Say that frames are missing at the end: `close` puts ``partial`` into a clip's name."""
