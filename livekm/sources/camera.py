"""Frames from a camera or a network stream."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from urllib.parse import urlsplit

import cv2
import numpy as np

from livekm.errors import SourceError
from livekm.frame import Frame, VideoInfo
from livekm.sources.base import Source
from livekm.sources.opencv_log import quiet_opencv
from livekm.sources.v4l2 import why_no_frames

_MAX_FPS = 1000  # beyond it a rate is a clock's: streams of unknown rate say 90000 or 180000
_MAX_BAD_FRAMES = 10  # in a row; webcams send a broken JPEG now and then, above all at the start
_TIMEOUT_MS = 10_000  # for a stream that does not answer; FFmpeg's own is 30 s


class CameraSource(Source):
    """A camera or network stream, read frame by frame as it delivers them.

    Parameters
    ----------
    device : int or str
        Index of a camera, as a number or as digits; its device path, ``/dev/video0``; or the URL
        of a stream, ``rtsp://...``, ``http://...``, ``udp://...``.
    width, height : int, optional
        Size in pixels to ask a camera for; both or neither. It delivers the nearest that it can.
    fps : float, optional
        Frames a second to ask a camera for.

    Raises
    ------
    SourceError
        If the device is absent, busy, not permitted or delivers no frame; while iterating, when
        it stops delivering.
    ValueError
        If `device` is negative, a wish is not positive, or `width` comes without `height`.

    Notes
    -----
    `Frame.time` is taken from `time.monotonic` when the frame arrives, before it is decoded.

    Examples
    --------
    >>> with CameraSource(0) as camera:  # doctest: +SKIP
    ...     for frame in camera:
    ...         print(frame.index, frame.time, frame.image.shape)
    """

    def __init__(
        self,
        device: int | str,
        *,
        width: int | None = None,
        height: int | None = None,
        fps: float | None = None,
    ) -> None:
        device = int(device) if isinstance(device, str) and device.isdecimal() else device
        _check_wishes(device, width, height, fps)
        self._device = device
        self._name = _name(device)
        self._n_frames = 0
        self._closed = False
        self._opened_at = time.monotonic()
        with quiet_opencv():
            self._capture = _open(device)
            if not _is_url(device):
                _ask(self._capture, width, height, fps)
        # Only a frame proves that a camera works and tells the size that really comes.
        self._first: Frame | None = self._read()
        rows, columns = self._first.image.shape[:2]
        self.info = VideoInfo(
            name=self._name,
            width=columns,
            height=rows,
            fps=_frame_rate(self._capture.get(cv2.CAP_PROP_FPS)),
            is_live=True,
        )

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames as they arrive, until the source is closed."""
        first, self._first = self._first, None
        if first is not None:
            yield first
        while not self._closed:
            yield self._read()

    def close(self) -> None:
        """Release the device. Closing twice is allowed."""
        self._closed = True
        with quiet_opencv():
            self._capture.release()

    def _read(self) -> Frame:
        """Wait for the next frame; raise `SourceError` when there will be none."""
        with quiet_opencv():
            for _ in range(_MAX_BAD_FRAMES):
                if not self._capture.grab():
                    break
                arrived_at = time.monotonic() - self._opened_at
                index = self._n_frames
                self._n_frames += 1
                decoded, image = self._capture.retrieve()
                if decoded and image is not None:
                    return Frame(np.asarray(image, np.uint8), index, arrived_at)
        self.close()  # before asking why: to itself, an open camera looks busy
        raise SourceError(self._failure())

    def _failure(self) -> str:
        if self._n_frames:
            return (
                f"{self._name} stopped delivering frames after {self._n_frames} frames; "
                "check its cable or connection and open it again"
            )
        if _is_url(self._device):
            return f"cannot read {self._name}: no video there; check the address and the network"
        if path := _v4l2_path(self._device):
            return f"cannot read {self._name}: {why_no_frames(path)}"
        return (
            f"cannot read {self._name}: it is absent, in use by another program or not permitted; "
            "check the connection and the system's privacy settings for cameras"
        )


def _check_wishes(
    device: int | str, width: int | None, height: int | None, fps: float | None
) -> None:
    if isinstance(device, int) and device < 0:
        raise ValueError(f"device must be an index from 0, a path or a URL, not {device}")
    if (width is None) != (height is None):
        raise ValueError("width and height must be given together")
    for name, value in (("width", width), ("height", height), ("fps", fps)):
        if value is not None and not value > 0:
            raise ValueError(f"{name} must be positive, not {value}")


def _is_url(device: int | str) -> bool:
    return isinstance(device, str) and "://" in device


def _v4l2_path(device: int | str) -> str | None:
    """Path of the device on Linux, where cameras are files; elsewhere None."""
    if not sys.platform.startswith("linux") or _is_url(device):
        return None
    return f"/dev/video{device}" if isinstance(device, int) else device


def _name(device: int | str) -> str:
    """Name a device for people, without the user and password that a URL may hold."""
    if isinstance(device, str) and _is_url(device):
        url = urlsplit(device)
        return url._replace(netloc=url.netloc.rpartition("@")[2]).geturl()
    return f"camera {device}"


def _open(device: int | str) -> cv2.VideoCapture:
    """Open the device by the one backend that fits, not by all in turn, each with its wait."""
    if isinstance(device, str) and _is_url(device):
        timeouts = (cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, cv2.CAP_PROP_READ_TIMEOUT_MSEC)
        options = [value for timeout in timeouts for value in (timeout, _TIMEOUT_MS)]
        return cv2.VideoCapture(device, cv2.CAP_FFMPEG, options)
    if path := _v4l2_path(device):
        return cv2.VideoCapture(path, cv2.CAP_V4L2)
    return cv2.VideoCapture(device, cv2.CAP_ANY)


def _ask(
    capture: cv2.VideoCapture, width: int | None, height: int | None, fps: float | None
) -> None:
    """Tell the camera what is wanted; it answers with what it can."""
    if width is not None or fps is not None:
        # Before the size: uncompressed, 720p and more come at 5 to 10 frames a second over USB.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    if width is not None and height is not None:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
    if fps is not None:
        capture.set(cv2.CAP_PROP_FPS, fps)
    # Few buffers, or a slow reader sees the past. Two, not one: with one, the camera has nowhere
    # to put the next frame while this one is read, and every second frame is lost.
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 2)


def _frame_rate(value: float) -> Fraction | None:
    """Make a driver's word an exact rate, or None where it cannot be one.

    >>> _frame_rate(29.97002997), _frame_rate(0.0), _frame_rate(180000.0)
    (Fraction(30000, 1001), None, None)
    """
    if not math.isfinite(value) or not 0 < value <= _MAX_FPS:
        return None
    return Fraction(value).limit_denominator(1001)
