"""Which pixels of a frame stand for it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

__all__ = ["Positions", "sample_positions"]

Positions = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]
"""The rows and the columns of pixels, (h, w) each."""


def sample_positions(height: int, width: int, stride: int) -> Positions:
    """Return the rows and columns of one pixel of every square of an image.

    Squares are `stride` pixels wide and high. From square to square the position in it moves on by
    the golden section, so that all rows and all columns of the image are met: a thin line is seen
    in proportion to its length.

    Examples
    --------
    >>> rows, columns = sample_positions(4, 6, stride=2)
    >>> rows * 6 + columns
    array([[ 0,  8,  4],
           [13, 21, 17]])
    """
    i, j = np.indices((-(-height // stride), -(-width // stride)))
    shift = next(n for n in range(round(0.618 * stride), stride + 2) if math.gcd(n, stride) == 1)
    rows = np.minimum(i * stride + j * shift % stride, height - 1)
    columns = np.minimum(j * stride + i * shift % stride, width - 1)
    return rows, columns
