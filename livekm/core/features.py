"""From images to features: the points that are clustered."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from livekm.core.colorspace import ColorSpace
from livekm.core.sampling import sample_positions
from livekm.frame import Image
from livekm.validation import check_image

__all__ = ["Features"]


class Features:
    """Measures the colour of pixels, and where it counts their place.

    Everything is in steps of the feature space, `ColorSpace.units` to a unit.

    Parameters
    ----------
    space : ColorSpace
    spatial_weight : float
        How much a pixel's place counts beside its colour; see `Segmenter`.
    sample_size : int
        About how many pixels `sample` takes of an image.
    threads : int
    """

    def __init__(
        self, space: ColorSpace, spatial_weight: float, sample_size: int, threads: int
    ) -> None:
        self.space = space
        self._sample_size = sample_size
        self._threads = threads
        # The spatial feature at the end of the longer side.
        self._extent = spatial_weight * space.span * space.units
        self._planes: npt.NDArray[Any] = np.empty((3, 0, 0), space.dtype)
        self._sampled = 0, 0, 0
        self._positions = sample_positions(1, 1, 1)

    @property
    def reach(self) -> float:
        """The largest squared distance of two pixels."""
        return self.space.reach + 2 * self._extent**2

    def spacing(self, height: int, width: int) -> np.float32:
        """Return the spatial features from one pixel to the next; 0 where places do not count."""
        return np.float32(self._extent / max(1, max(height, width) - 1))

    def planes(self, pixels: Image) -> npt.NDArray[Any]:
        """Return the (3, H, W) colour features of an image; the next call writes over them."""
        shape = 3, *pixels.shape[:2]
        if self._planes.shape != shape:
            self._planes = np.empty(shape, self.space.dtype)
        self.space.split(pixels, self._planes, self._threads)
        return self._planes

    def sample(
        self, pixels: Image, most: int | None = None
    ) -> tuple[npt.NDArray[np.float32], Image]:
        """Return the features (d, n) and the pixels (h, w, 3) of one pixel of every square.

        With `most`, as many pixels as that are taken; else about `sample_size`.
        """
        height, width = pixels.shape[:2]
        if most is None:
            stride = max(1, math.isqrt(height * width // self._sample_size))
        else:
            stride = math.ceil(math.sqrt(height * width / most))
        if self._sampled != (height, width, stride):
            self._positions = sample_positions(height, width, stride)
            self._sampled = height, width, stride
        rows, columns = self._positions
        sampled = np.take(pixels.reshape(-1, 3), rows * width + columns, axis=0)
        planes = np.empty((3, *sampled.shape[:2]), self.space.dtype)
        self.space.split(sampled, planes, self._threads)
        features = planes.reshape(3, -1).astype(np.float32)
        if self._extent > 0:
            spacing = self.spacing(height, width)
            spatial = [np.rint(at.astype(np.float32) * spacing) for at in (columns, rows)]
            features = np.concatenate([features, np.reshape(spatial, (2, -1))])
        return features, sampled


def contiguous(image: npt.NDArray[np.uint8]) -> Image:
    """Return an image as kernels are compiled for: C-contiguous and writeable.

    Raises
    ------
    TypeError, ValueError
        If `image` is not (H, W, 3) uint8 with H, W >= 1.
    """
    check_image(image)
    if image.flags.c_contiguous and image.flags.writeable:
        return image
    return image.copy(order="C")
