"""The exact nearest center of every pixel, block by block.

Half the squared distance of a pixel x to a center c is |x|^2 / 2 plus the score |c|^2 / 2 - x.c,
and the least score names the nearest center. The caller rounds and scales the centers so that
every score is an integer below 2^24, and as a float32 exact: see `livekm.core.labeler`.
"""

from __future__ import annotations

import numpy as np

from livekm.core.kernels.blocks import (
    BLOCK,
    BLOCK_ROWS,
    COLUMNS,
    gather,
    locate,
    measure,
    scatter,
    take_pixels,
    take_planes,
)
from livekm.core.kernels.compiler import exact_jit, fetch, scratch
from livekm.core.kernels.hysteresis import differ, stick
from livekm.core.kernels.nearest import GROUP, ROUNDING, find_candidates, read, search

_COLORS, _FEATURES = 3 * BLOCK, 5 * BLOCK
_MOST = 256  # centers
_CHOSEN = _MOST + GROUP

_F = np.float32
_I = np.int64
_U = np.uint64
_ZERO = np.float32(0)
_LINE = 64  # bytes of memory that come at once


@exact_jit
def label_blocks(
    first,
    last,
    frame,
    plane,
    height,
    width,
    spacing,
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
    frame : (3 * height * width,) uint8 or int16
        The colour features.
    plane : int or None
        Elements from one plane of features to the next; None, for which a kernel of its own is
        compiled, where those of a pixel lie together.
    height, width : int
        Size of the frame in pixels.
    spacing : float32 or None
        Spatial features from one pixel to the next; None, for which a kernel of its own is
        compiled, where a pixel's place does not count.
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
    is_sticky = slack.shape[0] > 0
    colors = scratch(_COLORS, frame.dtype)
    x = scratch(_FEATURES, np.float32)
    best = scratch(BLOCK, np.float32)
    index = scratch(BLOCK, np.int32)
    nearest = scratch(BLOCK, np.uint8)
    before = scratch(BLOCK, np.uint8)
    likely = scratch(BLOCK, np.uint8)
    old_scores = scratch(BLOCK, np.float32)
    excess = scratch(_MOST, np.float32)
    chosen = scratch(_CHOSEN, np.int64)
    lost = scratch(_MOST, np.int64)
    low, high, sums = scratch(5, np.float32), scratch(5, np.float32), scratch(3, np.int64)
    margin = _ZERO
    for j in range(k):
        lost[j] = 0
        rounding = _F(ROUNDING) * biases[j]
        margin = rounding if rounding > margin else margin
    most = _ZERO
    for i in range(slack.shape[0]):
        for j in range(k):
            most = slack[i, j] if slack[i, j] > most else most
    reach = most + margin
    half = _I(scale) // 2
    found = counts[first]
    error = _I(0)
    for top in range(first * BLOCK_ROWS, min(last * BLOCK_ROWS, height), BLOCK_ROWS):
        rows = min(BLOCK_ROWS, height - top)
        for left in range(0, width, COLUMNS):
            columns = min(COLUMNS, width - left)
            n = _U(rows * COLUMNS)
            start = top * width + left
            for r in range(rows):  # of a block two farther: memory is slower than this one takes
                ahead = start + r * width + 2 * COLUMNS
                if plane is None:
                    fetch(frame, 3 * ahead)
                    fetch(frame, 3 * ahead + _LINE)
                if is_sticky:
                    fetch(previous, ahead)
            if plane is None:
                take_pixels(frame, start, width, rows, columns, colors)
            else:
                take_planes(frame, plane, start, width, rows, columns, colors)
            if is_sticky:  # early, to avoid a store-forwarding stall
                gather(previous, start, width, rows, columns, before, 0)
                for i in range(n, _U(BLOCK)):
                    likely[i] = before[i] = nearest[i] = 0
            squares = measure(colors, n, low, high, sums)
            if spacing is not None:
                squares += locate(top, left, rows, columns, spacing, x, low, high)
            error += half * squares
            count = find_candidates(centers, biases, spacing, low, high, margin, excess, chosen)
            is_clear = count == 1 and spacing is None
            if is_clear:
                j = chosen[0]
                for i in range(n):
                    nearest[i] = np.uint8(j)
                found[j] += _I(n)
                error += _I(n) * _I(biases[j])
                for f in range(3):
                    error -= _I(centers[f, j]) * sums[f]
            differs = not is_clear or (is_sticky and differ(before, nearest, n))
            if differs:
                search(
                    colors, n, spacing, centers, biases, chosen, count, before, x, best,
                    index, old_scores,
                )  # fmt: skip
            if not is_clear:
                error += read(n, chosen, count, best, index, nearest, found)
            if is_sticky and differs:
                error += stick(
                    x, n, spacing, centers, biases, slack, most, reach, excess, before, nearest,
                    best, old_scores, likely, found, lost,
                )  # fmt: skip
            scatter(nearest, start, width, rows, columns, labels)
            lacking = rows * (COLUMNS - columns)
            if lacking > 0:  # the first pixel was repeated so often
                j = _U(nearest[0])
                own = _I(biases[j])
                for f in range(3):
                    value = _I(colors[_U(f * BLOCK)])
                    own += half * value * value - _I(centers[f, j]) * value
                if spacing is not None:
                    for f in range(3, 5):
                        value = _I(low[f])
                        own += half * value * value - _I(centers[f, j] * low[f])
                found[j] -= lacking
                error -= lacking * own
    for j in range(k):
        found[j] -= lost[j]
    errors[first] += error
