"""k-means on a sample of the pixels: Lloyd steps, and the moments that moves are judged by."""

from __future__ import annotations

import numpy as np

from livekm.core.kernels.compiler import exact_jit, inline_exact_jit, scratch

_BLOCK = 512  # points whose scores stay in the first-level cache while the centers pass by
_PAIR = 2 * _BLOCK
_SECOND = np.uint64(_BLOCK)
_ROW = 4  # what is loaded of a point at once, to be added up: three features and |x|^2
_WIDTH = 8  # what is added up of a cluster: a row, the number of points, two further features
_BANKS = 4  # each takes every fourth point
_ADDED = _BANKS * _WIDTH * 256
_F = np.float32
_HALF = np.float32(0.5)
_U = np.uint64
_0, _1, _2 = np.uint64(0), np.uint64(1), np.uint64(2)


@inline_exact_jit
def _score(X, start, n, centers, j, scores, offset):
    """Write the scores |c|^2 / 2 - x.c of n points from `start` on, for center j."""
    d = centers.shape[0]
    base = _U(start)
    bias = _F(0)
    for f in range(d):
        bias += centers[f, j] * centers[f, j] * _HALF
    a, b, c = centers[0, j], centers[1, j], centers[2, j]
    for i in range(_U(n)):
        p = base + i
        scores[offset + i] = bias - a * X[_0, p] - b * X[_1, p] - c * X[_2, p]
    for f in range(3, d):
        a = centers[f, j]
        for i in range(_U(n)):
            scores[offset + i] -= a * X[_U(f), base + i]


@inline_exact_jit
def _assign(X, centers, labels, best, second):
    """Label every point of X (d, n) with the nearest of centers (d, k); ties to the lower index.

    `labels` (n,) int32, and the scores |c|^2 / 2 - x.c of the nearest and of the second nearest
    center in `best` and `second` (n,) float32, are written.
    """
    n = X.shape[1]
    k = centers.shape[1]
    scores = scratch(_PAIR, np.float32)
    for i in range(_U(n)):
        labels[i] = np.int32(0)
        best[i] = _F(np.inf)
        second[i] = _F(np.inf)
    for start in range(0, n, _BLOCK):
        size = min(_BLOCK, n - start)
        base = _U(start)
        for j in range(0, k, 2):  # two at a time, since a store costs more than a comparison
            pair = 2 if j + 1 < k else 1
            for row in range(pair):
                _score(X, start, size, centers, j + row, scores, _U(row * _BLOCK))
            if pair == 1:
                for i in range(_U(size)):
                    scores[_SECOND + i] = _F(np.inf)
            index = np.int32(j)
            for i in range(_U(size)):
                p = base + i
                least, rest, label = best[p], second[p], labels[p]
                score = scores[i]
                loser = least if score < least else score
                rest = loser if loser < rest else rest
                label = index if score < least else label
                least = score if score < least else least
                score = scores[_SECOND + i]
                loser = least if score < least else score
                rest = loser if loser < rest else rest
                label = index + np.int32(1) if score < least else label
                least = score if score < least else least
                best[p], second[p], labels[p] = least, rest, label


@inline_exact_jit
def _accumulate(X, rows, centers, labels, counts, sums, errors):
    """Write the number, the sum and the squared error of the points of each label.

    The error follows from the sums, |x|^2 - 2 x.c + |c|^2, and is exact as they are. Neighbours
    have the same label more often than not: were they added up in one place, each would wait for
    the one before.
    """
    d, n = X.shape
    k = centers.shape[1]
    added = scratch(_ADDED, np.float64)
    for i in range(_U(_BANKS * _WIDTH * k)):
        added[i] = 0.0
    for p in range(_U(n)):
        at = (p % _U(_BANKS) * _U(k) + _U(labels[p])) * _U(_WIDTH)
        for f in range(_U(_ROW)):
            added[at + f] += rows[p, f]
        added[at + _U(_ROW)] += 1.0
        for f in range(3, d):
            added[at + _U(f + 2)] += X[_U(f), p]
    for j in range(k):
        for bank in range(1, _BANKS):
            for f in range(_WIDTH):
                added[j * _WIDTH + f] += added[(bank * k + j) * _WIDTH + f]
        at = j * _WIDTH
        count, error = added[at + _ROW], added[at + 3]
        for f in range(d):
            total, center = added[at + (f if f < 3 else f + 2)], np.float64(centers[f, j])
            error += center * (count * center - 2.0 * total)
            sums[f, j] = total
        counts[j], errors[j] = np.int64(count), error


@exact_jit
def lloyd(
    X, rows, centers, grid, is_known, steps, tolerance,
    labels, best, second, counts, sums, errors,
):  # fmt: skip
    """Run up to `steps` Lloyd steps in place and return the sum of squared errors.

    A step moves the centers to the means of their points (Lloyd, "Least squares quantization in
    PCM", 1982). It ends early when a step lowers the error by no more than the part `tolerance`. A
    last assignment leaves every statistic in step with the centers. Empty clusters keep their
    centers.

    Centers are rounded to a grid on which every score is an exact float32, so that the same input
    gives the same bytes on every machine.

    Parameters
    ----------
    X : (d, n) float32
        Whole numbers; d is 3 to 5.
    rows : (n, 4) float32
        The first three features of each point, and its |x|^2.
    centers : (d, k) float32
        Rounded and moved in place.
    grid : float
        The power of two that makes a rounded center a whole number.
    is_known : bool
        Whether the statistics are those of `centers` already.
    steps : int
    tolerance : float
    labels : (n,) int32
        The nearest center of each point; written.
    best, second : (n,) float32
        The scores |c|^2 / 2 - x.c of the nearest and the second nearest center; written.
    counts : (k,) int64; sums : (d, k) float64; errors : (k,) float64
        Number, sum and squared error of each cluster's points; written.
    """
    d, k = centers.shape
    before = np.inf
    error = np.inf
    for step in range(steps + 1):
        if step > 0 or not is_known:
            for j in range(k):
                for f in range(d):
                    centers[f, j] = _F(np.rint(centers[f, j] * grid) / grid)
            _assign(X, centers, labels, best, second)
            _accumulate(X, rows, centers, labels, counts, sums, errors)
        error = 0.0
        for j in range(k):
            error += errors[j]
        if step == steps or error >= before * (1.0 - tolerance):
            break
        before = error
        for j in range(k):
            if counts[j] > 0:
                for f in range(d):
                    centers[f, j] = _F(sums[f, j] / counts[j])
    return error
