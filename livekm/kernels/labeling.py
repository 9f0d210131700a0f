"""The exact nearest center of every pixel, block by block.

A block is 8 rows of 32 pixels. Its box in feature space tells which centers can be nearest to
any of its pixels (the filtering of Kanungo et al., "An efficient k-means clustering algorithm",
PAMI 2002, with the block in the place of a kd-tree's cell); only those are compared pixel by pixel.
Neighbouring pixels are alike, so that of many centers few are left. A block's rows are copied
one behind the other first, so that every loop is long enough to be worth its vectors.

Half the squared distance of a pixel x to a center c is |x|^2 / 2 plus the score |c|^2 / 2 - x.c,
and the least score names the nearest center. The caller rounds and scales the centers so that
every score is an integer below 2^24, and as a float32 exact: see `livekm.labeler`.
"""

from __future__ import annotations

import numpy as np

from livekm.kernels.policy import exact_jit, inline_exact_jit
from livekm.kernels.scratch import scratch
from livekm.kernels.vectors import MOVED, WORD, differences, move, trailing_zeros

BLOCK_ROWS = 8
_COLUMNS = MOVED
_BLOCK = BLOCK_ROWS * _COLUMNS
_GROUP = 4  # centers that are compared in one go: a pixel is loaded once for all of them

_COLORS, _FEATURES = 3 * _BLOCK, 5 * _BLOCK
_MOST = 256  # centers
_CHOSEN = _MOST + _GROUP

_F = np.float32
_I = np.int64
_U = np.uint64
_ZERO, _HALF = np.float32(0), np.float32(0.5)
# Where the second, third, ... feature of a block begins.
_P1, _P2, _P3, _P4 = (np.uint64(f * _BLOCK) for f in range(1, 5))


@inline_exact_jit
def _copy(source, start, target, offset, n):
    if n == MOVED:
        move(source, start, target, offset)
    else:
        for i in range(_U(n)):
            target[_U(offset) + i] = source[_U(start) + i]


@inline_exact_jit
def _gather(frame, start, width, rows, columns, block, offset):
    """Copy a block's rows out of a plane, one behind the other."""
    for r in range(rows):
        _copy(frame, start + r * width, block, offset + r * columns, columns)


@inline_exact_jit
def _scatter(block, start, width, rows, columns, frame):
    """Copy a block's rows into a plane."""
    for r in range(rows):
        _copy(block, r * columns, frame, start + r * width, columns)


@inline_exact_jit
def _measure(colors, n_colors, n, low, high, sums):
    """Write the box and the sums of a block's colours; return the sum of their squares."""
    squares = _I(0)
    for f in range(n_colors):
        base = _U(f * _BLOCK)
        lowest = colors[base]
        highest = lowest
        for i in range(n):
            value = colors[base + i]
            lowest = value if value < lowest else lowest
            highest = value if value > highest else highest
        total = square = np.int32(0)  # a block has few pixels, and features are below 2^11
        for i in range(n):
            whole = np.int32(colors[base + i])
            total = np.int32(total + whole)
            square = np.int32(square + np.int32(whole * whole))
        low[f], high[f] = _F(lowest), _F(highest)
        sums[f] = total
        squares += _I(square)
    return squares


@inline_exact_jit
def _locate(top, left, rows, columns, step, x, low, high):
    """Write the spatial features of a block and their box; return the sum of their squares."""
    squares = _I(0)
    for r in range(rows):
        target = _U(r * columns)
        y = np.rint(_F(top + r) * step)
        for c in range(_U(columns)):
            u = np.rint((_F(left) + _F(c)) * step)
            x[_P3 + target + c] = u
            x[_P4 + target + c] = y
            squares += _I(u * u + y * y)
    low[3], high[3] = np.rint(_F(left) * step), np.rint(_F(left + columns - 1) * step)
    low[4], high[4] = np.rint(_F(top) * step), np.rint(_F(top + rows - 1) * step)
    return squares


@inline_exact_jit
def _far_corner(difference, low, high):
    return difference * (high if difference > _ZERO else low)


@inline_exact_jit
def _candidates(centers, biases, step, low, high, margin, excess, chosen):
    """Write the centers that can be nearest within the box into `chosen`, in order; count them.

    A center is out when another, the nearest to the middle of the box, has the lower score at
    every corner; the difference of two scores is linear, so its extreme is at one known corner.
    `margin` is above the rounding of that difference.
    """
    k = centers.shape[1]
    half = _HALF
    m0, m1, m2 = half * (low[0] + high[0]), half * (low[1] + high[1]), half * (low[2] + high[2])
    for j in range(k):
        excess[j] = biases[j] - centers[0, j] * m0 - centers[1, j] * m1 - centers[2, j] * m2
    if step is not None:
        for f in range(3, 5):
            middle = half * (low[f] + high[f])
            for j in range(k):
                excess[j] -= centers[f, j] * middle
    least = excess[0]
    for j in range(k):
        score = excess[j]
        least = score if score < least else least
    star = 0
    while excess[star] > least:
        star += 1
    bias, s0, s1, s2 = biases[star], centers[0, star], centers[1, star], centers[2, star]
    l0, l1, l2 = low[0], low[1], low[2]
    h0, h1, h2 = high[0], high[1], high[2]
    for j in range(k):
        far = _far_corner(centers[0, j] - s0, l0, h0)
        far += _far_corner(centers[1, j] - s1, l1, h1)
        far += _far_corner(centers[2, j] - s2, l2, h2)
        excess[j] = biases[j] - bias - far
    if step is not None:
        for f in range(3, 5):
            for j in range(k):
                excess[j] -= _far_corner(centers[f, j] - centers[f, star], low[f], high[f])
    count = 0
    for j in range(k):
        chosen[count] = j
        count += excess[j] <= margin
    return count


@inline_exact_jit
def _compare_colors(x, n, centers, biases, chosen, at, best, index):
    """Let the four chosen centers from `at` on compete for each pixel of a block."""
    i0, i1, i2, i3 = chosen[at], chosen[at + 1], chosen[at + 2], chosen[at + 3]
    a0, a1, a2, a = centers[0, i0], centers[1, i0], centers[2, i0], biases[i0]
    b0, b1, b2, b = centers[0, i1], centers[1, i1], centers[2, i1], biases[i1]
    c0, c1, c2, c = centers[0, i2], centers[1, i2], centers[2, i2], biases[i2]
    d0, d1, d2, d = centers[0, i3], centers[1, i3], centers[2, i3], biases[i3]
    j0, j1, j2, j3 = np.int32(i0), np.int32(i1), np.int32(i2), np.int32(i3)
    for i in range(n):
        u, v, w = x[i], x[_P1 + i], x[_P2 + i]
        least, label = best[i], index[i]
        score = a - a0 * u - a1 * v - a2 * w
        label = j0 if score < least else label
        least = score if score < least else least
        score = b - b0 * u - b1 * v - b2 * w
        label = j1 if score < least else label
        least = score if score < least else least
        score = c - c0 * u - c1 * v - c2 * w
        label = j2 if score < least else label
        least = score if score < least else least
        score = d - d0 * u - d1 * v - d2 * w
        label = j3 if score < least else label
        least = score if score < least else least
        best[i], index[i] = least, label


@inline_exact_jit
def _compare_places(x, n, centers, biases, j, best, index):
    """Let one center compete for each pixel of a block, by colour and place."""
    c0, c1, c2, c3, c4 = centers[0, j], centers[1, j], centers[2, j], centers[3, j], centers[4, j]
    bias, own = biases[j], np.int32(j)
    for i in range(n):
        color = c0 * x[i] + c1 * x[_P1 + i] + c2 * x[_P2 + i]
        score = bias - color - (c3 * x[_P3 + i] + c4 * x[_P4 + i])
        least, label = best[i], index[i]
        # Adding nothing keeps every store. Stores of only what changes, which compilers make of
        # this otherwise, take ten times as long on processors without AVX-512.
        index[i] = label + (own - label) * np.int32(score < least)
        best[i] = (score if score < least else least) + _ZERO


@inline_exact_jit
def _search(colors, n, n_colors, step, centers, biases, chosen, count, x, best, index):
    """Find each pixel's nearest center among those chosen."""
    for f in range(n_colors):
        base = _U(f * _BLOCK)
        for i in range(n):
            x[base + i] = _F(colors[base + i])
    for i in range(n):
        best[i] = _F(np.inf)
        index[i] = 0
    if step is not None:
        for q in range(count):
            _compare_places(x, n, centers, biases, chosen[q], best, index)
    else:
        for q in range(count, count + _GROUP - 1):  # the last one again, which changes nothing
            chosen[q] = chosen[count - 1]
        for q in range(0, count, _GROUP):
            _compare_colors(x, n, centers, biases, chosen, q, best, index)


@inline_exact_jit
def _read(n, chosen, count, best, index, nearest, found):
    """Write the labels as bytes, count them, and return the sum of the scores."""
    total = _I(0)
    for i in range(n):
        nearest[i] = np.uint8(index[i])
        total += _I(np.int32(best[i]))
    rest = _I(n)
    first = nearest[0]
    for q in range(count):
        j = np.uint8(chosen[q])
        if j != first:  # whose number could be that of the whole block, more than a byte holds
            same = np.uint8(0)
            for i in range(n):
                same = np.uint8(same + np.uint8(nearest[i] == j))
            found[j] += same
            rest -= same
    found[first] += rest
    return total


@inline_exact_jit
def _differs(before, nearest, n):
    """Tell whether any label of a block is not what it was before."""
    found = _U(0)
    for start in range(0, _I(n), WORD):
        found |= differences(before, nearest, start)
    return found != _U(0)


@inline_exact_jit
def _stick(x, n, step, centers, biases, slack, before, nearest, best, gained, lost):
    """Give a pixel its previous label back while it is within the slack of the bisector.

    The distance of x beyond the bisector of an old center a and a new center b is
    (|x - a|^2 - |x - b|^2) / (2 |a - b|); `slack` holds hysteresis * |a - b| for each pair. Pixels
    that have got back their label a are counted in `gained` of a and `lost` of b: with one count
    for both, each pixel would wait for the one before it. Returns what they add to the scores.
    """
    added = _I(0)
    for start in range(0, _I(n), WORD):
        changed = differences(before, nearest, start)
        while changed != _U(0):
            i = _U(start) + trailing_zeros(changed)
            changed &= changed - _U(1)
            old, new = _U(before[i]), _U(nearest[i])
            score = biases[old]
            score -= centers[0, old] * x[i]
            score -= centers[1, old] * x[_P1 + i]
            score -= centers[2, old] * x[_P2 + i]
            if step is not None:
                score -= centers[3, old] * x[_P3 + i] + centers[4, old] * x[_P4 + i]
            worse = score - best[i]
            keep = _I(worse <= slack[old, new])  # no branch, which could not be predicted
            nearest[i] = np.uint8(new + (old - new) * _U(keep))
            gained[old] += keep
            lost[new] += keep
            added += _I(worse) * keep
    return added


@exact_jit
def label_blocks(
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
    """Label the block rows from `first` up to `last` of a frame; ties go to the lower index.

    Parameters
    ----------
    first, last : int
        Block rows, of `BLOCK_ROWS` pixel rows each.
    planes : (3 * height * width,) uint8 or int16
        The colour features, one plane after the other.
    height, width : int
        Size of the frame in pixels.
    step : float32 or None
        Spatial features a pixel; None, for which a kernel of its own is compiled, where a pixel's
        place does not count.
    scale : float32
        The power of two that makes every score an integer.
    centers : (5, k) float32
        `scale` times three colour features, then the spatial features x and y.
    biases : (k,) float32
        `scale` times |c|^2 / 2 of each center.
    slack : (k, k) float32
        `scale` times hysteresis * |a - b| for each pair of centers; (0, 0) where labels do not
        stick.
    previous : (height * width,) uint8
        The labels of the frame before; not read where labels do not stick.
    labels : (height * width,) uint8
        Written.
    counts : (block rows, k) int64
        The number of pixels of each label, of all these block rows, is added to row `first`.
    errors : (block rows,) int64
        Half the sum of the squared distances times `scale` is added to row `first`.
    """
    k = centers.shape[1]
    area = height * width
    is_sticky = slack.shape[0] > 0
    colors = scratch(_COLORS, planes.dtype)
    x = scratch(_FEATURES, np.float32)
    best = scratch(_BLOCK, np.float32)
    index = scratch(_BLOCK, np.int32)
    nearest = scratch(_BLOCK, np.uint8)
    before = scratch(_BLOCK, np.uint8)
    excess = scratch(_MOST, np.float32)
    chosen = scratch(_CHOSEN, np.int64)
    lost = scratch(_MOST, np.int64)
    low, high, sums = scratch(5, np.float32), scratch(5, np.float32), scratch(3, np.int64)
    n_colors = (
        planes.shape[0] // area
    )  # 3; loops to a constant are written out and take longer to compile
    margin = _ZERO
    for j in range(k):
        lost[j] = 0
        rounding = _F(1e-5) * biases[j]
        margin = rounding if rounding > margin else margin
    half = _I(scale) // 2
    found = counts[first]
    error = _I(0)
    for top in range(first * BLOCK_ROWS, min(last * BLOCK_ROWS, height), BLOCK_ROWS):
        rows = min(BLOCK_ROWS, height - top)
        for left in range(0, width, _COLUMNS):
            columns = min(_COLUMNS, width - left)
            n = _U(rows * columns)
            start = top * width + left
            for f in range(n_colors):
                _gather(planes, f * area + start, width, rows, columns, colors, f * _BLOCK)
            squares = _measure(colors, n_colors, n, low, high, sums)
            if step is not None:
                squares += _locate(top, left, rows, columns, step, x, low, high)
            error += half * squares
            count = _candidates(centers, biases, step, low, high, margin, excess, chosen)
            is_clear = count == 1 and step is None
            if is_clear:
                j = chosen[0]
                for i in range(n):
                    nearest[i] = np.uint8(j)
                found[j] += _I(n)
                error += _I(n) * _I(biases[j])
                for f in range(3):
                    error -= _I(centers[f, j]) * sums[f]
            if is_sticky:
                _gather(previous, start, width, rows, columns, before, 0)
                for i in range(n, _U(_BLOCK)):
                    before[i] = nearest[i] = 0
            if not is_clear or (is_sticky and _differs(before, nearest, n)):
                _search(colors, n, n_colors, step, centers, biases, chosen, count, x, best, index)
            if not is_clear:
                error += _read(n, chosen, count, best, index, nearest, found)
            if is_sticky:
                error += _stick(
                    x, n, step, centers, biases, slack, before, nearest, best, found, lost
                )
            _scatter(nearest, start, width, rows, columns, labels)
    for j in range(k):
        found[j] -= lost[j]
    errors[first] += error
