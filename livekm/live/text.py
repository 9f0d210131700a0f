"""Text over a picture: tables in darkened boxes, a banner, the mark of a recording."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np

from livekm.frame import Image

FONT = cv2.FONT_HERSHEY_SIMPLEX
FONT_SCALE = 1 / 30
"""Scale of the font for a line that is one pixel high."""
SMALLEST_LINE = 15.0
"""Height in pixels of the smallest line of text."""

_LARGEST_LINE = 30.0  # height in pixels
_LINES = 30  # lines of text that the height of the picture has room for, between those two
_LINE_SPACING, _PADDING = 1.2, 0.6  # of a box, by the height of a line
_SLACK = 3  # pixels that a column may grow by rounding when the text shrinks
_BASELINE = 0.75  # part of a line that is above it
_BANNER_LINE = 1.6  # height of the banner's text, by that of a line,
_BANNER_WIDTH = 0.95  # and the part of the picture's width that it may take
_DOT_RADIUS, _RING_RADIUS = 0.35, 0.45  # of a recording, by the height of a line

Color: TypeAlias = tuple[int, int, int]
BLACK, WHITE, AMBER = (0, 0, 0), (255, 255, 255), (120, 205, 255)
_BANNER, _DOT = (0, 0, 160), (0, 0, 230)


def line_height(image: Image) -> float:
    """Return the height of a line of text in pixels."""
    return float(min(max(SMALLEST_LINE, min(image.shape[:2]) / _LINES), _LARGEST_LINE))


def draw_table(
    image: Image, rows: Sequence[Sequence[str]], place: tuple[float, float], *colors: Color
) -> None:
    """Write a table on a darkened box; columns are aligned.

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
    if not rows:
        return
    height, width = image.shape[:2]
    columns = [list(column) for column in zip(*rows, strict=True)]
    size = line_height(image)
    natural = sum(_widths(columns, size)) + round(size * (len(columns) + 1) * _PADDING)
    natural += _SLACK * len(columns)
    size *= min(1.0, width / natural, height / (_LINE_SPACING * size * (len(rows) + _PADDING)))
    line, pad = _LINE_SPACING * size, round(_PADDING * size)
    widths = _widths(columns, size)
    box_width = sum(widths) + pad * (len(widths) + 1)
    box_height = round(line * len(rows) + pad)
    left = round(max(0, width - box_width) * place[0])
    top = round(max(0, height - box_height) * place[1])
    box = image[top : top + box_height, left : left + box_width]
    np.right_shift(box, 2, out=box)
    for r, row in enumerate(rows):
        x = left + pad
        y = top + round(pad / 2 + line * (r + _BASELINE))
        for text, column, color in zip(row, widths, colors or (WHITE,), strict=True):
            cv2.putText(image, text, (x, y), FONT, size * FONT_SCALE, color, 1, cv2.LINE_AA)
            x += column + pad


def banner_height(image: Image) -> int:
    """Return the height of a banner in pixels."""
    return int(min(image.shape[0] - 1, round(2 * _BANNER_LINE * line_height(image))))


def draw_banner(image: Image, text: str, *, at_top: bool = False) -> None:
    """Write `text` large across the middle of `image`, or its top, on a red band."""
    height, width = image.shape[:2]
    wanted = _BANNER_LINE * line_height(image)
    size = wanted * min(1.0, _BANNER_WIDTH * width / _text_size(text, wanted)[0])
    text_width, text_height = _text_size(text, size)
    middle = banner_height(image) // 2 if at_top else height // 2
    image[max(0, round(middle - size)) : round(middle + size)] = _BANNER
    at = (width - text_width) // 2, middle + text_height // 2
    cv2.putText(image, text, at, FONT, size * FONT_SCALE, WHITE, 1, cv2.LINE_AA)


def draw_recording(image: Image, seconds: float) -> None:
    """Draw the red dot of a recording at the top right, with its length so far."""
    size = line_height(image)
    center = round(image.shape[1] - size), round(size)
    cv2.circle(image, center, round(_RING_RADIUS * size), WHITE, -1, cv2.LINE_AA)
    cv2.circle(image, center, round(_DOT_RADIUS * size), _DOT, -1, cv2.LINE_AA)
    text = f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
    width, height = _text_size(text, size)
    at = center[0] - round(0.8 * size) - width, center[1] + height // 2
    for color, thickness in ((BLACK, 3), (WHITE, 1)):  # an outline, then the text
        cv2.putText(image, text, at, FONT, size * FONT_SCALE, color, thickness, cv2.LINE_AA)


def _widths(columns: Sequence[Sequence[str]], size: float) -> list[int]:
    return [max(_text_size(text, size)[0] for text in column) for column in columns]


def _text_size(text: str, size: float) -> tuple[int, int]:
    """Return width and height in pixels of a line of text."""
    width, height = cv2.getTextSize(text, FONT, size * FONT_SCALE, 1)[0]
    return int(width), int(height)
