"""How large each region is, where it lies, and its mean colour."""

from __future__ import annotations

import numpy as np

from livekm.core.kernels.compiler import jit

_U = np.uint64


@jit
def sum_regions(first, last, labels, image, sums, boxes):
    """Add up the pixels of each region, run by run.

    Parameters
    ----------
    first, last : int
        Bands of rows: band i has rows ``H * i // b`` up to ``H * (i + 1) // b``.
    labels : (H, W) int32
        From 0 to n - 1; pixels below 0 are left out.
    image : (H, 3 * W) uint8
        B, G, R, B, G, R, ...
    sums : (b, n, 4) int64
        For each band, number of pixels and the sums of B, G and R; zeros before.
    boxes : (b, n, 4) int64
        Least x and y, and one past the greatest x and y; ``(W, H, 0, 0)`` before, and still that
        where a region has no pixels.
    """
    height, width = labels.shape
    bands = sums.shape[0]
    for band in range(first, last):
        for y in range(height * band // bands, height * (band + 1) // bands):
            end = 0
            while end < width:
                start, label = end, labels[y, end]
                blue, green, red = np.int64(0), np.int64(0), np.int64(0)
                while end < width and labels[y, end] == label:
                    blue += image[y, _U(3 * end)]
                    green += image[y, _U(3 * end + 1)]
                    red += image[y, _U(3 * end + 2)]
                    end += 1
                if label < 0:
                    continue
                sums[band, label, 0] += end - start
                sums[band, label, 1] += blue
                sums[band, label, 2] += green
                sums[band, label, 3] += red
                boxes[band, label, 0] = min(boxes[band, label, 0], start)
                boxes[band, label, 1] = min(boxes[band, label, 1], y)
                boxes[band, label, 2] = max(boxes[band, label, 2], end)
                boxes[band, label, 3] = y + 1
