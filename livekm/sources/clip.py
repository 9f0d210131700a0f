"""Recorded clips."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import cv2
import numpy as np

from livekm.errors import SourceError
from livekm.frame import Frame, Image, VideoInfo
from livekm.sources.files import require_file
from livekm.sources.opencv_log import quiet_opencv
from livekm.sources.stream import FrameStream

_log = logging.getLogger(__name__)

# A damaged stretch fails once a frame and then reads on; at the end of a clip every call fails,
# each within 0.1 ms. So the end is told by patience, which costs a few milliseconds, and not by
# the container's count, which may be wrong.
MAX_FAILURES = 100

# Above this a container's rate is a clock tick or nonsense (1000, 90000, 180000 are common).
_MAX_RATE = 1000


@dataclass(frozen=True, slots=True)
class _Header:
    """What the container says, times in seconds."""

    fps: Fraction | None
    n_frames: int | None
    time_base: Fraction
    start: int  # in units of time_base
    zero: int  # the same, where OpenCV counts from
    duration: float | None


class ClipSource(FrameStream):
    """A recorded clip, decoded by OpenCV.

    Each frame's time is the one that the file states, exact to its time base, for variable
    frame rates and late starts as well. Frames are upright (the file's rotation is applied) and
    counted from 0; a frame that cannot be decoded is left out with a warning and leaves a gap in
    `index`. All frames have one size: should it change within the clip, OpenCV scales the others.

    Parameters
    ----------
    path : str or Path
        The video file.

    Raises
    ------
    SourceError
        If the file is missing, empty, damaged beyond use, or has no picture.
    """

    def __init__(self, path: str | Path) -> None:
        file = Path(path)
        require_file(file)
        header = _read_header(file)
        self._capture = _open_capture(file)
        frames = _read_frames(self._capture, header, file.name)
        # The first frame is decoded here: it proves that the clip can be read, and it alone
        # tells the size after rotation.
        first = next(frames, None)
        if first is None:
            self._capture.release()
            raise SourceError(f"{file}: no frame of it can be decoded; convert it to H.264 MP4")
        height, width = first.image.shape[:2]
        info = VideoInfo(
            file.name,
            width,
            height,
            fps=header.fps,
            n_frames=header.n_frames,
            time_base=header.time_base,
            path=str(path),
        )
        super().__init__(info, chain(iter((first,)), frames))

    def close(self) -> None:
        """Release the file. Closing twice is allowed."""
        super().close()
        self._capture.release()


def _read_header(path: Path) -> _Header:
    """Ask PyAV, which gives rates and time bases as the fractions that they are."""
    try:
        # The absolute path, since FFmpeg takes "a:b.mp4" for a protocol called "a".
        with av.open(str(path.absolute())) as container:
            # FFmpeg's "tty" reads any text file as a terminal recording.
            if container.format.name == "tty":
                raise SourceError(_not_a_video(path))
            if not container.streams.video:
                raise SourceError(f"{path}: no picture in it, only sound; give a video")
            stream = container.streams.video[0]
            # From PyAV 19 on, its rates are of a type of its own.
            fps = _plausible_rate(Fraction(stream.average_rate or 0))
            time_base = Fraction(stream.time_base or Fraction(1, av.time_base))
            start = stream.start_time or 0
            # Sound may begin before zero (an encoder's delay does); OpenCV then counts from there.
            earliest = (container.start_time or 0) / av.time_base
            zero = round(earliest / float(time_base)) if earliest < 0 else start
            seconds = container.duration / av.time_base if container.duration else None
            return _Header(
                fps=fps,
                n_frames=stream.frames or _estimate_count(seconds, fps),
                time_base=time_base,
                start=start,
                zero=zero,
                duration=float(stream.duration * time_base) if stream.duration else None,
            )
    except av.FFmpegError as error:
        raise SourceError(_not_a_video(path)) from error


def _not_a_video(path: Path) -> str:
    return f"{path}: not a video that can be read; the file is damaged or of another kind"


def _plausible_rate(rate: Fraction) -> Fraction | None:
    return rate if 0 < rate < _MAX_RATE else None


def _estimate_count(seconds: float | None, fps: Fraction | None) -> int | None:
    """Guess the number of frames of a container that does not count them (Matroska, MPEG-TS)."""
    return round(seconds * fps) or None if seconds and seconds > 0 and fps else None


def _open_capture(path: Path) -> cv2.VideoCapture:
    with quiet_opencv():
        capture = cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise SourceError(_not_a_video(path))
    # Off by default in OpenCV 4.11 and on in 5.0.
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    return capture


def _read_frames(capture: cv2.VideoCapture, header: _Header, name: str) -> Iterator[Frame]:
    period = 1 / (header.fps or Fraction(25))
    ticks_per_frame = max(1, round(period / header.time_base))
    index, failures, last_pts = -1, 0, None
    while failures < MAX_FAILURES:
        image = _read(capture)
        index += 1
        if image is None:
            failures += 1
            continue
        if failures:
            _log.warning("%s: left out %d damaged frame(s) at %d", name, failures, index - failures)
            failures = 0
        pts = _pts(capture, header)
        if last_pts is not None and pts <= last_pts:
            # Frames without a time stamp of their own (raw streams, an AVI's last frame) say 0.
            pts = last_pts + ticks_per_frame
        last_pts = pts
        yield Frame(image, index, time=float(pts * header.time_base))
    _warn_of_early_end(last_pts, header, name)


def _read(capture: cv2.VideoCapture) -> Image | None:
    try:
        with quiet_opencv():
            ok, image = capture.read()
    except cv2.error:  # OpenCV 4.11, for a frame of another size than the stream's
        return None
    return np.asarray(image, np.uint8) if ok else None


def _pts(capture: cv2.VideoCapture, header: _Header) -> int:
    """Give the last frame's presentation time in units of the stream's time base.

    CAP_PROP_POS_MSEC is exact but counts from the stream's start (or from that of the sound, if
    that comes before zero), and CAP_PROP_PTS counts in
    frames (OpenCV 4.11 and 5.0), so that it cannot tell a variable frame rate's times.
    """
    seconds = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
    return header.zero + round(seconds / float(header.time_base))


def _warn_of_early_end(last_pts: int | None, header: _Header, name: str) -> None:
    """Say so if the frames end clearly before the stream's stated end."""
    if last_pts is None or header.duration is None or header.fps is None:
        return
    seconds = float((last_pts - header.start) * header.time_base + 1 / header.fps)
    if seconds < header.duration - max(1.0, 2 / float(header.fps)):
        _log.warning("%s: ends after %.1f of %.1f s, damaged", name, seconds, header.duration)
