"""Leave pixels of a source's frames out: colours, borders, masks, what lies outside a rectangle."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from livekm.errors import SourceError, UsageError
from livekm.frame import Frame, Image, Mask, VideoInfo
from livekm.sources.base import Source
from livekm.sources.clip import ClipSource
from livekm.sources.files import READABLE_IMAGES
from livekm.sources.sequence import SequenceSource, is_pattern
from livekm.sources.still import read_still
from livekm.sources.stream import DerivedStream

Roi: TypeAlias = tuple[int, int, int, int]
"""Left, top, width and height of a rectangle in pixels."""

WORDS = ("alpha", "border", "none")
"""What can be ignored, beside colours and masks; `none` counts what is transparent, too."""

_TOLERANCE = 16  # levels of each channel by which a colour that is ignored may differ
_BORDER_TOLERANCE = 20  # levels by which a border may differ from its corner: noise of an encoder
_LIGHT = 128  # the lightness from which a pixel of a mask counts


class _Rule(Protocol):
    def __call__(self, frame: Frame) -> Mask:
        """Return the (H, W) bool mask of the pixels that count."""


class MaskedSource(DerivedStream):
    """The frames of a source, and with each which of its pixels count.

    What is transparent in a still image does not count in any case, unless `ignore` has ``none``.

    Parameters
    ----------
    source : Source
        Is closed with this one.
    ignore : sequence of str
        What does not count: ``alpha``, what is transparent, in a clip where it was opened with
        `alpha`; ``#rrggbb``, a colour within 16 levels
        in each channel, or ``#rrggbb~5`` within 5; ``border``, bars of one colour around the
        picture, which may only become narrower from frame to frame; the name of an image, of which
        black, or what is transparent, does not count; or of a clip or a folder of such images, one
        for each frame.
    roi : (int, int, int, int), optional
        Left, top, width and height of the part that counts, in pixels.

    Raises
    ------
    UsageError
        If a word is none of these, or `roi` does not lie within the frames.
    SourceError
        If a mask cannot be read, is not as large as a frame or ends before the source.

    Examples
    --------
    >>> from livekm.sources.demo.source import DemoSource
    >>> with MaskedSource(DemoSource(64, 48), roi=(0, 0, 64, 20)) as source:
    ...     int(next(iter(source)).mask.sum())
    1280
    """

    def __init__(self, source: Source, ignore: Sequence[str] = (), roi: Roi | None = None) -> None:
        self._given = ignore, roi
        self._masks = ExitStack()
        rules = [self._rule(word) for word in ignore if word not in ("alpha", "none")]
        if roi is not None:
            check_roi(roi, source.info)
            rules.append(_Inside(roi))
        counts_alpha = "none" in ignore
        super().__init__(source, source.info, _masked(source, rules, counts_alpha=counts_alpha))

    def _rule(self, word: str) -> _Rule:
        if word.startswith("#"):
            return _OtherThan(*read_color(word))
        if word == "border":
            return _WithoutBars()
        path = Path(word)
        if path.is_dir() or (not path.exists() and is_pattern(word)):
            return _Moving(self._masks.enter_context(SequenceSource(word)))
        if path.suffix.lower() in READABLE_IMAGES:
            return _Still(path)
        return _Moving(self._masks.enter_context(ClipSource(word)))

    def skip(self, seconds: float) -> None:
        """Skip frames as the source does."""
        self._source.skip(seconds)

    def reopened(self) -> MaskedSource | None:
        """Open the source and its masks anew."""
        again = self._source.reopened()
        return None if again is None else MaskedSource(again, *self._given)

    def close(self) -> None:
        """Close the source and its masks. Closing twice is allowed."""
        super().close()
        self._masks.close()


def read_color(word: str) -> tuple[tuple[int, int, int], int]:
    """Read ``#rrggbb`` or ``#rrggbb~tolerance`` as a BGR colour and its tolerance.

    Examples
    --------
    >>> read_color("#ff8000~5")
    ((0, 128, 255), 5)
    """
    match = re.fullmatch(r"#([0-9a-fA-F]{6})(?:~(\d{1,3}))?", word)
    tolerance = _TOLERANCE if match is None or match[2] is None else int(match[2])
    if match is None or tolerance > 255:
        raise UsageError(f"a colour is like '#00ff00' or '#00ff00~{_TOLERANCE}', got {word!r}")
    r, g, b = bytes.fromhex(match[1])
    return (b, g, r), tolerance


def check_roi(roi: Roi, info: VideoInfo) -> None:
    """Raise `UsageError` unless a rectangle lies within the frames."""
    x, y, width, height = roi
    is_inside = x >= 0 and y >= 0 and x + width <= info.width and y + height <= info.height
    if not is_inside or width < 1 or height < 1:
        raise UsageError(
            f"the part {x},{y},{width},{height} does not lie in the {info.width}x{info.height} "
            f"pixels of {info.name}; give left, top, width and height"
        )


def _masked(source: Source, rules: Sequence[_Rule], *, counts_alpha: bool) -> Iterator[Frame]:
    for frame in source:
        mask = None if counts_alpha else frame.mask
        for rule in rules:
            found = rule(frame)
            mask = found if mask is None else mask & found
        yield replace(frame, mask=mask)


class _OtherThan:
    """Counts all colours but one."""

    def __init__(self, color: tuple[int, int, int], tolerance: int) -> None:
        levels = np.array(color)
        self._low = tuple((levels - tolerance).clip(0, 255).tolist())
        self._high = tuple((levels + tolerance).clip(0, 255).tolist())

    def __call__(self, frame: Frame) -> Mask:
        return np.asarray(cv2.inRange(frame.image, self._low, self._high) == 0)


class _WithoutBars:
    """Counts what lies within bars of one colour at the sides of the frame.

    A dark frame does not widen them: the rectangle within only grows.
    """

    def __init__(self) -> None:
        self._inside: tuple[int, int, int, int] | None = None
        self._size = (0, 0)

    def __call__(self, frame: Frame) -> Mask:
        size = frame.image.shape[0], frame.image.shape[1]
        found = _within_bars(frame.image)
        if self._inside is not None and self._size == size:
            pairs = zip(found, self._inside, strict=True)
            top, left, bottom, right = (
                max(pair) if end >= 2 else min(pair) for end, pair in enumerate(pairs)
            )
            found = top, left, bottom, right
        self._inside, self._size = found, size
        mask = np.zeros(size, np.bool_)
        mask[found[0] : found[2], found[1] : found[3]] = True
        return mask


def _within_bars(image: Image) -> tuple[int, int, int, int]:
    """Return top, left, bottom and right of what lies within the bars; the middle if nothing."""
    height, width = image.shape[:2]
    ends = [*_ends(image), *_ends(image.transpose(1, 0, 2))]
    top, bottom = ends[:2] if ends[0] < ends[1] else (height // 2, height // 2)
    left, right = ends[2:] if ends[2] < ends[3] else (width // 2, width // 2)
    return top, left, bottom, right


def _ends(image: npt.NDArray[np.uint8]) -> tuple[int, int]:
    """Return the first row that is no bar, and one past the last."""
    n = len(image)
    ends = []
    for rows in (image, image[::-1]):
        corner = rows[0, 0].astype(int)
        bar = 0
        while bar < n and np.abs(rows[bar] - corner).max() <= _BORDER_TOLERANCE:
            bar += 1
        ends.append(bar)
    return ends[0], n - ends[1]


class _Inside:
    """Counts a rectangle."""

    def __init__(self, roi: Roi) -> None:
        self._roi = roi

    def __call__(self, frame: Frame) -> Mask:
        x, y, width, height = self._roi
        mask = np.zeros(frame.image.shape[:2], np.bool_)
        mask[y : y + height, x : x + width] = True
        return mask


class _Still:
    """Counts what is light in an image, or what is not transparent."""

    def __init__(self, path: Path) -> None:
        self._name = str(path)
        self._mask = _from_picture(*read_still(path))
        if not self._mask.any():
            raise SourceError(f"{path}: nothing would count: all of it is black or transparent")

    def __call__(self, frame: Frame) -> Mask:
        return _checked(self._mask, frame, self._name)


class _Moving:
    """Counts what is light in the frame of the same index of another source."""

    def __init__(self, masks: Source) -> None:
        self._source = masks
        self._masks = iter(masks)
        self._index = -1
        self._mask: Mask = np.zeros((0, 0), np.bool_)

    def __call__(self, frame: Frame) -> Mask:
        while self._index < frame.index:
            found = next(self._masks, None)
            if found is None:
                raise SourceError(
                    f"{self._source.info.name}: there is no mask for frame {frame.index}; "
                    "it must be as long as what it is for"
                )
            self._index = found.index
            self._mask = _from_picture(found.image, found.mask)
        return _checked(self._mask, frame, self._source.name_of(self._index))


def _from_picture(image: Image, opaque: Mask | None) -> Mask:
    if opaque is not None:
        return opaque
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) >= _LIGHT)


def _checked(mask: Mask, frame: Frame, name: str) -> Mask:
    if mask.shape != frame.image.shape[:2]:
        (height, width), (rows, columns) = mask.shape, frame.image.shape[:2]
        raise SourceError(
            f"{name}: the mask is {width}x{height}, the frame {columns}x{rows}; "
            "make it as large as the frame"
        )
    return mask
