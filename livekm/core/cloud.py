"""All points of an image, in an order in which neighbours are alike, to run k-means on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from livekm.core.colorspace import ColorSpace
from livekm.core.kernels import CELL, CELLS, ROUNDING, assign_cells, number_colors
from livekm.core.lookup import numbered_colors
from livekm.core.sample import Centers
from livekm.core.threads import run_in_threads
from livekm.frame import Image

_PARTS = 32  # that threads share

_Numbers = npt.NDArray[np.uint32]


class Cloud:
    """Points to cluster, each as often as it occurs.

    k-means gives the same as on all points one by one: which cluster a pixel belongs to depends on
    its features alone, and sums of whole numbers are exact in any order.

    Parameters
    ----------
    points : (d, n) float32
        Whole numbers, in an order in which neighbours are alike; d is 3 to 5.
    numbers : (n,) uint32
        How often each occurs.
    threads : int
    """

    def __init__(
        self, points: npt.NDArray[np.float32], numbers: _Numbers, threads: int = 1
    ) -> None:
        lacking = -points.shape[1] % CELL  # the last one again, not at all
        self._points = np.pad(points, ((0, 0), (0, lacking)), mode="edge")
        self._weights = np.pad(numbers, (0, lacking))
        self._threads = threads
        in_cells = self._points.reshape(len(points), -1, CELL)
        self._low, self._high = in_cells.min(axis=2), in_cells.max(axis=2)
        farthest = np.maximum(abs(self._low), abs(self._high)).max(axis=1)
        self._reach = np.float32(0.5 * (farthest**2).sum())  # the largest |x|^2 / 2, or more
        starts = np.arange(0, self._low.shape[1], CELLS)
        self._large_low = np.minimum.reduceat(self._low, starts, axis=1)
        self._large_high = np.maximum.reduceat(self._high, starts, axis=1)

    def converge(self, centers: Centers, most: int, bits: int) -> tuple[Centers, int, bool]:
        """Run Lloyd steps from `centers` until one does not lower the error, but `most` of them.

        Parameters
        ----------
        centers : (d, k) float32
        most : int
        bits : int
            Bits behind the point to which centers are rounded.

        Returns
        -------
        centers : (d, k) float32
        n_steps : int
        converged : bool
            Whether the last step did not lower the error.
        """
        d, k = centers.shape
        labels = np.zeros(self._points.shape[1], np.uint8)
        only = np.zeros(self._low.shape[1], np.int16)
        sums = np.zeros((_PARTS, k, d + 1))
        weights = self._weights.astype(np.float64)
        squares = float(np.einsum("ij,ij,j->", self._points, self._points, weights))
        sums[:, 0] = self._sums_of_parts(weights)
        before = np.inf
        for n_steps in range(most + 1):
            centers = np.ldexp(np.rint(np.ldexp(centers, bits)), -bits).astype(np.float32)
            self._assign(centers, labels, only, sums)
            total = sums.sum(axis=0)
            sides, counts = total[:, :d].T, total[:, d]
            exact = centers.astype(np.float64)
            error = squares + (exact * (counts * exact - 2 * sides)).sum()
            if error >= before:
                return centers, n_steps, True
            if n_steps < most:
                before = error
                centers = np.where(counts > 0, sides / np.maximum(counts, 1), exact)
        return centers, most, False

    def _sums_of_parts(self, weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the (parts, d + 1) sums and numbers of all points that each part labels."""
        d, n = self._points.shape
        large = self._large_low.shape[1]
        ends = [min(n, large * part // _PARTS * CELL * CELLS) for part in range(_PARTS + 1)]
        sums = np.zeros((_PARTS, d + 1))
        for part in range(_PARTS):
            mine = slice(ends[part], ends[part + 1])
            sums[part, :d] = self._points[:, mine].astype(np.float64) @ weights[mine]
            sums[part, d] = weights[mine].sum()
        return sums

    def _assign(
        self,
        centers: Centers,
        labels: npt.NDArray[np.uint8],
        only: npt.NDArray[np.int16],
        sums: npt.NDArray[np.float64],
    ) -> None:
        biases = (np.float32(0.5) * (centers * centers).sum(axis=0)).astype(np.float32)
        margin = np.float32(ROUNDING) * max(biases.max(), self._reach)
        run_in_threads(
            self._threads, assign_cells, _PARTS, self._points, self._weights, self._low, self._high,
            self._large_low, self._large_high, centers, biases, margin, labels, only, sums,
        )  # fmt: skip


def cloud_of_colors(pixels: Image, space: ColorSpace, threads: int) -> Cloud:
    """Return the colours of (..., 3) uint8 BGR pixels, in the order of their numbers."""
    numbers = np.empty(pixels.size // 3, np.uint32)
    number_colors(pixels.reshape(-1), numbers)
    numbers.sort()
    starts = np.append(0, 1 + np.flatnonzero(numbers[1:] != numbers[:-1]))
    counts = np.diff(starts, append=len(numbers)).astype(np.uint32)
    planes = np.empty((3, 1, len(starts)), space.dtype)
    space.split(numbered_colors(numbers[starts])[np.newaxis], planes, threads)
    return Cloud(planes.reshape(3, -1).astype(np.float32), counts, threads)


def cloud_of_points(points: npt.NDArray[np.float32], threads: int) -> Cloud:
    """Return (d, n) points, in the order of numbers that interleave the bits of their features."""
    low = points.min(axis=1, keepdims=True)
    reach = np.maximum(points.max(axis=1, keepdims=True) - low, 1)
    levels = (63 / reach * (points - low)).astype(np.uint32)
    codes = np.zeros(points.shape[1], np.uint32)
    for f, level in enumerate(levels):
        codes |= _spread(level, len(points)) << np.uint32(f)
    order = np.argsort(codes, kind="stable")
    return Cloud(points[:, order], np.ones(len(order), np.uint32), threads)


def _spread(levels: npt.NDArray[np.uint32], apart: int) -> npt.NDArray[np.uint32]:
    """Put the bits of levels below 64 that far apart."""
    codes = np.zeros_like(levels)
    for bit in range(6):
        codes |= (levels >> np.uint32(bit) & np.uint32(1)) << np.uint32(apart * bit)
    return codes
