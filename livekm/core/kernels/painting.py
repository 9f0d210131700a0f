"""From labels to colours."""

from __future__ import annotations

import numpy as np

from livekm.core.kernels.compiler import jit

_U = np.uint64
_8 = np.uint32(8)
_16 = np.uint32(16)
_24 = np.uint32(24)


@jit
def paint_labels(first, last, labels, colors, words, tail):
    """Write the colour of each label, four pixels (three 32-bit words) at a time.

    Parameters
    ----------
    first, last : int
        Groups of four pixels.
    labels : (n,) uint8
    colors : (k,) uint32
        B | G << 8 | R << 16 of each label.
    words : (n // 4 * 3,) uint32
        The first n // 4 * 4 pixels of the image, three bytes each, on a little-endian machine.
    tail : (n % 4, 3) uint8
        The rest of the image; written with the last group.
    """
    for group in range(first, last):
        source = _U(4 * group)
        target = _U(3 * group)
        a = colors[labels[source]]
        b = colors[labels[source + _U(1)]]
        c = colors[labels[source + _U(2)]]
        d = colors[labels[source + _U(3)]]
        words[target] = a | (b << _24)
        words[target + _U(1)] = (b >> _8) | (c << _16)
        words[target + _U(2)] = (c >> _16) | (d << _8)
    if 3 * last == words.shape[0]:
        for i in range(tail.shape[0]):
            color = colors[labels[4 * last + i]]
            tail[i, 0] = color & np.uint32(255)
            tail[i, 1] = (color >> _8) & np.uint32(255)
            tail[i, 2] = color >> _16


@jit
def paint_yuv(first, last, labels, luma_of, chroma_of, y, u, v):
    """Write the luma of each label, and the mean chroma of each 2x2.

    Parameters
    ----------
    first, last : int
        Rows of chroma.
    labels : (H, W) uint8
        H and W are even.
    luma_of : (k,) uint8
    chroma_of : (k,) uint64
        U + 1/2 in the lower 32 bits and V + 1/2 in the upper ones, in 1 / 2**14 levels.
    y : (H, W) uint8
    u, v : (H // 2, W // 2) uint8
    """
    for row in range(_U(first), _U(last)):
        upper, lower = _U(2) * row, _U(2) * row + _U(1)
        for column in range(_U(labels.shape[1] // 2)):
            left, right = _U(2) * column, _U(2) * column + _U(1)
            a = labels[upper, left]
            b = labels[upper, right]
            c = labels[lower, left]
            d = labels[lower, right]
            y[upper, left] = luma_of[a]
            y[upper, right] = luma_of[b]
            y[lower, left] = luma_of[c]
            y[lower, right] = luma_of[d]
            chroma = chroma_of[a] + chroma_of[b] + chroma_of[c] + chroma_of[d]
            u[row, column] = (chroma >> _U(16)) & _U(255)
            v[row, column] = chroma >> _U(48)
