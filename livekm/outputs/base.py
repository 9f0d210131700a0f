"""The contract that every sink keeps."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

from livekm.context import Closing
from livekm.core.painting import Painting
from livekm.frame import Image


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
    def write(
        self, image: Image | Painting, time: float | None = None, index: int | None = None
    ) -> None:
        """Take the next image.

        Parameters
        ----------
        image : (H, W, 3) uint8 BGR, or Painting
            A painting is painted as the sink needs it.
        time : float, optional
            When it is shown, in seconds, as of `Frame.time`; by default images follow each other
            at the sink's rate.
        index : int, optional
            Its number in the source, as of `Frame.index`; by default it counts the images.

        Raises
        ------
        SinkError
            If it cannot be written or shown.
        ValueError
            If the image or the time does not fit.
        """

    @abstractmethod
    def close(self) -> None:
        """Complete the output. Closing twice is allowed."""

    def mark_partial(self) -> None:
        """Say that frames are missing at the end: `close` puts ``partial`` into a clip's name."""
