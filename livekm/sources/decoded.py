"""Base of the sources that FFmpeg decodes: clips and pipes."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, count
from threading import Lock

import av

from livekm.errors import SourceError
from livekm.frame import Frame, VideoInfo
from livekm.sources.conversion import Converter, deinterlaced
from livekm.sources.decoding import ClipReader, Picture
from livekm.sources.header import Header
from livekm.sources.stream import FrameStream

_log = logging.getLogger(__name__)

_PATIENCE = 0.2  # seconds that `close` waits for another thread that reads

# How many pictures may wait for the first one with a time stamp; 3 MB each at 1080p.
_MOST_EARLY = 32


class DecodedSource(FrameStream):
    """The frames that a reader decodes.

    A frame's time is the one that the container states, exact to its time base. Frames are upright.
    A frame that cannot be decoded is left out with a warning and leaves a gap in `index`. All
    frames have the size of the first. Interlaced pictures are deinterlaced, HDR is tone-mapped.

    Parameters
    ----------
    name : str
        What people call it.
    header : Header
    reader : ClipReader
        Is closed with the source.
    threads : int, optional
        How many threads convert; as many as there are processors by default.
    path : str, optional
        The file that it is.
    alpha : bool, default False
        Whether transparent pixels do not count, where the codec has them.

    Raises
    ------
    SourceError
        If no frame can be decoded.
    """

    _is_interrupted = False

    def __init__(
        self,
        name: str,
        header: Header,
        reader: ClipReader,
        *,
        threads: int | None = None,
        path: str | None = None,
        alpha: bool = False,
    ) -> None:
        self._heeds_alpha = alpha
        self._name, self._path_or_name = name, path or name
        self._header = header
        self._reader = reader
        self._converter = Converter(threads)
        frames = self._convert(deinterlaced(reader.pictures))
        # Decode the first frame here: it proves that there is one, and only it has the size after
        # rotation.
        first = next(frames, None)
        if first is None:
            reader.close()
            raise SourceError(
                f"{self._path_or_name}: no frame of it can be decoded; convert it to H.264 MP4"
            )
        n_frames = header.n_frames
        if n_frames == 1:  # of an MP4 in fragments this may be the number in the first one
            second = next(frames, None)
            if second is not None:
                n_frames, frames = None, chain((second,), frames)
        height, width = first.image.shape[:2]
        aspect = header.pixel_aspect
        info = VideoInfo(
            name,
            width,
            height,
            fps=header.fps,
            n_frames=n_frames,
            time_base=header.time_base,
            is_variable=header.is_variable,
            pixel_aspect=1 / aspect if self._converter.is_turned else aspect,
            path=path,
        )
        self._in_use = Lock()  # a container that is closed while another thread reads crashes
        super().__init__(info, self._guarded(self._all(first, frames)))

    def close(self) -> None:
        """Release the file. Closing twice is allowed.

        A read in another thread that does not return, on a disk that hangs, is left to itself.
        """
        super().close()
        if self._in_use.acquire(timeout=_PATIENCE):
            try:
                self._reader.close()
            finally:
                self._in_use.release()

    @abstractmethod
    def _n_bytes(self) -> int:
        """Return how many bytes there are, once the end was read."""

    def _guarded(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        while True:
            with self._in_use:
                frame = next(frames, None)
            if frame is None:
                return
            yield frame

    def _all(self, first: Frame, others: Iterator[Frame]) -> Iterator[Frame]:
        yield first
        yield from others

    def _convert(self, pictures: Iterator[Picture], last: Frame | None = None) -> Iterator[Frame]:
        """Yield the frames that follow `last`, and warn of those that are missing."""
        header, name = self._header, self._name
        period = 1 / (header.fps or Fraction(25))
        ticks_per_frame = max(1, round(period / header.time_base))
        index, last_pts = -1, None
        try:
            for picture, pts in _stamped(pictures, header.start, ticks_per_frame):
                n_lost = picture.index - index - 1
                if n_lost and (index >= 0 or last is None):
                    _log.warning("%s: left out %d damaged frame(s) at %d", name, n_lost, index + 1)
                index, last_pts = picture.index, pts
                image = self._converter.convert(picture.content)
                mask = self._converter.opaque(picture.content) if self._heeds_alpha else None
                yield Frame(image, index, float(pts * header.time_base), mask)
        except av.FFmpegError as error:  # of y4m; reading other formats goes on
            raise SourceError(
                f"{self._path_or_name}: no frame {index + 1} where the header says; "
                "its size or format is wrong, or bytes are lost"
            ) from error
        if self._is_interrupted:  # it is no fault that there is no more
            return
        if self._reader.n_lost:
            n_lost = self._reader.n_lost
            _log.warning("%s: left out %d damaged frame(s) at its end", name, n_lost)
        if n := self._reader.n_concealed:
            _log.warning("%s: %d frame(s) are damaged, the decoder filled in the holes", name, n)
        end = self._reader.end if index >= 0 else None
        if end is not None and end < self._n_bytes():
            _log.warning("%s: ends within frame %d, which is left out", name, index + 1)
        if not self._reader.n_seams:  # what the header says is of the first recording
            _warn_of_early_end(last_pts, header, name)


def _stamped(
    pictures: Iterator[Picture], start: int | None, step: int
) -> Iterator[tuple[Picture, int]]:
    """Pair pictures with their time stamps, also those that have none: `step` ticks apart.

    FFmpeg leaves them out before time 0 in Matroska, in raw streams, and of an AVI's last frame. A
    stamp that does not come after the last one is moved to the next tick.
    """
    early: list[Picture] = []
    last: int | None = None
    for picture in pictures:
        pts = picture.content.pts
        if pts is None and last is None and start is not None and len(early) < _MOST_EARLY:
            early.append(picture)
            continue
        if early:
            first = (start or 0) if pts is None else pts - step * len(early)
            yield from zip(early, count(first, step))
            last, early = first + step * (len(early) - 1), []
        if pts is None:
            pts = (start or 0) if last is None else last + step
        elif last is not None:
            pts = max(pts, last + 1)
        last = pts
        yield picture, pts
    yield from zip(early, count(start or 0, step))


def _warn_of_early_end(last_pts: int | None, header: Header, name: str) -> None:
    """Warn if the frames end clearly before the stated end."""
    if last_pts is None or header.duration is None or header.fps is None:
        return
    seconds = float((last_pts - (header.start or 0)) * header.time_base + 1 / header.fps)
    if seconds < header.duration - max(1.0, 2 / float(header.fps)):
        _log.warning("%s: ends after %.1f of %.1f s, damaged", name, seconds, header.duration)
