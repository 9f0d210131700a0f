"""The strip of colours below the picture: each segment as wide as its share."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from livekm.core.contrast import is_dark
from livekm.core.region_segmentation import RegionSegmentation
from livekm.core.segmentation import Segmentation
from livekm.core.selection import EVERYTHING, Selection
from livekm.frame import Image
from livekm.live.text import BLACK, SMALLEST, WHITE, Color, text_stamp, text_width
from livekm.views import legend

_FRESH = 0.25  # seconds for which an image is shown
_NARROW = 24  # columns below which a colour is folded into the last part
_TAIL = 34  # columns of that part at least
_CLEARLY, _AND_MORE = 1.25, 0.002  # larger by this factor and share: two colours change places
_TEXT_PART = 0.6  # size of the font by the strip's height
_FRAME = 3  # pixels of a frame
_FADED, _FADED_PART = 200, 0.25  # grey that a faded colour tends to, and the part that is kept
_FOLDED: Color = (70, 70, 70)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the strip.

    Attributes
    ----------
    start, end : int
        Its columns.
    ids : tuple of int
        Of one segment, or of those that are folded into the last part.
    """

    start: int
    end: int
    ids: tuple[int, ...]


class Strip:
    """Lays the colours out by share, the largest first, and draws them.

    Two colours change places only when one is clearly larger, and shares are read a few times a
    second: the strip is to stand still.
    """

    def __init__(self) -> None:
        self._order: list[int] = []  # ids
        self._parts: list[Part] = []
        self._image: Image = np.zeros((1, 1, 3), np.uint8)
        self._drawn_for: object = None
        self._drawn_at = 0.0

    def part_at(self, column: int) -> Part | None:
        """Return the part at a column of the last image; None where there is none."""
        return next((part for part in self._parts if part.start <= column < part.end), None)

    def image(
        self,
        size: tuple[int, int],
        segmentation: Segmentation | RegionSegmentation,
        view: str = "segments",
        selection: Selection = EVERYTHING,
        colors: npt.NDArray[np.uint8] | None = None,
    ) -> Image:
        """Draw the strip, or return it as it was drawn a moment ago.

        Where there is room, a colour has its name, or its id, and its share in per cent in it. The
        selected ones are framed, and the others fade.

        Parameters
        ----------
        size : (int, int)
            Width and height.
        segmentation : Segmentation or RegionSegmentation
        view : str
            Whose colours are shown.
        selection : Selection
            Its segments are not folded.
        colors : (n, 3) uint8, BGR, optional
            Other colours, by the ids.

        Returns
        -------
        image : (H, W, 3) uint8, BGR
            Not to be written to.
        """
        drawn_for = size, view, selection, len(segmentation.ids), segmentation.labels.shape
        now = time.monotonic()
        if drawn_for != self._drawn_for or now - self._drawn_at > _FRESH:
            self._lay_out(segmentation, size[0], selection)
            palette = legend(view, segmentation, colors)
            self._image = self._draw(size, segmentation, palette, selection)
            self._drawn_for, self._drawn_at = drawn_for, now
        return self._image

    def _lay_out(
        self, segmentation: Segmentation | RegionSegmentation, width: int, selection: Selection
    ) -> None:
        """Give each colour its columns."""
        pairs = zip(segmentation.ids.tolist(), segmentation.shares.tolist(), strict=True)
        shares = {identity: share for identity, share in pairs if share > 0}
        self._order = _ordered(self._order, shares)
        unfolded = set() if selection.drop else selection.ids
        tail = [i for i in self._order if shares[i] * width < _NARROW and i not in unfolded]
        tail = tail if len(tail) > 1 else []
        tail_share = sum(shares[identity] for identity in tail)
        tail_width = min(width, max(_TAIL, round(width * tail_share))) if tail else 0
        shown = {i: shares[i] for i in self._order if i not in tail}
        self._parts = _places(shown, width - tail_width)
        if tail:
            self._parts.append(Part(width - tail_width, width, tuple(tail)))

    def _draw(
        self,
        size: tuple[int, int],
        segmentation: Segmentation | RegionSegmentation,
        palette: npt.NDArray[np.uint8],
        selection: Selection,
    ) -> Image:
        """Draw what was laid out."""
        image: Image = np.zeros((size[1], size[0], 3), np.uint8)
        shares = segmentation.shares
        is_selected = selection.of(segmentation)
        label_of = {identity: label for label, identity in enumerate(segmentation.ids.tolist())}
        for part in self._parts:
            place = image[:, part.start : part.end]
            if len(part.ids) > 1:
                place[:] = _FOLDED
                _write(place, [f"+{len(part.ids)}"], np.array(_FOLDED, np.uint8))
                continue
            identity = part.ids[0]
            label = label_of[identity]
            name = segmentation.names[label] or str(identity)
            color = palette[label] if is_selected[label] else _faded(palette[label])
            place[:] = color
            _write(place, [f"{name}  {shares[label]:.0%}", name, str(identity)], color)
            if is_selected[label] and not selection.is_everything:
                _frame(place, _FRAME, WHITE)
                _frame(place, 1, BLACK)
        return image


def _ordered(before: list[int], shares: dict[int, float]) -> list[int]:
    """Return the ids by share, in the order before where two are much alike."""
    order = [identity for identity in before if identity in shares]
    new = sorted(set(shares) - set(order), key=lambda identity: -shares[identity])
    order += new
    for end in range(1, len(order)):
        for place in range(end, 0, -1):
            left, right = order[place - 1], order[place]
            is_new = right in new
            limit = shares[left] if is_new else _CLEARLY * shares[left] + _AND_MORE
            if shares[right] <= limit:
                break
            order[place - 1], order[place] = right, left
    return order


def _places(shares: dict[int, float], width: int) -> list[Part]:
    """Return the part of each id, from left to right, over all of a width."""
    if not any(shares.values()):  # nothing counts
        return []
    ends = np.cumsum(list(shares.values()))
    columns = np.rint(ends / ends[-1] * width).astype(int).tolist()
    rows = zip(shares, [0, *columns[:-1]], columns, strict=True)
    return [Part(start, end, (identity,)) for identity, start, end in rows]


def _faded(color: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.asarray(_FADED_PART * color + (1 - _FADED_PART) * _FADED, np.uint8)


def _frame(part: Image, width: int, color: Color) -> None:
    """Draw a frame inside of `part`."""
    part[:width] = part[-width:] = part[:, :width] = part[:, -width:] = color


def _write(part: Image, texts: list[str], background: npt.NDArray[np.uint8]) -> None:
    """Write the first of `texts` that fits into the middle of `part`."""
    height, width = part.shape[:2]
    size = round(_TEXT_PART * height)
    if size < SMALLEST - 1:
        return
    fitting = (text for text in texts if text_width(text, size) + height // 4 <= width)
    for text in fitting:
        color = WHITE if is_dark(background) else BLACK
        text_stamp(text, size, color).put_within(part, (0.5, 0.5))
        return
