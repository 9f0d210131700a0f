"""Silence the messages that OpenCV prints to stderr."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import cv2

# OpenCV 4 has these two in cv2 itself, OpenCV 5 in cv2.utils.logging; the stubs know one place.
_log: Any = getattr(cv2.utils, "logging", cv2)
_get_level: Callable[[], int] = _log.getLogLevel
_set_level: Callable[[int], int] = _log.setLogLevel
_SILENT = 0

# OpenCV reads this when it first uses FFmpeg, whose lines go straight to stderr. -8 is
# AV_LOG_QUIET, which keeps `[tcp @ 0x55f8] Connection refused` and bad-frame warnings away.
_FFMPEG_LEVEL = "OPENCV_FFMPEG_LOGLEVEL"


class _Silence:
    """Count the blocks that need silence: the log level belongs to the process, not to a thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._depth = 0
        self._level_before = _SILENT

    def begin(self) -> None:
        with self._lock:
            if self._depth == 0:
                self._level_before = _get_level()
                _set_level(_SILENT)
            self._depth += 1

    def end(self) -> None:
        with self._lock:
            self._depth -= 1
            if self._depth == 0:
                _set_level(self._level_before)


_silence = _Silence()


@contextmanager
def quiet_opencv() -> Iterator[None]:
    """Silence OpenCV, and the FFmpeg inside it, within the block.

    May be nested and entered by several threads at once. The level of the FFmpeg inside OpenCV
    is fixed by the first use of FFmpeg in the process, so put that inside such a block; a user's
    own ``OPENCV_FFMPEG_LOGLEVEL`` or ``OPENCV_FFMPEG_DEBUG`` wins.

    Examples
    --------
    >>> import cv2
    >>> with quiet_opencv():
    ...     cv2.VideoCapture("no-such-clip.mp4").isOpened()
    False
    """
    if "OPENCV_FFMPEG_DEBUG" not in os.environ:
        os.environ.setdefault(_FFMPEG_LEVEL, "-8")
    _silence.begin()
    try:
        yield
    finally:
        _silence.end()
