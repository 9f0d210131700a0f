"""What kernels need, with nothing of numba but `njit`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import config, njit

MOVED = 32
"""The number of elements that one move takes along."""

LOOKED_UP = 8
"""The number of elements that are looked up at once."""

WORD = 64
"""The number of bytes that are compared at once: one bit each of a word."""

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
EXACT: dict[str, Any] = {"fastmath": {"contract"}}

IS_COMPILED = not config.DISABLE_JIT  # type: ignore[attr-defined]
"""Whether numba compiles at all; without it, kernels are slow Python that does the same."""

_U = np.uint64


def jit(function: Callable[..., Any], **options: Any) -> Any:
    """Compile `function` without the GIL, without Python errors, and with a cache on disk.

    Kernels release the GIL so that row stripes run side by side on plain threads. There is no
    `fastmath`: the same input gives the same bytes on every machine and any number of threads.
    Where no cache folder can be written, the kernel is compiled anew in each process.
    """
    if not IS_COMPILED:
        return np.errstate(all="ignore")(function)  # integers wrap around, as compiled ones do
    try:
        return njit(function, cache=True, **OPTIONS, **options)
    except RuntimeError as error:  # numba: "cannot cache function: no locator available"
        logging.getLogger(__name__).info("%s is not cached: %s", function.__name__, error)
        return njit(function, **OPTIONS, **options)


def exact_jit(function: Callable[..., Any]) -> Any:
    """As `jit`, for kernels whose every result is exact: integers, also where they are floats.

    A product and a sum then may be done as one: where nothing is rounded, it makes no difference.
    """
    return jit(function, **EXACT)


def inline_jit(function: Callable[..., Any], **options: Any) -> Any:
    """Compile a part of a kernel, which the kernels call and Python does not."""
    return njit(function, **OPTIONS, **options)


def inline_exact_jit(function: Callable[..., Any]) -> Any:
    """As `inline_jit`, for parts of an exact kernel."""
    return inline_jit(function, **EXACT)


@inline_jit
def scratch(count, dtype):
    """Return an array of `count` elements; their content is arbitrary."""
    return np.empty(count, dtype)


@inline_jit
def move(source, start, target, offset):
    """Copy ``source[start : start + MOVED]`` to ``target[offset : offset + MOVED]``."""
    for i in range(_U(MOVED)):
        target[_U(offset) + _U(i)] = source[_U(start) + _U(i)]


@inline_jit
def part(source, start, target, offset, apart):
    """Write every third byte of ``source[start : start + 3 * MOVED]`` to ``target[offset:]``.

    Those behind them go `apart` farther, and the last ones twice as far.
    """
    for f in range(_U(3)):
        for i in range(_U(MOVED)):
            target[_U(offset) + f * _U(apart) + i] = source[_U(start) + _U(3) * i + f]


@inline_jit
def fetch(source, at):
    """Do nothing: numba has no way to ask for memory before it is needed."""


@inline_jit
def look_up(table, bytes_, start, target, offset):
    """Write what `table` says of every third byte from `start` on, `LOOKED_UP` of them."""
    for i in range(_U(LOOKED_UP)):
        target[_U(offset) + _U(i)] = table[bytes_[_U(start) + _U(3) * _U(i)]]


@inline_jit
def differences(a, b, start):
    """Return a uint64 whose bit i tells whether ``a[start + i]`` and ``b[start + i]`` differ."""
    word = _U(0)
    for i in range(_U(WORD)):
        differ = a[_U(start) + _U(i)] != b[_U(start) + _U(i)]
        word |= _U(differ) << _U(i)
    return word


@inline_jit
def trailing_zeros(word):
    """Return the place of the lowest bit that is set in a uint64 other than 0."""
    place = _U(0)
    while (word >> place) & _U(1) == _U(0):
        place += _U(1)
    return place
