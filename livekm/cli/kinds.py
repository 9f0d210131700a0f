"""Kinds of values that options take: each reads text, checks it, and writes it back."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from livekm.benchmark import Sweep
from livekm.core.rests import RESTS, is_color
from livekm.live.web.address import read_address
from livekm.outputs import PIPE_FORMATS
from livekm.sources import RawVideo
from livekm.sources.masked import WORDS, read_color
from livekm.sources.section import seconds


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value.

    Attributes
    ----------
    read : callable
        Take the text of the command line; return the value, or raise ValueError with one phrase
        that follows the option's name.
    write : callable
        Take a value; return text that `read` reads as the same value.
    metavar : str
        What the help calls the value, unless the option calls it otherwise.
    choices : tuple of str
        The texts that it can be, where these are few; shells complete them.
    absolute : callable or None
        Take a value that names files to read; return it with absolute paths.
    """

    read: Callable[[str], Any]
    write: Callable[[Any], str] = str
    metavar: str = "N"
    choices: tuple[str, ...] = ()
    absolute: Callable[[Any], Any] | None = None


def whole(least: int, most: int | None = None) -> Kind:
    """Return the kind of whole numbers in a range.

    Examples
    --------
    >>> whole(1, 256).read("0")
    Traceback (most recent call last):
    ValueError: must be a whole number from 1 to 256, got 0
    """
    limits = f"of {least} or more" if most is None else f"from {least} to {most}"

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least or (most is not None and value > most):
            raise ValueError(f"must be a whole number {limits}, got {text}")
        return value

    return Kind(read)


def number(least: float, most: float) -> Kind:
    """Return the kind of numbers in a range."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise ValueError(f"must be a number from {least:g} to {most:g}, got {text}")
        return value

    return Kind(read)


def meant(text: str, known: Iterable[str]) -> str:
    """Return a question after the known word that a wrong one is like; empty if none is.

    Examples
    --------
    >>> meant("segmnts", ["segments", "overlay"])
    ' (did you mean segments?)'
    """
    alike = difflib.get_close_matches(text, list(known), 1)
    return f" (did you mean {alike[0]}?)" if alike else ""


def choice(names: Iterable[str]) -> Kind:
    """Return the kind of values that are one of some names."""
    known = tuple(names)

    def read(text: str) -> str:
        if text not in known:
            raise ValueError(f"must be one of {', '.join(known)}, got {text!r}{meant(text, known)}")
        return text

    return Kind(read, metavar=f"{{{','.join(known)}}}", choices=known)


def whole_or_word(least: int, most: int, word: str) -> Kind:
    """Return the kind of whole numbers in a range, or a word in the place of one."""

    def read(text: str) -> int | str:
        try:
            return text if text == word else whole(least, most).read(text)
        except ValueError as error:
            raise ValueError(str(error).replace(", got", f" or {word}, got")) from None

    return Kind(read)


def _read_name(text: str) -> str:
    if not text:
        raise ValueError("the name is empty (a variable that is not set?)")
    return text


def _read_ids(text: str) -> tuple[int, ...]:
    try:
        ids = tuple(int(word) for word in text.split(","))
    except ValueError:
        ids = (-1,)
    if not all(0 <= identity < 2**31 for identity in ids):
        raise ValueError(f"must be ids of segments or regions, like 0,3, got {text}")
    return ids


def _absolute(name: str) -> str:
    return str(Path(name).absolute())


def _absolute_rest(name: str) -> str:
    return name if name in RESTS or is_color(name) else _absolute(name)


def _absolute_palette(name: str) -> str:
    return _absolute(name) if Path(name).suffix else name


def _read_ignored(text: str) -> tuple[str, ...]:
    words = tuple(word.strip() for word in text.split(","))
    if not all(words):
        raise ValueError(f"must be {', '.join(WORDS)}, a colour '#00ff00' or masks, got {text!r}")
    for word in words:
        if word.startswith("#"):
            read_color(word)
    return words


def _absolute_ignored(words: tuple[str, ...]) -> tuple[str, ...]:
    is_name = [word not in WORDS and not word.startswith("#") for word in words]
    pairs = zip(words, is_name, strict=True)
    return tuple(_absolute(word) if name else word for word, name in pairs)


def _read_roi(text: str) -> tuple[int, ...]:
    try:
        roi = tuple(int(word) for word in text.split(","))
    except ValueError:
        roi = ()
    if len(roi) != 4 or min(roi) < 0 or min(roi[2:]) < 1:
        raise ValueError(f"must be left,top,width,height in pixels, like 0,120,640,240, got {text}")
    return roi


def _join(values: Iterable[object]) -> str:
    return ",".join(map(str, values))


def _read_detail(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (0 <= value < 1 or (1 <= value < 2**31 and value == int(value))):
        raise ValueError(f"must be a scale from 0 to 1, or a whole number of regions, got {text}")
    return value


def _read_time(text: str) -> float:
    try:
        return seconds(text)
    except ValueError:
        raise ValueError(f"must be seconds or [hh:]mm:ss, got {text}") from None


def _read_workers(text: str) -> int | str:
    if ":" in text:
        return text
    try:
        return whole(1, 1000).read(text)  # type: ignore[no-any-return]
    except ValueError:
        raise ValueError(
            "must be a number from 1 to 1000, or the address of a Dask scheduler, "
            f"like tcp://10.0.0.1:8786, got {text}"
        ) from None


def _read_format(text: str) -> str:
    """Check how pipes are coded: raw video that comes in, how it goes out, or both."""
    for word in text.split(","):
        if word not in PIPE_FORMATS:
            RawVideo.read(word)
    if len(text.split(",")) != len({word in PIPE_FORMATS for word in text.split(",")}):
        raise ValueError(f"takes one for stdin and one for stdout, got {text}")
    return text


def _read_sweep(text: str) -> Sweep:
    limits = {"size": 16384, "k": 256, "threads": 256}
    sweep: dict[str, tuple[int, ...]] = {}
    for word in text.split():
        name, _, values = word.partition("=")
        numbers = [int(value) if value.isdecimal() else 0 for value in values.split(",")]
        if name not in limits or not all(0 < number <= limits[name] for number in numbers):
            sweep.clear()
            break
        sweep[name] = tuple(numbers)
    if not sweep:
        raise ValueError(f"must be like 'k=4,8 size=540,1080 threads=1,2', got {text}")
    return Sweep(**sweep)


def _write_sweep(sweep: Sweep) -> str:
    values = {name: getattr(sweep, name) for name in ("size", "k", "threads")}
    given = {name: numbers for name, numbers in values.items() if numbers != (None,)}
    return " ".join(f"{name}={','.join(map(str, numbers))}" for name, numbers in given.items())


SWEEP = Kind(_read_sweep, _write_sweep, "VALUES")
"""Numbers of clusters, rows of frames and threads to measure."""

NAME = Kind(_read_name, metavar="FILE")
"""A name of something that livekm writes or connects to."""

INPUT = Kind(_read_name, metavar="FILE", absolute=_absolute)
"""A name of a file that livekm reads."""

TEXT = Kind(str, metavar="TEXT")

IDS = Kind(_read_ids, _join, "0,3")
"""Numbers of segments."""

REST = Kind(_read_name, metavar="WHAT", absolute=_absolute_rest)
"""What becomes of the rest: a word, a colour, or a picture's file."""

RECOLORING = Kind(_read_name, metavar="COLOURS", absolute=_absolute_palette)
"""A palette's file, or colours that have a name."""

IGNORED = Kind(_read_ignored, _join, "WHAT", absolute=_absolute_ignored)
"""What does not count; see `livekm.sources.masked`."""

ROI = Kind(_read_roi, _join, "X,Y,W,H")
"""A rectangle in pixels."""


def _read_size(text: str) -> tuple[int, int]:
    sides = [int(side) if side.isdecimal() else 0 for side in text.split("x")]
    if len(sides) != 2 or not all(0 < side <= 16384 for side in sides):
        raise ValueError(f"must be a width and a height in pixels, like 1280x720, got {text}")
    return sides[0], sides[1]


SIZE = Kind(_read_size, lambda size: f"{size[0]}x{size[1]}", "WxH")
"""A width and a height."""

ADDRESS = Kind(read_address, metavar="[HOST:]PORT")
"""Where a page is served."""

DETAIL = Kind(_read_detail, lambda detail: f"{detail:.15g}", "SCALE|N")
"""How fine regions are: a scale below 1, or how many."""

WORKERS = Kind(_read_workers, metavar="N|ADDRESS")
"""A number of processes on this machine, or the address of a cluster."""

FORMAT = Kind(_read_format, metavar="FORMAT")
"""How stdin or stdout is coded."""

TIME = Kind(_read_time, metavar="TIME")
"""Seconds of a clip."""
