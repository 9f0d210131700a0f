"""List the cameras that are connected."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import cv2

from livekm.sources.opencv_log import quiet_opencv
from livekm.sources.v4l2 import describe

_MAX_INDEX_V4L2 = 63
_MAX_INDEX = 9  # elsewhere each index must be opened to find out


@dataclass(frozen=True, slots=True)
class CameraDescription:
    """One row of the list of cameras.

    Attributes
    ----------
    index : int
        The number that `livekm.sources.CameraSource` takes.
    name : str
        The maker's name; "camera" where the system has none.
    sizes : tuple of (int, int)
        Widths and heights that it offers; only its initial one where the system lists none.
    """

    index: int
    name: str
    sizes: tuple[tuple[int, int], ...]

    def __str__(self) -> str:
        sizes = ", ".join(f"{width}x{height}" for width, height in self.sizes)
        return f"{self.index}  {self.name}  {sizes}".rstrip()


def find_cameras() -> list[CameraDescription]:
    """Return the cameras that are connected, in the order of their indices.

    On Linux none of them is started, elsewhere each is opened for a moment.
    """
    return _ask_linux() if sys.platform.startswith("linux") else _probe()


def _ask_linux() -> list[CameraDescription]:
    found = ((index, describe(f"/dev/video{index}")) for index in range(_MAX_INDEX_V4L2 + 1))
    return [CameraDescription(i, camera[0], tuple(camera[1])) for i, camera in found if camera]


def _probe() -> list[CameraDescription]:
    found = []
    with quiet_opencv():
        for index in range(_MAX_INDEX + 1):
            capture = cv2.VideoCapture(index)
            if capture.isOpened():
                width = round(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
                height = round(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
                found.append(CameraDescription(index, "camera", ((width, height),)))
            capture.release()
    return found
