"""Smaller pictures, and their colours as regions compare them."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from livekm.core.colorspace import COLOR_SPACES
from livekm.frame import Image

_SMALL = 38_600  # pixels
_LAB = COLOR_SPACES["lab"]
LAB_UNITS = _LAB.units
"""Steps of the planes in one unit of L*, a* or b*."""


def pyramid(image: Image) -> list[Image]:
    """Return the image at about 38,600 pixels, at up to four times as many, twice that, and so on.

    The last is the image itself, alone where it is small. Each but the first has twice the width
    and height of the one before, where these are odd one pixel more: it is halved, which is fast.
    """
    pictures = [image]
    while pictures[-1].shape[0] * pictures[-1].shape[1] > 4 * _SMALL:
        height, width = pictures[-1].shape[:2]
        if min(height, width) == 1:
            break
        even = pictures[-1][: height // 2 * 2, : width // 2 * 2]
        size = width // 2, height // 2
        pictures.append(np.asarray(cv2.resize(even, size, interpolation=cv2.INTER_AREA)))
    height, width = pictures[-1].shape[:2]
    factor = math.sqrt(_SMALL / (height * width))
    if factor < 1:
        size = max(1, round(width * factor)), max(1, round(height * factor))
        pictures.append(np.asarray(cv2.resize(pictures[-1], size, interpolation=cv2.INTER_AREA)))
    return pictures[::-1]


def small_size(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the width and height of the first picture of the pyramid of a height and width."""
    height, width = shape
    while height * width > 4 * _SMALL and min(height, width) > 1:
        height, width = height // 2, width // 2
    factor = min(1.0, math.sqrt(_SMALL / (height * width)))
    return max(1, round(width * factor)), max(1, round(height * factor))


def smooth(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the image, of one or three channels, blurred by a Gaussian of one pixel."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 1.0))


def lab_planes(image: Image, threads: int) -> npt.NDArray[np.int16]:
    """Return L*, a* and b* of a C-contiguous image as (3, H, W) int16, in quarter units."""
    planes = np.empty((3, *image.shape[:2]), np.int16)
    _LAB.split(image, planes, threads)
    return planes


def sum_of_nine(planes: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """Return the sums over each pixel and its eight neighbours, exact: at most 9 * 512."""
    sums = np.empty_like(planes)
    for plane, out in zip(planes, sums, strict=True):
        cv2.boxFilter(plane, -1, (3, 3), out, normalize=False)
    return sums
