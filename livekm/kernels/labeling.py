"""The exact nearest center of every pixel, tile by tile.

A tile is 8 rows of 128 pixels. Its box in feature space tells which centers can be nearest to
any of its pixels (the filtering of Kanungo et al., "An efficient k-means clustering algorithm",
PAMI 2002, with the tile in the place of a kd-tree's cell); only those are compared pixel by pixel.
Neighbouring pixels are alike, so that of many centers few are left.

Half the squared distance of a pixel to a center is |x|^2 / 2 + (|c|^2 / 2 - x.c). The caller rounds
and scales the centers so that each is an integer below 2^24, and an exact float32: see
`livekm.labeler`. Put above the 8 bits of the center's index it makes a key whose least one names
the nearest center; of centers equally near, the one with the lower index.
"""

from __future__ import annotations

import numpy as np

from livekm.kernels.policy import inline_jit, jit

TILE_ROWS = 8
_TILE_COLUMNS = 128
_TILE = TILE_ROWS * _TILE_COLUMNS

_F = np.float32
_U = np.uint64
_ZERO, _HALF = np.float32(0), np.float32(0.5)
_INDEX_BITS = np.uint32(8)
_FARTHEST = np.float32(2**24 - 1)
# Where the second, third, ... feature of a tile begins.
_P1, _P2, _P3, _P4 = (np.uint64(f * _TILE) for f in range(1, 5))


@inline_jit
def _load(planes, width, area, top, left, rows, columns, step, x, low, high):
    """Copy a tile's features into x (5 * tile,), plane after plane, and their box into low, high.

    Where `step` is 0 there are no spatial features: nothing is written for them.
    """
    for f in range(3):
        lowest = planes[f * area + top * width + left]
        highest = lowest
        for r in range(rows):
            source = _U(f * area + (top + r) * width + left)
            target = _U(f * _TILE + r * columns)
            for c in range(_U(columns)):
                value = planes[source + c]
                x[target + c] = _F(value)
                lowest = value if value < lowest else lowest
                highest = value if value > highest else highest
        low[f] = _F(lowest)
        high[f] = _F(highest)
    if step > _ZERO:
        for r in range(rows):
            target = _U(r * columns)
            y = np.rint(_F(top + r) * step)
            for c in range(_U(columns)):
                x[_P3 + target + c] = np.rint((_F(left) + _F(c)) * step)
                x[_P4 + target + c] = y
        low[3] = np.rint(_F(left) * step)
        high[3] = np.rint(_F(left + columns - 1) * step)
        low[4] = np.rint(_F(top) * step)
        high[4] = np.rint(_F(top + rows - 1) * step)


@inline_jit
def _far_corner(difference, low, high):
    return difference * (high if difference > _ZERO else low)


@inline_jit
def _candidates(centers, biases, low, high, margin, excess, chosen):
    """Write the centers that can be nearest within the box into `chosen`, in order; count them.

    A center is out when another, the nearest to the middle of the box, has the lower score at
    every corner; the difference of two scores is linear, so its extreme is at one known corner.
    `margin` is above the rounding of that difference.
    """
    k = centers.shape[1]
    half = _HALF
    m0, m1, m2 = half * (low[0] + high[0]), half * (low[1] + high[1]), half * (low[2] + high[2])
    m3, m4 = half * (low[3] + high[3]), half * (low[4] + high[4])
    for j in range(k):
        color = centers[0, j] * m0 + centers[1, j] * m1 + centers[2, j] * m2
        excess[j] = biases[j] - color - (centers[3, j] * m3 + centers[4, j] * m4)
    star = 0
    least = excess[0]
    for j in range(1, k):
        if excess[j] < least:
            least = excess[j]
            star = j
    s0, s1, s2 = centers[0, star], centers[1, star], centers[2, star]
    s3, s4 = centers[3, star], centers[4, star]
    l0, l1, l2, l3, l4 = low[0], low[1], low[2], low[3], low[4]
    h0, h1, h2, h3, h4 = high[0], high[1], high[2], high[3], high[4]
    bias = biases[star]
    for j in range(k):
        color = (
            _far_corner(centers[0, j] - s0, l0, h0)
            + _far_corner(centers[1, j] - s1, l1, h1)
            + _far_corner(centers[2, j] - s2, l2, h2)
        )
        place = _far_corner(centers[3, j] - s3, l3, h3) + _far_corner(centers[4, j] - s4, l4, h4)
        excess[j] = biases[j] - bias - color - place
    count = 0
    for j in range(k):
        chosen[count] = j
        count += excess[j] <= margin
    return count


@inline_jit
def _half_norms(x, n, spatial, scale, norms):
    """Write half the scaled squared length of a tile's n pixels."""
    half = _HALF * scale
    for i in range(n):
        a, b, c = x[i], x[_P1 + i], x[_P2 + i]
        norms[i] = half * (a * a + b * b + c * c)
    if spatial:
        for i in range(n):
            u, v = x[_P3 + i], x[_P4 + i]
            norms[i] += half * (u * u + v * v)


@inline_jit
def _nearest(x, norms, n, spatial, centers, biases, chosen, count, rest, keys):
    """Write the key of the nearest chosen center of a tile's n pixels.

    Keys are compared as integers. With floats and a choice by `if`, compilers leave out the stores
    of what does not change, and such masked stores take ten times as long on CPUs without AVX-512.
    """
    for i in range(n):
        keys[i] = np.uint32(0xFFFFFFFF)
    for q in range(count):
        j = chosen[q]
        index = np.uint32(j)
        bias = biases[j]
        c0, c1, c2 = centers[0, j], centers[1, j], centers[2, j]
        if spatial:
            c3, c4 = centers[3, j], centers[4, j]
            for i in range(n):
                rest[i] = norms[i] - (c3 * x[_P3 + i] + c4 * x[_P4 + i])
        for i in range(n):
            known = rest[i] if spatial else norms[i]
            far = known + (bias - (c0 * x[i] + c1 * x[_P1 + i] + c2 * x[_P2 + i]))
            far = far if far < _FARTHEST else _FARTHEST
            key = np.uint32(np.uint32(np.int32(far)) << _INDEX_BITS) | index
            keys[i] = min(np.uint32(key), keys[i])


@inline_jit
def _read(keys, rows, columns, nearest):
    """Write the indices of the keys, and return the sum of the distances."""
    error = np.int64(0)
    for r in range(rows):
        part = np.uint32(0)  # a row has fewer pixels than this has room for
        source = _U(r * columns)
        for c in range(_U(columns)):
            key = keys[source + c]
            nearest[source + c] = np.uint8(key)
            part = np.uint32(part + np.uint32(key >> _INDEX_BITS))
        error += np.int64(part)
    return error


@inline_jit
def _distance(x, norms, i, spatial, centers, biases, j):
    rest = biases[j]
    for f in range(5 if spatial else 3):
        rest -= centers[f, j] * x[f * _TILE + i]
    return norms[i] + rest


@inline_jit
def _count(rows, columns, index, nearest, counts):
    """Add the pixels of a tile whose label is `index` to the counts."""
    total = 0
    for r in range(rows):
        source = _U(r * columns)
        found = np.uint8(0)  # a row has fewer pixels than a byte holds
        for c in range(_U(columns)):
            found = np.uint8(found + np.uint8(nearest[source + c] == index))
        total += np.int64(found)
    counts[index] += total


@inline_jit
def _stick(
    x,
    rows,
    columns,
    spatial,
    centers,
    biases,
    slack,
    previous,
    start,
    width,
    changed,
    norms,
    keys,
    nearest,
    counts,
):
    """Give a pixel its previous label back while it is within the slack of the bisector.

    The distance of x beyond the bisector of an old center a and a new center b is
    (|x - a|^2 - |x - b|^2) / (2 |a - b|); `slack` holds hysteresis * |a - b| for each pair. Returns
    what the labels that are kept add to the error.
    """
    added = np.int64(0)
    for r in range(rows):
        source = _U(start + r * width)
        target = _U(r * columns)
        different = np.uint8(0)
        for c in range(_U(columns)):
            different |= np.uint8(previous[source + c] ^ nearest[target + c])
        if different == 0:
            continue
        count = 0
        for c in range(_U(columns)):  # without branches, which could not be predicted
            changed[count] = c
            count += previous[source + c] != nearest[target + c]
        for q in range(count):
            c = changed[q]
            i = target + c
            old = previous[source + c]
            new = nearest[i]
            least = _F(np.int32(keys[i] >> _INDEX_BITS))
            worse = _distance(x, norms, i, spatial, centers, biases, old) - least
            keep = worse <= slack[old, new]
            nearest[i] = np.uint8(new + np.uint8(np.uint8(old - new) * np.uint8(keep)))
            counts[old] += keep
            counts[new] -= keep
            added += np.int64(np.int32(worse)) * np.int64(keep)
    return added


@jit
def label_tiles(
    first,
    last,
    planes,
    height,
    width,
    step,
    scale,
    centers,
    biases,
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
        Spatial features a pixel; 0 where a pixel's place does not count.
    scale : float32
        The power of two that makes half of every squared distance an integer.
    centers : (5, k) float32
        `scale` times three colour features, then the spatial features x and y, which are 0 where
        `step` is.
    biases : (k,) float32
        `scale` times |c|^2 / 2 of each center.
    slack : (k, k) float32
        `scale` times hysteresis * |a - b| for each pair of centers; (0, 0) where labels do not
        stick.
    previous : (height * width,) uint8
        The labels of the frame before; not read where labels do not stick.
    labels : (height * width,) uint8
        Written.
    counts : (tile rows, k) int64
        The number of pixels of each label, of all these tile rows, is added to row `first`.
    errors : (tile rows,) int64
        Half the sum of the squared distances times `scale` is added to row `first`.
    """
    k = centers.shape[1]
    sticky = slack.shape[0] > 0
    spatial = step > _ZERO
    x = np.empty(5 * _TILE, np.float32)
    norms = np.empty(_TILE, np.float32)
    rest = np.empty(_TILE, np.float32)
    keys = np.empty(_TILE, np.uint32)
    nearest = np.empty(_TILE, np.uint8)
    changed = np.empty(_TILE_COLUMNS + 1, np.uint64)
    excess = np.empty(k, np.float32)
    chosen = np.empty(k + 1, np.int64)
    low = np.empty(5, np.float32)
    high = np.empty(5, np.float32)
    for f in range(5):
        low[f] = high[f] = _ZERO
    margin = _ZERO
    for j in range(k):
        rounding = _F(1e-5) * biases[j]
        margin = rounding if rounding > margin else margin
    found = counts[first]
    error = np.int64(0)
    for top in range(first * TILE_ROWS, min(last * TILE_ROWS, height), TILE_ROWS):
        rows = min(TILE_ROWS, height - top)
        for left in range(0, width, _TILE_COLUMNS):
            columns = min(_TILE_COLUMNS, width - left)
            n = _U(rows * columns)
            start = top * width + left
            _load(planes, width, height * width, top, left, rows, columns, step, x, low, high)
            count = _candidates(centers, biases, low, high, margin, excess, chosen)
            _half_norms(x, n, spatial, scale, norms)
            _nearest(x, norms, n, spatial, centers, biases, chosen, count, rest, keys)
            error += _read(keys, rows, columns, nearest)
            if count == 1:
                found[chosen[0]] += rows * columns
            else:
                for q in range(count):
                    _count(rows, columns, np.uint8(chosen[q]), nearest, found)
            if sticky:
                error += _stick(
                    x, rows, columns, spatial, centers, biases, slack, previous, start, width,
                    changed, norms, keys, nearest, found,
                )  # fmt: skip
            for r in range(rows):
                target = _U(start + r * width)
                source = _U(r * columns)
                for c in range(_U(columns)):
                    labels[target + c] = nearest[source + c]
    errors[first] += error
