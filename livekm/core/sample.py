"""k-means on one sample of pixels, and the statistics that moves of its centers are judged by."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from livekm.core.kernels import lloyd

Centers = npt.NDArray[np.float32]
"""(d, k) float32."""

_Statistics = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]


def fraction_bits(reach: float) -> int:
    """Return how many bits behind the point centers have, so that half a squared distance has 24.

    So many a float32 holds exactly. `reach` is the largest squared distance, of whole numbers.

    Examples
    --------
    >>> fraction_bits(3 * 255.0**2)  # eighths of a grey level
    3
    """
    return max(0, (23 - math.ceil(math.log2(reach / 2))) // 2)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Centers, and the statistics of a sample's points around them.

    Attributes
    ----------
    centers : (d, k) float32
        Rounded to the sample's grid.
    labels : (n,) int32
        The nearest center of each point.
    best, second : (n,) float32
        Each point's score |c|^2 / 2 - x.c of the nearest center and of the second nearest.
    counts : (k,) int64
        Points of each cluster.
    sums : (d, k) float64
        Sum of the points of each cluster.
    errors : (k,) float64
        Sum of squared distances of each cluster.
    mse : float
        Mean squared distance of all points.
    """

    centers: Centers
    labels: npt.NDArray[np.int32]
    best: npt.NDArray[np.float32]
    second: npt.NDArray[np.float32]
    counts: npt.NDArray[np.int64]
    sums: npt.NDArray[np.float64]
    errors: npt.NDArray[np.float64]
    mse: float

    def means(self) -> Centers:
        """Return the means of the clusters, (d, k); where there are no points, the center."""
        means = self.sums / np.maximum(self.counts, 1)
        return np.where(self.counts > 0, means, self.centers).astype(np.float32)

    def losses(self) -> npt.NDArray[np.float64]:
        """Return what the squared error would grow by without each center, (k,).

        Its points would go to their second nearest (the utility of Fritzke, "The LBG-U method",
        1997).
        """
        ways = self.second.astype(np.float64) - self.best
        return np.asarray(np.bincount(self.labels, 2 * ways, len(self.counts)), np.float64)


class Sample:
    """Points to cluster.

    Parameters
    ----------
    points : (d, n) float32
        Whole numbers; |x|^2 is below 2^24. d is 3 to 5.
    bits : int
        Bits behind the point to which centers are rounded; see `fraction_bits`.
    """

    def __init__(self, points: npt.NDArray[np.float32], bits: int = 3) -> None:
        self.points = points
        self.bits = bits
        self.size: int = points.shape[1]
        norms = np.einsum("ij,ij->j", points, points)
        self._rows = cv2.merge([*points[:3], norms]).reshape(-1, 4)

    def fit(self, centers: Centers, steps: int = 0, tolerance: float = 0.0) -> Fit:
        """Run Lloyd steps from `centers`.

        Parameters
        ----------
        centers : (d, k) float32
            Left as they are.
        steps : int
            At the most; with 0, centers are only rounded and their statistics taken.
        tolerance : float
            The part of the error below which a step is the last one.
        """
        d, k = centers.shape
        start = np.array(centers, np.float32, order="C")
        statistics = np.empty(k, np.int64), np.empty((d, k)), np.empty(k)
        return self._run(start, statistics, steps, tolerance, is_known=False)

    def refine(self, fit: Fit, steps: int, tolerance: float = 0.0) -> Fit:
        """Run at least one Lloyd step on from a fit, whose statistics save an assignment."""
        statistics = fit.counts.copy(), fit.sums.copy(), fit.errors.copy()
        return self._run(fit.centers.copy(), statistics, steps, tolerance, is_known=True)

    def squared_distances(self, fit: Fit) -> npt.NDArray[np.float32]:
        """Return that of each point to its center, (n,)."""
        return np.asarray((self._rows[:, 3] + 2 * fit.best).clip(0))

    def _run(
        self,
        centers: Centers,
        statistics: _Statistics,
        steps: int,
        tolerance: float,
        *,
        is_known: bool,
    ) -> Fit:
        """Let the kernel write to arrays that nobody else holds."""
        labels = np.empty(self.size, np.int32)
        best, second = np.empty(self.size, np.float32), np.empty(self.size, np.float32)
        error = lloyd(
            self.points, self._rows, centers, 2.0**self.bits, is_known, steps, tolerance,
            labels, best, second, *statistics,
        )  # fmt: skip
        return Fit(centers, labels, best, second, *statistics, float(error / self.size))

    def splits(self, fit: Fit) -> tuple[npt.NDArray[np.float64], Centers]:
        """Return what a split of each cluster gains, and the centers of its halves.

        A normal distribution that is cut in two at its mean, across its longest axis, loses 2 / pi
        of its variance along that axis, and the halves' means lie sqrt(2 / pi) standard
        deviations from its own.

        Returns
        -------
        gains : (k,) float64
            The squared error saved, of the whole sample.
        halves : (2, d, k) float32
            The two centers in the place of each.
        """
        values, vectors = np.linalg.eigh(self._scatter(fit))
        longest = values[:, -1].clip(0)
        deviations = np.sqrt(longest / np.maximum(fit.counts, 1))
        offsets = np.sqrt(2 / np.pi) * deviations * vectors[:, :, -1].T
        halves = np.stack([fit.centers + offsets, fit.centers - offsets])
        return 2 / np.pi * longest, halves.astype(np.float32)

    def _scatter(self, fit: Fit) -> npt.NDArray[np.float64]:
        """Return (k, d, d), the sum of (x - c)(x - c)^T of each cluster."""
        d, k = fit.centers.shape
        matrices = np.empty((k, d, d))
        labels, means = fit.labels.astype(np.intp), fit.centers.astype(np.float64)
        for f in range(d):
            for g in range(f + 1):
                total = np.bincount(labels, self.points[f] * self.points[g], k)
                total += means[f] * (fit.counts * means[g] - fit.sums[g])
                matrices[:, f, g] = matrices[:, g, f] = total - fit.sums[f] * means[g]
        return matrices
