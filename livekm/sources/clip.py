"""Read recorded clips."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, count
from pathlib import Path
from threading import Lock

from livekm.errors import SourceError
from livekm.frame import Frame, VideoInfo
from livekm.sources.conversion import Converter, deinterlaced
from livekm.sources.decoding import ClipReader, Picture, find_key_packet
from livekm.sources.files import require_file
from livekm.sources.header import Header, read_header
from livekm.sources.stream import FrameStream

_log = logging.getLogger(__name__)

_PATIENCE = 0.2  # seconds that `close` waits for another thread that reads

# How many pictures may wait for the first one with a time stamp; 3 MB each at 1080p.
_MOST_EARLY = 32


class ClipSource(FrameStream):
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

    Raises
    ------
    SourceError
        If the file is missing, empty, damaged beyond use, or has no picture.
    """

    def __init__(self, path: str | Path, *, threads: int | None = None) -> None:
        self._path = Path(path)
        self._threads = threads
        require_file(self._path)
        self._header = read_header(self._path)
        self._converter = Converter(threads)
        self._skipped = 0.0
        self._in_use = Lock()  # a container that is closed while another thread reads crashes
        self._reader = ClipReader(self._path, threads=threads)
        frames = self._convert(deinterlaced(self._reader.pictures))
        # Decode the first frame here: it proves that the clip can be read, and only it has the
        # size after rotation.
        first = next(frames, None)
        if first is None:
            self._reader.close()
            raise SourceError(
                f"{self._path}: no frame of it can be decoded; convert it to H.264 MP4"
            )
        n_frames = self._header.n_frames
        if n_frames == 1:  # of an MP4 in fragments this may be the number in the first one
            second = next(frames, None)
            if second is not None:
                n_frames, frames = None, chain((second,), frames)
        height, width = first.image.shape[:2]
        aspect = self._header.pixel_aspect
        if self._converter.is_turned:
            aspect = 1 / aspect
        info = VideoInfo(
            self._path.name,
            width,
            height,
            fps=self._header.fps,
            n_frames=n_frames,
            time_base=self._header.time_base,
            pixel_aspect=aspect,
            path=str(path),
        )
        super().__init__(info, self._guarded(self._all(first, frames)))

    def skip(self, seconds: float) -> None:
        """Begin decoding at the last key picture before `seconds` from the first frame on.

        The frames from there on are unchanged. To be called before the second frame is read.
        """
        self._skipped = seconds

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

    def _guarded(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        while True:
            with self._in_use:
                frame = next(frames, None)
            if frame is None:
                return
            yield frame

    def _all(self, first: Frame, others: Iterator[Frame]) -> Iterator[Frame]:
        yield first
        pictures = self._jump(first.time + self._skipped) if self._skipped else None
        yield from others if pictures is None else self._convert(deinterlaced(pictures), first)

    def _jump(self, time: float) -> Iterator[Picture] | None:
        """Return the pictures from the last key picture before `time` on, or None."""
        begin = find_key_packet(self._path, time)
        if begin is None or begin.number == 0:
            return None
        reader = ClipReader(self._path, begin, threads=self._threads)
        found = next(reader.pictures, None)
        # If another picture came first, or this one is no key picture, those before it are needed.
        if found is None or found.content.pts != begin.pts or not found.content.key_frame:
            reader.close()
            return None
        self._reader.close()
        self._reader = reader
        return chain((found,), reader.pictures)

    def _convert(self, pictures: Iterator[Picture], last: Frame | None = None) -> Iterator[Frame]:
        """Yield the frames that follow `last`, and warn of those that are missing."""
        header, name = self._header, self._path.name
        period = 1 / (header.fps or Fraction(25))
        ticks_per_frame = max(1, round(period / header.time_base))
        index, last_pts = -1, None
        for picture, pts in _stamped(pictures, header.start, ticks_per_frame):
            n_lost = picture.index - index - 1
            if n_lost and (index >= 0 or last is None):
                _log.warning("%s: left out %d damaged frame(s) at %d", name, n_lost, index + 1)
            index, last_pts = picture.index, pts
            image = self._converter.convert(picture.content)
            yield Frame(image, index, time=float(pts * header.time_base))
        if self._reader.n_lost:
            n_lost = self._reader.n_lost
            _log.warning("%s: left out %d damaged frame(s) at its end", name, n_lost)
        if n := self._reader.n_concealed:
            _log.warning("%s: %d frame(s) are damaged, the decoder filled in the holes", name, n)
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
