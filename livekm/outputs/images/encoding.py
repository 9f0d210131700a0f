"""An image in the format of a file's suffix, and what a folder of images says about them."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2

from livekm.core.painting import Painting
from livekm.errors import SinkError
from livekm.frame import Image
from livekm.outputs.checks import as_image

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")

ALPHA_SUFFIXES = (".png", ".tif", ".tiff", ".webp")
"""Those of formats that can be transparent."""


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


class FrameTable:
    """``frames.csv``: which image of a folder is which frame, and its exact time in seconds.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self._file = (folder / "frames.csv").open("w", encoding="utf-8", newline="")
        self._table = csv.writer(self._file, lineterminator="\n")
        self._table.writerow(("file", "frame", "time"))

    def append(self, name: str, index: int, time: float) -> None:
        """Add a row."""
        self._table.writerow((name, index, time))

    def close(self) -> None:
        """Close the file."""
        self._file.close()
