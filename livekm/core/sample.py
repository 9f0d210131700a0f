"""k-means on one sample of pixels, and the moves that lead out of a local minimum."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from livekm.core.kernels import lloyd

Centers = npt.NDArray[np.float32]
"""(d, k) float32."""

_CREDIT = 0.25  # part of a removal's loss that is left when the neighbours have moved, at the best
_FIRST, _HOPE = 2, 0.02  # Lloyd steps after which a move is given up, if it lacks more than this
_TRIED = 3  # clusters to split, and centers to take away, that a swap looks at


def binary_places(reach: float) -> int:
    """Return the binary places of centers that keep half of every squared distance in 24 bits.

    So many a float32 holds exactly. `reach` is the largest squared distance, of whole numbers.

    Examples
    --------
    >>> binary_places(3 * 255.0**2)  # eighths of a grey level
    3
    """
    return max(0, (23 - math.ceil(math.log2(reach / 2))) // 2)


class Sample:
    """Points to cluster, with the statistics of the centers that were last fitted to them.

    Parameters
    ----------
    points : (d, n) float32
        Whole numbers; |x|^2 is below 2^24. d is 3 to 5.
    places : int
        Binary places to which centers are rounded; see `binary_places`.

    Attributes
    ----------
    labels : (n,) int32
        The nearest center of each point.
    counts : (k,) int64
        Points of each cluster.
    errors : (k,) float64
        Sum of squared distances of each cluster.
    """

    def __init__(self, points: npt.NDArray[np.float32], places: int = 3) -> None:
        self.points = points
        self.places = places
        self.size = points.shape[1]
        norms = np.einsum("ij,ij->j", points, points)
        self._rows = cv2.merge([*points[:3], norms]).reshape(-1, 4)
        self.labels = np.zeros(self.size, np.int32)
        self._best = np.empty(self.size, np.float32)
        self._second = np.empty(self.size, np.float32)
        self.counts = np.zeros(0, np.int64)

    def fit(
        self, centers: Centers, steps: int, tolerance: float = 0.0, *, is_known: bool = False
    ) -> float:
        """Run Lloyd steps on `centers` in place; return the mean squared error that is left.

        Parameters
        ----------
        centers : (d, k) float32
        steps : int
            At the most; with 0, centers are only rounded and their statistics taken.
        tolerance : float
            The part of the error below which a step is the last one.
        is_known : bool
            Whether the statistics are those of `centers` already.
        """
        d, k = centers.shape
        if len(self.counts) != k:
            self.counts = np.zeros(k, np.int64)
            self._sums = np.zeros((d, k))
            self.errors = np.zeros(k)
        error = lloyd(
            self.points,
            self._rows,
            centers,
            2.0**self.places,
            is_known,
            steps,
            tolerance,
            self.labels,
            self._best,
            self._second,
            self.counts,
            self._sums,
            self.errors,
        )
        return float(error / self.size)

    def means(self, centers: Centers) -> Centers:
        """Return the means of the clusters, (d, k); where there are no points, the center."""
        filled = self.counts > 0
        return np.where(filled, self._sums / np.maximum(self.counts, 1), centers).astype(np.float32)

    def losses(self) -> npt.NDArray[np.float64]:
        """Return what the error would grow by without each center, (k,).

        Its points would go to their second nearest (the utility of Fritzke, "The LBG-U method",
        1997).
        """
        ways = self._second.astype(np.float64) - self._best
        return np.asarray(np.bincount(self.labels, 2 * ways, len(self.counts)), np.float64)

    def splits(self, centers: Centers) -> tuple[npt.NDArray[np.float64], Centers]:
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
        values, vectors = np.linalg.eigh(self._scatter(centers))
        longest = values[:, -1].clip(0)
        deviations = np.sqrt(longest / np.maximum(self.counts, 1))
        offsets = np.sqrt(2 / np.pi) * deviations * vectors[:, :, -1].T
        halves = np.stack([centers + offsets, centers - offsets])
        return 2 / np.pi * longest, halves.astype(np.float32)

    def _scatter(self, centers: Centers) -> npt.NDArray[np.float64]:
        """Return (k, d, d), the sum of (x - c)(x - c)^T of each cluster."""
        d, k = centers.shape
        matrices = np.empty((k, d, d))
        labels, means = self.labels.astype(np.intp), centers.astype(np.float64)
        for f in range(d):
            for g in range(f + 1):
                total = np.bincount(labels, self.points[f] * self.points[g], k)
                total += means[f] * (self.counts * means[g] - self._sums[g])
                matrices[:, f, g] = matrices[:, g, f] = total - self._sums[f] * means[g]
        return matrices

    def swap(
        self,
        centers: Centers,
        error: float,
        least: float,
        steps: int,
        *,
        tries: int = 4,
        price: float = 0.0,
    ) -> float:
        """Move one center from where it is hardly missed to where it gains most, if that pays.

        The estimate is checked by `steps` Lloyd steps, fewer where it turns out to be far off: the
        move is made only if the error falls by more than the part `least` (in the spirit of
        Fritzke, "The LBG-U method", 1997, and "The breathing k-means algorithm", 2020).

        Parameters
        ----------
        centers : (d, k) float32
            Changed in place if the move is made; the statistics must be theirs.
        error : float
            The mean squared error of `centers`.
        least : float
            The part of the error that a move must save.
        steps : int
            Lloyd steps before the move is judged, at least 2.
        tries : int
            Moves that are checked, the most promising first, until one pays.
        price : float
            The part of the error that a move of all points to other labels must save beside that;
            a move of fewer is cheaper.

        Returns
        -------
        error : float
            Of the centers as they are now; lower than before if the move was made.
        """
        gains, halves = self.splits(centers)
        losses = self.losses()
        relabelled = np.add.outer(self.counts, self.counts / 2) / self.size
        pairs = [
            (gains[split] - _CREDIT * losses[removed], int(removed), int(split))
            for split in np.argsort(-gains)[:_TRIED]
            for removed in np.argsort(losses, kind="stable")[:_TRIED]
            if removed != split
        ]
        is_known = True  # the statistics are those of `centers`
        for saved, removed, split in sorted(pairs, reverse=True)[:tries]:
            wanted = least + price * relabelled[removed, split]
            if saved <= wanted * error * self.size:
                continue
            moved = centers.copy()
            moved[:, [removed, split]] = halves[:, :, split].T
            is_known = False
            after = self.fit(moved, _FIRST)
            if after < (1 - wanted + _HOPE) * error:
                after = self.fit(moved, steps - _FIRST, is_known=True)
            if after < (1 - wanted) * error:
                centers[:] = moved
                return after
        if not is_known:
            self.fit(centers, 0)
        return error

    def revive(self, centers: Centers, error: float) -> float:
        """Give centers without points a place where they gain; return the error that is left.

        Those that stay without points have none to gain: there are fewer colours than centers.
        """
        while (dead := np.flatnonzero(self.counts == 0)).size:
            gains, halves = self.splits(centers)
            wanted = [j for j in np.argsort(-gains)[: len(dead)] if gains[j] > 0]
            for target, split in zip(dead, wanted, strict=False):
                centers[:, [target, split]] = halves[:, :, split].T
            if not wanted:
                break
            before, error = error, self.fit(centers, 3)
            if error >= before:  # what seemed to be gained was rounding
                break
        return error
