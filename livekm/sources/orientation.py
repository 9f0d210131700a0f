"""The eight ways in which a picture is turned and mirrored before it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import av
import cv2
import numpy as np

from livekm.frame import Image


@dataclass(frozen=True, slots=True)
class Orientation:
    """What to do with a stored picture, in this order, to see it upright.

    Attributes
    ----------
    is_transposed : bool
        Whether rows and columns are exchanged.
    flips_x, flips_y : bool
        Whether left and right, and top and bottom, are exchanged.
    """

    is_transposed: bool = False
    flips_x: bool = False
    flips_y: bool = False

    def apply(self, image: Image) -> Image:
        """Return the image upright, (H, W, ...)."""
        if self.is_transposed:
            image = cv2.transpose(image)  # type: ignore[assignment]
        if self.flips_x or self.flips_y:
            way = -1 if self.flips_x and self.flips_y else int(self.flips_x)
            image = cv2.flip(image, way)  # type: ignore[assignment]
        return np.ascontiguousarray(image, image.dtype)


UPRIGHT = Orientation()

EXIF = {
    1: UPRIGHT,
    2: Orientation(flips_x=True),
    3: Orientation(flips_x=True, flips_y=True),
    4: Orientation(flips_y=True),
    5: Orientation(is_transposed=True),
    6: Orientation(is_transposed=True, flips_x=True),
    7: Orientation(is_transposed=True, flips_x=True, flips_y=True),
    8: Orientation(is_transposed=True, flips_y=True),
}
"""The number that EXIF gives to an orientation -> what it is."""


def orientation_of(picture: av.VideoFrame) -> Orientation:
    """Return the orientation that the display matrix of a picture states.

    The point (x, y) is shown at (a x + c y, b x + d y), and the picture is moved to where it is
    seen. Of a matrix that is none of the eight, the nearest one is taken.
    """
    matrix: Any = picture.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return UPRIGHT
    a, b, _, c, d, *_ = np.frombuffer(matrix, np.int32).tolist()
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(is_transposed=True, flips_x=c < 0, flips_y=b < 0)
    return Orientation(flips_x=a < 0, flips_y=d < 0)
