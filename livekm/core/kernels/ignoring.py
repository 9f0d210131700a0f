"""Pixels that do not count."""

from __future__ import annotations

import numpy as np

from livekm.core.kernels.compiler import jit
from livekm.core.kernels.smoothing import half_distance

_U = np.uint64
_NONE = np.uint8(255)


@jit
def ignore_pixels(
    first, last, frame, plane, height, width, spacing, centers, scale,
    mask, labels, counts, errors,
):  # fmt: skip
    """Take the label from each pixel of the rows from `first` up to `last` where a mask is 0.

    Parameters
    ----------
    frame, plane, height, width, spacing, scale
        As in `label_blocks`.
    centers : (5, k) float32
        k is at most 255.
    mask : (height * width,) uint8
    labels : (height * width,) uint8
        Becomes 255 where the mask is 0.
    counts, errors
        As in `smooth_labels`.
    """
    for r in range(first, last):
        for c in range(width):
            p = _U(r * width + c)
            if mask[p] == 0:
                own = labels[p]
                counts[first, own] -= 1
                far = half_distance(frame, plane, p, r, c, spacing, centers, own)
                errors[first] -= np.int64(far * scale)
                labels[p] = _NONE
