"""Ways to start the centers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Points: TypeAlias = npt.NDArray[np.float32]
Seeding: TypeAlias = Callable[[Points, int, np.random.Generator], npt.ArrayLike]
"""Takes (n, d) points, k and a random generator; returns (k, d) centers."""


def kmeans_plus_plus(points: Points, k: int, rng: np.random.Generator) -> Points:
    """Choose points far from each other: greedy k-means++.

    Each next center is the best of 2 + log(k) points drawn with a probability proportional to
    their squared distance to the centers so far (Arthur and Vassilvitskii, "k-means++: the
    advantages of careful seeding", SODA 2007, section 6).

    Examples
    --------
    >>> points = np.array([[0, 0, 0], [0, 0, 1], [200, 0, 0], [201, 0, 0]], np.float32)
    >>> sorted(float(x) for x in kmeans_plus_plus(points, 2, np.random.default_rng(0))[:, 0] > 100)
    [0.0, 1.0]
    """
    n = len(points)
    planes = np.ascontiguousarray(points.T)
    norms = np.einsum("ij,ij->j", planes, planes)
    trials = 2 + int(np.log(k))
    chosen = [int(rng.integers(n))]
    nearest = _squared_distances(planes, norms, chosen)[0]
    for _ in range(1, k):
        summed = np.cumsum(nearest.astype(np.float64))
        if summed[-1] <= 0:  # every point has its center: the rest are duplicates
            chosen.append(chosen[-1])
            continue
        draws = rng.random(trials) * summed[-1]
        indices = np.minimum(np.searchsorted(summed, draws), n - 1)
        distances = _squared_distances(planes, norms, indices)
        np.minimum(nearest, distances, out=distances)
        best = int(distances.sum(axis=1, dtype=np.float64).argmin())
        nearest = distances[best]
        chosen.append(int(indices[best]))
    return points[chosen]


def random_points(points: Points, k: int, rng: np.random.Generator) -> Points:
    """Choose k of the points at random (Forgy, 1965)."""
    return points[rng.choice(len(points), k, replace=len(points) < k)]


def random_partition(points: Points, k: int, rng: np.random.Generator) -> Points:
    """Assign each point to a random cluster and take the means: the textbook's start."""
    labels = rng.integers(k, size=len(points))
    counts = np.bincount(labels, minlength=k)
    sums = [np.bincount(labels, column, minlength=k) for column in points.T]
    means = np.stack(sums, axis=1) / np.maximum(counts, 1)[:, np.newaxis]
    means[counts == 0] = points[0]
    return means.astype(np.float32)


SEEDINGS: dict[str, Seeding] = {
    "k-means++": kmeans_plus_plus,
    "random": random_points,
    "random-partition": random_partition,
}
"""Every way to start by name; a further one is one more entry."""


def _squared_distances(
    planes: npt.NDArray[np.float32], norms: npt.NDArray[np.float32], indices: npt.ArrayLike
) -> npt.NDArray[np.float32]:
    """Return (m, n) squared distances of m of the points to all n points of (d, n) planes.

    |a|^2 + |b|^2 - 2 a.b takes half the time of differences, and is as exact where points are whole
    numbers and these sums below 2^24; elsewhere it may be off by a rounding, but not negative.
    """
    index = np.asarray(indices)
    total = (-2 * planes[:, index].T) @ planes
    total += norms
    total += norms[index, np.newaxis]
    return np.asarray(np.maximum(total, 0, out=total))
