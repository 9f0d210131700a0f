"""Files on disk: their names, and whether there is something to read."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from pathlib import Path

from livekm.errors import SourceError

PRINTF_NUMBER = re.compile(r"%(?:0?(\d+))?d")
"""Matches the number in a printf pattern of image names: ``img%04d.png``."""

READABLE_IMAGES = frozenset({
    ".avif", ".bmp", ".dib", ".heic", ".heif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm",
    ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp",
})  # fmt: skip


def find_matches(pattern: str | Path, *, recursive: bool = False) -> Iterator[Path]:
    """Yield the paths that match a pattern, in any order; if `recursive`, ``**`` matches folders.

    Only ``*`` and ``?`` are wildcards (see `is_wild`): many folders have brackets in their names.
    """
    literal = str(pattern).replace("[", "[[]")
    return map(Path, glob.iglob(literal, recursive=recursive))  # noqa: PTH207


def is_wild(text: str) -> bool:
    """Tell whether a pattern has wildcards."""
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
    if path.is_fifo():
        return "this is a pipe; read it by livekm - < NAME"
    if not path.is_file():
        return "not a regular file; give a file on disk"
    with path.open("rb") as file:
        return None if file.read(1) else "the file is empty; copy or record it again"
