"""What is written over the picture: the head-up display and the help."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from livekm.frame import Image

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_WHITE = (255, 255, 255)
_RED = (0, 0, 160)
_LINES = 30  # lines of text that the height of the picture has room for


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

    Parameters
    ----------
    image : (H, W, 3) uint8, BGR
        Written to.
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
    _draw_box(image, [(line,) for line in lines], _size(image), centered=False)
    if palette is None or shares is None:
        return
    height, width = image.shape[:2]
    top = height - _strip_height(height)
    image[max(0, top - 1) : top] = 0
    for slot, start, end in _strip(shares, width, by_share):
        image[top:, start:end] = palette[slot]
        if slot in chosen:
            image[top : top + max(1, (height - top) // 4), start:end] = _WHITE


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
    if not height - _strip_height(height) <= y < height:
        return None
    found = [slot for slot, start, end in _strip(shares, width, by_share) if start <= x < end]
    return found[0] if found else None


def _strip(
    shares: npt.NDArray[np.float64], width: int, by_share: bool
) -> list[tuple[int, int, int]]:
    """Return each slot of the strip with where it begins and ends, from left to right."""
    order = np.argsort(-shares, kind="stable") if by_share else np.arange(len(shares))
    ends = np.rint(np.cumsum(shares[order]) * width).astype(int)
    starts = [0, *ends[:-1]]
    return [(int(s), int(a), int(b)) for s, a, b in zip(order, starts, ends, strict=True)]


def _strip_height(height: int) -> int:
    return min(height, max(3, height // 25))


def draw_dot(image: Image) -> None:
    """Draw the red dot of a recording at the top right."""
    size = _size(image)
    center = round(image.shape[1] - size), round(size)
    cv2.circle(image, center, round(0.45 * size), (255, 255, 255), -1, cv2.LINE_AA)
    cv2.circle(image, center, round(0.35 * size), (0, 0, 230), -1, cv2.LINE_AA)


def draw_help(image: Image, rows: Sequence[tuple[str, str]]) -> None:
    """Write a table of keys and what they do into the middle of `image`."""
    fitting = image.shape[0] / (len(rows) + 2)
    _draw_box(image, rows, min(_size(image), fitting), centered=True)


def draw_banner(image: Image, text: str) -> None:
    """Write `text` large across the middle of `image`, on a red band, to be seen from afar."""
    height, width = image.shape[:2]
    wanted = 2 * _size(image)
    natural, _ = cv2.getTextSize(text, _FONT, wanted / 30, 1)[0]
    size = wanted * min(1.0, 0.95 * width / natural)
    scale = size / 30
    (text_width, text_height), _ = cv2.getTextSize(text, _FONT, scale, 1)
    middle = height // 2
    image[max(0, round(middle - size)) : round(middle + size)] = _RED
    at = (width - text_width) // 2, middle + text_height // 2
    cv2.putText(image, text, at, _FONT, scale, _WHITE, 1, cv2.LINE_AA)


def enlarge(image: Image, least: int) -> Image:
    """Return a copy of `image`, enlarged in whole steps to a height of at least `least` pixels.

    An image that is much wider than high is enlarged less, or it would take all the memory.
    """
    height, width = image.shape[:2]
    factor = max(1, min(-(-least // height), 4 * least // width))
    if factor == 1:
        return image.copy()
    return image.repeat(factor, axis=0).repeat(factor, axis=1)


def _size(image: Image) -> float:
    """Return the height of a line of text in pixels, so that it looks the same in every window.

    A wide picture is shown smaller, to fit into the window, and its text is larger instead.
    """
    height, width = image.shape[:2]
    return max(14.0, float(min(max(height, width * 9 / 16), width)) / _LINES)


def _draw_box(image: Image, rows: Sequence[Sequence[str]], size: float, centered: bool) -> None:
    """Write a table in white on a darkened box; columns are aligned."""
    scale, line, pad = size / 30, round(size), round(size / 2)
    widths = [
        max(cv2.getTextSize(row[c], _FONT, scale, 1)[0][0] for row in rows)
        for c in range(len(rows[0]))
    ]
    box_width = sum(widths) + pad * (len(widths) + 1)
    box_height = line * len(rows) + pad
    height, width = image.shape[:2]
    left = max(0, (width - box_width) // 2) if centered else 0
    top = max(0, (height - box_height) // 2) if centered else 0
    box = image[top : top + box_height, left : left + box_width]
    np.right_shift(box, 2, out=box)
    for r, row in enumerate(rows):
        x = left + pad
        y = top + pad // 2 + round(line * (r + 0.75))
        for text, column in zip(row, widths, strict=True):
            cv2.putText(image, text, (x, y), _FONT, scale, _WHITE, 1, cv2.LINE_AA)
            x += column + pad
