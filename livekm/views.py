"""What is shown of a frame: a function of the frame and its segmentation for each view.

A view takes a `Frame` and its `Segmentation` and returns either a (H, W, 3) uint8 BGR image, which
may be theirs, or a `Painting`: labels and a palette, which a sink paints by itself. Those of
`VIEWS` also take a `Selection`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Protocol, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from livekm.core.contrast import is_dark
from livekm.core.painting import Painting
from livekm.core.segmentation import Segmentation
from livekm.core.selection import EVERYTHING, Selection
from livekm.frame import Frame, Image
from livekm.regions import Region, find_regions

_BLACK, _WHITE, _YELLOW = (0, 0, 0, 255), (255, 255, 255, 255), (0, 255, 255, 255)  # and opaque
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_LEAST_TEXT, _TEXT_PART = 0.35, 1 / 1400  # scale of the font: at least, and by the shorter side
_TEXT_MARGIN = 2  # pixels around the number of a region
_DIM = 0.25  # the brightness of what is dimmed

View: TypeAlias = Callable[[Frame, Segmentation], Image | Painting]
"""What the frame loop takes."""

Palette: TypeAlias = npt.NDArray[np.uint8]
"""(k, 3) uint8, BGR."""

Mask: TypeAlias = npt.NDArray[np.uint8]
"""(H, W) uint8: 255 inside, 0 outside."""


class SelectiveView(Protocol):
    """A view that can leave segments out."""

    def __call__(
        self, frame: Frame, segmentation: Segmentation, selection: Selection = EVERYTHING
    ) -> Image | Painting:
        """Return what is shown; raise ValueError for labels that the segmentation lacks."""


def selective(view: Callable[[Frame, Segmentation], Image]) -> SelectiveView:
    """Let a view of one's own take a selection: the rest is drawn over what it returns.

    The image is as large as the frame, or several times as wide, as with images side by side.
    """

    @wraps(view)
    def selected(
        frame: Frame, segmentation: Segmentation, selection: Selection = EVERYTHING
    ) -> Image:
        image = view(frame, segmentation)
        if selection.is_everything:
            return image
        inside = _pixels(segmentation, selection)
        times = image.shape[1] // inside.shape[1]
        return _RESTS[selection.rest](
            image, np.tile(inside, (1, times)), np.tile(frame.image, (1, times, 1))
        )

    return selected


def segments(
    frame: Frame, segmentation: Segmentation, selection: Selection = EVERYTHING
) -> Image | Painting:
    """Show every pixel in the colour of its cluster."""
    return _in_colors(segmentation.palette, frame, segmentation, selection)


@selective
def overlay(frame: Frame, segmentation: Segmentation) -> Image:
    """Let the picture shine through the segments."""
    painted = segmentation.paint()
    blend: Image = cv2.addWeighted(frame.image, 0.5, painted, 0.5, 0, painted)  # type: ignore[assignment]
    return blend


@selective
def boundaries(frame: Frame, segmentation: Segmentation) -> Image:
    """Draw the borders between segments into the picture, in yellow."""
    image = frame.image.copy()
    image[segmentation.boundaries()] = _YELLOW[:3]
    return image


@selective
def side_by_side(frame: Frame, segmentation: Segmentation) -> Image:
    """Show the picture on the left and its segments on the right."""
    return np.concatenate([frame.image, segmentation.paint()], axis=1)


@selective
def original(frame: Frame, segmentation: Segmentation) -> Image:
    """Show the picture itself."""
    return frame.image


def mask(
    frame: Frame, segmentation: Segmentation, selection: Selection = EVERYTHING
) -> Image | Painting:
    """Show the selected segments in white on black; without a selection, the largest."""
    shown = selection
    if selection.is_everything:
        shown = Selection([int(np.argmax(segmentation.counts))])
    is_white = shown.of(segmentation.n_clusters)
    white = np.repeat(is_white[:, np.newaxis], 3, axis=1) * np.uint8(255)
    return _in_colors(white, frame, segmentation, selection)


def regions(
    frame: Frame,
    segmentation: Segmentation,
    selection: Selection = EVERYTHING,
    *,
    min_area: int | None = None,
) -> Image:
    """Draw the outlines and boxes of connected regions into the picture.

    Parameters
    ----------
    frame, segmentation, selection
        As of every view; only regions of selected segments are drawn.
    min_area : int, optional
        As of `livekm.regions.find_regions`.
    """
    image = np.array(original(frame, segmentation, selection))
    found = find_regions(segmentation, min_area, selection)
    for region in found:
        cv2.polylines(image, [region.outline], True, _YELLOW)
    for region in found:
        _draw_box(image, region, segmentation.palette[region.label])
    return image


VIEWS: dict[str, SelectiveView] = {
    "segments": segments,
    "overlay": overlay,
    "boundaries": boundaries,
    "regions": regions,
    "side-by-side": side_by_side,
    "mask": mask,
    "original": original,
}
"""Every view by name, in the order in which a key goes through them."""


def _draw_box(image: Image, region: Region, color: Palette) -> None:
    """Draw the box, and above its corner the number of the segment on its colour."""
    x, y, width, height = region.box
    cv2.rectangle(image, (x, y), (x + width - 1, y + height - 1), _WHITE)
    text, scale = f"{region.label}", max(_LEAST_TEXT, min(image.shape[:2]) * _TEXT_PART)
    (text_width, text_height), _ = cv2.getTextSize(text, _FONT, scale, 1)
    bottom = max(y, text_height + 2 * _TEXT_MARGIN)
    top, right = bottom - text_height - 2 * _TEXT_MARGIN, x + text_width + 3
    cv2.rectangle(image, (x, top), (right, bottom), (*color.tolist(), 255), cv2.FILLED)
    cv2.rectangle(image, (x, top), (right, bottom), _WHITE)
    at, ink = (x + _TEXT_MARGIN, bottom - _TEXT_MARGIN), _WHITE if is_dark(color) else _BLACK
    cv2.putText(image, text, at, _FONT, scale, ink, 1, cv2.LINE_AA)
    image[top : bottom + 1, x : right + 1, 3:] = 255  # alpha, which OpenCV 5 blends text into


def _in_colors(
    palette: Palette, frame: Frame, segmentation: Segmentation, selection: Selection
) -> Image | Painting:
    """Paint each segment in one colour; where the rest has one too, it need not be painted yet."""
    if selection.is_everything:
        return segmentation.painting(palette)
    rest = _RESTS[selection.rest]
    if selection.rest in _FLAT_RESTS:
        column = palette[:, np.newaxis]  # an image of k rows
        is_selected = selection.of(segmentation.n_clusters)[:, np.newaxis]
        return segmentation.painting(rest(column, is_selected * np.uint8(255), column)[:, 0])
    return rest(segmentation.paint(palette), _pixels(segmentation, selection), frame.image)


def _pixels(segmentation: Segmentation, selection: Selection) -> Mask:
    """Return the mask of the pixels of the selected segments."""
    table = np.zeros(256, np.uint8)
    table[: segmentation.n_clusters][selection.of(segmentation.n_clusters)] = 255
    return table[segmentation.labels]


def _on_black(image: Image, inside: Mask, picture: Image) -> Image:
    return np.asarray(cv2.bitwise_and(image, image, mask=inside), np.uint8)


def _on_picture(image: Image, inside: Mask, picture: Image) -> Image:
    return np.asarray(cv2.copyTo(image, inside, picture.copy()), np.uint8)


def _on_nothing(image: Image, inside: Mask, picture: Image) -> Image:
    return np.dstack([_on_black(image, inside, picture), inside])


def _on_dimmed(image: Image, inside: Mask, picture: Image) -> Image:
    dimmed = cv2.convertScaleAbs(image, alpha=_DIM)
    return np.asarray(cv2.copyTo(image, inside, dimmed), np.uint8)


_RESTS: dict[str, Callable[[Image, Mask, Image], Image]] = {
    "black": _on_black,
    "original": _on_picture,
    "transparent": _on_nothing,
    "dim": _on_dimmed,
}
"""What draws each of `livekm.core.selection.RESTS`: takes an image, what is selected in it and the
frame's picture; (H, W, 4) with alpha where it is transparent, black where it cannot be seen."""

_FLAT_RESTS = ("black", "dim")
"""Those in which a segment of one colour stays one of one colour."""
