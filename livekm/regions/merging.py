"""From many small regions to the few that a scale asks for."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from livekm.core.kernels import merge
from livekm.regions.graph import Graph, diffuse


def merge_regions(
    graph: Graph,
    before: npt.NDArray[np.int64],
    scale: float,
    n_regions: int | None,
    hysteresis: float,
) -> npt.NDArray[np.int64]:
    """Return the merged region, from 0 on, that each region of the graph is part of.

    Parameters
    ----------
    graph : Graph
    before : (n,) int64
        The region of the last frame that each was, or -1.
    scale : float
        The most that a merge may cost; unused where `n_regions` is given.
    n_regions : int or None
        How many are to be left.
    hysteresis : float
        How much cheaper a merge is that keeps the last frame's regions; see the kernel.
    """
    n, m = graph.sizes.shape[0], graph.pairs.shape[0]
    parents = np.empty(n, np.int64)
    merge(
        graph.sizes.copy(),
        diffuse(graph),
        graph.pairs.reshape(-1).copy(),
        graph.lengths.copy(),
        graph.strengths * graph.lengths,
        before.copy(),
        float(graph.sizes.sum()),
        scale if n_regions is None else math.inf,
        n_regions or 1,
        hysteresis,
        parents,
        np.empty(n, np.int32),
        np.empty(2 * m, np.int32),
        np.empty(n, np.int32),
        np.empty(n + 1, np.float64),
        np.empty(2 << n.bit_length(), np.int32),
        np.empty(n, np.int32),
    )
    return np.asarray(np.unique(parents, return_inverse=True)[1], np.int64)
