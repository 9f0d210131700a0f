"""Read a sequence of image files as a source."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

from livekm.errors import SourceError
from livekm.frame import Frame, VideoInfo
from livekm.sources.files import PRINTF_NUMBER, READABLE_IMAGES, find_matches, is_wild
from livekm.sources.still import Still, read_still
from livekm.sources.stream import FrameStream, frame_rate

_log = logging.getLogger(__name__)


class SequenceSource(FrameStream):
    """A sequence of image files, shown at a fixed rate.

    Numbers in names sort by value: ``img2.png`` comes before ``img10.png``. A damaged file is left
    out with a warning and leaves a gap in `index`. Images may differ in size; `info` has the size
    of the first.

    Parameters
    ----------
    pattern : str or Path
        A folder, a glob (``night/*.png``) or a printf pattern (``img%04d.png``).
    fps : float or Fraction
        Images a second.

    Raises
    ------
    SourceError
        If no image file matches or the first one cannot be read.
    """

    def __init__(self, pattern: str | Path, fps: float | Fraction = 25) -> None:
        fps = frame_rate(fps)
        paths = find_images(pattern)
        # Read the first image here, so that opening fails if it cannot be read.
        first = read_still(paths[0])
        height, width = first.image.shape[:2]
        info = VideoInfo(
            Path(pattern).name,
            width,
            height,
            fps=fps,
            n_frames=len(paths),
            time_base=1 / fps,
            is_still=len(paths) == 1,
            has_alpha=first.opaque is not None,
            path=str(pattern),
        )
        self._pattern, self._fps, self._paths = pattern, fps, paths
        super().__init__(info, _read_all(paths, first, fps))

    def reopened(self) -> SequenceSource:
        """Find the images anew."""
        return SequenceSource(self._pattern, self._fps)

    def name_of(self, index: int) -> str:
        """Return the file of a frame."""
        return str(self._paths[index])


def _read_all(paths: list[Path], first: Still, fps: Fraction) -> Iterator[Frame]:
    yield Frame(first.image, 0, 0.0, first.opaque)
    del first
    for index, path in enumerate(paths[1:], start=1):
        still = _read_or_warn(path)
        if still is not None:
            yield Frame(still.image, index, float(index / fps), still.opaque)


def _read_or_warn(path: Path) -> Still | None:
    try:
        return read_still(path)
    except SourceError as error:
        _log.warning("left out: %s", error)
        return None


def find_images(pattern: str | Path) -> list[Path]:
    """List the image files that a folder, glob or printf pattern names, in natural order.

    Raises
    ------
    SourceError
        If there is none.
    """
    path = Path(pattern)
    matches: Iterable[Path]
    if path.is_dir():
        matches = path.iterdir()
    elif PRINTF_NUMBER.search(path.name):
        name = re.compile(_printf_to_regex(path.name))
        files = path.parent.iterdir() if path.parent.is_dir() else iter(())
        matches = (file for file in files if name.fullmatch(file.name))
    else:
        matches = find_matches(path)
    images = [file for file in matches if file.suffix.lower() in READABLE_IMAGES and file.is_file()]
    if not images:
        raise SourceError(
            f"{pattern}: no image file there; name a folder or pattern of images, or a clip"
        )
    return sorted(images, key=_natural_order)


def is_pattern(text: str) -> bool:
    """Tell whether a path is a glob or printf pattern of image files rather than a file."""
    name = Path(text).name
    is_printf = bool(PRINTF_NUMBER.search(name)) and Path(name).suffix.lower() in READABLE_IMAGES
    return is_printf or is_wild(text)


def _printf_to_regex(name: str) -> str:
    """Return a regular expression for a printf pattern: ``%04d`` matches four digits or more."""
    literals = [re.escape(part) for part in PRINTF_NUMBER.split(name)[::2]]
    widths = [int(match[1] or 1) for match in PRINTF_NUMBER.finditer(name)]
    digits = [rf"\d{{{width},}}" for width in widths] + [""]
    return "".join(literal + number for literal, number in zip(literals, digits, strict=True))


def _natural_order(path: Path) -> list[tuple[int, str]]:
    """Return a sort key in which digits compare as numbers and the rest as text."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), part) if part.isdecimal() else (-1, part) for part in parts]
