"""The strip of colours below the picture: each segment as wide as its share."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from livekm.core.contrast import is_dark
from livekm.frame import Image
from livekm.live.text import BLACK, FONT, FONT_SCALE, SMALLEST_LINE, WHITE, Color

_PART, _SMALL_PART = 20, 8  # the picture's height by the strip's, of large and of small pictures
_LEAST, _SMALL, _MOST = 3, 18, 36  # pixels of its height: at least, of small pictures, at most
_TEXT_PART = 0.7  # height of the text by the strip's
_FRAME_PART, _LEAST_FRAME = 8, 3  # the strip's height by the width of a frame; pixels at least
_FADED, _FADED_PART = 200, 0.25  # grey that a faded colour tends to, and the part that is kept


def draw_strip(
    image: Image,
    palette: npt.NDArray[np.uint8],
    shares: npt.NDArray[np.float64],
    ids: npt.NDArray[np.int64] | None = None,
    *,
    sort: bool = False,
    chosen: Collection[int] = (),
    names: Sequence[str] = (),
) -> None:
    """Draw colours as a strip at the bottom of `image`.

    A colour is as wide as its share. Where there is room, its name, or its id, stands in it, and
    its share in per cent.

    Parameters
    ----------
    image : (H, W, 3) uint8, BGR
        Written to.
    palette : (k, 3) uint8, BGR
    shares : (k,) float64
        The part of the strip that each colour gets.
    ids : (k,) int64, optional
        By default 0 to k - 1.
    sort : bool, default False
        Whether the largest share comes first, not the lowest label.
    chosen : collection of int
        The ids whose colours are framed; the others fade then.
    names : sequence of str
        The name of each label, "" where it has none.
    """
    height, width = image.shape[:2]
    top = height - strip_height(height)
    mark = max(_LEAST_FRAME, (height - top) // _FRAME_PART)
    image[max(0, top - 1) : top] = 0
    for label, start, end in _places(shares, width, sort):
        identity = label if ids is None else int(ids[label])
        part = image[top:, start:end]
        is_faded = bool(chosen) and identity not in chosen
        color = _faded(palette[label]) if is_faded else palette[label]
        part[:] = color
        name = str(names[label] if names else "") or str(identity)
        _write(part, [f"{name}  {shares[label]:.0%}", name, str(identity)], color)
        if identity in chosen:
            _frame(part, mark, WHITE)
            _frame(part, 1, BLACK)


def strip_height(height: int) -> int:
    """Return the height of the strip in a picture of a height, in pixels."""
    return min(height, max(_LEAST, min(height // _SMALL_PART, _SMALL), min(height // _PART, _MOST)))


def label_at(
    x: int, y: int, size: tuple[int, int], shares: npt.NDArray[np.float64], *, sort: bool
) -> int | None:
    """Return the label of the strip's colour at a pixel; None where the strip is not.

    Parameters
    ----------
    x, y : int
    size : (int, int)
        Width and height of the picture that the strip was drawn into.
    shares : (k,) float64
    sort : bool
        As `draw_strip` took it.
    """
    width, height = size
    if not height - strip_height(height) <= y < height:
        return None
    found = (label for label, start, end in _places(shares, width, sort) if start <= x < end)
    return next(found, None)


def _places(shares: npt.NDArray[np.float64], width: int, sort: bool) -> list[tuple[int, int, int]]:
    """Return each label with where its colour begins and ends, from left to right."""
    order = np.argsort(-shares, kind="stable") if sort else np.arange(len(shares))
    ends = np.rint(np.cumsum(shares[order]) * width).astype(int)
    starts = [0, *ends[:-1]]
    return [(int(s), int(a), int(b)) for s, a, b in zip(order, starts, ends, strict=True)]


def _faded(color: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.asarray(_FADED_PART * color + (1 - _FADED_PART) * _FADED, np.uint8)


def _frame(part: Image, width: int, color: Color) -> None:
    """Draw a frame inside of `part`."""
    part[:width] = part[-width:] = part[:, :width] = part[:, -width:] = color


def _write(part: Image, texts: Sequence[str], background: npt.NDArray[np.uint8]) -> None:
    """Write the first of `texts` that fits into the middle of `part`, a view of an image."""
    height, width = part.shape[:2]
    scale = _TEXT_PART * height * FONT_SCALE
    for text in texts:
        (text_width, text_height), _ = cv2.getTextSize(text, FONT, scale, 1)
        if text_width + height // 2 <= width and height >= SMALLEST_LINE:
            at = (width - text_width) // 2, (height + text_height) // 2
            written = part.copy()  # OpenCV does not write into views
            color = WHITE if is_dark(background) else BLACK
            cv2.putText(written, text, at, FONT, scale, color, 1, cv2.LINE_AA)
            part[:] = written
            return
