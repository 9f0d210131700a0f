"""Which pixels of a frame stand for it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Places = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]
"""The rows and the columns of pixels, (h, w) each."""


class Lattice:
    """One pixel of every square of an image, the same ones in each image of one size.

    From square to square the place moves on by the golden section, so that all rows and all columns
    of the image are met: a thin line is seen in proportion to its length.

    Examples
    --------
    >>> rows, columns = Lattice().places(4, 6, stride=2)
    >>> rows * 6 + columns
    array([[ 0,  8,  4],
           [13, 21, 17]])
    """

    def __init__(self) -> None:
        self._key = 1, 1, 1
        self._places = _places(*self._key)

    def places(self, height: int, width: int, stride: int) -> Places:
        """Return the places in an image; squares are `stride` pixels wide and high."""
        key = height, width, stride
        if key != self._key:
            self._key, self._places = key, _places(*key)
        return self._places


def _places(height: int, width: int, stride: int) -> Places:
    i, j = np.indices((-(-height // stride), -(-width // stride)))
    shift = next(n for n in range(round(0.618 * stride), stride + 2) if math.gcd(n, stride) == 1)
    rows = np.minimum(i * stride + j * shift % stride, height - 1)
    columns = np.minimum(j * stride + i * shift % stride, width - 1)
    return rows, columns
