"""Slow, obvious references for the kernels that find regions."""

from __future__ import annotations

import heapq

import cv2
import numpy as np

SIDES = ((-1, 0), (1, 0), (0, -1), (0, 1))


def edges(planes, reach, full):
    """(H, W) uint8 strengths, from distances across each pixel in four directions."""
    planes = planes.astype(np.float64)
    _, height, width = planes.shape
    slant = max(1, int(0.7 * reach + 0.5))
    strengths = np.empty((height, width))
    for y, x in np.ndindex(height, width):

        def at(dy, dx, y=y, x=x):
            return planes[:, min(max(y + dy, 0), height - 1), min(max(x + dx, 0), width - 1)]

        strengths[y, x] = max(
            np.linalg.norm(at(dy, dx) - at(-dy, -dx))
            for dy, dx in ((0, reach), (reach, 0), (slant, slant), (slant, -slant))
        )
    return np.floor(255 * np.minimum(strengths / full, 1) + 0.5).astype(np.uint8)


def flood(heights, labels):
    """Labels without gaps: a heap gives the lowest pixel, and of these the first."""
    labels = labels.copy()
    height, width = labels.shape
    heap = []

    def neighbors(y, x):
        for dy, dx in SIDES:
            if 0 <= y + dy < height and 0 <= x + dx < width:
                yield y + dy, x + dx

    begun = {}
    for y, x in np.argwhere(labels < 0).tolist():
        for place in neighbors(y, x):
            if labels[place] >= 0:
                begun[y, x] = labels[place]
    for place, label in begun.items():
        labels[place] = label
        heapq.heappush(heap, (heights[place], len(heap), place))
    number = len(heap)
    while heap:
        level, _, (y, x) = heapq.heappop(heap)
        for place in neighbors(y, x):
            if labels[place] < 0:
                labels[place] = labels[y, x]
                heapq.heappush(heap, (max(level, heights[place]), number, place))
                number += 1
    return labels


def _same(labels, y, x):
    """3 x 3, 1 where the label is that of the middle, which is 0 itself."""
    around = np.pad(labels, 1, constant_values=-9)[y : y + 3, x : x + 3] == labels[y, x]
    around[1, 1] = False
    return around.astype(np.uint8)


def peel(labels):
    """Cores: without the pixels beside others that no region needs to hang together."""
    cores = labels.copy()
    height, width = labels.shape
    for dy, dx in SIDES:
        for y, x in np.ndindex(height, width):
            b, a = y + dy, x + dx
            if not (0 <= b < height and 0 <= a < width) or labels[b, a] == labels[y, x]:
                continue
            if cores[y, x] < 0:
                continue
            around = _same(cores, y, x)
            _, pieces = cv2.connectedComponents(around, connectivity=4)
            beside = [(1 + v, 1 + u) for v, u in SIDES if around[1 + v, 1 + u]]
            if len({pieces[place] for place in beside}) != 1:
                continue
            if len(beside) == 1:
                other = _same(cores, y + beside[0][0] - 1, x + beside[0][1] - 1)
                if sum(other[1 + v, 1 + u] for v, u in SIDES) < 3:
                    continue
            cores[y, x] = -1
    return cores


def borders(labels, strengths):
    """{(i, j): (length, weakest edge)} of neighbours, i < j."""
    found = {}
    height, width = labels.shape
    for y, x in np.ndindex(height, width):
        for b, a in (y, x + 1), (y + 1, x):
            if b < height and a < width and labels[b, a] != labels[y, x]:
                pair = tuple(sorted((int(labels[y, x]), int(labels[b, a]))))
                length, weakest = found.get(pair, (0, 255))
                edge = int(max(strengths[y, x], strengths[b, a]))
                found[pair] = length + 1, min(weakest, edge)
    return found


def diffuse(sizes, colors, borders, steps=4, soft=0.1):
    """Colours after the steps, with a table of all ties."""
    n = len(sizes)
    ties = np.zeros((n, n))
    for (i, j), (length, weakest) in borders.items():
        unlike = 0.5 * np.linalg.norm(colors[i] - colors[j]) + 0.5 * weakest / 255
        ties[i, j] = ties[j, i] = length * np.exp(-unlike / soft)
    ties /= 1.5 * ties.sum(axis=1, keepdims=True) + 1e-6
    for _ in range(steps):
        colors = colors + ties @ colors - ties.sum(axis=1, keepdims=True) * colors
    return colors


def merge(sizes, colors, borders, before, scale, fewest, hysteresis):
    """The regions that are left, as sets, with every cost computed anew in each step."""
    total = sum(sizes)
    parts = {i: (float(s), np.array(c), b, {i}) for i, (s, c, b) in
             enumerate(zip(sizes, colors, before, strict=True))}  # fmt: skip
    borders = {
        pair: (length, length * weakest / 255) for pair, (length, weakest) in borders.items()
    }

    def cost(pair):
        (m, a, before_a, _), (n, b, before_b, _) = parts[pair[0]], parts[pair[1]]
        length, strength = borders[pair]
        value = 0.5 * np.linalg.norm(a - b) + 0.5 * strength / length
        value *= (m * n / (m + n) / total) ** 0.35
        if before_a >= 0 and before_b >= 0:
            value = value / hysteresis if before_a == before_b else value * hysteresis
        return value

    while len(parts) > fewest and borders:
        pair = min(borders, key=cost)
        if cost(pair) > scale:
            break
        (m, a, before_a, mine), (n, b, before_b, others) = parts[pair[0]], parts.pop(pair[1])
        was = before_b if n > m else before_a
        parts[pair[0]] = m + n, (m * a + n * b) / (m + n), was, mine | others
        moved = {}
        for ends, (length, strength) in borders.items():
            new = tuple(sorted(pair[0] if end == pair[1] else end for end in ends))
            if new[0] != new[1]:
                sums = moved.get(new, (0, 0.0))
                moved[new] = sums[0] + length, sums[1] + strength
        borders = moved
    return {frozenset(part[3]) for part in parts.values()}
