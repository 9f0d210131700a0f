"""Labels at twice their size."""

from __future__ import annotations

from livekm.core.kernels.compiler import jit


@jit
def enlarge(labels, large, places):
    """Write labels at twice their width and height, and return how many pixels have none.

    Parameters
    ----------
    labels : (h, w) int32
        Below 0 where there is none.
    large : (2 * h, 2 * w) int32
        Or a row or a column more, which is a copy of the last one; written.
    places : (H * W,) int64
        The pixels without a label, numbered row by row; as many as that are written.
    """
    height, width = labels.shape
    rows, columns = large.shape
    count = 0
    for y in range(rows):
        source, row = min(y // 2, height - 1), y * columns
        for x in range(width):
            large[y, 2 * x] = large[y, 2 * x + 1] = labels[source, x]
        for x in range(width):
            if labels[source, x] < 0:
                places[count] = row + 2 * x
                places[count + 1] = row + 2 * x + 1
                count += 2
        if columns > 2 * width:
            large[y, columns - 1] = labels[source, width - 1]
            if labels[source, width - 1] < 0:
                places[count] = row + columns - 1
                count += 1
    return count
