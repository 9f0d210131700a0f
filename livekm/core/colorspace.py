"""BGR to feature space and back.

A feature space is where distances are measured. Its features are kept as integers, in steps that
are far below what the eye can tell, so that sums and nearest centers are exact.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from livekm.core.kernels import COLOR_BLOCK, hsv_planes, lab_planes
from livekm.core.threads import run_in_threads
from livekm.frame import Image


class ColorSpace(ABC):
    """A way to measure how far two colours are from each other.

    Attributes
    ----------
    name : str
    dtype : type
        Of the planes: uint8 or int16.
    units : int
        Steps of the planes in one unit of the space.
    span : float
        The way from black to white, in units.
    reach : float
        The largest squared distance of two colours, in steps; what is farther counts as this.
    """

    name: str
    dtype: type[np.integer[Any]] = np.int16
    units: int = 1
    span: float = 255.0
    reach: float

    @abstractmethod
    def split(self, image: Image, planes: npt.NDArray[Any], threads: int) -> None:
        """Write the features of a C-contiguous (H, W, 3) BGR `image` into (3, H, W) `planes`."""

    @abstractmethod
    def to_bgr(self, colors: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Return the BGR levels, not yet rounded or clipped, of (k, 3) `colors` in units."""


class _Bgr(ColorSpace):
    name = "bgr"
    dtype = np.uint8
    reach = 3 * 255.0**2

    def split(self, image: Image, planes: npt.NDArray[Any], threads: int) -> None:
        cv2.split(image, list(planes))

    def to_bgr(self, colors: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        return colors.astype(np.float64)


class _Lab(ColorSpace):
    """CIE L*a*b* for D65 white: one unit means the same in every channel."""

    name = "lab"
    units = 4
    span = 100.0
    reach = (units * 256.0) ** 2

    def __init__(self) -> None:
        level = np.arange(256) / 255
        light = np.where(level > 0.04045, ((level + 0.055) / 1.055) ** 2.4, level / 12.92)
        self._linear = light.astype(np.float32)

    def split(self, image: Image, planes: npt.NDArray[Any], threads: int) -> None:
        blocks = -(-image.size // (3 * COLOR_BLOCK))
        flat = image.reshape(-1)
        units = np.float32(self.units)
        run_in_threads(threads, lab_planes, blocks, flat, self._linear, units, planes.reshape(-1))

    def to_bgr(self, colors: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        lightness, a, b = colors.astype(np.float64).T
        y = (lightness + 16) / 116
        f = np.stack([y + a / 500, y, y - b / 200])
        xyz = np.where(f > 6 / 29, f**3, 108 / 841 * (f - 4 / 29))
        matrix = np.array(
            [
                [0.43395328, 0.37621942, 0.18982783],
                [0.21267290, 0.71515220, 0.07217500],
                [0.01775655, 0.10946796, 0.87277549],
            ]
        )
        light = np.linalg.solve(matrix, xyz).clip(0, 1)
        level = np.where(light > 0.0031308, 1.055 * light ** (1 / 2.4) - 0.055, 12.92 * light)
        return np.ascontiguousarray(255 * level[::-1].T)


class _Hsv(ColorSpace):
    """Hue, saturation and value as a cone, so that hue is an angle and does not wrap.

    The features are chroma * cos(hue), chroma * sin(hue) and value, in levels: near black and grey,
    where a hue means little, it counts little.
    """

    name = "hsv"
    units = 2
    reach = (units * 2 * 256.0) ** 2

    def split(self, image: Image, planes: npt.NDArray[Any], threads: int) -> None:
        blocks = -(-image.size // (3 * COLOR_BLOCK))
        units = np.float32(self.units)
        run_in_threads(threads, hsv_planes, blocks, image.reshape(-1), units, planes.reshape(-1))

    def to_bgr(self, colors: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        cosine, sine, value = colors.astype(np.float64).T
        red = 2 / 3 * cosine
        green = -cosine / 3 + sine / np.sqrt(3)
        blue = -cosine / 3 - sine / np.sqrt(3)
        bgr = np.stack([blue, green, red], axis=1)
        return np.asarray(bgr + (value - bgr.max(axis=1))[:, np.newaxis])


COLOR_SPACES: dict[str, ColorSpace] = {space.name: space for space in (_Bgr(), _Lab(), _Hsv())}
"""Every colour space by name; a further one is one more entry."""


def to_features(image: npt.NDArray[np.uint8], color_space: str = "bgr") -> npt.NDArray[np.float32]:
    """Return the colour features of an image, in the units in which centers are given.

    Parameters
    ----------
    image : (H, W, 3) uint8, BGR
    color_space : str
        A key of `COLOR_SPACES`.

    Returns
    -------
    features : (H, W, 3) float32
        For ``"bgr"`` the levels themselves; for ``"lab"`` L*, a* and b*, to a quarter of a unit;
        for ``"hsv"`` chroma * cos(hue), chroma * sin(hue) and value, in levels, to half a level.

    Examples
    --------
    >>> import numpy as np
    >>> red = np.full((1, 1, 3), (0, 0, 255), np.uint8)
    >>> to_features(red, "lab")
    array([[[53.25, 80.  , 67.25]]], dtype=float32)
    """
    space = COLOR_SPACES[color_space]
    pixels = np.ascontiguousarray(image).copy()
    planes = np.empty((3, *pixels.shape[:2]), space.dtype)
    space.split(pixels, planes, 1)
    features = planes.transpose(1, 2, 0).astype(np.float32, order="C")
    return np.asarray(features / np.float32(space.units))
