"""The outlines of regions, along the sides of their pixels."""

from __future__ import annotations

from livekm.core.kernels.compiler import inline_jit, jit


@inline_jit
def _has(labels, y, x, label):
    height, width = labels.shape
    return 0 <= y < height and 0 <= x < width and labels[y, x] == label


@jit
def trace_rings(labels, wanted, seen, corners, starts, owners):
    """Walk around each region with its pixels to the right, and note where the way turns.

    Pixels hang together at sides. So where two pixels of a region touch at a corner only, the way
    turns right there. Each ring begins at the upper left corner of a pixel whose upper neighbour is
    of another region; the first one of a connected region is the outer one.

    Parameters
    ----------
    labels : (H, W) int32
        From 0 to n - 1, or below 0 where no region is.
    wanted : (n,) uint8
        1 for the regions to walk around, else 0.
    seen : (H, W) uint8
        Zeros before; is 1 afterwards below each side that was walked along to the right.
    corners : (m, 2) int32
        Is filled with x and y of the corners, from the image's upper left one. Where it is too
        short, the rest is counted only, as of `starts`.
    starts, owners : (r,) int32
        Are filled with each ring's first corner in `corners`, and with its region.

    Returns
    -------
    n_corners, n_rings : int
    """
    height, width = labels.shape
    n, rings = 0, 0
    for row in range(height):
        for column in range(width):
            label = labels[row, column]
            if label < 0 or wanted[label] == 0 or seen[row, column]:
                continue
            if row > 0 and labels[row - 1, column] == label:
                continue
            if rings < len(starts):
                starts[rings], owners[rings] = n, label
            rings += 1
            x, y, dx, dy = column, row, 1, 0
            while True:
                if dx == 1:
                    seen[y, x] = 1
                x += dx
                y += dy
                # The two pixels ahead are beside this corner, half a step on and half a step aside.
                across, along = (dx - dy - 1) // 2, (dx + dy - 1) // 2
                is_right = _has(labels, y + along, x + across, label)
                is_left = _has(labels, y + (dy - dx - 1) // 2, x + along, label)
                if is_right and not is_left:
                    continue
                if n < len(corners):
                    corners[n, 0], corners[n, 1] = x, y
                n += 1
                if is_right:
                    dx, dy = dy, -dx
                else:
                    dx, dy = -dy, dx
                if x == column and y == row and dx == 1:
                    break
    return n, rings
