"""Read frames from a camera or a network stream."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit

import cv2
import numpy as np

from livekm.errors import SourceError, UsageError
from livekm.frame import Frame, VideoInfo
from livekm.sources.base import Source
from livekm.sources.device import ask, device_name, frame_rate_of, is_url, open_device, v4l2_path
from livekm.sources.opencv_log import quiet_opencv
from livekm.sources.v4l2 import why_no_frames
from livekm.validation import check_positive

_MAX_BAD_FRAMES = 10  # in a row; webcams send a broken JPEG now and then, above all at the start
_FIRST_WAIT = 10.0  # seconds; some cameras take five to start
_WAIT = 2.0  # seconds without a frame after which a camera counts as frozen,
_WAIT_FRAMES = 3  # or this many periods of a slow one
_SLICE = 0.1  # seconds between two looks at whether the source was closed
_RECORDINGS = {".ts", ".mts", ".m2ts", ".mpg", ".vob", ".flv"}  # state no number of frames
_ALMOST = 0.98  # of the number of frames that a recording states, which may be an estimate


class CameraSource(Source):
    """A camera or network stream, read in real time.

    Parameters
    ----------
    device : int or str
        Index of a camera, as a number or as digits; its device path, ``/dev/video0``; or the URL
        of a stream, ``rtsp://...``, ``http://...``, ``udp://...``.
    width, height : int, optional
        Size in pixels to request; both or neither. The camera takes the nearest that it has.
    fps : float, optional
        Frames a second to request.

    Attributes
    ----------
    opened_at : float
        The `time.monotonic` at which `Frame.time` is 0.

    Raises
    ------
    SourceError
        If the device is absent, busy, not permitted or delivers no frame; from the loop, if it
        stops delivering.
    ValueError
        If `device` is negative, a size or rate is not positive, or `width` comes without `height`.

    Notes
    -----
    `Frame.time` is taken from `time.monotonic` when the frame arrives, before it is decoded.
    `close` may be called from another thread than the one that reads; it ends a read that waits.

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
        self._name = device_name(device)
        self._wishes = width, height, fps
        self._n_frames = 0
        self._first: Frame | None = None
        self._closed = False
        self._has_stalled = False
        self._in_use = Lock()  # a capture that is released while another thread reads crashes
        self.opened_at: float = time.monotonic()
        self._open()

    def reopen(self) -> None:
        """Open the device again after it stopped delivering; indices and times continue.

        Raises
        ------
        SourceError
            If it still delivers nothing. Trying again is allowed.
        """
        if not self._closed:
            with self._in_use, quiet_opencv():
                self._capture.release()
            self._open()

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames as they arrive, until another thread closes the source.

        Raises
        ------
        SourceError
            If the camera stops delivering before the end that a recording behind a URL has.
        ValueError
            If the source was closed before.
        """
        if self._closed:
            raise ValueError(f"{self._name}: the source is closed")
        first, self._first = self._first, None
        if first is not None:
            yield first
        while (frame := self._read(self._wait)) is not None:
            yield frame

    def interrupt(self) -> None:
        """End a read that waits, by closing the device."""
        self.close()

    def close(self) -> None:
        """Release the device. Closing twice is allowed, and takes no time."""
        if self._closed:
            return
        self._closed = True
        # A read that is stuck in the driver releases the device itself when it returns.
        if self._in_use.acquire(timeout=2 * _SLICE):
            try:
                self._release()
            finally:
                self._in_use.release()

    def _open(self) -> None:
        """Open the device and read a frame, which proves that it delivers and in what size."""
        with self._in_use, quiet_opencv():
            self._capture = open_device(self._device)
            if not is_url(self._device):
                ask(self._capture, *self._wishes)
            fps = frame_rate_of(self._capture)
            self._stated = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self._wait = max(_WAIT, float(_WAIT_FRAMES / fps) if fps else 0.0)
        self._first = self._read(_FIRST_WAIT)
        if self._first is not None:
            height, width = self._first.image.shape[:2]
            self.info: VideoInfo = VideoInfo(self._name, width, height, fps, is_live=True)

    def _read(self, patience: float) -> Frame | None:
        """Return the next frame, or None after `close`; raise `SourceError` if none comes."""
        with self._in_use:
            with quiet_opencv():
                frame = None if self._closed else self._next_frame(patience)
            if frame is None or self._closed:
                self._release()  # before asking why: while it is open here, it looks busy
        if self._closed or (frame is None and self._is_at_end()):
            return None
        if frame is None:
            raise SourceError(self._failure())
        return frame

    def _is_at_end(self) -> bool:
        """Tell whether all frames of a recording behind a URL came, as far as it states them."""
        if not isinstance(self._device, str) or not is_url(self._device):
            return False
        if self._stated > 0:
            return _ALMOST * self._stated <= self._n_frames
        is_recording = Path(urlsplit(self._device).path).suffix.lower() in _RECORDINGS
        return is_recording and self._n_frames > 0 and not self._has_stalled

    def _next_frame(self, patience: float) -> Frame | None:
        for _ in range(_MAX_BAD_FRAMES):
            if not (self._await_frame(patience) and self._grab()):
                return None
            arrived_at = time.monotonic() - self.opened_at
            index = self._n_frames
            self._n_frames += 1
            with suppress(cv2.error):  # an empty buffer
                decoded, image = self._capture.retrieve()
                if decoded and image is not None:
                    return Frame(np.asarray(image, np.uint8), index, arrived_at)
        return None

    def _grab(self) -> bool:
        """Take the next buffer; tell whether there is one. OpenCV raises where it is empty."""
        start = time.monotonic()
        try:
            return self._capture.grab()
        except cv2.error:
            return self._capture.isOpened()
        finally:
            self._has_stalled = time.monotonic() - start > _WAIT

    def _await_frame(self, patience: float) -> bool:
        """Wait for a frame and tell whether it came; True where OpenCV cannot wait."""
        if not self._capture.isOpened() or self._capture.getBackendName() != "V4L2":
            return self._capture.isOpened()
        until = time.monotonic() + patience
        with suppress(cv2.error):  # unplugged
            while not self._closed and time.monotonic() < until:
                if cv2.VideoCapture.waitAny([self._capture], round(_SLICE * 1e9))[0]:
                    return True
        return False

    def _release(self) -> None:
        with quiet_opencv():
            self._capture.release()

    def _failure(self) -> str:
        if self._n_frames:
            return (
                f"{self._name} stopped delivering frames after {self._n_frames} frames; "
                "check its cable or connection and open it again"
            )
        if is_url(self._device):
            return f"cannot read {self._name}: no video there; check the address and the network"
        if path := v4l2_path(self._device):
            return f"cannot read {self._name}: {why_no_frames(path)}"
        return (
            f"cannot read {self._name}: it is absent, in use by another program or not permitted; "
            "check the connection and the system's privacy settings for cameras"
        )


def _check_wishes(
    device: int | str, width: int | None, height: int | None, fps: float | None
) -> None:
    if isinstance(device, int) and device < 0:
        raise UsageError(f"device must be an index from 0, a path or a URL, not {device}")
    if (width is None) != (height is None):
        raise UsageError("width and height must be given together")
    for name, value in (("width", width), ("height", height), ("fps", fps)):
        check_positive(name, value)
