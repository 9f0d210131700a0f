"""What is written over the picture: the head-up display, notes, a banner and the help."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from livekm.core.contrast import is_dark
from livekm.frame import Image

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_BLACK, _WHITE, _AMBER = (0, 0, 0), (255, 255, 255), (120, 205, 255)
_BANNER, _DOT = (0, 0, 160), (0, 0, 230)
_LINES = 30  # lines of text that the height of the picture has room for,
_LEAST, _MOST = 15.0, 30.0  # and the bounds of a line's height in pixels
_SCALE = 1 / 30  # of the font, for a line one pixel high


def draw_hud(
    image: Image,
    lines: Sequence[str],
    palette: npt.NDArray[np.uint8] | None = None,
    shares: npt.NDArray[np.float64] | None = None,
    *,
    by_share: bool = False,
    chosen: Collection[int] = (),
) -> None:
    """Write `lines` at the top left, and the palette as a strip at the bottom, into `image`.

    A colour of the strip is as wide as its share. Where there is room, its slot and its share
    in per cent stand in it.

    Parameters
    ----------
    image : (H, W, 3) uint8, BGR
        Written to. Its pixels should be those of the screen, for the text to be legible.
    lines : sequence of str
    palette : (k, 3) uint8, BGR, optional
        Without it there is no strip.
    shares : (k,) float64, optional
        The part of the strip that each colour gets.
    by_share : bool, default False
        Whether the largest share comes first, not the lowest slot.
    chosen : collection of int
        The slots to be marked in white.
    """
    if lines:
        _draw_box(image, [(line,) for line in lines], (0.0, 0.0))
    if palette is None or shares is None:
        return
    height, width = image.shape[:2]
    top = height - _strip_height(image.shape)
    image[max(0, top - 1) : top] = 0
    for slot, start, end in _strip(shares, width, by_share):
        part = image[top:, start:end]
        part[:] = palette[slot]
        if slot in chosen:
            part[: max(2, (height - top) // 6)] = _WHITE
            part[-max(2, (height - top) // 6) :] = _WHITE
        _label(part, [f"{slot}  {shares[slot]:.0%}", str(slot)], palette[slot])


def slot_at(
    x: int, y: int, size: tuple[int, int], shares: npt.NDArray[np.float64], *, by_share: bool
) -> int | None:
    """Return the slot of the strip's colour at a pixel; None where the strip is not.

    Parameters
    ----------
    x, y : int
    size : (int, int)
        Width and height of the picture that the strip was drawn into.
    shares, by_share
        As `draw_hud` took them.
    """
    width, height = size
    if not height - _strip_height((height, width)) <= y < height:
        return None
    found = [slot for slot, start, end in _strip(shares, width, by_share) if start <= x < end]
    return found[0] if found else None


def draw_note(image: Image, text: str) -> None:
    """Write `text` in a box above the place of the strip."""
    above = 1 - 1.5 * _strip_height(image.shape) / image.shape[0]
    _draw_box(image, [(text,)], (0.5, max(0.0, above)), _AMBER)


def draw_recording(image: Image, seconds: float) -> None:
    """Draw the red dot of a recording at the top right, with its length so far."""
    size = _line_height(image)
    center = round(image.shape[1] - size), round(size)
    cv2.circle(image, center, round(0.45 * size), _WHITE, -1, cv2.LINE_AA)
    cv2.circle(image, center, round(0.35 * size), _DOT, -1, cv2.LINE_AA)
    text = f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
    (width, height), _ = cv2.getTextSize(text, _FONT, size * _SCALE, 1)
    at = center[0] - round(0.8 * size) - width, center[1] + height // 2
    for color, thickness in ((_BLACK, 3), (_WHITE, 1)):
        cv2.putText(image, text, at, _FONT, size * _SCALE, color, thickness, cv2.LINE_AA)


def draw_help(image: Image, rows: Sequence[tuple[str, str]]) -> None:
    """Write a table of keys and what they do into the middle of `image`."""
    _draw_box(image, rows, (0.5, 0.5), _AMBER, _WHITE)


def draw_banner(image: Image, text: str) -> None:
    """Write `text` large across the middle of `image`, on a red band, to be seen from afar."""
    height, width = image.shape[:2]
    wanted = 1.6 * _line_height(image)
    natural, _ = cv2.getTextSize(text, _FONT, wanted * _SCALE, 1)[0]
    size = wanted * min(1.0, 0.95 * width / natural)
    (text_width, text_height), _ = cv2.getTextSize(text, _FONT, size * _SCALE, 1)
    middle = height // 2
    image[max(0, round(middle - size)) : round(middle + size)] = _BANNER
    at = (width - text_width) // 2, middle + text_height // 2
    cv2.putText(image, text, at, _FONT, size * _SCALE, _WHITE, 1, cv2.LINE_AA)


def _line_height(image: Image) -> float:
    """Return the height of a line of text in pixels."""
    height, width = image.shape[:2]
    return float(min(max(_LEAST, min(height, width) / _LINES), _MOST))


def _strip_height(shape: Sequence[int]) -> int:
    height = shape[0]
    return min(height, max(3, min(height // 8, 18), min(height // 20, 36)))


def _strip(
    shares: npt.NDArray[np.float64], width: int, by_share: bool
) -> list[tuple[int, int, int]]:
    """Return each slot of the strip with where it begins and ends, from left to right."""
    order = np.argsort(-shares, kind="stable") if by_share else np.arange(len(shares))
    ends = np.rint(np.cumsum(shares[order]) * width).astype(int)
    starts = [0, *ends[:-1]]
    return [(int(s), int(a), int(b)) for s, a, b in zip(order, starts, ends, strict=True)]


def _label(part: Image, texts: Sequence[str], background: npt.NDArray[np.uint8]) -> None:
    """Write the first of `texts` that fits into the middle of `part`, a view of an image."""
    height, width = part.shape[:2]
    scale = 0.7 * height * _SCALE
    color = _WHITE if is_dark(background) else _BLACK
    for text in texts:
        (text_width, text_height), _ = cv2.getTextSize(text, _FONT, scale, 1)
        if text_width + height // 2 <= width and height >= _LEAST:
            at = (width - text_width) // 2, (height + text_height) // 2
            label = part.copy()  # OpenCV does not write into views
            cv2.putText(label, text, at, _FONT, scale, color, 1, cv2.LINE_AA)
            part[:] = label
            return


def _draw_box(
    image: Image,
    rows: Sequence[Sequence[str]],
    place: tuple[float, float],
    *colors: tuple[int, int, int],
) -> None:
    """Write a table on a darkened box; columns are aligned.

    Parameters
    ----------
    image : (H, W, 3) uint8, BGR
    rows : sequence of sequence of str
    place : (float, float)
        Where the box lies in the image: 0 at the left and the top, 1 at the right and the bottom.
    colors : (int, int, int)
        Of each column; white by default.
    """
    height, width = image.shape[:2]
    size = _line_height(image)
    columns = [list(column) for column in zip(*rows, strict=True)]
    natural = sum(max(_text_width(text, size) for text in column) for column in columns)
    natural += round(size * (len(columns) + 1) * 0.6)
    size *= min(1.0, width / natural, height / (1.2 * size * (len(rows) + 0.6)))
    line, pad, scale = 1.2 * size, round(0.6 * size), size * _SCALE
    widths = [max(_text_width(text, size) for text in column) for column in columns]
    box_width = sum(widths) + pad * (len(widths) + 1)
    box_height = round(line * len(rows) + pad)
    left = round(max(0, width - box_width) * place[0])
    top = round(max(0, height - box_height) * place[1])
    box = image[top : top + box_height, left : left + box_width]
    np.right_shift(box, 2, out=box)
    for r, row in enumerate(rows):
        x = left + pad
        y = top + round(pad / 2 + line * (r + 0.75))
        for text, column, color in zip(row, widths, colors or (_WHITE,), strict=True):
            cv2.putText(image, text, (x, y), _FONT, scale, color, 1, cv2.LINE_AA)
            x += column + pad


def _text_width(text: str, size: float) -> int:
    return int(cv2.getTextSize(text, _FONT, size * _SCALE, 1)[0][0])
