"""Labels without speckles."""

from __future__ import annotations

import numpy as np

from livekm.core.kernels.compiler import WORD, differences, inline_jit, jit, scratch, trailing_zeros

_BLOCK = 512  # pixels of a row that are done at once
_ROW = _BLOCK + 2
_PADDED = 3 * _ROW
_ENOUGH = np.uint8(4)  # of eight neighbours that have a pixel's own label: no other has five

_U = np.uint64
_OWN = np.uint64(_ROW + 1)


@inline_jit
def _pad(labels, above, here, below, left, n, width, padded):
    """Copy three rows from column `left` on, with a column more on each side, into `padded`."""
    for row in range(3):
        source = above if row == 0 else here if row == 1 else below
        target = _U(row * _ROW)
        padded[target] = labels[source + _U(max(left - 1, 0))]
        for i in range(_U(n)):
            padded[target + _U(1) + i] = labels[source + _U(left) + i]
        padded[target + _U(n + 1)] = labels[source + _U(min(left + n, width - 1))]


@inline_jit
def _count_alike(padded, n, alike):
    """Write how many of a pixel's eight neighbours have its label; from four on, four."""
    for i in range(_U(n)):
        alike[i] = 0
    for q in range(9):
        if q != 4:  # the pixel itself
            offset = _U(q // 3 * _ROW + q % 3)
            for i in range(_U(n)):
                same = padded[offset + i] == padded[_OWN + i]
                alike[i] = np.uint8(alike[i] + np.uint8(same))
    for i in range(_U(n)):
        alike[i] = _ENOUGH if alike[i] > _ENOUGH else alike[i]


@inline_jit
def _majority(padded, i):
    """Return the label that most of a pixel's neighbours have, and how many have it.

    Boyer and Moore's vote finds the one label that can have a majority; a count proves it.
    """
    a, b, c = i, i + _U(_ROW), i + _U(2 * _ROW)
    votes = (
        padded[a],
        padded[a + _U(1)],
        padded[a + _U(2)],
        padded[b],
        padded[b + _U(2)],
        padded[c],
        padded[c + _U(1)],
        padded[c + _U(2)],
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
def half_distance(frame, plane, p, r, c, spacing, centers, j):
    """Half the squared distance of pixel p, in row r and column c, to center j."""
    total = 0.0
    for f in range(3):
        if plane is None:
            value = np.float64(frame[_U(3) * p + _U(f)])
        else:
            value = np.float64(frame[_U(f * plane) + p])
        difference = value - np.float64(centers[f, j])
        total += difference * difference
    x = np.rint(np.float32(c) * spacing) - centers[3, j]
    y = np.rint(np.float32(r) * spacing) - centers[4, j]
    return 0.5 * (total + np.float64(x * x + y * y))


@jit
def smooth_labels(
    first, last, frame, plane, height, width, spacing, centers, scale,
    labels, smoothed, counts, errors,
):  # fmt: skip
    """Give each pixel of the rows from `first` up to `last` the label of most of its neighbours.

    A pixel keeps its label unless at least five of its eight neighbours share another one: speckles
    go, straight edges stay. Beyond the border of the image, its pixels are repeated. A pixel whose
    label is k or more does not count: it keeps it, and has no vote.

    Parameters
    ----------
    frame, plane, height, width, spacing, centers, scale
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
    k = centers.shape[1]
    padded = scratch(_PADDED, np.uint8)
    alike, enough = scratch(_BLOCK, np.uint8), scratch(_BLOCK, np.uint8)
    for i in range(_U(_BLOCK)):
        alike[i] = enough[i] = _ENOUGH
    for r in range(first, last):
        above = _U(max(r - 1, 0) * width)
        here = _U(r * width)
        below = _U(min(r + 1, height - 1) * width)
        for left in range(0, width, _BLOCK):
            n = min(_BLOCK, width - left)
            _pad(labels, above, here, below, left, n, width, padded)
            for i in range(_U(n)):
                smoothed[here + _U(left) + i] = padded[_OWN + i]
            _count_alike(padded, n, alike)
            for i in range(_U(n), _U(_BLOCK)):
                alike[i] = _ENOUGH
            for start in range(0, n, WORD):
                lonely = differences(alike, enough, start)
                while lonely != _U(0):
                    i = _U(start) + trailing_zeros(lonely)
                    lonely &= lonely - _U(1)
                    winner, votes = _majority(padded, i)
                    own = padded[_OWN + i]
                    if votes >= 5 and winner < k and own < k:
                        c = _U(left) + i
                        p = here + c
                        smoothed[p] = winner
                        counts[first, own] -= 1
                        counts[first, winner] += 1
                        after = half_distance(frame, plane, p, r, c, spacing, centers, winner)
                        before = half_distance(frame, plane, p, r, c, spacing, centers, own)
                        errors[first] += np.int64((after - before) * scale)
