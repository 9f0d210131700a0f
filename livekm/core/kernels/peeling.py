"""Regions without the pixels along their borders, but still in one piece."""

from __future__ import annotations

from livekm.core.kernels.compiler import inline_jit, jit


@inline_jit
def _is(labels, y, x, label):
    """Return 1 where a place is inside and has this label, 0 elsewhere."""
    height, width = labels.shape
    inside = 0 <= y < height and 0 <= x < width
    return 1 if inside and labels[y, x] == label else 0


@inline_jit
def _sides(labels, y, x):
    """Return how many of the four neighbours have the same label."""
    own, sides = labels[y, x], 0
    for side in range(4):
        sides += _is(labels, y - (side == 0) + (side == 1), x - (side == 2) + (side == 3), own)
    return sides


@inline_jit
def _can_go(labels, y, x):
    """Return whether a region stays in one piece, and as long as it is, without a pixel.

    In one piece: Yokoi's number of connections, for pixels that hang together at their sides, is 1
    (Yokoi, Toriwaki and Fukumura 1975). As long: the pixel is not the end of a line.
    """
    own = labels[y, x]
    east, north = _is(labels, y, x + 1, own), _is(labels, y - 1, x, own)
    west, south = _is(labels, y, x - 1, own), _is(labels, y + 1, x, own)
    connections = (
        east * (1 - north * _is(labels, y - 1, x + 1, own))
        + north * (1 - west * _is(labels, y - 1, x - 1, own))
        + west * (1 - south * _is(labels, y + 1, x - 1, own))
        + south * (1 - east * _is(labels, y + 1, x + 1, own))
    )
    if connections != 1:
        return False
    if east + north + west + south > 1:
        return True
    return _sides(labels, y + south - north, x + east - west) > 2  # a bump, not a line


@jit
def peel(places, labels, cores):
    """Take the label from pixels beside others, where their region stays in one piece without.

    One side after the other, as thinning does: pixels below others first, then those above, to
    the right, and to the left.

    Parameters
    ----------
    places : (p,) int64
        Pixels, numbered row by row.
    labels : (H, W) int32
        Regions that are connected at sides, from 0.
    cores : (H, W) int32
        A copy; becomes -1.
    """
    height, width = labels.shape
    for side in range(4):
        for i in range(len(places)):
            y = places[i] // width
            x = places[i] - y * width
            b = y - (side == 0) + (side == 1)
            a = x - (side == 2) + (side == 3)
            inside = 0 <= b < height and 0 <= a < width
            if (
                inside
                and labels[b, a] != labels[y, x]
                and cores[y, x] >= 0
                and _can_go(cores, y, x)
            ):
                cores[y, x] = -1
