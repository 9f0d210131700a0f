"""Greedy merging of regions on the graph of their neighbours."""

from __future__ import annotations

import numpy as np

from livekm.core.kernels.compiler import inline_jit, jit

_NEVER = np.inf
_SIZE_POWER = 0.35


@inline_jit
def _cost(i, j, edge, sizes, colors, lengths, strengths, before, total, hysteresis):
    """Return what a merge of two regions costs; see `merge`."""
    distance = 0.0
    for c in range(colors.shape[1]):
        difference = colors[i, c] - colors[j, c]
        distance += difference * difference
    share = sizes[i] * sizes[j] / (sizes[i] + sizes[j]) / total
    border = strengths[edge] / lengths[edge]
    cost = 0.5 * (np.sqrt(distance) + border) * share**_SIZE_POWER
    if before[i] >= 0 and before[j] >= 0:
        cost = cost / hysteresis if before[i] == before[j] else cost * hysteresis
    return cost


@inline_jit
def _lift(i, costs, tree):
    """Let the tournament know of a new cost: ``tree[1]`` is the region of the least one."""
    leaves = len(tree) // 2
    node = (leaves + i) // 2
    while node > 0:
        a, b = tree[2 * node], tree[2 * node + 1]
        tree[node] = b if costs[b] < costs[a] else a
        node //= 2


@inline_jit
def _unlink(half, before, i, firsts, nexts):
    """Take a half-edge out of the list of region i; `before` is the one in front of it, or -1."""
    if before < 0:
        firsts[i] = nexts[half]
    else:
        nexts[before] = nexts[half]


@jit
def merge(
    sizes, colors, pairs, lengths, strengths, before,
    total, scale, fewest, hysteresis,
    parents, firsts, nexts, best, costs, tree, seen,
):  # fmt: skip
    """Merge neighbours, the cheapest pair first, while it costs at most `scale`.

    On the region adjacency graph, as Haris et al. (1998, "Hybrid image segmentation using
    watersheds and fast region merging") do. A merge costs half the distance of the mean colours and
    half the strength of the common border, times a factor of the two sizes: Ward's (1963),
    ``a b / (a + b)``, in parts of the picture, to the power of 0.35.

    Parameters
    ----------
    sizes : (n,) float64
        Pixels of each region. Is changed, as are all that follow up to `before`.
    colors : (n, d) float64
        Mean features.
    pairs : (2 * m,) int32
        Neighbours: 2 * e and 2 * e + 1 are the ends of edge e. Each pair is there once.
    lengths : (m,) float64
        Pixel sides that two neighbours have in common.
    strengths : (m,) float64
        The strength of the border, times its length.
    before : (n,) int64
        The region of the last frame that each of them was, or -1.
    total : float
        Pixels of the picture.
    scale : float
    fewest : int
        So many regions stay, whatever merges would cost.
    hysteresis : float
        A merge within a region of the last frame is so many times cheaper, one across its border
        dearer.
    parents : (n,) int64
        Is filled with the region that each of them is part of in the end, a root.
    firsts, best, seen : (n,) int32
    nexts : (2 * m,) int32
    costs : (n + 1,) float64
    tree : (2 * p,) int32
        Memory to work in, with arbitrary content; p is a power of two above n.
    """
    n, leaves = len(sizes), len(tree) // 2
    for i in range(n):
        parents[i], firsts[i], best[i], seen[i], costs[i] = i, -1, -1, -1, _NEVER
    costs[n] = _NEVER
    for half in range(len(pairs)):  # half-edge h leads from pairs[h ^ 1] to pairs[h]
        owner = pairs[half ^ 1]
        nexts[half] = firsts[owner]
        firsts[owner] = half
    for i in range(n):
        half = firsts[i]
        while half >= 0:
            cost = _cost(i, pairs[half], half >> 1, sizes, colors, lengths, strengths, before,
                         total, hysteresis)  # fmt: skip
            if cost < costs[i] or (cost == costs[i] and pairs[half] < best[i]):
                costs[i], best[i] = cost, pairs[half]
            half = nexts[half]
    for i in range(leaves):
        tree[leaves + i] = min(i, n)
    for node in range(leaves - 1, 0, -1):
        a, b = tree[2 * node], tree[2 * node + 1]
        tree[node] = b if costs[b] < costs[a] else a

    left = n
    while left > fewest:
        i = tree[1]
        if not costs[i] <= scale or costs[i] == _NEVER:
            break
        j = best[i]
        left -= 1
        parents[j] = i
        if sizes[j] > sizes[i]:
            before[i] = before[j]
        size = sizes[i] + sizes[j]
        for c in range(colors.shape[1]):
            colors[i, c] = (colors[i, c] * sizes[i] + colors[j, c] * sizes[j]) / size
        sizes[i] = size

        # The edges of j become those of i; where both have one, it becomes one.
        half = firsts[i]
        while half >= 0:
            seen[pairs[half]] = half
            half = nexts[half]
        half = firsts[j]
        while half >= 0:
            following, other = nexts[half], pairs[half]
            if other != i and lengths[half >> 1] > 0:
                if seen[other] >= 0:
                    edge = seen[other] >> 1
                    lengths[edge] += lengths[half >> 1]
                    strengths[edge] += strengths[half >> 1]
                    lengths[half >> 1] = 0
                else:
                    pairs[half ^ 1] = i
                    nexts[half] = firsts[i]
                    firsts[i] = half
            else:
                lengths[half >> 1] = 0
            half = following
        costs[j], best[j] = _NEVER, -1
        _lift(j, costs, tree)

        costs[i], best[i] = _NEVER, -1
        half, last = firsts[i], -1
        while half >= 0:
            other = pairs[half]
            seen[other] = -1
            if lengths[half >> 1] == 0:
                _unlink(half, last, i, firsts, nexts)
                half = nexts[half]
                continue
            cost = _cost(i, other, half >> 1, sizes, colors, lengths, strengths, before, total,
                         hysteresis)  # fmt: skip
            if cost < costs[i] or (cost == costs[i] and other < best[i]):
                costs[i], best[i] = cost, other
            if best[other] == i or best[other] == j:
                costs[other], best[other] = _NEVER, -1
                back, behind = firsts[other], -1
                while back >= 0:
                    if lengths[back >> 1] == 0:
                        _unlink(back, behind, other, firsts, nexts)
                        back = nexts[back]
                        continue
                    third = pairs[back]
                    dear = _cost(other, third, back >> 1, sizes, colors, lengths, strengths,
                                 before, total, hysteresis)  # fmt: skip
                    if dear < costs[other] or (dear == costs[other] and third < best[other]):
                        costs[other], best[other] = dear, third
                    behind, back = back, nexts[back]
                _lift(other, costs, tree)
            elif cost < costs[other] or (cost == costs[other] and i < best[other]):
                costs[other], best[other] = cost, i
                _lift(other, costs, tree)
            last, half = half, nexts[half]
        _lift(i, costs, tree)
    for i in range(n):
        root = i
        while parents[root] != root:
            root = parents[root]
        parents[i] = root
