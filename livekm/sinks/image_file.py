"""An image in the format of a file's suffix, and what a folder of images says about them."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2

from livekm.errors import SinkError
from livekm.frame import Frame, Image

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


def encode_image(image: Image, target: Path) -> bytes:
    """Return a (H, W, 3) uint8 BGR image in the format of the suffix of `target`.

    Raises
    ------
    SinkError
        If the format does not hold it.
    """
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

    def append(self, name: str, frame: Frame) -> None:
        """Add a row."""
        self._table.writerow((name, frame.index, frame.time))

    def close(self) -> None:
        """Close the file."""
        self._file.close()
