"""From images to features: the points that are clustered."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from livekm.core.cloud import Cloud, cloud_of_colors, cloud_of_points
from livekm.core.colorspace import ColorSpace
from livekm.core.places import Places
from livekm.core.sampling import sample_positions
from livekm.frame import Image
from livekm.validation import check_image

__all__ = ["Features"]

_MOST_PLACES = 2**21  # pixels of a `cloud` in which each has a place of its own


class Sampled(NamedTuple):
    """The pixels of a frame that it is trained on.

    Attributes
    ----------
    points : (d, n) float32
        Their features.
    pixels : (h, w, 3) uint8
        In a row where not all pixels of the frame count.
    places : Places or None
        Where they are; None where all count.
    """

    points: npt.NDArray[np.float32]
    pixels: Image
    places: Places | None = None


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

    def colors(self, pixels: Image) -> npt.NDArray[Any]:
        """Return the colour features of an image, as `Labeler.label` takes them.

        Of BGR they are the (H, W, 3) pixels themselves, of other spaces (3, H, W) planes; the next
        call writes over these.
        """
        if self.space.dtype == np.uint8:
            return pixels
        shape = 3, *pixels.shape[:2]
        if self._planes.shape != shape:
            self._planes = np.empty(shape, self.space.dtype)
        self.space.split(pixels, self._planes, self._threads)
        return self._planes

    def cloud(self, pixels: Image, mask: npt.NDArray[np.uint8] | None) -> Cloud:
        """Return all pixels that count; where their place does too, up to two million of them."""
        if self._extent > 0:
            return cloud_of_points(self.sample(pixels, mask, _MOST_PLACES).points, self._threads)
        counting = pixels if mask is None else pixels[mask > 0]
        return cloud_of_colors(counting, self.space, self._threads)

    def sample(
        self,
        pixels: Image,
        mask: npt.NDArray[np.uint8] | None = None,
        most: int | None = None,
    ) -> Sampled:
        """Take one pixel of every square, if it counts: some of `mask` (H, W) must not be 0.

        With `most`, as many pixels as that are taken; else about `sample_size`.
        """
        height, width = pixels.shape[:2]
        n = height * width if mask is None else int(np.count_nonzero(mask))
        if most is None:
            stride = max(1, math.isqrt(n // self._sample_size))
        else:
            stride = math.ceil(math.sqrt(n / most))
        if self._sampled != (height, width, stride):
            self._positions = sample_positions(height, width, stride)
            self._sampled = height, width, stride
        rows, columns = self._positions
        places = None
        if mask is not None:
            places = self._places(mask)
            rows, columns = (at[np.newaxis] for at in np.divmod(places.pixels, width))
        sampled = np.take(pixels.reshape(-1, 3), rows * width + columns, axis=0)
        planes = np.empty((3, *sampled.shape[:2]), self.space.dtype)
        self.space.split(sampled, planes, self._threads)
        features = planes.reshape(3, -1).astype(np.float32)
        if self._extent > 0:
            spacing = self.spacing(height, width)
            spatial = [np.rint(at.astype(np.float32) * spacing) for at in (columns, rows)]
            features = np.concatenate([features, np.reshape(spatial, (2, -1))])
        return Sampled(features, sampled, places)

    def _places(self, mask: npt.NDArray[np.uint8]) -> Places:
        """Return the places of the squares that count; of small masks that miss them, all."""
        height, width, stride = self._sampled
        if stride > 1:
            rows, columns = self._positions
            index = np.sort((rows * width + columns).reshape(-1))
            index = index[mask.reshape(-1)[index] > 0]
            if index.size:
                return Places((height, width), index)
        return Places((height, width), np.flatnonzero(mask))


def counting(mask: npt.NDArray[Any], image: Image) -> npt.NDArray[np.uint8] | None:
    """Return (H, W) uint8, 0 where a pixel of `image` does not count; None where all do.

    Raises
    ------
    TypeError, ValueError
        If `mask` is not (H, W) of bool or integers, or not as large as the image.
    """
    if not isinstance(mask, np.ndarray) or mask.dtype.kind not in "biu":
        kind = getattr(mask, "dtype", type(mask).__name__)
        raise TypeError(f"mask must be an array of bool or integers, got {kind}")
    if mask.shape != image.shape[:2]:
        raise ValueError(f"mask must be {image.shape[:2]} as the image, got {mask.shape}")
    if mask.all():
        return None
    return np.ascontiguousarray(mask != 0).view(np.uint8)


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
