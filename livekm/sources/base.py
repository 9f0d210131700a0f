"""The contract that every source keeps."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

from livekm.context import Closing
from livekm.frame import Frame, VideoInfo


class Source(Closing):
    """An iterable of frames that must be closed.

    A source is a stream and may be endless; it is read once, from front to back. The constructor
    opens it and sets `info`; it raises `SourceError` if there is nothing to read. Iterating raises
    `SourceError` where reading fails for good, and `ValueError` after `close`.

    Attributes
    ----------
    info : VideoInfo
        Size, rate and length of the frames that follow.
    """

    info: VideoInfo

    def __repr__(self) -> str:
        """Tell what is read, and how large it is."""
        info = getattr(self, "info", None)
        what = "" if info is None else f" {info.name}, {info.width}x{info.height}"
        return f"<{type(self).__name__}{what}>"

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in the order of their times."""

    def skip(self, seconds: float) -> None:
        """Skip the frames within `seconds` of the first one, if that saves decoding them.

        The first frame is yielded all the same, and the frames behind the skipped ones are
        unchanged. By default nothing is skipped.
        """

    def reopened(self) -> Source | None:
        """Open the same anew, from its first frame on; the caller closes it.

        By default None: it can be read only once.
        """
        return None

    def name_of(self, index: int) -> str:
        """Name a frame for people, by its `Frame.index`: where images have files, by its file."""
        return f"{self.info.name}, frame {index}"

    def interrupt(self) -> None:
        """End a read that waits for a sender, as at the end; callable from any thread.

        By default nothing is done: reading a file does not wait.
        """

    @abstractmethod
    def close(self) -> None:
        """Release the device or file. Closing twice is allowed."""
