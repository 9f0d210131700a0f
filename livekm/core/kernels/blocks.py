"""Blocks of a frame, 8 rows of 32 pixels, and what is in them.

A block's rows are copied one behind the other, so that every loop is long enough to be worth its
vectors. Each row is as long as a block is wide, so that no loop has a rest to do one by one: at the
right border of the frame the block's first pixel is repeated.
"""

from __future__ import annotations

import numpy as np

from livekm.core.kernels.compiler import MOVED, inline_exact_jit, move, part

BLOCK_ROWS = 8
COLUMNS = MOVED
BLOCK = BLOCK_ROWS * COLUMNS

# Where the second, third, ... feature of a block begins.
P1, P2, P3, P4 = (np.uint64(f * BLOCK) for f in range(1, 5))

_F = np.float32
_I = np.int64
_U = np.uint64


@inline_exact_jit
def take_planes(frame, plane, start, width, rows, columns, colors):
    """Copy a block's features out of the planes of a frame."""
    for f in range(3):
        gather(frame, f * plane + start, width, rows, columns, colors, f * BLOCK)


@inline_exact_jit
def take_pixels(frame, start, width, rows, columns, colors):
    """As `take_planes`, where the features of each pixel lie together."""
    if columns < COLUMNS:
        for f in range(3):
            for i in range(rows * COLUMNS):
                colors[_U(f * BLOCK + i)] = frame[_U(3 * start + f)]
    for r in range(rows):
        source, target = 3 * (start + r * width), r * COLUMNS
        if columns == COLUMNS:
            part(frame, source, colors, target, BLOCK)
        else:
            for i in range(columns):
                for f in range(3):
                    colors[_U(f * BLOCK + target + i)] = frame[_U(source + 3 * i + f)]


@inline_exact_jit
def gather(frame, start, width, rows, columns, block, offset):
    """Copy a block's rows out of a plane, one behind the other."""
    if columns < COLUMNS:
        for i in range(rows * COLUMNS):
            block[_U(offset + i)] = frame[_U(start)]
    for r in range(rows):
        _copy(frame, start + r * width, block, offset + r * COLUMNS, columns)


@inline_exact_jit
def scatter(block, start, width, rows, columns, frame):
    """Copy a block's rows into a plane."""
    for r in range(rows):
        _copy(block, r * COLUMNS, frame, start + r * width, columns)


@inline_exact_jit
def _copy(source, start, target, offset, n):
    if n == MOVED:
        move(source, start, target, offset)
    else:
        for i in range(_U(n)):
            target[_U(offset) + i] = source[_U(start) + i]


@inline_exact_jit
def measure(colors, n, low, high, sums):
    """Write the box and the sums of a block's colours; return the sum of their squares."""
    squares = _I(0)
    for f in range(3):
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
    low[3], high[3] = np.rint(_F(left) * spacing), np.rint(_F(left + columns - 1) * spacing)
    low[4], high[4] = np.rint(_F(top) * spacing), np.rint(_F(top + rows - 1) * spacing)
    for r in range(rows):
        target = _U(r * COLUMNS)
        y = np.rint(_F(top + r) * spacing)
        for c in range(_U(COLUMNS)):
            u = np.rint((_F(left) + _F(c)) * spacing)
            u, v = (u, y) if _I(c) < columns else (low[3], low[4])
            x[P3 + target + c] = u
            x[P4 + target + c] = v
            squares += _I(u * u + v * v)
    return squares
