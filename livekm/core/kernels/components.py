"""Connected components of all labels at once, from the runs along the rows."""

from __future__ import annotations

import numpy as np

from livekm.core.kernels.compiler import inline_jit, jit


@jit
def count_runs(labels):
    """Return the number of runs of equal labels along the rows of (H, W) uint8 `labels`."""
    height, width = labels.shape
    n = height
    for y in range(height):
        row = labels[y]
        for x in range(1, width):
            n += row[x] != row[x - 1]
    return n


@inline_jit
def _root(parents, i):
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@jit
def link_runs(labels, runs, parents, corner):
    """Find the runs, and link those of a label that touch.

    Union-find over runs instead of pixels; the parent of a run is never behind it.

    Parameters
    ----------
    labels : (H, W) uint8
    runs : (n, 4) int32
        Is filled with row, first column, column behind the last, and label; n is `count_runs`.
    parents : (n,) int32
        Is filled with the number of the component of each run, from 0.
    corner : int
        1 if pixels touch at corners too, 0 if only at sides.

    Returns
    -------
    n_components : int
    """
    height, width = labels.shape
    before, first, n = 0, 0, 0
    for y in range(height):
        row = labels[y]
        before, first = first, n
        start = 0
        for x in range(1, width + 1):
            if x == width or row[x] != row[start]:
                runs[n, 0], runs[n, 1], runs[n, 2], runs[n, 3] = y, start, x, row[start]
                parents[n] = n
                n += 1
                start = x
        above = before
        for i in range(first, n):
            while above < first and runs[above, 2] + corner <= runs[i, 1]:
                above += 1
            other = above
            while other < first and runs[other, 1] < runs[i, 2] + corner:
                if runs[other, 3] == runs[i, 3]:
                    a, b = _root(parents, other), _root(parents, i)
                    parents[max(a, b)] = min(a, b)
                other += 1
    n_components = 0
    for i in range(n):
        if parents[i] == i:
            parents[i] = n_components
            n_components += 1
        else:
            parents[i] = parents[parents[i]]
    return n_components


@jit
def measure_components(runs, components, sums, boxes):
    """Add up the pixels of each component.

    Parameters
    ----------
    runs, components
        As `link_runs` fills them.
    sums : (m, 4) int64
        Label, number of pixels, and the sums of their x and y; zeros before.
    boxes : (m, 4) int64
        Least x and y, and one past the greatest; ``(W, H, 0, 0)`` before.
    """
    for i in range(len(runs)):
        y, start, end = runs[i, 0], runs[i, 1], runs[i, 2]
        j = components[i]
        n = np.int64(end - start)
        sums[j, 0] = runs[i, 3]
        sums[j, 1] += n
        sums[j, 2] += n * (start + end - 1) // 2
        sums[j, 3] += n * y
        boxes[j, 0] = min(boxes[j, 0], start)
        boxes[j, 1] = min(boxes[j, 1], y)
        boxes[j, 2] = max(boxes[j, 2], end)
        boxes[j, 3] = y + 1


@jit
def paint_components(runs, components, numbers, image):
    """Write ``numbers[j]``, int32, to the pixels of component j of an (H, W) int32 image."""
    for i in range(len(runs)):
        number = numbers[components[i]]
        for x in range(runs[i, 1], runs[i, 2]):
            image[runs[i, 0], x] = number
