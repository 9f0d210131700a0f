"""Which regions lie beside each other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_HIGH, _LOW = 8, 32  # bits of a key below the higher and the lower label, of 24 bits each


def find_borders(
    labels: npt.NDArray[np.int32], strengths: npt.NDArray[np.uint8] | None = None
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Return the pairs of neighbours, the lengths of their borders, and the weakest edges there.

    An edge between two pixels is as strong as the stronger of them. The strength of a border is
    that of its weakest place, as in a flooding it would be the pass (Najman and Schmitt 1996).
    Pixels with a label below 0 have no borders.
    """
    keys = []
    width = labels.shape[1]
    flat, edges = labels.reshape(-1), None if strengths is None else strengths.reshape(-1)
    for differs, row, step in (
        (labels[:, :-1] != labels[:, 1:], width - 1, 1),
        (labels[:-1] != labels[1:], width, width),
    ):
        here = np.flatnonzero(differs)
        here += here // max(row, 1) * (width - row)
        a, b = flat[here].astype(np.int64), flat[here + step]
        key = np.minimum(a, b) << _LOW | np.maximum(a, b) << _HIGH
        keys.append(key if edges is None else key | np.maximum(edges[here], edges[here + step]))
    key = np.sort(np.concatenate(keys))
    key = key[np.searchsorted(key, 0) :]
    starts = np.flatnonzero(np.diff(key >> _HIGH, prepend=-1))
    found, lengths = key[starts], np.diff(starts, append=len(key))
    pairs = np.stack([found >> _LOW, found >> _HIGH & 0xFFFFFF], axis=1).astype(np.int32)
    return pairs, lengths, (found & 0xFF).astype(np.uint8)
