"""Text over a picture: drawn once, kept, and laid over each frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from livekm.frame import Image

SMALLEST, _LARGEST = 13, 26  # pixels of the font's size
_LINES = 34  # lines of text that the shorter side of the picture has room for, between those two
_LINE, _PADDING = 1.35, 0.6  # of a box, by the font's size
_BANNER_SIZE, _BANNER_WIDTH = 1.5, 0.95  # by the font's size; and of the picture's width at most
_BOX = 0.75  # how much of a box hides what is below it
_MARGIN = 2  # pixels beside a text, into which its strokes may reach
_DOT = 0.36  # radius of a recording's dot, by the font's size

Color: TypeAlias = tuple[int, int, int]
BLACK, WHITE, AMBER, BLUE = (0, 0, 0), (255, 255, 255), (120, 205, 255), (255, 215, 160)
_BANNER, _RED = (0, 0, 160), (0, 0, 230)

Rows: TypeAlias = tuple[tuple[str, ...], ...]
_Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Stamp:
    """A drawing that is laid over pictures.

    Attributes
    ----------
    keep : (H, W, 3) uint8
        How much of the picture is kept below it, of 255.
    ink : (H, W, 3) uint8, BGR
        What is added.
    """

    keep: npt.NDArray[np.uint8]
    ink: npt.NDArray[np.uint8]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.ink.shape[1], self.ink.shape[0]

    def put(self, image: Image, left: int, top: int) -> None:
        """Lay it over `image`; what does not fit is cut off."""
        part = image[max(0, top) :, max(0, left) :]
        own = slice(max(0, -top), None), slice(max(0, -left), None)
        keep, ink = self.keep[own], self.ink[own]
        height, width = (min(a, b) for a, b in zip(part.shape[:2], ink.shape[:2], strict=True))
        if height > 0 and width > 0:
            part = part[:height, :width]
            below = cv2.multiply(part, keep[:height, :width], scale=1 / 255)
            part[:] = cv2.add(below, ink[:height, :width])

    def put_within(self, image: Image, place: tuple[float, float]) -> None:
        """Lay it over `image`: 0 is at the left and the top, 1 at the right and the bottom."""
        width, height = self.size
        left = round(max(0, image.shape[1] - width) * place[0])
        self.put(image, left, round(max(0, image.shape[0] - height) * place[1]))


def font_size(image: Image) -> int:
    """Return the size of the font for a picture, in pixels."""
    return int(min(max(SMALLEST, min(image.shape[:2]) // _LINES), _LARGEST))


@lru_cache(maxsize=1024)
def text_width(text: str, size: int) -> int:
    """Return the width of a line of text in pixels."""
    return int(np.ceil(_font(size).getlength(text)))


@lru_cache(maxsize=256)
def text_stamp(text: str, size: int, color: Color = WHITE, outline: Color | None = None) -> Stamp:
    """Draw a line of text, with nothing behind it but an outline of a pixel if it has a colour."""
    width, height = max(1, text_width(text, size)) + 2, line_height(size)
    ink = _Ink(width, height)
    if outline is not None:
        ink.write(text, 1, 0, size, outline, stroke=1)
    ink.write(text, 1, 0, size, color)
    return ink.stamp()


@lru_cache(maxsize=64)
def table_stamp(rows: Rows, size: int, colors: tuple[Color, ...] = ()) -> Stamp:
    """Draw a table on a darkened box; columns are aligned.

    Parameters
    ----------
    rows : tuple of tuple of str
        At least one, and all of one length.
    size : int
        Of the font, in pixels.
    colors : tuple of (int, int, int)
        Of each column; white by default.
    """
    width, height = table_size(rows, size)
    line, pad = line_height(size), round(_PADDING * size)
    ink = _Ink(width, height, box=_BOX)
    for number, row in enumerate(rows):
        x = pad
        columns = zip(row, _widths(rows, size), colors or (WHITE,) * len(row), strict=True)
        for text, column, color in columns:
            ink.write(text, x, pad // 2 + line * number, size, color)
            x += column + pad * bool(column)
    return ink.stamp()


def table_size(rows: Rows, size: int) -> tuple[int, int]:
    """Return width and height of a table in pixels."""
    pad = round(_PADDING * size)
    widths = [width for width in _widths(rows, size) if width]
    return sum(widths) + pad * (len(widths) + 1), line_height(size) * len(rows) + pad


def fitting_size(rows: Rows, size: int, room: tuple[int, int]) -> int:
    """Return the size of the font, at most `size`, with which a table fits a width and height."""
    fits = (n for n in range(size, 1, -1) if _fits(table_size(rows, n), room))
    return next(fits, 1)


def draw_table(
    image: Image, rows: Sequence[Sequence[str]], place: tuple[float, float], *colors: Color
) -> None:
    """Write a table on a darkened box, smaller where it would not fit.

    Parameters
    ----------
    image : (H, W, 3) uint8, BGR
        Written to. Its pixels should be those of the screen, for the text to be legible.
    rows : sequence of sequence of str
        Without any, nothing is drawn.
    place : (float, float)
        Where the box lies in the image: 0 at the left and the top, 1 at the right and the bottom.
    colors : (int, int, int)
        Of each column; white by default.
    """
    if rows:
        table = tuple(map(tuple, rows))
        size = fitting_size(table, font_size(image), (image.shape[1], image.shape[0]))
        table_stamp(table, size, colors).put_within(image, place)


def banner_height(image: Image) -> int:
    """Return the height of a banner in pixels."""
    return int(min(image.shape[0] - 1, round(2 * _BANNER_SIZE * font_size(image))))


def draw_banner(image: Image, text: str, *, at_top: bool = False) -> None:
    """Write `text` large across the middle of `image`, or its top, on a red band."""
    height, width = image.shape[:2]
    wanted = round(_BANNER_SIZE * font_size(image))
    size = max(1, min(wanted, int(wanted * _BANNER_WIDTH * width / text_width(text, wanted))))
    band = banner_height(image)
    top = 0 if at_top else (height - band) // 2
    image[top : top + band] = _BANNER
    text_stamp(text, size).put_within(image[top : top + band], (0.5, 0.5))


def draw_recording(image: Image, seconds: float) -> None:
    """Draw the red dot of a recording at the top right, with its length so far."""
    size = font_size(image)
    middle, center = line_height(size) // 2, image.shape[1] - size
    cv2.circle(image, (center, middle), round(_DOT * size) + 1, WHITE, -1, cv2.LINE_AA)
    cv2.circle(image, (center, middle), round(_DOT * size), _RED, -1, cv2.LINE_AA)
    text = text_stamp(f"{int(seconds) // 60}:{int(seconds) % 60:02d}", size, WHITE, BLACK)
    text.put(image, center - size - text.size[0], 0)


def line_height(size: int) -> int:
    """Return the height of a line of text, by the size of its font."""
    return round(_LINE * size)


class _Ink:
    """A drawing in work: each text hides a part of what is below it."""

    def __init__(self, width: int, height: int, *, box: float = 0.0) -> None:
        self._colors: _Floats = np.zeros((height, width, 3))
        self._keep: _Floats = np.full((height, width, 1), 1 - box)

    def write(self, text: str, x: int, y: int, size: int, color: Color, *, stroke: int = 0) -> None:
        width, height = text_width(text, size) + 2 * _MARGIN, line_height(size)
        sheet = Pillow.new("L", (width, height))
        ImageDraw.Draw(sheet).text(
            (_MARGIN, height // 2), text, 255, _font(size), "lm", stroke_width=stroke
        )
        left = x - _MARGIN
        cover = np.asarray(sheet)[:, max(0, -left) :, np.newaxis] / 255
        place = slice(y, y + height), slice(max(0, left), max(0, left + width))
        cover = cover[: self._keep[place].shape[0], : self._keep[place].shape[1]]
        self._colors[place] = self._colors[place] * (1 - cover) + np.array(color) * cover
        self._keep[place] *= 1 - cover

    def stamp(self) -> Stamp:
        keep = np.repeat(np.rint(255 * self._keep), 3, axis=2)
        return Stamp(keep.astype(np.uint8), np.rint(self._colors).astype(np.uint8))


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return DejaVu Sans, which matplotlib brings: it has what names in most languages need."""
    package = find_spec("matplotlib")  # not imported: that takes longer than the window
    folder = Path(package.origin or "").parent if package else Path()
    try:
        return ImageFont.truetype(folder / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf", size)
    except OSError:
        return ImageFont.load_default(size)


def _widths(rows: Rows, size: int) -> list[int]:
    return [max(text_width(text, size) for text in column) for column in zip(*rows, strict=True)]


def _fits(size: tuple[int, int], room: tuple[int, int]) -> bool:
    return size[0] <= room[0] and size[1] <= room[1]
