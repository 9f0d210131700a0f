"""Encode an image in the format that a file's suffix names."""

from __future__ import annotations

from pathlib import Path

import cv2

from livekm.core.painting import Painting
from livekm.errors import SinkError
from livekm.frame import Image
from livekm.outputs.checks import as_image

WRITABLE_IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
"""Suffixes of the image formats that are written; `livekm.sources` reads more."""

ALPHA_SUFFIXES = (".png", ".tif", ".tiff", ".webp")
"""Suffixes of the written formats that can be transparent."""


def encode_image(picture: Image | Painting, target: Path) -> bytes:
    """Return a picture in the format of the suffix of `target`.

    Parameters
    ----------
    picture : (H, W, 3) uint8 BGR, or (H, W, 4) with alpha, or `Painting`
    target : Path

    Raises
    ------
    ValueError
        If it is no such image, or the format has no alpha.
    SinkError
        If the format does not hold its size.
    """
    image = as_image(picture, alpha=target.suffix.lower() in ALPHA_SUFFIXES)
    # Encoded in memory: cv2.imwrite cannot open non-ASCII names on Windows.
    is_encoded, encoded = cv2.imencode(target.suffix.lower(), image)
    if not is_encoded:
        height, width = image.shape[:2]
        raise SinkError(f"cannot write {target}: {target.suffix} does not hold {width}x{height}")
    return encoded.tobytes()
