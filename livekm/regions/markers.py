"""The connected pieces of the colour labels, from which regions grow."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from livekm.core.kernels import count_runs, link_runs, measure_components, paint_components

_LEAST = 12  # pixels


def find_markers(labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    """Mark each piece that hangs together at sides by a number, if it is not too small.

    Parameters
    ----------
    labels : (H, W) uint8
        C-contiguous.

    Returns
    -------
    markers : (H, W) int32
        From 0 on, -1 where a piece is too small; there is at least one.
    """
    runs = np.empty((count_runs(labels), 4), np.int32)
    components = np.empty(len(runs), np.int32)
    n = link_runs(labels, runs, components, 0)
    sums, boxes = np.zeros((n, 4), np.int64), np.empty((n, 4), np.int64)
    measure_components(runs, components, sums, boxes)
    areas = sums[:, 1]
    large = areas >= min(_LEAST, areas.max())
    numbers = np.where(large, np.cumsum(large) - 1, -1).astype(np.int32)
    markers = np.empty(labels.shape, np.int32)
    paint_components(runs, components, numbers, markers)
    return markers
