"""Files on disk: whether there is something to read, and still images read."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from livekm.errors import SourceError
from livekm.frame import Image
from livekm.sources.opencv_log import quiet_opencv

PRINTF_NUMBER = re.compile(r"%(?:0?(\d+))?d")
"""Where the number of an image stands in the pattern of its name: ``img%04d.png``."""

IMAGE_SUFFIXES = frozenset(
    ".avif .bmp .dib .jp2 .jpe .jpeg .jpg .pbm .pgm .png .pnm .ppm .tif .tiff .webp".split()  # noqa: SIM905
)


def find_matches(pattern: str | Path, *, recursive: bool = False) -> Iterator[Path]:
    """Yield what a pattern names, in any order; if `recursive`, ``**`` stands for folders.

    Only ``*`` and ``?`` are wild (see `is_wild`): brackets are part of many folders' names.
    """
    literal = str(pattern).replace("[", "[[]")
    return map(Path, glob.iglob(literal, recursive=recursive))  # noqa: PTH207


def is_wild(text: str) -> bool:
    """Tell whether `find_matches` may find other names than `text`."""
    return "*" in text or "?" in text


def require_file(path: Path) -> None:
    """Raise `SourceError` unless `path` is a file that can be read and has content."""
    try:
        problem = _what_is_wrong(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SourceError(f"{path}: cannot be read ({reason}); check its permissions") from error
    if problem:
        raise SourceError(f"{path}: {problem}")


def _what_is_wrong(path: Path) -> str | None:
    if path.is_dir():
        return "this is a folder; name a file in it"
    if not path.exists():
        return "no such file; check its name and folder"
    if not path.is_file():
        return "not a regular file; give a file on disk"
    with path.open("rb") as file:
        return None if file.read(1) else "the file is empty; copy or record it again"


def read_image(path: str | Path) -> Image:
    """Read an image file as (H, W, 3) uint8 BGR, turned upright.

    Grey becomes three equal channels, an alpha channel is dropped, 16 bits become 8, and the
    EXIF orientation is applied.

    Raises
    ------
    SourceError
        If the file is missing, empty or no image.
    """
    path = Path(path)
    require_file(path)
    try:
        # Not cv2.imread: on Windows that knows only the names in the system's code page.
        with quiet_opencv():
            image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    except (OSError, cv2.error) as error:
        raise SourceError(_not_an_image(path)) from error
    if image is None:
        raise SourceError(_not_an_image(path))
    return np.ascontiguousarray(image, np.uint8)


def _not_an_image(path: Path) -> str:
    return f"{path}: not an image that OpenCV can read; convert it to PNG or JPEG"
