"""The exact nearest center of every colour there is, for frames of many pixels and many centers.

A table of all 2^24 colours costs less than comparing the centers that a block of pixels leaves,
where those are many. It is made in cubes of 4 x 4 x 4 colours, and 64 of these in a larger one, by
the filtering of `livekm.core.kernels.cells`; later, only where a center has moved. Colours stand in
the order of their numbers (`livekm.core.kernels.colors`), so that like ones share a line of memory.
"""

from __future__ import annotations

import numpy as np

from livekm.core.kernels.cells import ALL, LEFT, MOST, compare, narrow, take
from livekm.core.kernels.colors import number_of, numbers_of
from livekm.core.kernels.compiler import MOVED, exact_jit, inline_exact_jit, scratch

CUBE = 64  # colours of a small cube, and small cubes of a large one
CUBES = 2**24 // CUBE**2  # large cubes
RUN = 2**16  # pixels that are labelled and then added up, while they are in the cache
WORDS = 4  # of a set of centers

_BANKS = 4  # each takes every fourth pixel: neighbours of one label need not wait for each other
_SUMS = 2 * _BANKS * MOST

_F = np.float32
_I = np.int64
_S = np.uint32
_U = np.uint64
_0, _1, _2, _3 = np.uint64(0), np.uint64(1), np.uint64(2), np.uint64(3)
_HALF, _LOW = np.uint64(32), np.uint64(2**32 - 1)


@inline_exact_jit
def _is_as_before(left, count, moved, known, cube):
    """Note the set of centers that a cube leaves; tell if it is as before and none has moved."""
    is_same = True
    for word in range(_U(WORDS)):
        bits = _0
        for q in range(_U(count)):
            j = _U(left[q])
            bits |= _U(j >> _U(6) == word) << (j & _U(63))
        is_same = is_same and known[cube, word] == bits and bits & moved[word] == _0
        known[cube, word] = bits
    return is_same


@exact_jit
def tabulate_cubes(
    first, last, low, high, large_low, large_high, offsets, centers, biases, margin, moved, known,
    table,
):  # fmt: skip
    """Write the nearest center of each colour of the large cubes from `first` up to `last`.

    Of centers as near, the lower wins. Cubes that are left the centers they had, of which none has
    moved, stay as they are.

    Parameters
    ----------
    low, high : (3, 2**18) float32
        The boxes of small cubes,
    large_low, large_high : (3, CUBES) float32
        and of large ones.
    offsets : (3, CUBE) float32
        Each colour of a small cube, from its lowest on.
    centers : (3, k) float32
        Scaled so that every score is an integer; see `livekm.core.kernels.labeling`.
    biases : (k,) float32
    margin : float32
        Above the rounding of the difference of two scores.
    moved : (WORDS,) uint64
        A bit for each center that is not where it was.
    known : (CUBES, WORDS) uint64
        The centers that each large cube was left; 0 where it is to be made. Written.
    table : (2**24,) uint8
        Written.
    """
    k = _U(centers.shape[1])
    places, chosen = scratch(ALL, np.float32), scratch(ALL, np.float32)
    chosen_biases, excess = scratch(MOST, np.float32), scratch(MOST, np.float32)
    corner_biases, best = scratch(MOST, np.float32), scratch(CUBE, np.float32)
    names, chosen_names = scratch(MOST, np.int64), scratch(MOST, np.int64)
    left, nearest = scratch(LEFT, np.int64), scratch(CUBE, np.uint8)
    for j in range(k):
        names[j] = _I(j)
        for f in range(_3):
            places[f * _U(MOST) + j] = centers[f, j]
    for large in range(first, last):
        count = narrow(places, biases, k, large_low, large_high, large, margin, excess, left)
        if _is_as_before(left, count, moved, known, large):
            continue
        take(places, biases, names, left, count, 3, chosen, chosen_biases, chosen_names)
        for cube in range(large * CUBE, large * CUBE + CUBE):
            found = narrow(chosen, chosen_biases, count, low, high, cube, margin, excess, left)
            start = _U(cube * CUBE)
            if found == _1:
                label = np.uint8(chosen_names[left[0]])
                for i in range(_U(CUBE)):
                    table[start + i] = label
                continue
            for q in range(found):  # scores are counted from the cube's corner on: still integers
                j = _U(left[q])
                bias = chosen_biases[j]
                for f in range(_3):
                    bias -= chosen[f * _U(MOST) + j] * low[f, cube]
                corner_biases[j] = bias
            compare(offsets, _0, chosen, corner_biases, chosen_names, left, found, best, nearest)
            for i in range(_U(CUBE)):
                table[start + i] = nearest[i]


@inline_exact_jit
def _look_up(frame, start, end, table, labels):
    numbers = scratch(MOVED, np.uint32)
    p = start
    while p + MOVED <= end:
        numbers_of(frame, p, numbers, 0)
        for i in range(_U(MOVED)):
            labels[_U(p) + i] = table[_U(numbers[i])]
        p += MOVED
    for q in range(_U(p), _U(end)):
        labels[q] = table[_U(number_of(frame, q))]


@inline_exact_jit
def _stick(frame, start, end, centers, biases, slack, previous, labels):
    """Give a pixel its previous label back while it is within the slack of the bisector."""
    k = _U(centers.shape[1])
    for p in range(_U(start), _U(end)):
        new, old = _U(labels[p]), _U(previous[p])
        if new == old or old >= k:
            continue
        worse = biases[old] - biases[new]
        for f in range(_3):
            worse -= (centers[f, old] - centers[f, new]) * _F(frame[_3 * p + f])
        if worse <= slack[old, new]:
            labels[p] = np.uint8(old)


@inline_exact_jit
def _add_up(frame, start, end, labels, sums):
    """Write the number and sums of each label's pixels, two to a word; return their squares."""
    for i in range(_U(_SUMS)):
        sums[i] = _0
    squares = _I(0)
    for q in range(_3 * _U(start), _3 * _U(end)):
        level = np.int32(frame[q])
        squares += _I(level * level)
    for p in range(_U(start), _U(end)):
        at = _3 * p
        to = _2 * (_U(_BANKS) * _U(labels[p]) + p % _U(_BANKS))
        sums[to] += _1 | _U(frame[at]) << _HALF
        sums[to + _1] += _U(frame[at + _1]) | _U(frame[at + _2]) << _HALF
    return squares


@exact_jit
def look_up_labels(
    first, last, frame, scale, centers, biases, slack, previous, table, labels, counts, errors
):
    """Label the pixels of the runs from `first` up to `last`, of `RUN` pixels each, by the table.

    Parameters
    ----------
    frame : (3 n,) uint8
        The BGR pixels.
    scale, centers, biases, slack, previous, labels
        As of `livekm.core.kernels.labeling.label_blocks`.
    table : (2**24,) uint8
        The nearest center of each colour; see `tabulate_cubes`.
    counts : (runs, k) int64
        The number of pixels of each label is added to the row of their run.
    errors : (runs,) int64
        Half the sum of the squared distances times `scale` is added to it.
    """
    sums = scratch(_SUMS, np.uint64)
    for run in range(first, last):
        start, end = run * RUN, min(run * RUN + RUN, labels.shape[0])
        _look_up(frame, start, end, table, labels)
        if slack.shape[0] > 0:
            _stick(frame, start, end, centers, biases, slack, previous, labels)
        error = _I(scale) // 2 * _add_up(frame, start, end, labels, sums)
        for j in range(_U(centers.shape[1])):
            number = b = g = r = _0
            for bank in range(_U(_BANKS)):
                at = _2 * (_U(_BANKS) * j + bank)
                number += sums[at] & _LOW
                b += sums[at] >> _HALF
                g += sums[at + _1] & _LOW
                r += sums[at + _1] >> _HALF
            counts[run, j] += _I(number)
            error += _I(number) * _I(biases[j]) - _I(b) * _I(centers[0, j])
            error -= _I(g) * _I(centers[1, j]) + _I(r) * _I(centers[2, j])
        errors[run] += error
