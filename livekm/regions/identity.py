"""Which region of a frame is which of the frame before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """How many pixels regions of two frames have in common, largest first.

    Attributes
    ----------
    now, before : (p,) int64
        The regions.
    pixels : (p,) int64
        In common, at least one.
    """

    now: npt.NDArray[np.int64]
    before: npt.NDArray[np.int64]
    pixels: npt.NDArray[np.int64]

    def among(
        self, now: npt.NDArray[np.float64], before: npt.NDArray[np.float64], limit: float
    ) -> Overlap:
        """Return the overlap of the regions whose colours, (n, 3) and (m, 3), are this near."""
        near = np.linalg.norm(now[self.now] - before[self.before], axis=1) <= limit
        return Overlap(self.now[near], self.before[near], self.pixels[near])

    def merged(self, numbers: npt.NDArray[np.int64]) -> Overlap:
        """Return the overlap of what the regions of now have become part of."""
        return _sort(numbers[self.now], self.before, self.pixels)


def measure_overlap(now: npt.NDArray[np.int32], before: npt.NDArray[np.int32]) -> Overlap:
    """Count the pixels of each pair of regions of two label images of one shape.

    Pixels with a label below 0 in either are left out.
    """
    here = (now >= 0) & (before >= 0)
    return _sort(now[here].astype(np.int64), before[here])


def _sort(
    now: npt.NDArray[np.int64],
    before: npt.NDArray[np.signedinteger[Any]],
    pixels: npt.NDArray[np.int64] | None = None,
) -> Overlap:
    keys = now << 32 | before
    if pixels is None:
        pairs, counts = np.unique(keys, return_counts=True)
    else:
        pairs, inverse = np.unique(keys, return_inverse=True)
        counts = np.bincount(inverse, pixels, len(pairs)).astype(np.int64)
    order = np.argsort(-counts, kind="stable")
    return Overlap(pairs[order] >> 32, pairs[order] & 0xFFFFFFFF, counts[order])


def find_origins(overlap: Overlap, sizes: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the region of the last frame that has more than half of each region, or -1."""
    origins = np.full(len(sizes), -1, np.int64)
    most = 2 * overlap.pixels > sizes[overlap.now]
    origins[overlap.now[most]] = overlap.before[most]
    return origins


class Identities:
    """Gives ids to regions, each number to one thing for ever."""

    def __init__(self) -> None:
        self._next = 0

    def begin(self, areas: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Return a new id for each region, the lowest for the largest, given all the pixels."""
        ids = np.empty(len(areas), np.int64)
        ids[np.argsort(-areas, kind="stable")] = np.arange(self._next, self._next + len(areas))
        self._next += len(areas)
        return ids

    def follow(
        self, overlap: Overlap, ids: npt.NDArray[np.int64], areas: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.int64]:
        """Return the id of each region: the last frame's by the largest overlap, or a new one.

        Parameters
        ----------
        overlap : Overlap
            Of the regions that may be the same thing.
        ids : (m,) int64
            Of the last frame's regions.
        areas : (n,) float64
            The regions' pixels.
        """
        found = np.full(len(areas), -1, np.int64)
        taken: set[int] = set()
        for now, before in zip(overlap.now.tolist(), overlap.before.tolist(), strict=True):
            if found[now] < 0 and before not in taken:
                found[now] = ids[before]
                taken.add(before)
        new = np.flatnonzero(found < 0)
        found[new] = self.begin(areas[new])
        return found
