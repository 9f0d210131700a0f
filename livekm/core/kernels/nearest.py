"""The nearest center of each pixel of a block, found among those that the block's box leaves.

A block's box in feature space tells which centers can be nearest to any of its pixels (the
filtering of Kanungo et al., "An efficient k-means clustering algorithm", PAMI 2002, with the block
in the place of a kd-tree's cell); only those are compared pixel by pixel. Neighbouring pixels are
alike, so that of many centers few are left.
"""

from __future__ import annotations

import numpy as np

from livekm.core.kernels.blocks import BLOCK, P1, P2, P3, P4
from livekm.core.kernels.compiler import inline_exact_jit

ROUNDING = 1e-5
"""Above what is rounded of the difference of two scores, in parts of the largest."""

GROUP = 4  # centers that are compared in one go: a pixel is loaded once for all of them

_F = np.float32
_I = np.int64
_U = np.uint64
_ZERO, _HALF = np.float32(0), np.float32(0.5)


@inline_exact_jit
def _far_corner(difference, low, high):
    return difference * (high if difference > _ZERO else low)


@inline_exact_jit
def find_candidates(centers, biases, spacing, low, high, margin, excess, chosen):
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
    if spacing is not None:
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
    if spacing is not None:
        for f in range(3, 5):
            for j in range(k):
                excess[j] -= _far_corner(centers[f, j] - centers[f, star], low[f], high[f])
    count = 0
    for j in range(k):
        chosen[count] = j
        count += excess[j] <= margin
    return count


@inline_exact_jit
def _compare_colors(x, n, centers, biases, chosen, at, before, best, index, old_scores):
    """Let the four chosen centers from `at` on compete for each pixel of a block.

    If one of them is the center that a pixel had before, note its score.
    """
    i0, i1, i2, i3 = chosen[at], chosen[at + 1], chosen[at + 2], chosen[at + 3]
    a0, a1, a2, a = centers[0, i0], centers[1, i0], centers[2, i0], biases[i0]
    b0, b1, b2, b = centers[0, i1], centers[1, i1], centers[2, i1], biases[i1]
    c0, c1, c2, c = centers[0, i2], centers[1, i2], centers[2, i2], biases[i2]
    d0, d1, d2, d = centers[0, i3], centers[1, i3], centers[2, i3], biases[i3]
    j0, j1, j2, j3 = np.int32(i0), np.int32(i1), np.int32(i2), np.int32(i3)
    for i in range(n):
        u, v, w = x[i], x[P1 + i], x[P2 + i]
        least, label, own, was = best[i], index[i], old_scores[i], np.int32(before[i])
        score = a - a0 * u - a1 * v - a2 * w
        own = score if was == j0 else own
        label = j0 if score < least else label
        least = score if score < least else least
        score = b - b0 * u - b1 * v - b2 * w
        own = score if was == j1 else own
        label = j1 if score < least else label
        least = score if score < least else least
        score = c - c0 * u - c1 * v - c2 * w
        own = score if was == j2 else own
        label = j2 if score < least else label
        least = score if score < least else least
        score = d - d0 * u - d1 * v - d2 * w
        own = score if was == j3 else own
        label = j3 if score < least else label
        least = score if score < least else least
        best[i], index[i], old_scores[i] = least, label, own


@inline_exact_jit
def _compare_places(x, n, centers, biases, j, best, index):
    """Let one center compete for each pixel of a block, by colour and place."""
    c0, c1, c2, c3, c4 = centers[0, j], centers[1, j], centers[2, j], centers[3, j], centers[4, j]
    bias, own = biases[j], np.int32(j)
    for i in range(n):
        color = c0 * x[i] + c1 * x[P1 + i] + c2 * x[P2 + i]
        score = bias - color - (c3 * x[P3 + i] + c4 * x[P4 + i])
        least, label = best[i], index[i]
        # Adding nothing keeps every store. Stores of only what changes, which compilers make of
        # this otherwise, take ten times as long on processors without AVX-512.
        index[i] = label + (own - label) * np.int32(score < least)
        best[i] = (score if score < least else least) + _ZERO


@inline_exact_jit
def search(
    colors, n, spacing, centers, biases, chosen, count, before, x, best, index, old_scores,
):  # fmt: skip
    """Find each pixel's nearest center among those chosen.

    Also write the score of the center that each pixel had `before`, -inf where that is not among
    those chosen, or where places count: what labels that stick ask for.
    """
    for f in range(3):
        base = _U(f * BLOCK)
        for i in range(n):
            x[base + i] = _F(colors[base + i])
    for i in range(n):
        best[i] = _F(np.inf)
        index[i] = 0
        old_scores[i] = -_F(np.inf)
    if spacing is not None:
        for q in range(count):
            _compare_places(x, n, centers, biases, chosen[q], best, index)
    else:
        for q in range(count, count + GROUP - 1):  # the last one again, which changes nothing
            chosen[q] = chosen[count - 1]
        for q in range(0, count, GROUP):
            _compare_colors(x, n, centers, biases, chosen, q, before, best, index, old_scores)


@inline_exact_jit
def read(n, chosen, count, best, index, nearest, found):
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
