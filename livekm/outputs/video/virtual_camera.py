"""Write images to a virtual camera, which calls and OBS read like a real one."""

from __future__ import annotations

import errno
import os
import struct
import sys
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from livekm.core.painting import Painting
from livekm.errors import SinkError
from livekm.frame import Image, VideoInfo
from livekm.outputs.base import Sink
from livekm.outputs.checks import as_image
from livekm.sources.v4l2 import can_output, list_cameras

AUTO = "auto"
"""Stands for the first device that is an output."""

# Of linux/videodev2.h: v4l2_format of a picture, v4l2_streamparm of an output, and their requests.
_FORMAT = struct.Struct("=I4x12I152x")
_SET_FORMAT = 0xC0D05605
_PARAMETERS = struct.Struct("=5I184x")
_SET_PARAMETERS = 0xC0CC5616
_VIDEO_OUTPUT = 2
_FIELD_NONE = 1
_PIXELS = {b"YU12": "yuv420p", b"YUYV": "yuyv422", b"BGR3": "bgr24", b"RGB3": "rgb24"}

_HOW = "make one: sudo apt install v4l2loopback-dkms && sudo modprobe v4l2loopback exclusive_caps=1"


class VirtualCamera(Sink):
    """Write images to a V4L2 output of Linux, such as v4l2loopback makes.

    Parameters
    ----------
    device : str
        Its path, or ``auto`` for the first one.
    info : VideoInfo
        What the frames come from: the size and rate to ask for.

    Attributes
    ----------
    size : (int, int)
        Width and height of its pictures, which images must have.

    Raises
    ------
    SinkError
        If there is no such device, or it is no output.
    """

    def __init__(self, device: str, info: VideoInfo) -> None:
        super().__init__()
        if sys.platform != "linux":
            raise SinkError(
                "a virtual camera is written on Linux only; see examples/virtual_camera.py"
            )
        self._device = _first_output() if device == AUTO else device
        self._reformatter = VideoReformatter()
        self._number = _opened(self._device)
        try:
            self.size: tuple[int, int]
            self.size, self._pixels = self._agree(info.width, info.height)
            self._set_rate(info.fps or Fraction(30))
        except OSError as error:
            os.close(self._number)
            raise SinkError(_what_is_wrong(self._device, error)) from error

    @property
    def target(self) -> Path:
        """The device."""
        return Path(self._device)

    def write(
        self, image: Image | Painting, time: float | None = None, index: int | None = None
    ) -> None:
        """Show an image of the camera's size until the next one."""
        picture = self._reformatter.reformat(
            av.VideoFrame.from_ndarray(np.ascontiguousarray(as_image(image)), "bgr24"),
            format=self._pixels,
            dst_colorspace=Colorspace.ITU601,
            dst_color_range=None if "24" in self._pixels else ColorRange.MPEG,
        )
        with self._writing():
            os.write(self._number, picture.to_ndarray().tobytes())

    def _agree(self, width: int, height: int) -> tuple[tuple[int, int], str]:
        """Ask for a size; return the one that the device has instead, and its pixels."""
        wish = [max(2, width // 2 * 2), max(2, height // 2 * 2), _number(b"YU12"), _FIELD_NONE]
        wish += [0, wish[0] * wish[1] * 3 // 2, *[0] * 6]
        _, width, height, pixels, *_ = self._ask(_SET_FORMAT, _FORMAT, _VIDEO_OUTPUT, *wish)
        name = pixels.to_bytes(4, "little")
        if name not in _PIXELS:
            kind = name.decode("ascii", "replace")
            raise SinkError(f"{self._device} takes {kind} only, not YUV; set it to YU12 or YUYV")
        return (width, height), _PIXELS[name]

    def _set_rate(self, rate: Fraction) -> None:
        """Tell the rate to those who read it, where the device passes it on."""
        period = rate.denominator, rate.numerator
        with suppress(OSError):
            self._ask(_SET_PARAMETERS, _PARAMETERS, _VIDEO_OUTPUT, 0, 0, *period)

    def _ask(self, request: int, layout: struct.Struct, *wish: int) -> tuple[int, ...]:
        import fcntl  # POSIX only

        return layout.unpack(fcntl.ioctl(self._number, request, layout.pack(*wish)))

    def _release(self) -> None:
        number, self._number = self._number, -1
        if number >= 0:
            os.close(number)


def _first_output() -> str:
    found = next(filter(can_output, list_cameras()), None)
    if found is None:
        raise SinkError(f"there is no virtual camera; {_HOW}")
    return found


def _opened(device: str) -> int:
    try:
        number = os.open(device, os.O_RDWR)
    except OSError as error:
        raise SinkError(_what_is_wrong(device, error)) from error
    if not can_output(device):
        os.close(number)
        raise SinkError(f"{device} is not a virtual camera; {_HOW}")
    return number


def _what_is_wrong(device: str, error: OSError) -> str:
    if isinstance(error, SinkError):
        return str(error)
    if error.errno == errno.ENOENT:
        return f"there is no {device}; {_HOW}"
    if error.errno == errno.EBUSY:
        return f"{device} is busy; close the other program that writes to it"
    return f"{device} cannot be written: {error.strerror}; check its permissions"


def _number(name: bytes) -> int:
    return int.from_bytes(name, "little")
