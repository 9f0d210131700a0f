"""Open a camera or network stream by OpenCV, and set its size and rate."""

from __future__ import annotations

import math
import os
import sys
from fractions import Fraction
from urllib.parse import urlsplit

import cv2

from livekm.errors import UsageError

_MAX_FPS = 1000  # streams of unknown rate state their clock's, 90000 or 180000
_TIMEOUT_MS = 10_000  # for a stream that does not answer; FFmpeg's own is 30 s


def is_url(device: int | str) -> bool:
    """Tell whether `device` is the address of a stream."""
    return isinstance(device, str) and "://" in device


def is_camera(name: str) -> bool:
    """Tell whether a name is a stream's address or a camera's path, maybe by a link.

    Examples
    --------
    >>> is_camera("rtsp://10.0.0.2/cam"), is_camera("/dev/video2"), is_camera("clip.mp4")
    (True, True, False)
    """
    return is_url(name) or os.path.realpath(name).startswith("/dev/video")


def v4l2_path(device: int | str) -> str | None:
    """Path of the device on Linux, where cameras are files; elsewhere None.

    A link (``/dev/v4l/by-id/...``) is followed: OpenCV knows only the names of devices.
    """
    if not sys.platform.startswith("linux") or is_url(device):
        return None
    return f"/dev/video{device}" if isinstance(device, int) else os.path.realpath(device)


def device_name(device: int | str) -> str:
    """Name a device for people, without the user and password that a URL may hold."""
    if isinstance(device, str) and is_url(device):
        try:
            url = urlsplit(device)
        except ValueError as error:
            raise UsageError(
                f"{device} is no address ({error}); give one like rtsp://host/path"
            ) from error
        return url._replace(netloc=url.netloc.rpartition("@")[2]).geturl()
    return f"camera {device}"


def open_device(device: int | str) -> cv2.VideoCapture:
    """Open the device by the one backend that fits; trying all of them costs a timeout each."""
    if isinstance(device, str) and is_url(device):
        timeouts = (cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, cv2.CAP_PROP_READ_TIMEOUT_MSEC)
        options = [value for timeout in timeouts for value in (timeout, _TIMEOUT_MS)]
        return cv2.VideoCapture(device, cv2.CAP_FFMPEG, options)
    if path := v4l2_path(device):
        return cv2.VideoCapture(path, cv2.CAP_V4L2)
    return cv2.VideoCapture(device, cv2.CAP_ANY)


def ask(
    capture: cv2.VideoCapture, width: int | None, height: int | None, fps: float | None
) -> None:
    """Request a size and rate; the camera takes the nearest ones that it has."""
    if width is not None or fps is not None:
        # Before the size: uncompressed, 720p and more come at 5 to 10 frames a second over USB.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    if width is not None and height is not None:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
    if fps is not None:
        capture.set(cv2.CAP_PROP_FPS, fps)
    # With many buffers a slow reader gets old frames. With one, the camera has no buffer for the
    # next frame while this one is read, and every second frame is lost.
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 2)


def frame_rate_of(capture: cv2.VideoCapture) -> Fraction | None:
    """Return the frame rate that the driver states, or None if it is implausible."""
    return _frame_rate(capture.get(cv2.CAP_PROP_FPS))


def _frame_rate(value: float) -> Fraction | None:
    """Return the exact fraction of a stated rate, or None if it is implausible.

    >>> _frame_rate(29.97002997), _frame_rate(0.0), _frame_rate(180000.0)
    (Fraction(30000, 1001), None, None)
    """
    if not math.isfinite(value) or not 0 < value <= _MAX_FPS:
        return None
    return Fraction(value).limit_denominator(1001)
