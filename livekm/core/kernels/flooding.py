"""The watershed: regions grow over the lowest edges first."""

from __future__ import annotations

import numpy as np

from livekm.core.kernels.compiler import inline_jit, jit, scratch

_LEVELS = 256


@inline_jit
def _push(pixel, level, heads, tails, following):
    following[pixel] = -1
    if heads[level] < 0:
        heads[level] = pixel
    else:
        following[tails[level]] = pixel
    tails[level] = pixel


@inline_jit
def _neighbor(pixel, x, side, size, width):
    """Return the pixel at one of the four sides of one in column x, -1 outside."""
    if side == 0:
        return pixel - width if pixel >= width else -1
    if side == 1:
        return pixel + width if pixel < size - width else -1
    if side == 2:
        return pixel - 1 if x > 0 else -1
    return pixel + 1 if x < width - 1 else -1


@jit
def flood(places, heights, labels, width, following):
    """Give each pixel without a label that of the region that reaches it over the lowest edges.

    Flooding by ordered queues (Beucher and Meyer 1993, "The morphological approach to
    segmentation"), one queue for each of 256 heights, without dividing lines. Regions grow by
    pixels that share a side: one that is connected stays so.

    Parameters
    ----------
    places : (p,) int64
        The pixels without a label, numbered row by row.
    heights : (H * W,) uint8
        Of these pixels; the others are not read.
    labels : (H * W,) int32
        Below 0 at the places, where they are overwritten.
    width : int
    following : (H * W,) int32
        For the queues: arbitrary before.
    """
    size = len(labels)
    heads, tails = scratch(_LEVELS, np.int32), scratch(_LEVELS, np.int32)
    for level in range(_LEVELS):
        heads[level] = -1
    for i in range(len(places)):
        pixel = places[i]
        x = pixel % width
        following[pixel] = -1
        for side in range(4):
            other = _neighbor(pixel, x, side, size, width)
            if other >= 0 and labels[other] >= 0:
                following[pixel] = labels[other]
    for i in range(len(places)):
        pixel = places[i]
        if following[pixel] >= 0:
            labels[pixel] = following[pixel]
            _push(pixel, heights[pixel], heads, tails, following)
    level = 0
    while level < _LEVELS:
        pixel = np.int64(heads[level])
        if pixel < 0:
            level += 1
            continue
        heads[level] = following[pixel]
        x = pixel % width
        for side in range(4):
            other = _neighbor(pixel, x, side, size, width)
            if other >= 0 and labels[other] < 0:
                labels[other] = labels[pixel]
                _push(other, max(level, np.int64(heights[other])), heads, tails, following)
