"""Frame-sized arrays that are used again when nobody holds them any more."""

from __future__ import annotations

import math
import weakref
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt


class BufferPool:
    """Gives out uninitialised arrays and takes their memory back when they are gone.

    An array from the pool belongs to its holder for as long as it, or any view of it, is
    referenced; only then is the memory given out again. So a caller may keep results as long as it
    likes, and one that keeps none causes no allocation.

    Examples
    --------
    >>> pool = BufferPool()
    >>> first = pool.take((2, 3), np.uint8)
    >>> where = first.ctypes.data
    >>> pool.take((2, 3), np.uint8).ctypes.data == where
    False
    >>> del first
    >>> pool.take((3, 2), np.uint8).ctypes.data == where
    True
    """

    _KEPT = 4  # free blocks of other sizes are let go beyond this number

    def __init__(self) -> None:
        self._lock = Lock()  # an encoder's thread paints while the next frame is segmented
        self._blocks: list[tuple[bytearray, weakref.ref[npt.NDArray[Any]]]] = []

    def __reduce__(self) -> tuple[type[BufferPool], tuple[()]]:
        """Let what holds a pool be pickled and copied: the other one begins empty."""
        return BufferPool, ()

    def take(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """Return an array of `shape` and `dtype` with arbitrary content."""
        size = max(1, math.prod(shape) * np.dtype(dtype).itemsize)
        with self._lock:
            return self._take(size, shape, dtype)

    def _take(self, size: int, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        free = [i for i, (_, holder) in enumerate(self._blocks) if holder() is None]
        fitting = next((i for i in free if len(self._blocks[i][0]) == size), None)
        if fitting is not None:
            block = self._blocks.pop(fitting)[0]
        else:
            if len(free) >= self._KEPT:
                self._blocks = [b for b in self._blocks if b[1]() is not None]
            block = bytearray(size)
        # Every view refers to this array, because it does not own its memory.
        array: npt.NDArray[Any] = np.ndarray(shape, dtype, buffer=block)
        self._blocks.append((block, weakref.ref(array)))
        return array
