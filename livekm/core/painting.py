"""An image in few colours that is painted only where it is needed, and as it is needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from livekm.core.kernels import paint_labels, paint_yuv
from livekm.frame import Image

__all__ = ["Painting", "check_labels", "check_palette"]


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

    def __post_init__(self) -> None:
        check_labels(self.labels)
        check_palette(self.palette)

    def __repr__(self) -> str:
        height, width = self.labels.shape
        return f"<Painting of {width}x{height} pixels in {len(self.palette)} colours>"

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of the image."""
        return *self.labels.shape, 3

    def paint(self, out: Image | None = None) -> Image:
        """Return the (H, W, 3) uint8 BGR image of every pixel in its label's colour.

        Parameters
        ----------
        out : (H, W, 3) uint8, C-contiguous, optional
            Is written and returned.
        """
        image: Image = np.empty(self.shape, np.uint8) if out is None else out
        b, g, r = self._all_colors().astype(np.uint32).T
        whole = self.labels.size // 4
        flat = image.reshape(-1)
        words, tail = flat[: 12 * whole].view(np.uint32), flat[12 * whole :].reshape(-1, 3)
        labels = self._contiguous_labels().reshape(-1)
        paint_labels(0, whole, labels, b | g << 8 | r << 16, words, tail)
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

        Chroma is the mean of each 2x2 pixels, rounded once.

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
        labels = self._contiguous_labels()
        paint_yuv(0, len(u), labels, luma_of, u_of | v_of << np.uint64(32), y, u, v)

    def _all_colors(self) -> npt.NDArray[np.uint8]:
        """Return a colour for every label that there can be: kernels do not check them."""
        colors = np.zeros((256, 3), np.uint8)
        colors[: len(self.palette)] = self.palette
        return colors

    def _contiguous_labels(self) -> npt.NDArray[np.uint8]:
        """Return the labels as a read-only view: the one kind of array that kernels compile for."""
        labels = np.ascontiguousarray(self.labels).view()
        labels.flags.writeable = False
        return labels


def check_labels(labels: npt.NDArray[np.uint8]) -> None:
    """Raise ValueError unless `labels` are (H, W) uint8 with H, W >= 1."""
    if labels.ndim != 2 or labels.dtype != np.uint8 or not labels.size:
        raise ValueError(f"labels must be (H, W) uint8, got {labels.shape} {labels.dtype}")


def check_palette(palette: npt.NDArray[np.uint8], k: int | None = None) -> None:
    """Raise ValueError unless `palette` is (k, 3) uint8; without a given k, from 1 to 256."""
    ns = range(1, 257) if k is None else (k,)
    if palette.shape not in [(n, 3) for n in ns] or palette.dtype != np.uint8:
        wanted = "(1 to 256, 3)" if k is None else f"({k}, 3)"
        raise ValueError(f"palette must be {wanted} uint8, got {palette.shape} {palette.dtype}")
