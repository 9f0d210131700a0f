"""The number of each colour.

A colour's number interleaves the bits of its levels (Morton, "A computer oriented geodetic data
base", IBM, 1966): the colours of a cube whose side is a power of two are neighbours.
"""

from __future__ import annotations

import numpy as np

from livekm.core.kernels.compiler import MOVED, inline_jit, jit, part, scratch

_LEVELS = 3 * MOVED

_S = np.uint32
_U = np.uint64
_1, _2, _3 = np.uint64(1), np.uint64(2), np.uint64(3)


@inline_jit
def _spread(level):
    """Return the bits of a level three places apart."""
    bits = _S(level)
    bits = (bits | bits << _S(8)) & _S(0x00F00F)
    bits = (bits | bits << _S(4)) & _S(0x0C30C3)
    return (bits | bits << _S(2)) & _S(0x249249)


@inline_jit
def _number(b, g, r):
    return _spread(b) | _spread(g) << _S(1) | _spread(r) << _S(2)


@inline_jit
def number_of(pixels, p):
    """Return the number of the colour of one of (3 n,) uint8 BGR pixels."""
    at = _3 * _U(p)
    return _number(pixels[at], pixels[at + _1], pixels[at + _2])


@inline_jit
def numbers_of(pixels, p, numbers, offset):
    """Write the numbers of `MOVED` pixels, from one on, from an offset on."""
    levels = scratch(_LEVELS, np.uint8)
    part(pixels, 3 * p, levels, 0, MOVED)
    for i in range(_U(MOVED)):
        b, g, r = levels[i], levels[_U(MOVED) + i], levels[_U(2 * MOVED) + i]
        numbers[_U(offset) + i] = _number(b, g, r)


@jit
def number_colors(pixels, numbers):
    """Write the number of each pixel's colour.

    Parameters
    ----------
    pixels : (3 n,) uint8
        BGR.
    numbers : (n,) uint32
        Written.
    """
    n, p = numbers.size, 0
    while p + MOVED <= n:
        numbers_of(pixels, p, numbers, p)
        p += MOVED
    for q in range(_U(p), _U(n)):
        numbers[q] = number_of(pixels, q)
