"""What becomes of the pixels that a picture is not about."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from livekm.errors import UsageError
from livekm.frame import Image
from livekm.validation import check_image

RESTS = ("black", "original", "transparent", "pale", "blur")
"""What such pixels can become, beside a colour ``#rrggbb`` and a `Backdrop`."""

Inside: TypeAlias = npt.NDArray[np.uint8]
"""(H, W) uint8: 255 where the picture is shown, 0 where the rest is."""

CROSS = np.ones((3, 3), np.uint8)
"""The neighbourhood that widens a line by a pixel to each side."""

_PALE, _PALE_PART = 150, 0.35  # grey that what is pale tends to, and the part of it that is kept
_BLUR = 1 / 40  # the picture's shorter side by the standard deviation of its blur
_SHRUNK = 8  # times as small is the picture that is blurred, which is faster and looks the same


class Backdrop:
    """A picture that takes the place of the rest: as large as it must be to fill the frame.

    Parameters
    ----------
    image : (H, W, 3) uint8, BGR
    """

    def __init__(self, image: Image) -> None:
        check_image(image)
        self._image = image
        self._fitted = image

    def fitted(self, height: int, width: int) -> Image:
        """Return the middle of the picture at that size; do not write to it."""
        if self._fitted.shape[:2] != (height, width):
            rows, columns = self._image.shape[:2]
            scale = max(height / rows, width / columns)
            size = max(width, round(columns * scale)), max(height, round(rows * scale))
            way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            large = np.asarray(cv2.resize(self._image, size, interpolation=way), np.uint8)
            left, top = (size[0] - width) // 2, (size[1] - height) // 2
            self._fitted = large[top : top + height, left : left + width].copy()
        return self._fitted


Rest: TypeAlias = "str | Backdrop"
"""One of `RESTS`, a colour ``#rrggbb``, or a backdrop."""


def check_rest(name: str, rest: Rest) -> None:
    """Raise `UsageError` unless a rest is one."""
    is_known = isinstance(rest, Backdrop) or rest in RESTS or is_color(rest)
    if not is_known:
        raise UsageError(f"{name} must be one of {', '.join(RESTS)} or '#rrggbb', got {rest!r}")


def is_color(rest: str) -> bool:
    """Tell whether a rest is a colour, ``#rrggbb``."""
    return re.fullmatch("#[0-9a-fA-F]{6}", rest) is not None


def over_rest(image: Image, inside: Inside, picture: Image, rest: Rest, times: int = 1) -> Image:
    """Lay an image over what becomes of the rest.

    Parameters
    ----------
    image : (H, times * W, 3) uint8, BGR
    inside : (H, W) uint8
        255 where the image is shown.
    picture : (H, W, 3) uint8, BGR
        The frame's own.
    rest : Rest
    times : int
        So many pictures side by side are in the image.

    Returns
    -------
    image : (H, times * W, 3) uint8, or of four channels where the rest is transparent
    """
    inside = np.tile(inside, (1, times))
    if rest in ("black", "transparent"):
        on_black = np.asarray(cv2.bitwise_and(image, image, mask=inside), np.uint8)
        return on_black if rest == "black" else np.dstack([on_black, inside])
    ground = np.tile(_ground(picture, rest), (1, times, 1))
    shown = np.asarray(cv2.copyTo(image, inside, ground), np.uint8)
    return _outlined(shown, inside) if rest == "pale" else shown


def _ground(picture: Image, rest: Rest) -> Image:
    """Return what is behind the image."""
    if isinstance(rest, Backdrop):
        return rest.fitted(*picture.shape[:2])
    if rest in _GROUNDS:
        return _GROUNDS[rest](picture)
    color = np.frombuffer(bytes.fromhex(rest[1:]), np.uint8)[::-1]
    return np.tile(color, (*picture.shape[:2], 1))


def _pale(picture: Image) -> Image:
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    pale = cv2.convertScaleAbs(grey, alpha=_PALE_PART, beta=_PALE)
    return np.asarray(cv2.cvtColor(pale, cv2.COLOR_GRAY2BGR), np.uint8)


def _blurred(picture: Image) -> Image:
    height, width = picture.shape[:2]
    size = math.ceil(width / _SHRUNK), math.ceil(height / _SHRUNK)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    sigma = max(0.5, min(height, width) * _BLUR / _SHRUNK)
    soft: Any = cv2.GaussianBlur(small, (0, 0), sigma)
    return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


_GROUNDS: dict[str, Callable[[Image], Image]] = {
    "original": lambda picture: picture,
    "pale": _pale,
    "blur": _blurred,
}


def _outlined(image: Image, inside: Inside) -> Image:
    """Draw the outline of what is inside: white within black."""
    around = np.asarray(cv2.subtract(cv2.dilate(inside, CROSS), inside), np.uint8)
    within = np.asarray(cv2.subtract(inside, cv2.erode(inside, CROSS)), np.uint8)
    return fill(fill(image, around, (0, 0, 0)), within, (255, 255, 255))


def fill(image: Image, mask: Inside, color: tuple[int, int, int]) -> Image:
    """Return `image` with a colour of zeros and 255s where a mask is: faster than by an index."""
    lit = cv2.merge([mask if level else np.zeros_like(mask) for level in color])
    dark = cv2.merge([np.zeros_like(mask) if level else mask for level in color])
    return np.asarray(cv2.subtract(cv2.add(image, lit), dark), np.uint8)
