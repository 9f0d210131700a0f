"""A picture in few colours that is painted only where it is needed, and as it is needed."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from livekm.core.buffers import BufferPool
from livekm.core.kernels import paint_labels, paint_yuv
from livekm.core.threads import Workers
from livekm.frame import Image


@dataclass(frozen=True, slots=True, eq=False)
class Painting:
    """A label for each pixel and a colour for each label.

    Most of what becomes a clip is this: an encoder that wants luma and chroma, or a palette, gets
    them from the labels at once, without an image in between.

    Attributes
    ----------
    labels : (H, W) uint8
    palette : (k, 3) uint8, BGR

    Raises
    ------
    ValueError
        If the arrays are not like this.

    Examples
    --------
    >>> labels = np.array([[0, 1]], np.uint8)
    >>> Painting(labels, np.array([[0, 0, 0], [30, 20, 10]], np.uint8)).paint()
    array([[[ 0,  0,  0], [30, 20, 10]]], dtype=uint8)
    """

    labels: npt.NDArray[np.uint8]
    palette: npt.NDArray[np.uint8]
    _pool: BufferPool = field(default_factory=BufferPool, repr=False)
    _workers: Workers = field(default_factory=lambda: Workers(1), repr=False)

    def __post_init__(self) -> None:
        labels, palette = self.labels, self.palette
        if labels.ndim != 2 or labels.dtype != np.uint8 or not labels.size:
            raise ValueError(
                f"expected labels of shape (H, W) and dtype uint8, got {labels.shape} and "
                f"{labels.dtype}"
            )
        if palette.shape[1:] != (3,) or palette.dtype != np.uint8 or len(palette) > 256:
            raise ValueError(
                f"expected a palette of shape (k, 3) and dtype uint8, got {palette.shape} and "
                f"{palette.dtype}"
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of the image."""
        return *self.labels.shape, 3

    def paint(self) -> Image:
        """Return the (H, W, 3) uint8 BGR image of every pixel in its label's colour."""
        image: Image = self._pool.take(self.shape, np.uint8)
        colors = self._all_colors()
        if sys.byteorder == "big":
            np.take(colors, self.labels, axis=0, out=image)
            return image
        b, g, r = colors.astype(np.uint32).T
        whole = self.labels.size // 4
        flat = image.reshape(-1)
        words, tail = flat[: 12 * whole].view(np.uint32), flat[12 * whole :].reshape(-1, 3)
        packed = b | g << 8 | r << 16
        labels = np.ascontiguousarray(self.labels).reshape(-1)
        self._workers.run(paint_labels, whole, labels, packed, words, tail)
        return image

    def paint_yuv(
        self,
        y: npt.NDArray[np.uint8],
        u: npt.NDArray[np.uint8],
        v: npt.NDArray[np.uint8],
        *,
        red: float,
        blue: float,
    ) -> None:
        """Paint 8-bit luma, and chroma at half the width and height, in limited range.

        Chroma is the mean of each 2x2 pixels, rounded once. It works in the calling thread, that
        of the encoder, beside the segmentation.

        Parameters
        ----------
        y : (H, W) uint8
            Is written; H and W are even.
        u, v : (H / 2, W / 2) uint8
            Are written.
        red, blue : float
            The parts of red and blue in luma: 0.2126 and 0.0722 in BT.709.
        """
        b, g, r = self._all_colors().astype(np.float64).T
        luma = red * r + (1 - red - blue) * g + blue * b
        luma_of = np.rint(16 + luma * (219 / 255)).astype(np.uint8)
        # In 1/2**14 of a level, so that the sum of four is a mean in 1/2**16.
        scale = 2**14
        u_of = np.rint(scale * (128.5 + (b - luma) * (112 / 255 / (1 - blue)))).astype(np.uint64)
        v_of = np.rint(scale * (128.5 + (r - luma) * (112 / 255 / (1 - red)))).astype(np.uint64)
        paint_yuv(0, len(u), self.labels, luma_of, u_of | v_of << np.uint64(32), y, u, v)

    def _all_colors(self) -> npt.NDArray[np.uint8]:
        """Return a colour for every label that there can be: kernels do not check them."""
        colors = np.zeros((256, 3), np.uint8)
        colors[: len(self.palette)] = self.palette
        return colors
