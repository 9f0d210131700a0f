"""What Linux knows about a camera that OpenCV could not use, and does not say."""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path

# VIDIOC_REQBUFS of linux/videodev2.h: _IOWR('V', 8, struct v4l2_requestbuffers of 20 bytes).
_REQUEST_BUFFERS = 0xC0145608
_VIDEO_CAPTURE = _MMAP = 1  # V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_MEMORY_MMAP

_ABSENT = {errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTDIR}
_NOT_ALLOWED = {errno.EACCES, errno.EPERM}
_NOT_A_CAMERA = {errno.ENOTTY, errno.EINVAL, errno.EISDIR}


def why_no_frames(path: str) -> str:
    """Say in one line why the camera at `path` gives no frames, and what to do about it.

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
    """Ask for zero buffers: this changes nothing, but only who may have the camera may ask."""
    import fcntl  # POSIX only

    count, capabilities, flags = 0, 0, 0
    request = struct.pack("=5I", count, _VIDEO_CAPTURE, _MMAP, capabilities, flags)
    fcntl.ioctl(descriptor, _REQUEST_BUFFERS, request)


def _explain(path: str, error: OSError) -> str:
    if error.errno == errno.EBUSY:
        return f"{path} is busy; close the other program that uses it"
    if error.errno in _NOT_ALLOWED:
        return f"no permission for {path}; join its group: sudo usermod -aG video $USER"
    if error.errno in _ABSENT:
        return f"{path} does not exist; {_cameras_here()}"
    if error.errno in _NOT_A_CAMERA:
        return f"{path} is not a camera; {_cameras_here()}"
    return f"{path}: {os.strerror(error.errno or 0)}; {_cameras_here()}"


def list_cameras(folder: str = "/dev") -> list[str]:
    """Paths of the video devices in `folder`, in the order of their numbers."""
    found = [str(path) for path in Path(folder).glob("video[0-9]*")]
    return sorted(found, key=lambda path: (len(path), path))


def _cameras_here() -> str:
    found = list_cameras()
    return f"there are {', '.join(found)}" if found else "no camera is connected"
