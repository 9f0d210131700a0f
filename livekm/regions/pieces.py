"""The connected pieces of the colour labels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from livekm.core.kernels import count_runs, link_runs, measure_components, paint_components

_LEAST = 12  # pixels


def find_pieces(
    labels: npt.NDArray[np.uint8], n_labels: int, least: int = 1
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Find the pieces that hang together at sides, and number them.

    Parameters
    ----------
    labels : (H, W) uint8
    n_labels : int
        Pixels with this label or a higher one belong to no piece.
    least : int
        Pixels of a piece that is not left out; of the largest, if none has as many.

    Returns
    -------
    pieces : (H, W) int32
        From 0 to n - 1, in the order of their first pixels; -1 where a piece is left out.
    areas : (n,) int64
    """
    labels = np.array(labels)  # kernels are compiled for arrays that can be written
    runs = np.empty((count_runs(labels), 4), np.int32)
    components = np.empty(len(runs), np.int32)
    n = link_runs(labels, runs, components, 0)
    sums, boxes = np.zeros((n, 4), np.int64), np.empty((n, 4), np.int64)
    measure_components(runs, components, sums, boxes)
    areas = sums[:, 1]
    is_piece = (areas >= min(least, areas.max())) & (sums[:, 0] < n_labels)
    numbers = np.where(is_piece, np.cumsum(is_piece) - 1, -1).astype(np.int32)
    pieces = np.empty(labels.shape, np.int32)
    paint_components(runs, components, numbers, pieces)
    return pieces, areas[is_piece]


def find_markers(labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    """Mark the pieces from which regions grow: those that are not too small; at least one.

    Parameters
    ----------
    labels : (H, W) uint8

    Returns
    -------
    markers : (H, W) int32
        From 0 on, -1 where a piece is too small.
    """
    return find_pieces(labels, 256, _LEAST)[0]
