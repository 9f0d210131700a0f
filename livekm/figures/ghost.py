"""What does not count, or is not meant, in pale grey."""

from __future__ import annotations

import numpy as np

from livekm.core.contrast import LUMA
from livekm.core.segmentation import Segmentation
from livekm.frame import Image

_GHOST = 0.12  # how much of the picture shows on the ground of a segment


def painted(image: Image, segmentation: Segmentation) -> Image:
    """Return the segments in their colours, and the picture in pale grey where none counts."""
    colors, ignored = segmentation.paint(), segmentation.ignored
    if ignored is None:
        return colors
    return np.where(ignored[:, :, np.newaxis], ghost(image, light=True), colors)


def ghost(image: Image, *, light: bool) -> Image:
    """Return the picture in grey, so weak on a light or a dark ground that segments stand out."""
    ground = 255 if light else 70
    grey = image.astype(np.float64) @ LUMA
    weak = np.rint(ground * (1 - _GHOST) + _GHOST * grey).astype(np.uint8)
    return np.repeat(weak[:, :, np.newaxis], 3, axis=2)
