"""Polygons of regions, in one line each: holes are joined to what is around them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

Path = npt.NDArray[np.int32]
"""(p, 2), x and y of the corners."""


def corner_polygon(rings: Sequence[Path]) -> Path:
    """Return the lines along the sides of the pixels as one: the even-odd rule fills the region.

    Each further ring is joined by a line there and back, between the corners that are nearest.

    Examples
    --------
    >>> square = np.array([[0, 0], [4, 0], [4, 4], [0, 4]])
    >>> corner_polygon([square, 1 + square[::-1] // 2]).tolist()
    [[0, 0], [1, 1], [1, 3], [3, 3], [3, 1], [1, 1], [0, 0], [4, 0], [4, 4], [0, 4]]
    """
    path, *others = rings
    for ring in others:
        far = np.abs(path[:, np.newaxis] - ring[np.newaxis]).sum(axis=2)
        here, there = np.unravel_index(far.argmin(), far.shape)
        path = _joined(path, int(here), ring, int(there))
    return path


def pixel_polygons(mask: npt.NDArray[np.bool_]) -> list[Path]:
    """Return the lines through the outermost pixels of a mask, one for each piece of it.

    Filled with their lines, as OpenCV and Pillow do, they are the mask: the lines to holes run
    through its pixels.

    Examples
    --------
    >>> mask = np.ones((3, 4), bool)
    >>> mask[1, 1] = False
    >>> [path.tolist() for path in pixel_polygons(mask)]
    [[[0, 0], [0, 1], [1, 0], [2, 1], [1, 2], [0, 1], [0, 2], [3, 2], [3, 0]]]
    """
    lines, tree = cv2.findContours(mask.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    parents = np.asarray(tree).reshape(-1, 4)[:, 3].tolist()
    pieces = {i: [_points(lines[i])] for i, parent in enumerate(parents) if parent < 0}
    for i, parent in enumerate(parents):
        if parent >= 0:
            pieces[parent].append(_points(lines[i]))
    return [_without_midpoints(_bridged(outer, holes, mask)) for outer, *holes in pieces.values()]


def _bridged(path: Path, holes: list[Path], mask: npt.NDArray[np.bool_]) -> Path:
    """Join each hole to what is left of it, by a line along its row."""
    for hole in sorted(holes, key=lambda points: int(points[:, 0].min())):
        there = int(hole[:, 0].argmin())
        x, y = hole[there].tolist()
        outside = np.flatnonzero(~mask[y, :x])
        left = int(outside[-1]) + 1 if len(outside) else 0
        here = int(np.flatnonzero((path == (left, y)).all(axis=1))[0])
        path = _joined(path, here, hole, there)
    return path


def _joined(path: Path, here: int, ring: Path, there: int) -> Path:
    """Go from one corner of a path around a ring and back."""
    return np.concatenate([path[: here + 1], ring[there:], ring[: there + 1], path[here:]])


def _without_midpoints(path: Path) -> Path:
    """Leave out what repeats its neighbour, or lies on a straight line between them."""
    if len(path) > 1:
        path = path[(path != np.roll(path, 1, axis=0)).any(axis=1)]
    steps = np.sign(np.diff(path, axis=0, append=path[:1]))
    turns = (steps != np.roll(steps, 1, axis=0)).any(axis=1)
    return np.asarray(path[turns] if len(path) > 2 else path)


def _points(line: npt.ArrayLike) -> Path:
    return np.asarray(line, np.int32).reshape(-1, 2)
