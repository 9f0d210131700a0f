"""Small pictures for where there is no room for whole ones, as in a notebook."""

from __future__ import annotations

from base64 import b64encode

import cv2
import numpy as np
import numpy.typing as npt

LONGEST = 640
"""Pixels of the longer side, at the most."""

_QUALITY = 80  # of a JPEG


def thumbnail(image: npt.NDArray[np.uint8], longest: int = LONGEST) -> npt.NDArray[np.uint8]:
    """Return (H, W, 3) uint8 pixels that are as they are, or scaled down to `longest`."""
    height, width = image.shape[:2]
    factor = longest / max(height, width)
    if factor >= 1:
        return image
    size = max(1, round(factor * width)), max(1, round(factor * height))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def to_png(image: npt.NDArray[np.uint8]) -> bytes:
    """Return the PNG file of a BGR image, scaled down to a thumbnail."""
    return cv2.imencode(".png", thumbnail(image))[1].tobytes()


def to_jpeg(image: npt.NDArray[np.uint8], longest: int) -> bytes:
    """Return the JPEG file of a BGR image, scaled down."""
    options = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    return cv2.imencode(".jpg", thumbnail(image, longest), options)[1].tobytes()


def to_html(image: npt.NDArray[np.uint8]) -> str:
    """Return the HTML element of a thumbnail, the picture inside of it."""
    data = b64encode(to_png(image)).decode()
    return f'<img style="max-width:100%" src="data:image/png;base64,{data}">'
