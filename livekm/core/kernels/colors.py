"""How often each colour occurs."""

from __future__ import annotations

import numpy as np

from livekm.core.kernels.compiler import jit

_U = np.uint64
_1, _2, _3 = np.uint64(1), np.uint64(2), np.uint64(3)


@jit
def count_colors(pixels, spread, numbers):
    """Add the pixels of each colour to its number.

    Parameters
    ----------
    pixels : (3 n,) uint8
    spread : (256,) uint32
        Each bit of a level three places apart: a colour's number interleaves those of its levels.
    numbers : (2**24,) uint32
        Written.
    """
    for p in range(_U(pixels.size) // _3):
        b, g, r = pixels[_3 * p], pixels[_3 * p + _1], pixels[_3 * p + _2]
        code = _U(spread[b]) | _U(spread[g]) << _1 | _U(spread[r]) << _2
        numbers[code] += np.uint32(1)
