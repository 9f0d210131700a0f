"""k-means on a sample of the pixels: Lloyd steps, and the moments that moves are judged by."""

from __future__ import annotations

import numpy as np

from livekm.kernels.policy import inline_jit, jit

_BLOCK = 1024  # points whose scores stay in the first-level cache while the centers pass by
_F = np.float32
_ZERO = np.float32(0)
_U = np.uint64


@inline_jit
def _score_block(X, start, n, center, bias, total):
    d = center.shape[0]
    base = _U(start)
    for i in range(_U(n)):
        total[i] = bias
    for f in range(d):
        x = X[f]
        c = center[f]
        for i in range(_U(n)):
            total[i] -= c * x[base + i]


@inline_jit
def _assign(X, centers, labels, best, second):
    """Label every point of X (d, n) with the nearest of centers (d, k); ties to the lower index.

    `labels` (n,) int32, and the scores |c|^2 / 2 - x.c of the nearest and of the second nearest
    center in `best` and `second` (n,) float32, are written.
    """
    d, n = X.shape
    k = centers.shape[1]
    total = np.empty(_BLOCK, np.float32)
    for i in range(_U(n)):
        labels[i] = np.int32(0)
        best[i] = _F(np.inf)
        second[i] = _F(np.inf)
    for start in range(0, n, _BLOCK):
        size = min(_BLOCK, n - start)
        base = _U(start)
        for j in range(k):
            center = centers[:, j]
            bias = _F(0)
            for f in range(d):
                bias += center[f] * center[f] * _F(0.5)
            _score_block(X, start, size, center, bias, total)
            index = np.int32(j)
            for i in range(_U(size)):
                p = base + i
                score = total[i]
                old = best[p]
                rest = second[p]
                label = labels[p]
                closer = score < old
                loser = old if closer else score
                # Adding nothing keeps every store: see `labeling._nearest`.
                second[p] = (loser if loser < rest else rest) + _ZERO
                best[p] = (score if closer else old) + _ZERO
                labels[p] = label + (index - label) * np.int32(closer)


@inline_jit
def _accumulate(X, norms, labels, best, second, counts, sums, errors, losses):
    d, n = X.shape
    for j in range(counts.shape[0]):
        counts[j] = 0
        errors[j] = 0.0
        losses[j] = 0.0
        for f in range(d):
            sums[f, j] = 0.0
    for i in range(n):
        j = labels[i]
        score = np.float64(best[i])
        counts[j] += 1
        errors[j] += norms[i] + 2.0 * score
        losses[j] += 2.0 * (np.float64(second[i]) - score)
        for f in range(d):
            sums[f, j] += X[f, i]


@jit
def lloyd(X, norms, centers, steps, tolerance, labels, best, second, counts, sums, errors, losses):
    """Run up to `steps` Lloyd steps in place and return the sum of squared errors.

    A step moves the centers to the means of their points (Lloyd, "Least squares quantization in
    PCM", 1982). It ends early when a step lowers the error by no more than the part `tolerance`. A
    last assignment leaves every statistic in step with the centers. Empty clusters keep their
    centers.

    Parameters
    ----------
    X : (d, n) float32
    norms : (n,) float64
        |x|^2 of each point.
    centers : (d, k) float32
        Moved in place.
    labels : (n,) int32
        The nearest center of each point; written.
    best, second : (n,) float32
        The scores |c|^2 / 2 - x.c of the nearest and the second nearest center; written.
    counts : (k,) int64; sums : (d, k) float64; errors : (k,) float64
        Number, sum and squared error of each cluster's points; written.
    losses : (k,) float64
        What the error grows by when the center is taken away and its points go to their second
        nearest (the utility of Fritzke, "The LBG-U method", 1997); written.
    """
    d, k = centers.shape
    before = np.inf
    error = np.inf
    for step in range(steps + 1):
        _assign(X, centers, labels, best, second)
        _accumulate(X, norms, labels, best, second, counts, sums, errors, losses)
        error = 0.0
        for j in range(k):
            errors[j] = errors[j] if errors[j] > 0.0 else 0.0  # rounding
            error += errors[j]
        if step == steps or error >= before * (1.0 - tolerance):
            break
        before = error
        for j in range(k):
            if counts[j] > 0:
                for f in range(d):
                    centers[f, j] = _F(sums[f, j] / counts[j])
    return error
