"""How much the colour changes across a pixel."""

from __future__ import annotations

import numpy as np

from livekm.core.kernels.compiler import inline_jit, jit

_F = np.float32


@inline_jit
def _squared(planes, y0, x0, y1, x1):
    total = np.int64(0)
    for c in range(3):
        difference = np.int64(planes[c, y0, x0]) - np.int64(planes[c, y1, x1])
        total += difference * difference
    return total


@jit
def measure_edges(first, last, places, planes, reach, full, heights):
    """Write the strength of the edge at some pixels.

    It is the largest distance of two pixels that lie opposite each other, beside, above and below,
    or diagonally (there at 0.7 of the reach), in 255ths of `full`; places outside count as the
    nearest inside.

    Parameters
    ----------
    first, last : int
        Of the places.
    places : (p,) int64
        Pixels, numbered row by row, in rising order.
    planes : (3, H, W) int16 or uint8
    reach : int
        Pixels to either side.
    full : float32
        The distance from which on an edge is as strong as it can be.
    heights : (H, W) uint8
        Written at the places, and nowhere else.
    """
    height, width = heights.shape
    slant = max(1, (7 * reach + 5) // 10)
    y = places[first] // width if first < last else 0
    row = y * width
    for i in range(first, last):
        while places[i] >= row + width:
            y, row = y + 1, row + width
        x = places[i] - row
        left, right = max(x - reach, 0), min(x + reach, width - 1)
        up, down = max(y - reach, 0), min(y + reach, height - 1)
        a, b = max(x - slant, 0), min(x + slant, width - 1)
        rise, fall = max(y - slant, 0), min(y + slant, height - 1)
        most = max(
            max(_squared(planes, y, left, y, right), _squared(planes, up, x, down, x)),
            max(_squared(planes, rise, a, fall, b), _squared(planes, rise, b, fall, a)),
        )
        strength = np.sqrt(_F(most)) / full
        heights[y, x] = np.uint8(_F(255) * min(strength, _F(1)) + _F(0.5))
