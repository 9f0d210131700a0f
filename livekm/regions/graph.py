"""The graph of neighbouring regions: sizes, colours and borders, and how colours spread on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from livekm.regions.pictures import LAB_UNITS

_WEIGHTS = np.array([0.7, 1.0, 1.0]) / (50.0 * LAB_UNITS)  # of L*, a* and b*
_HIGH, _LOW = 8, 32  # bits of a key below the higher and the lower label, of 24 bits each
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


def find_borders(
    labels: npt.NDArray[np.int32], strengths: npt.NDArray[np.uint8] | None = None
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Return the pairs of neighbours, the lengths of their borders, and the weakest edges there.

    An edge between two pixels is as strong as the stronger of them. The strength of a border is
    that of its weakest place, as in a flooding it would be the pass (Najman and Schmitt 1996).
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
    starts = np.flatnonzero(np.diff(key >> _HIGH, prepend=-1))
    found, lengths = key[starts], np.diff(starts, append=len(key))
    pairs = np.stack([found >> _LOW, found >> _HIGH & 0xFFFFFF], axis=1).astype(np.int32)
    return pairs, lengths, (found & 0xFF).astype(np.uint8)


def build_graph(
    labels: npt.NDArray[np.int32],
    planes: npt.NDArray[np.int16],
    strengths: npt.NDArray[np.uint8],
) -> Graph:
    """Measure the regions 0 to n - 1 of (H, W) `labels`, all of which have pixels."""
    flat = labels.reshape(-1)
    sizes = np.bincount(flat).astype(np.float64)
    sums = [np.bincount(flat, plane.reshape(-1)) for plane in planes]
    colors = np.stack(sums, axis=1) / sizes[:, np.newaxis] * _WEIGHTS
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
