"""Read and write palettes: GIMP's .gpl, JSON, and the colours of images."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livekm.core.segmenter import Segmenter
from livekm.errors import SourceError, UsageError
from livekm.sources.files import require_file
from livekm.sources.still import read_still

Palette = npt.NDArray[np.uint8]
"""(k, 3) uint8, BGR."""

_MOST = 256  # colours
_MOST_LISTED = 32  # colours of a map of matplotlib that is a list
_GOLDEN = (5**0.5 - 1) / 2  # steps of this part of a range leave the largest gaps
# Of the black, which is first with them, last: segments are often shown on it.
_OKABE_ITO = "e69f00 56b4e9 009e73 f0e442 0072b2 d55e00 cc79a7 000000"
_LONGEST = 100  # characters that a message repeats of a file


def read_palette(path: str | Path, n_colors: int | None = None) -> Palette:
    """Read the colours of a file, in its order.

    Parameters
    ----------
    path : str or Path
        A GIMP palette, ``.gpl``; ``.json``, a list of ``"#rrggbb"`` or of ``[r, g, b]``; or an
        image. Of an image these are its distinct colours, in the order in which they come, or
        if there are more than 256, those of a k-means of it.
    n_colors : int, optional
        How many there must be. An image of more than 256 colours is reduced to so many, by
        default 8.

    Returns
    -------
    palette : (k, 3) uint8, BGR

    Raises
    ------
    SourceError
        If the file cannot be read, or is no palette.
    ValueError
        If it has another number of colours than `n_colors`.
    """
    path = Path(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        palette = _image_colors(path, 8 if n_colors is None else n_colors)
    else:
        require_file(path)
        try:
            rows = reader(path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise SourceError(f"{path}: {error.strerror}") from error
        except (ValueError, TypeError, RecursionError) as error:
            reason = str(error)
            reason = reason if len(reason) <= _LONGEST else f"{reason[:_LONGEST]}..."
            raise SourceError(f"{path}: not a palette ({reason})") from error
        if not 1 <= len(rows) <= _MOST:
            raise SourceError(f"{path}: 1 to {_MOST} colours can be fixed, it has {len(rows)}")
        palette = np.array(rows, np.uint8)[:, ::-1].copy()
    if n_colors not in (None, len(palette)):
        raise UsageError(f"{path} has {len(palette)} colours, not {n_colors}")
    return palette


def read_recoloring(name: str) -> Palette:
    """Return the colours of a name, for any number of things by their ids.

    Parameters
    ----------
    name : str
        ``okabe-ito``, eight colours that the colour-blind tell apart (Okabe and Ito, "Color
        universal design", 2008); a colour map of matplotlib; or a file as of `read_palette`. Of a
        continuous map the first ids get colours that are far apart.

    Raises
    ------
    SourceError, UsageError
        If there is no such file, or no such name.
    """
    if name == "okabe-ito":
        return (
            np.array([bytes.fromhex(color) for color in _OKABE_ITO.split()], "S3")
            .view(np.uint8)
            .reshape(-1, 3)[:, ::-1]
            .copy()
        )
    if Path(name).suffix or Path(name).exists():
        return read_palette(name)
    import matplotlib

    if name not in matplotlib.colormaps:
        alike = difflib.get_close_matches(name, ["okabe-ito", *matplotlib.colormaps], 1)
        meant = f" (did you mean {alike[0]}?)" if alike else ""
        raise UsageError(
            f"there are no colours {name}{meant}: name okabe-ito, a map of matplotlib or a file"
        )
    colors = matplotlib.colormaps[name]
    places = np.arange(colors.N)
    if colors.N > _MOST_LISTED:
        places = (np.arange(_MOST) * _GOLDEN % 1 * colors.N).astype(int)
    rgb = np.rint(255 * np.asarray(colors(places))[:, :3])
    return np.asarray(rgb[:, ::-1], np.uint8).copy()


def encode_palette(palette: Palette, suffix: str, name: str = "livekm") -> bytes:
    r"""Return the content of a palette file; `suffix` is a key of `PALETTE_FILES`.

    Examples
    --------
    >>> encode_palette(np.array([(0, 128, 255)], np.uint8), ".json")
    b'["#ff8000"]\n'
    """
    return PALETTE_FILES[suffix](palette[:, ::-1].tolist(), name).encode()


def _to_gpl(colors: list[list[int]], name: str) -> str:
    rows = [f"{r:3d} {g:3d} {b:3d}\tsegment {slot}" for slot, (r, g, b) in enumerate(colors)]
    return "\n".join(["GIMP Palette", f"Name: {' '.join(name.split())}", "#", *rows, ""])


def _to_json(colors: list[list[int]], name: str) -> str:
    return json.dumps([f"#{r:02x}{g:02x}{b:02x}" for r, g, b in colors]) + "\n"


PALETTE_FILES: dict[str, Callable[[list[list[int]], str], str]] = {
    ".gpl": _to_gpl,
    ".json": _to_json,
}
"""Suffix -> what makes the text of a palette file of RGB colours and a name."""


def _from_gpl(text: str) -> list[list[int]]:
    first, *lines = text.splitlines() or [""]
    if first.strip() != "GIMP Palette":
        raise ValueError("its first line must be 'GIMP Palette'")
    is_header = re.compile(r"\s*(#|$)|(Name|Columns):")
    rows = (line.split(maxsplit=3)[:3] for line in lines if not is_header.match(line))
    return [_checked([int(level) for level in row]) for row in rows]


def _from_json(text: str) -> list[list[int]]:
    colors = json.loads(text)
    if not isinstance(colors, list):
        raise TypeError("it must be a list of colours")
    return [_checked(_from_hex(c) if isinstance(c, str) else c) for c in colors]


def _from_hex(color: str) -> list[int]:
    if not re.fullmatch(r"#?[0-9a-fA-F]{6}", color):
        raise ValueError(f"{color!r} is not like '#ff8000'")
    return list(bytes.fromhex(color.lstrip("#")))


def _checked(color: Any) -> list[int]:
    is_color = isinstance(color, list) and len(color) == 3
    if not is_color or not all(type(level) is int and 0 <= level <= 255 for level in color):
        raise ValueError(f"{color!r} is not three levels from 0 to 255")
    return list(color)


_READERS: dict[str, Callable[[str], list[list[int]]]] = {".gpl": _from_gpl, ".json": _from_json}


def _image_colors(path: Path, k: int) -> Palette:
    """Return the colours of an image, or the centers of `k` clusters where there are too many."""
    image, opaque = read_still(path)
    pixels = image.reshape(-1, 3) if opaque is None else image[opaque]
    b, g, r = pixels.astype(np.uint32).T
    _, first = np.unique(b | g << 8 | r << 16, return_index=True)
    if not len(first):
        raise SourceError(f"{path}: it has no colours, all of it is transparent")
    if len(first) <= _MOST:
        return np.asarray(pixels[np.sort(first)])
    return Segmenter(k, random_state=0).fit(image, mask=opaque).palette
