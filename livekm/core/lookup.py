"""A table of the nearest center of every colour, kept from frame to frame."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from livekm.core.kernels import CUBE, CUBES, ROUNDING, tabulate_cubes
from livekm.core.threads import run_in_threads

_COLORS = CUBES * CUBE**2
_MOST = 256  # centers

_Floats = npt.NDArray[np.float32]


class ColorTable:
    """The nearest center of each colour, by its number; see `livekm.core.kernels.colors`.

    Parameters
    ----------
    threads : int

    Attributes
    ----------
    labels : (2**24,) uint8
        As of the last call of `follow`.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self.labels: npt.NDArray[np.uint8] = np.empty(_COLORS, np.uint8)
        self._known = np.zeros((CUBES, _MOST // 64), np.uint64)  # the centers left to each cube
        self._centers: _Floats = np.full((3, _MOST), np.inf, np.float32)

    def __getstate__(self) -> dict[str, int]:
        """Leave the table out of copies and files: it follows from the centers."""
        return {"threads": self._threads}

    def __setstate__(self, state: dict[str, int]) -> None:
        vars(self).update(vars(ColorTable(**state)))

    def follow(self, centers: _Floats, biases: _Floats) -> None:
        """Make the table anew where a center has moved.

        Parameters
        ----------
        centers : (3, k) float32
        biases : (k,) float32
            As of `livekm.core.kernels.label_blocks`.
        """
        padded = np.full_like(self._centers, np.inf)
        padded[:, : centers.shape[1]] = centers
        has_moved = (padded != self._centers).any(axis=0)
        if not has_moved.any():
            return
        self._centers = padded
        moved = np.packbits(has_moved, bitorder="little").view("<u8").astype(np.uint64)
        margin = np.float32(ROUNDING) * biases.max()
        run_in_threads(
            self._threads, tabulate_cubes, CUBES, *_cubes(), centers, biases, margin, moved,
            self._known, self.labels,
        )  # fmt: skip


@cache
def _cubes() -> tuple[_Floats, ...]:
    """Return the boxes of small cubes and of large ones, and the colours of one cube."""
    (low, high), (large_low, large_high) = _boxes(CUBE), _boxes(CUBE**2)
    offsets = numbered_colors(np.arange(CUBE)).T.astype(np.float32)
    return low, high, large_low, large_high, np.ascontiguousarray(offsets)


def _boxes(size: int) -> tuple[_Floats, _Floats]:
    low = numbered_colors(np.arange(0, _COLORS, size)).T.astype(np.float32)
    side = round(size ** (1 / 3))
    return np.ascontiguousarray(low), np.ascontiguousarray(low + np.float32(side - 1))


def numbered_colors(numbers: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.uint8]:
    """Return the (n, 3) BGR levels of colours by their numbers.

    Examples
    --------
    >>> import numpy as np
    >>> numbered_colors(np.array([0, 1, 2, 4, 8])).tolist()
    [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [2, 0, 0]]
    """
    table = np.zeros((2**12, 3), np.uint8)  # of four bits of each level
    for bit in range(4):
        for f in range(3):
            table[:, f] |= (np.arange(2**12) >> (3 * bit + f) & 1).astype(np.uint8) << bit
    low, high = table[numbers & 0xFFF], table[numbers >> 12]
    return np.asarray(low | high << 4)
