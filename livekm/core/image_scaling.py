"""Resize images that are looked at or segmented afterwards, not only shown."""

from __future__ import annotations

import cv2
import numpy as np

from livekm.frame import Image, Mask


def scaled_image(image: Image, scale: float) -> Image:
    """Return an image at `scale` times its size, at least one pixel wide and high.

    Smaller images are means over areas. At a scale of 1 it is the image itself.
    """
    if scale == 1:
        return image
    height, width = image.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=way), np.uint8)


def scaled_mask(mask: Mask | None, scale: float) -> Mask | None:
    """Return the mask of a scaled image: a pixel counts where half of what it shows does."""
    if mask is None or scale == 1:
        return mask
    levels = mask.view(np.uint8) * np.uint8(255)
    return np.asarray(scaled_image(levels, scale) >= 128)
