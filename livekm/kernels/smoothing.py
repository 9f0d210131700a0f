"""Labels without speckles."""

from __future__ import annotations

import numpy as np

from livekm.kernels.policy import inline_jit, jit

_U = np.uint64


@inline_jit
def _majority(labels, above, here, below, left, column, right):
    """Return the label that most of the eight neighbours have, and how many have it.

    Boyer and Moore's vote finds the one label that can have a majority; a count proves it.
    """
    votes = (
        labels[above + left],
        labels[above + column],
        labels[above + right],
        labels[here + left],
        labels[here + right],
        labels[below + left],
        labels[below + column],
        labels[below + right],
    )
    winner = votes[0]
    lead = 0
    for vote in votes:
        if lead == 0:
            winner = vote
        lead += 1 if vote == winner else -1
    count = 0
    for vote in votes:
        count += vote == winner
    return winner, count


@inline_jit
def _half_distance(planes, area, p, r, c, step, centers, j):
    """Half the squared distance of pixel p, in row r and column c, to center j."""
    total = 0.0
    for f in range(3):
        difference = np.float64(planes[_U(f * area) + p]) - np.float64(centers[f, j])
        total += difference * difference
    x = np.rint(np.float32(c) * step) - centers[3, j]
    y = np.rint(np.float32(r) * step) - centers[4, j]
    return 0.5 * (total + np.float64(x * x + y * y))


@jit
def smooth_labels(
    first, last, planes, height, width, step, centers, scale, labels, smoothed, counts, errors
):
    """Give each pixel of the rows from `first` up to `last` the label of most of its neighbours.

    A pixel keeps its label unless at least five of its eight neighbours share another one: speckles
    go, straight edges stay. Beyond the border of the image, its pixels are repeated.

    Parameters
    ----------
    planes, height, width, step, centers, scale
        As in `label_blocks`.
    labels : (height * width,) uint8
    smoothed : (height * width,) uint8
        Written.
    counts : (height, k) int64
        What the pixels of each label change by is added to row `first`.
    errors : (height,) int64
        What half the sum of the squared distances, times `scale`, changes by is added to row
        `first`.
    """
    area = height * width
    for r in range(first, last):
        above = _U(max(r - 1, 0) * width)
        here = _U(r * width)
        below = _U(min(r + 1, height - 1) * width)
        for c in range(_U(width)):
            own = labels[here + c]
            smoothed[here + c] = own
            left = c - _U(1) if c > _U(0) else c
            right = c + _U(1) if c + _U(1) < _U(width) else c
            if (
                labels[above + c] == own
                and labels[below + c] == own
                and labels[here + left] == own
                and labels[here + right] == own
            ):
                continue
            winner, votes = _majority(labels, above, here, below, left, c, right)
            if votes >= 5 and winner != own:
                smoothed[here + c] = winner
                counts[first, own] -= 1
                counts[first, winner] += 1
                after = _half_distance(planes, area, here + c, r, c, step, centers, winner)
                before = _half_distance(planes, area, here + c, r, c, step, centers, own)
                errors[first] += np.int64((after - before) * scale)
