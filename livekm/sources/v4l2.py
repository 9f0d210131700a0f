"""Ask Linux about cameras: names, sizes, and why one cannot be read."""

from __future__ import annotations

import errno
import itertools
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

# VIDIOC_REQBUFS of linux/videodev2.h: _IOWR('V', 8, struct v4l2_requestbuffers of 20 bytes).
_REQUEST_BUFFERS = 0xC0145608
_VIDEO_CAPTURE = _MMAP = 1  # V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_MEMORY_MMAP

# Of the same header: each structure, and the request that takes it.
_CAPABILITY = struct.Struct("=16s32s32s3I12x")  # v4l2_capability
_QUERY_CAPABILITY = 0x80685600
_FORMAT = struct.Struct("=3I32sI16x")  # v4l2_fmtdesc
_ENUMERATE_FORMATS = 0xC0405602
_FRAME_SIZE = struct.Struct("=9I8x")  # v4l2_frmsizeenum
_ENUMERATE_FRAME_SIZES = 0xC02C564A
_VIDEO_OUTPUT = 2  # V4L2_CAP_VIDEO_OUTPUT
_DISCRETE = 1  # V4L2_FRMSIZE_TYPE_DISCRETE

_ABSENT = {errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTDIR}
_NOT_ALLOWED = {errno.EACCES, errno.EPERM}
_NOT_A_CAMERA = {errno.ENOTTY, errno.EINVAL, errno.EISDIR}


def why_no_frames(path: str) -> str:
    """Explain in one line why the camera at `path` gives no frames, and what to do.

    A busy device opens like a free one; it is the request for buffers that it refuses.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        try:
            _request_no_buffers(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        return _explain(path, error)
    return f"{path} opens but delivers no frames; unplug it, plug it in and try again"


def _request_no_buffers(descriptor: int) -> None:
    """Request zero buffers: this changes nothing, and fails if another program has the camera."""
    import fcntl  # POSIX only

    count, capabilities, flags = 0, 0, 0
    request = struct.pack("=5I", count, _VIDEO_CAPTURE, _MMAP, capabilities, flags)
    fcntl.ioctl(descriptor, _REQUEST_BUFFERS, request)


def _explain(path: str, error: OSError) -> str:
    if error.errno == errno.EBUSY:
        others = ", ".join(camera for camera in list_cameras() if camera != path)
        instead = f", or use another camera: {others}" if others else ""
        return f"{path} is busy; close the other program that uses it{instead}"
    if error.errno in _NOT_ALLOWED:
        return f"no permission for {path}; join its group: sudo usermod -aG video $USER"
    if error.errno in _ABSENT:
        return f"{path} does not exist; {_cameras_here()}"
    if error.errno in _NOT_A_CAMERA:
        return f"{path} is not a camera; {_cameras_here()}"
    return f"{path}: {os.strerror(error.errno or 0)}; {_cameras_here()}"


def describe(path: str) -> tuple[str, list[tuple[int, int]]] | None:
    """Return name and frame sizes of the camera at `path`, None where there is none.

    A camera that scales to any size is listed with its largest one. Opening the device does not
    disturb a program that reads it.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except PermissionError:
        return "no permission; join its group: sudo usermod -aG video $USER", []
    except OSError:
        return None
    try:
        _, card, _, _, _, can = _ask(descriptor, _QUERY_CAPABILITY, _CAPABILITY)
        if not can & _VIDEO_CAPTURE:  # one camera has several devices, not all with pictures
            return None
        return card.split(b"\0")[0].decode(errors="replace"), sorted(_frame_sizes(descriptor))
    except OSError:
        return None
    finally:
        os.close(descriptor)


def can_output(path: str) -> bool:
    """Tell whether pictures can be written to the device at `path`."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        try:
            return bool(_ask(descriptor, _QUERY_CAPABILITY, _CAPABILITY)[5] & _VIDEO_OUTPUT)
        finally:
            os.close(descriptor)
    return False


def _frame_sizes(descriptor: int) -> set[tuple[int, int]]:
    sizes = set()
    for *_, pixel_format in _enumerate(
        descriptor, _ENUMERATE_FORMATS, _FORMAT, _VIDEO_CAPTURE, 0, b"", 0
    ):
        for _, _, kind, *numbers in _enumerate(
            descriptor, _ENUMERATE_FRAME_SIZES, _FRAME_SIZE, pixel_format, *[0] * 7
        ):
            sizes.add((numbers[0], numbers[1]) if kind == _DISCRETE else (numbers[1], numbers[4]))
    return sizes


def _enumerate(
    descriptor: int, request: int, layout: struct.Struct, *wish: Any
) -> Iterator[tuple[Any, ...]]:
    """Yield the answers to a request that starts with an index, until there are no more."""
    with suppress(OSError):
        for index in itertools.count():
            yield _ask(descriptor, request, layout, index, *wish)


def _ask(descriptor: int, request: int, layout: struct.Struct, *wish: Any) -> tuple[Any, ...]:
    import fcntl  # POSIX only

    data = layout.pack(*wish) if wish else bytes(layout.size)
    return layout.unpack(fcntl.ioctl(descriptor, request, data))


def list_cameras(folder: str = "/dev") -> list[str]:
    """List the paths of the video devices in `folder`, in the order of their numbers."""
    found = [str(path) for path in Path(folder).glob("video[0-9]*")]
    return sorted(found, key=lambda path: (len(path), path))


def _cameras_here() -> str:
    found = list_cameras()
    return f"there are {', '.join(found)}" if found else "no camera is connected"
