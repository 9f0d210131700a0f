"""The graph of neighbouring regions: sizes, colours and borders, and how colours spread on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from livekm.core.borders import find_borders
from livekm.regions.pictures import LAB_UNITS

_WEIGHTS = np.array([0.7, 1.0, 1.0]) / (50.0 * LAB_UNITS)  # of L*, a* and b*
_STEPS, _SOFT = 4, 0.1  # of the diffusion; the dissimilarity at which a tie falls to 1 / e


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Regions and their borders, of which there are fewer than three for each region.

    Attributes
    ----------
    sizes : (n,) float64
        Pixels.
    colors : (n, 3) float64
        Mean L*, a* and b*, in 50 units, L* times 0.7.
    pairs : (m, 2) int32
        Neighbours at sides, the lower first; sorted.
    lengths : (m,) float64
        Pixel sides in common.
    strengths : (m,) float64
        The edge where it is weakest, from 0 to 1.
    """

    sizes: npt.NDArray[np.float64]
    colors: npt.NDArray[np.float64]
    pairs: npt.NDArray[np.int32]
    lengths: npt.NDArray[np.float64]
    strengths: npt.NDArray[np.float64]


def mean_colors(
    labels: npt.NDArray[np.int32], planes: npt.NDArray[np.int16], sizes: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return (n, 3), the mean colour of each region, as of `Graph`; 0 of one without pixels.

    Parameters
    ----------
    labels : (H, W) int32
        From 0 to n - 1, or -1.
    planes : (3, H, W) int16
    sizes : (n,) float64
        Pixels of each.
    """
    flat = labels.reshape(-1) + 1
    sums = [np.bincount(flat, plane.reshape(-1), len(sizes) + 1)[1:] for plane in planes]
    return np.asarray(np.stack(sums, axis=1) / np.maximum(sizes, 1)[:, np.newaxis] * _WEIGHTS)


def build_graph(
    labels: npt.NDArray[np.int32],
    planes: npt.NDArray[np.int16],
    strengths: npt.NDArray[np.uint8],
) -> Graph:
    """Measure the regions 0 to n - 1 of (H, W) `labels`, all of which have pixels."""
    sizes = np.bincount(labels.reshape(-1)).astype(np.float64)
    colors = mean_colors(labels, planes, sizes)
    pairs, lengths, weakest = find_borders(labels, strengths)
    return Graph(sizes, colors, pairs, lengths.astype(np.float64), weakest / 255)


def diffuse(graph: Graph) -> npt.NDArray[np.float64]:
    """Return the colours after they have spread to alike neighbours, four steps far.

    In a step two thirds of a region's colour become its neighbours', in parts of the lengths of
    the borders, less the more the colours differ and the stronger the border is: Perona and
    Malik's (1990) diffusion, which edges stop, on the graph. Texture evens out, borders stay.
    """
    n = len(graph.sizes)
    a, b = graph.pairs.T
    between = np.linalg.norm(graph.colors[a] - graph.colors[b], axis=1)
    ties = graph.lengths * np.exp(-0.5 * (between + graph.strengths) / _SOFT)
    start, end, ties = np.concatenate([a, b]), np.concatenate([b, a]), np.tile(ties, 2)
    ties /= 1.5 * np.bincount(start, ties, n)[start] + 1e-6
    colors = graph.colors
    for _ in range(_STEPS):
        flow = ties[:, np.newaxis] * (colors[end] - colors[start])
        colors = colors + np.stack([np.bincount(start, f, n) for f in flow.T], axis=1)
    return colors
