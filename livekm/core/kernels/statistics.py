"""Where the pixels of each label lie in the frame."""

from __future__ import annotations

import numpy as np

from livekm.core.kernels.compiler import inline_jit, jit, scratch

_MOST = 256  # labels
_U = np.uint64


@inline_jit
def _measure_row(y, width, labels, sums, boxes):
    number, twice_x = scratch(_MOST, np.int64), scratch(_MOST, np.int64)
    first_x, end_x = scratch(_MOST, np.int64), scratch(_MOST, np.int64)
    for i in range(sums.shape[0]):
        number[i] = twice_x[i] = 0
    start = 0
    label = _U(labels[0])
    for x in range(1, width + 1):
        if x < width and labels[x] == label:
            continue
        if number[label] == 0:
            first_x[label] = start
        number[label] += x - start
        twice_x[label] += (x - start) * (start + x - 1)
        end_x[label] = x
        if x < width:
            start = x
            label = _U(labels[x])
    for i in range(sums.shape[0]):
        n = number[i]
        if n > 0:
            sums[i, 0] += n
            sums[i, 1] += twice_x[i] // 2
            sums[i, 2] += n * y
            boxes[i, 0] = min(boxes[i, 0], first_x[i])
            boxes[i, 1] = min(boxes[i, 1], y)
            boxes[i, 2] = max(boxes[i, 2], end_x[i])
            boxes[i, 3] = y + 1


@jit
def measure_labels(first, last, labels, sums, boxes):
    """Add up the pixels of each label by their runs along the rows.

    Parameters
    ----------
    first, last : int
        Bands of rows: band i has rows ``H * i // n`` up to ``H * (i + 1) // n``.
    labels : (H, W) uint8
    sums : (n, k, 3) int64
        For each band, number of pixels and the sums of their x and y; zeros before.
    boxes : (n, k, 4) int64
        Least x and y, and one past the greatest x and y; ``(W, H, 0, 0)`` before, and still that
        where a label has no pixels.
    """
    height, width = labels.shape
    n_bands = sums.shape[0]
    for band in range(first, last):
        for y in range(height * band // n_bands, height * (band + 1) // n_bands):
            _measure_row(y, width, labels[y], sums[band], boxes[band])
