"""From labels to colours."""

from __future__ import annotations

import numpy as np

from livekm.kernels.policy import jit

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
