"""The exact nearest center of every pixel, tile by tile.

A tile is a few rows of 64 pixels. Its box in feature space tells which centers can be nearest to
any of its pixels (the filtering of Kanungo et al., "An efficient k-means clustering algorithm",
PAMI 2002, with the tile in the place of a kd-tree's cell); only those are compared pixel by pixel.
Neighbouring pixels are alike, so that of many centers few are left.

The score of a center is |c|^2 / 2 - x.c, which orders centers as the squared distance does. The
caller rounds the centers so that each score is an exact float32: see `livekm.segmenter`.
"""

from __future__ import annotations

import numpy as np

from livekm.kernels.policy import jit

TILE_ROWS = 4
_TILE_COLUMNS = 64
_TILE = TILE_ROWS * _TILE_COLUMNS
_FEW = 8  # up to so many candidates, counting labels candidate by candidate is the faster way

_F = np.float32
_U = np.uint64


@jit
def _load(planes, width, area, top, left, rows, columns, step, x, low, high):
    """Copy a tile's features into x (d, tile), flat, and its box into low and high (d,)."""
    for f in range(3):
        lowest = planes[f * area + top * width + left]
        highest = lowest
        for r in range(rows):
            source = _U(f * area + (top + r) * width + left)
            target = _U(f * _TILE + r * columns)
            for c in range(_U(columns)):
                value = planes[source + c]
                x[target + c] = _F(value)
                lowest = min(lowest, value)
                highest = max(highest, value)
        low[f] = _F(lowest)
        high[f] = _F(highest)
    if low.shape[0] == 5:
        for r in range(rows):
            target = _U(r * columns)
            y = np.rint(_F(top + r) * step)
            for c in range(_U(columns)):
                x[_U(3 * _TILE) + target + c] = np.rint((_F(left) + _F(c)) * step)
                x[_U(4 * _TILE) + target + c] = y
        low[3] = np.rint(_F(left) * step)
        high[3] = np.rint(_F(left + columns - 1) * step)
        low[4] = np.rint(_F(top) * step)
        high[4] = np.rint(_F(top + rows - 1) * step)


@jit
def _candidates(centers, biases, low, high, margin, excess, chosen):
    """Write the centers that can be nearest within the box into `chosen`, in order; count them.

    A center is out when another, the nearest to the middle of the box, has the lower score at
    every corner; the difference of two scores is linear, so its extreme is at one known corner.
    `margin` is above the rounding of that difference.
    """
    d, k = centers.shape
    excess[:] = biases
    for f in range(d):
        middle = (low[f] + high[f]) * _F(0.5)
        for j in range(k):
            excess[j] -= centers[f, j] * middle
    star = 0
    for j in range(1, k):
        if excess[j] < excess[star]:
            star = j
    for j in range(k):
        excess[j] = biases[j] - biases[star]
    for f in range(d):
        lowest, highest, reference = low[f], high[f], centers[f, star]
        for j in range(k):
            difference = centers[f, j] - reference
            excess[j] -= difference * (highest if difference > _F(0) else lowest)
    count = 0
    for j in range(k):
        chosen[count] = j
        count += excess[j] <= margin
    return count


@jit
def _score(x, n, center, bias, total):
    """Write the scores of a center (d,) for a tile's n pixels into `total`."""
    c0, c1, c2 = center[0], center[1], center[2]
    for i in range(_U(n)):
        total[i] = bias - (c0 * x[i] + c1 * x[_U(_TILE) + i] + c2 * x[_U(2 * _TILE) + i])
    if center.shape[0] == 5:
        c3, c4 = center[3], center[4]
        for i in range(_U(n)):
            total[i] -= c3 * x[_U(3 * _TILE) + i] + c4 * x[_U(4 * _TILE) + i]


@jit
def _nearest(x, n, centers, biases, chosen, count, total, best, nearest):
    """Write the index and the score of the nearest chosen center of a tile's n pixels."""
    first = chosen[0]
    _score(x, n, centers[:, first], biases[first], best)
    index = np.uint8(first)
    for i in range(_U(n)):
        nearest[i] = index
    for q in range(1, count):
        j = chosen[q]
        index = np.uint8(j)
        _score(x, n, centers[:, j], biases[j], total)
        for i in range(_U(n)):
            score = total[i]
            old = best[i]
            label = nearest[i]
            best[i] = score if score < old else old
            nearest[i] = index if score < old else label


@jit
def _score_at(x, i, centers, biases, j):
    total = biases[j]
    for f in range(centers.shape[0]):
        total -= centers[f, j] * x[f * _TILE + i]
    return total


@jit
def _stick(x, rows, columns, centers, biases, slack, previous, start, width, best, nearest):
    """Give a pixel its previous label back while it is within the slack of the bisector.

    The distance of x beyond the bisector of an old center a and a new center b is
    (score_a - score_b) / |a - b|; `slack` holds hysteresis * |a - b| for each pair.
    """
    for r in range(rows):
        source = _U(start + r * width)
        target = _U(r * columns)
        changed = np.int32(0)
        for c in range(_U(columns)):
            changed += np.int32(previous[source + c] != nearest[target + c])
        if changed == 0:
            continue
        for c in range(_U(columns)):
            old = previous[source + c]
            new = nearest[target + c]
            if old != new:
                i = target + c
                score = _score_at(x, i, centers, biases, old)
                if score - best[i] <= slack[old, new]:
                    nearest[i] = old
                    best[i] = score


@jit
def _count(n, chosen, count, sticky, nearest, counts):
    """Add a tile's labels to `counts`."""
    if count > _FEW or sticky:
        for i in range(_U(n)):
            counts[nearest[i]] += 1
        return
    for q in range(count):
        index = np.uint8(chosen[q])
        found = np.int32(0)
        for i in range(_U(n)):
            found += np.int32(nearest[i] == index)
        counts[chosen[q]] += found


@jit
def _error(x, n, d, best, scale):
    """Half the sum of a tile's squared distances, in units of 1 / scale: an exact integer."""
    for f in range(d):
        for i in range(_U(n)):
            value = x[_U(f * _TILE) + i]
            best[i] += _F(0.5) * value * value
    error = np.int64(0)
    for i in range(_U(n)):
        error += np.int64(np.int32(best[i] * scale))
    return error


@jit
def label_tiles(
    first,
    last,
    planes,
    height,
    width,
    step,
    centers,
    biases,
    scale,
    slack,
    previous,
    labels,
    counts,
    errors,
):
    """Label the tile rows from `first` up to `last` of a frame; ties go to the lower index.

    Parameters
    ----------
    first, last : int
        Tile rows, of `TILE_ROWS` pixel rows each.
    planes : (3 * height * width,) uint8 or int16
        The colour features, one plane after the other.
    height, width : int
        Size of the frame in pixels.
    step : float32
        Spatial features a pixel; used where the centers have five features.
    centers : (d, k) float32
        d is 3, or 5 with the spatial features x and y.
    biases : (k,) float32
        |c|^2 / 2 of each center.
    scale : float32
        The power of two that makes every score an integer.
    slack : (k, k) float32
        hysteresis * |a - b| for each pair of centers; (0, 0) where labels do not stick.
    previous : (height * width,) uint8
        The labels of the frame before; not read where labels do not stick.
    labels : (height * width,) uint8
        Written.
    counts : (tile rows, k) int64
        The number of pixels of each label, of all these tile rows, is added to row `first`.
    errors : (tile rows,) int64
        Half the sum of the squared distances times `scale` is added to row `first`.
    """
    d, k = centers.shape
    sticky = slack.shape[0] > 0
    x = np.empty(d * _TILE, np.float32)
    total = np.empty(_TILE, np.float32)
    best = np.empty(_TILE, np.float32)
    nearest = np.empty(_TILE, np.uint8)
    excess = np.empty(k, np.float32)
    chosen = np.empty(k + 1, np.int64)
    low = np.empty(d, np.float32)
    high = np.empty(d, np.float32)
    margin = _F(1e-5) * biases.max()
    for top in range(first * TILE_ROWS, min(last * TILE_ROWS, height), TILE_ROWS):
        rows = min(TILE_ROWS, height - top)
        for left in range(0, width, _TILE_COLUMNS):
            columns = min(_TILE_COLUMNS, width - left)
            n = rows * columns
            start = top * width + left
            _load(planes, width, height * width, top, left, rows, columns, step, x, low, high)
            count = _candidates(centers, biases, low, high, margin, excess, chosen)
            _nearest(x, n, centers, biases, chosen, count, total, best, nearest)
            if sticky:
                _stick(
                    x, rows, columns, centers, biases, slack, previous, start, width, best, nearest
                )
            for r in range(rows):
                target = _U(start + r * width)
                source = _U(r * columns)
                for c in range(_U(columns)):
                    labels[target + c] = nearest[source + c]
            _count(n, chosen, count, sticky, nearest, counts[first])
            errors[first] += _error(x, n, d, best, scale)
