"""Blocks of a frame, 8 rows of 32 pixels, and what is in them.

A block's rows are copied one behind the other, so that every loop is long enough to be worth its
vectors.
"""

from __future__ import annotations

import numpy as np

from livekm.core.kernels.compiler import MOVED, inline_exact_jit, move

BLOCK_ROWS = 8
COLUMNS = MOVED
BLOCK = BLOCK_ROWS * COLUMNS

# Where the second, third, ... feature of a block begins.
P1, P2, P3, P4 = (np.uint64(f * BLOCK) for f in range(1, 5))

_F = np.float32
_I = np.int64
_U = np.uint64


@inline_exact_jit
def _copy(source, start, target, offset, n):
    if n == MOVED:
        move(source, start, target, offset)
    else:
        for i in range(_U(n)):
            target[_U(offset) + i] = source[_U(start) + i]


@inline_exact_jit
def gather(frame, start, width, rows, columns, block, offset):
    """Copy a block's rows out of a plane, one behind the other."""
    for r in range(rows):
        _copy(frame, start + r * width, block, offset + r * columns, columns)


@inline_exact_jit
def scatter(block, start, width, rows, columns, frame):
    """Copy a block's rows into a plane."""
    for r in range(rows):
        _copy(block, r * columns, frame, start + r * width, columns)


@inline_exact_jit
def measure(colors, n_colors, n, low, high, sums):
    """Write the box and the sums of a block's colours; return the sum of their squares."""
    squares = _I(0)
    for f in range(n_colors):
        base = _U(f * BLOCK)
        lowest = colors[base]
        highest = lowest
        for i in range(n):
            value = colors[base + i]
            lowest = value if value < lowest else lowest
            highest = value if value > highest else highest
        total = square = np.int32(0)  # a block has few pixels, and features are below 2^11
        for i in range(n):
            whole = np.int32(colors[base + i])
            total = np.int32(total + whole)
            square = np.int32(square + np.int32(whole * whole))
        low[f], high[f] = _F(lowest), _F(highest)
        sums[f] = total
        squares += _I(square)
    return squares


@inline_exact_jit
def locate(top, left, rows, columns, spacing, x, low, high):
    """Write the spatial features of a block and their box; return the sum of their squares."""
    squares = _I(0)
    for r in range(rows):
        target = _U(r * columns)
        y = np.rint(_F(top + r) * spacing)
        for c in range(_U(columns)):
            u = np.rint((_F(left) + _F(c)) * spacing)
            x[P3 + target + c] = u
            x[P4 + target + c] = y
            squares += _I(u * u + y * y)
    low[3], high[3] = np.rint(_F(left) * spacing), np.rint(_F(left + columns - 1) * spacing)
    low[4], high[4] = np.rint(_F(top) * spacing), np.rint(_F(top + rows - 1) * spacing)
    return squares
