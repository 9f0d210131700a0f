"""Lloyd's assignment of many points that lie in cells of near ones, and never leave them.

The filtering algorithm of Kanungo et al., "An efficient k-means clustering algorithm" (PAMI 2002),
with two levels of cells in the place of a kd-tree: what a cell's box leaves of all centers is
narrowed by the boxes of the smaller cells in it, and what these leave is compared point by point.
Most cells are left one center. Sums change only by the points that change their cluster.
"""

from __future__ import annotations

import numpy as np

from livekm.core.kernels.compiler import WORD, differences, inline_jit, jit, scratch
from livekm.core.kernels.compiler import trailing_zeros as lowest

CELL = WORD  # points
CELLS = 16  # small cells in a large one

MOST = 256  # centers
ALL = 5 * MOST  # coordinates of centers
LEFT = MOST + 1  # one more, since each is written before it is known to be left

_F = np.float32
_I = np.int64
_U = np.uint64
_0, _1, _2 = np.uint64(0), np.uint64(1), np.uint64(2)
_P1, _P2 = np.uint64(MOST), np.uint64(2 * MOST)


@inline_jit
def narrow(places, biases, count, low, high, cell, margin, excess, left):
    """Write which of `count` centers a cell's box leaves into `left`, in order; count them.

    A center is out when another, the nearest to the middle of the box, has the lower score at every
    corner. `margin` is above the rounding of that difference.
    """
    n = _U(count)
    for j in range(n):
        excess[j] = biases[j]
    for f in range(low.shape[0]):
        middle, base = _F(0.5) * (low[f, cell] + high[f, cell]), _U(f * MOST)
        for j in range(n):
            excess[j] -= places[base + j] * middle
    least = excess[0]
    for j in range(n):
        score = excess[j]
        least = score if score < least else least
    star = _0
    while excess[star] > least:
        star += _1
    limit = least + margin
    for f in range(low.shape[0]):
        half, base = _F(0.5) * (high[f, cell] - low[f, cell]), _U(f * MOST)
        own = places[base + star]
        for j in range(n):
            excess[j] -= abs(places[base + j] - own) * half
    found = _0
    for j in range(n):
        left[found] = _I(j)
        found += _U(excess[j] <= limit)
    return found


@inline_jit
def take(places, biases, labels, left, count, d, chosen, chosen_biases, chosen_labels):
    """Copy the centers that are left, so that they lie together."""
    for q in range(_U(count)):
        j = _U(left[q])
        for f in range(d):
            chosen[_U(f * MOST) + q] = places[_U(f * MOST) + j]
        chosen_biases[q] = biases[j]
        chosen_labels[q] = labels[j]


@inline_jit
def compare(points, start, places, biases, labels, left, count, best, nearest):
    """Write the nearest of the centers that are left for each point of a cell."""
    d = points.shape[0]
    scores = scratch(CELL, np.float32)
    for i in range(_U(CELL)):
        best[i] = _F(np.inf)
    for q in range(_U(count)):
        j = _U(left[q])
        bias, a, b, c = biases[j], places[j], places[_P1 + j], places[_P2 + j]
        for i in range(_U(CELL)):
            p = start + i
            scores[i] = bias - a * points[_0, p] - b * points[_1, p] - c * points[_2, p]
        for f in range(3, d):
            a = places[_U(f * MOST) + j]
            for i in range(_U(CELL)):
                scores[i] -= a * points[_U(f), start + i]
        label = np.uint8(labels[j])
        for i in range(_U(CELL)):
            score, least, old = scores[i], best[i], nearest[i]
            nearest[i] = label if score < least else old
            best[i] = score if score < least else least


@inline_jit
def _note(points, weights, start, nearest, before, labels, sums):
    """Take points that change their cluster from one sum to the other."""
    d = points.shape[0]
    for i in range(_U(CELL)):
        before[i] = labels[start + i]
    changed = differences(before, nearest, 0)
    while changed != _0:
        i = lowest(changed)
        changed &= changed - _1
        p, old, new = start + i, _U(before[i]), _U(nearest[i])
        labels[p] = nearest[i]
        weight = np.float64(weights[p])
        for f in range(d):
            value = weight * np.float64(points[_U(f), p])
            sums[old, f] -= value
            sums[new, f] += value
        sums[old, d] -= weight
        sums[new, d] += weight


@jit
def assign_cells(
    first, last, points, weights, low, high, large_low, large_high, centers, biases, margin,
    labels, only, sums,
):  # fmt: skip
    """Label the points of the parts from `first` up to `last` with their nearest centers.

    The large cells are shared out among as many parts as there are rows of `sums`. Of centers as
    near the lower label wins, as float32 tells.

    Parameters
    ----------
    points : (d, n) float32
        Whole numbers; n is a multiple of `CELL`, d is 3 to 5.
    weights : (n,) uint32
        How often each point counts.
    low, high : (d, cells) float32
        The boxes of every `CELL` points,
    large_low, large_high : (d, large cells) float32
        and of every `CELLS` of these.
    centers : (d, k) float32
    biases : (k,) float32
        |c|^2 / 2 of each center.
    margin : float32
        Above the rounding of the difference of two scores.
    labels : (n,) uint8
        As they were; written.
    only : (cells,) int16
        The label that all points of a cell have, -1 where it is not known; written.
    sums : (parts, k, d + 1) float64
        Sum and number of the points of each label, kept up to date.
    """
    d, k = centers.shape
    places, chosen = scratch(ALL, np.float32), scratch(ALL, np.float32)
    chosen_biases, excess = scratch(MOST, np.float32), scratch(MOST, np.float32)
    names, chosen_names = scratch(MOST, np.int64), scratch(MOST, np.int64)
    left, best = scratch(LEFT, np.int64), scratch(CELL, np.float32)
    nearest, before = scratch(CELL, np.uint8), scratch(CELL, np.uint8)
    for j in range(_U(k)):
        names[j] = _I(j)
        for f in range(d):
            places[_U(f * MOST) + j] = centers[_U(f), j]
    cells, large, parts = low.shape[1], large_low.shape[1], sums.shape[0]
    for part in range(first, last):
        for outer in range(large * part // parts, large * (part + 1) // parts):
            count = narrow(places, biases, k, large_low, large_high, outer, margin, excess, left)
            take(places, biases, names, left, count, d, chosen, chosen_biases, chosen_names)
            for cell in range(outer * CELLS, min(outer * CELLS + CELLS, cells)):
                found = narrow(chosen, chosen_biases, count, low, high, cell, margin, excess, left)
                start, label = _U(cell * CELL), np.int16(chosen_names[left[0]])
                if found == _1 and only[cell] == label:
                    continue
                if found == _1:
                    only[cell] = label
                    for i in range(_U(CELL)):
                        nearest[i] = np.uint8(label)
                else:
                    only[cell] = np.int16(-1)
                    compare(
                        points, start, chosen, chosen_biases, chosen_names, left, found, best,
                        nearest,
                    )  # fmt: skip
                _note(points, weights, start, nearest, before, labels, sums[part])
