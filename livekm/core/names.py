"""Names of things by their colours: sky, road."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from livekm.core.segmentation import Segmentation
from livekm.errors import SourceError

__all__ = ["Name", "Names"]

TOLERANCE = 20.0
"""How far a thing's colour may be from its name's, in Lab, where that is not said."""

LONGEST_NAME = 40
"""Letters of a name."""

_MOST_NAMES = 256  # of a file
_HEADER = ("name", "color", "tolerance")


@dataclass(frozen=True, slots=True)
class Name:
    """What is called so.

    Attributes
    ----------
    text : str
    colors : tuple of (int, int, int)
        One colour or several shades, BGR.
    tolerance : float
        How far, in Lab, a colour may be from the nearest of them.
    """

    text: str
    colors: tuple[tuple[int, int, int], ...]
    tolerance: float = TOLERANCE


class Names:
    """Names things by their colours: the nearest name within whose tolerance a colour lies.

    Parameters
    ----------
    names : sequence of Name

    Raises
    ------
    ValueError
        If a name is there twice.

    Examples
    --------
    >>> names = Names([Name("sky", ((230, 180, 120),)), Name("road", ((90, 90, 90),), 12)])
    >>> names.of(np.array([(225, 170, 120), (95, 95, 95), (0, 0, 200)], np.uint8))
    ('sky', 'road', '')
    """

    def __init__(self, names: Sequence[Name]) -> None:
        texts = [name.text for name in names]
        twice = sorted({text for text in texts if texts.count(text) > 1})
        if twice:
            raise ValueError(f"the name {twice[0]} is there twice; give it several colours instead")
        self.names: tuple[Name, ...] = tuple(names)
        colors = [(color, name) for name in names for color in name.colors]
        self._texts = [name.text for _, name in colors]
        self._tolerances = np.array([name.tolerance for _, name in colors])
        self._lab = _to_lab(np.array([color for color, _ in colors], np.uint8).reshape(-1, 3))

    def __repr__(self) -> str:
        return f"Names({', '.join(name.text for name in self.names)})"

    @classmethod
    def read(cls, path: str | Path) -> Names:
        """Read a table of names, as CSV: ``name,color,tolerance``.

        A colour is ``#rrggbb``, of several shades with spaces between them; the tolerance may be
        left out. Lines that begin with # are comments.

        Raises
        ------
        SourceError
            If the file cannot be read, or a line is not like this.
        """
        try:
            text = Path(path).read_text(encoding="utf-8-sig")
            return cls(list(_read(text)))
        except OSError as error:
            raise SourceError(f"{path}: {error.strerror}; check its name and folder") from error
        except ValueError as error:
            raise SourceError(f"{path}: not a table of names ({error})") from error

    def with_shade(self, text: str, color: tuple[int, int, int]) -> Names:
        """Return these names and one more, or one more shade of the thing that is called so."""
        known = next((name for name in self.names if name.text == text), Name(text, ()))
        if self.of(np.array([color], np.uint8)) == (text,):
            return self
        more = replace(known, colors=(*known.colors, color))
        if known in self.names:
            return Names([more if name is known else name for name in self.names])
        return Names([*self.names, more])

    def of(self, palette: npt.NDArray[np.uint8]) -> tuple[str, ...]:
        """Return the name of each of (k, 3) uint8 BGR colours; "" where there is none."""
        if not self._texts:
            return ("",) * len(palette)
        ways = np.linalg.norm(_to_lab(palette)[:, np.newaxis] - self._lab, axis=2)
        ways[ways > self._tolerances] = np.inf
        nearest = ways.argmin(axis=1)
        is_named = np.isfinite(ways.min(axis=1))
        return tuple(
            self._texts[i] if named else "" for i, named in zip(nearest, is_named, strict=True)
        )


class Naming:
    """Names the labels of a stream: an id keeps its name, however its colour changes.

    Parameters
    ----------
    names : Names
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self._known: dict[int, str] = {}

    def forget(self) -> None:
        """Name all anew."""
        self._known = {}

    def give(self, identity: int, text: str, color: tuple[int, int, int]) -> None:
        """Give an id a name, and what looks like it; "" takes its name away."""
        self._known[identity] = text
        if text:
            self.names = self.names.with_shade(text, color)

    def of(
        self,
        palette: npt.NDArray[np.uint8],
        ids: npt.NDArray[np.int64],
        counts: npt.NDArray[np.int64],
    ) -> tuple[str, ...]:
        """Return the name of each label by its id, or where that has none yet, by its colour.

        A label without pixels has none yet: it may become something else.
        """
        keys = ids.tolist()
        if not self._known.keys() >= set(keys):
            for key, name, n in zip(keys, self.names.of(palette), counts.tolist(), strict=True):
                if name and key >= 0 and n:
                    self._known.setdefault(key, name)
        return tuple(self._known.get(key, "") for key in keys)


def add_to_table(path: str | Path, text: str, color: tuple[int, int, int]) -> None:
    """Add a name, or one more shade of it, to a table as it is at this moment.

    Its other lines stay as they are. A table that does not exist is begun, and nothing is lost
    where writing fails.

    Raises
    ------
    SourceError
        If the table that is there cannot be read.
    OSError
        If it cannot be written.
    """
    path = Path(path)
    exists = path.exists()
    known = Names.read(path) if exists else Names([])
    names = known.with_shade(text, color)
    if names is known:
        return
    table = path.read_text(encoding="utf-8-sig") if exists else ",".join(_HEADER) + "\n"
    (name,) = (name for name in names.names if name.text == text)
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(_with_row(table, name), encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _with_row(text: str, name: Name) -> str:
    """Return a table with the row of a name, in the place of the one that it has."""
    shades = " ".join(f"#{red:02x}{green:02x}{blue:02x}" for blue, green, red in name.colors)
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow([name.text, shades, f"{name.tolerance:g}"])
    lines = text.splitlines()
    for number, line in enumerate(lines):
        cells = [] if line.startswith("#") else next(csv.reader([line]), [])
        if cells and cells[0].strip() == name.text:
            lines[number] = row.getvalue()
            break
    else:
        lines.append(row.getvalue())
    return "\n".join(lines) + "\n"


def template(segmentation: Segmentation) -> str:
    """Return a table of names for the segments of an image, to be filled in: the largest first."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    for label in np.argsort(-segmentation.counts, kind="stable").tolist():
        if segmentation.counts[label]:
            blue, green, red = segmentation.palette[label].tolist()
            name = segmentation.names[label] or f"segment {label}"
            writer.writerow([name, f"#{red:02x}{green:02x}{blue:02x}", f"{TOLERANCE:g}"])
    return text.getvalue()


def _read(text: str) -> Iterable[Name]:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines)]
    if rows and tuple(cell.lower() for cell in rows[0][:2]) == _HEADER[:2]:
        rows = rows[1:]
    if len(rows) > _MOST_NAMES:
        raise ValueError(f"it has {len(rows)} names, {_MOST_NAMES} are enough")
    for row in rows:
        name, colors, tolerance = (*row, "", "")[:3]
        line = ",".join(row)[: 2 * LONGEST_NAME]
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or len(row) > len(_HEADER):
            raise ValueError(f"{line!r} is not like 'sky,#78b4e6,{TOLERANCE:g}'")
        yield Name(name, tuple(map(_color, colors.split())) or (_color(""),), _number(tolerance))


def _color(text: str) -> tuple[int, int, int]:
    if not re.fullmatch("#[0-9a-fA-F]{6}", text):
        raise ValueError(f"{text!r} is not a colour like '#78b4e6'")
    red, green, blue = bytes.fromhex(text[1:])
    return blue, green, red


def _number(text: str) -> float:
    try:
        value = float(text or TOLERANCE)
    except ValueError:
        value = -1.0
    if not 0 < value <= 200:
        raise ValueError(f"the tolerance {text!r} is not a number from 0 to 200")
    return value


def _to_lab(colors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    if not len(colors):
        return np.zeros((0, 3), np.float32)
    levels = colors[np.newaxis].astype(np.float32) / 255
    return np.asarray(cv2.cvtColor(levels, cv2.COLOR_BGR2Lab)[0], np.float32)
