"""Read recorded clips."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path

from livekm.frame import Frame
from livekm.sources.container import open_container
from livekm.sources.conversion import deinterlaced
from livekm.sources.decoded import DecodedSource
from livekm.sources.decoding import ClipReader, KeyPacket, Picture, find_key_packet
from livekm.sources.files import require_file
from livekm.sources.header import read_header


class ClipSource(DecodedSource):
    """A recorded clip, decoded by FFmpeg.

    A frame's time is the one that the file states, exact to its time base, also at variable rates
    and where the clip starts late. Where two recordings were joined, the times of the second
    continue those of the first. Frames are upright. A frame that cannot be decoded is left out with
    a warning and leaves a gap in `index`. All frames have the size of the first; where the size
    changes, they are scaled. Interlaced pictures are deinterlaced, HDR is tone-mapped.

    Parameters
    ----------
    path : str or Path
        The video file.
    threads : int, optional
        How many threads decode it; as many as there are processors by default.
    alpha : bool, default False
        Whether transparent pixels do not count, where the codec has them.

    Raises
    ------
    SourceError
        If the file is missing, empty, damaged beyond use, or has no picture.
    """

    def __init__(
        self, path: str | Path, *, threads: int | None = None, alpha: bool = False
    ) -> None:
        self._path = Path(path)
        self._threads, self._alpha = threads, alpha
        self._skipped = 0.0
        require_file(self._path)
        header = read_header(self._path)
        reader = self._opened()
        super().__init__(
            self._path.name, header, reader, threads=threads, path=str(path), alpha=alpha
        )

    def skip(self, seconds: float) -> None:
        """Begin decoding at the last key picture before `seconds` from the first frame on.

        The frames from there on are unchanged. To be called before the second frame is read.
        """
        self._skipped = seconds

    def reopened(self) -> ClipSource:
        """Open the clip anew."""
        return ClipSource(self._path, threads=self._threads, alpha=self._alpha)

    def _opened(self, begin: KeyPacket | None = None) -> ClipReader:
        reopen = partial(open_container, self._path)
        return ClipReader(reopen(), begin, threads=self._threads, reopen=reopen)

    def _n_bytes(self) -> int:
        return self._path.stat().st_size

    def _all(self, first: Frame, others: Iterator[Frame]) -> Iterator[Frame]:
        yield first
        pictures = self._jump(first.time + self._skipped) if self._skipped else None
        yield from others if pictures is None else self._convert(deinterlaced(pictures), first)

    def _jump(self, time: float) -> Iterator[Picture] | None:
        """Return the pictures from the last key picture before `time` on, or None."""
        begin = find_key_packet(self._path, time)
        if begin is None or begin.number == 0:
            return None
        reader = self._opened(begin)
        found = next(reader.pictures, None)
        # If another picture came first, or this one is no key picture, those before it are needed.
        if found is None or found.content.pts != begin.pts or not found.content.key_frame:
            reader.close()
            return None
        self._reader.close()
        self._reader = reader
        return chain((found,), reader.pictures)
