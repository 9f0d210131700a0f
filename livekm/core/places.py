"""Which pixels of a frame were sampled, where not all of them count."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_ENOUGH = 8  # one in so many of the pixels of both frames, for those to tell of the change


class Places(NamedTuple):
    """The sampled pixels of a frame.

    Attributes
    ----------
    size : (int, int)
        Height and width of the frame.
    pixels : (n,) intp
        Numbered row by row, in ascending order.
    """

    size: tuple[int, int]
    pixels: npt.NDArray[np.intp]


Index = npt.NDArray[np.intp] | slice
_EVERY = slice(None)


def shared(before: Places | None, after: Places | None) -> tuple[Index, Index] | None:
    """Return where the pixels that two samples share stand in each; None where too few are shared.

    None for a sample stands for all pixels of a grid.

    Examples
    --------
    >>> a, b = Places((2, 2), np.array([0, 1, 3])), Places((2, 2), np.array([1, 2, 3]))
    >>> shared(a, b)
    (array([1, 2]), array([0, 2]))
    """
    if before is None and after is None:
        return _EVERY, _EVERY
    if before is None or after is None or before.size != after.size:
        return None
    a, b = before.pixels, after.pixels
    if np.array_equal(a, b):
        return _EVERY, _EVERY
    at = np.searchsorted(b, a).clip(0, len(b) - 1)
    is_shared = b[at] == a
    if _ENOUGH * np.count_nonzero(is_shared) < max(len(a), len(b)):
        return None
    return np.flatnonzero(is_shared), at[is_shared]
