"""Views: functions that take a frame and its segmentation and return the picture to show.

A view takes a `Frame` and its `Segmentation` and returns either a (H, W, 3) uint8 BGR image, which
may be theirs, or a `Painting`: labels and a palette, which a sink paints by itself. Those of
`VIEWS` also take a `Selection`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any, Protocol, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from livekm.core.categorical import categorical_palette
from livekm.core.contrast import is_dark
from livekm.core.painting import Painting
from livekm.core.rests import CROSS, Rest, fill, over_rest
from livekm.core.segmentation import Segmentation
from livekm.core.selection import EVERYTHING, Selection
from livekm.frame import Frame, Image
from livekm.regions import Region, find_regions

_BLACK, _WHITE, _YELLOW = (0, 0, 0, 255), (255, 255, 255, 255), (0, 255, 255, 255)  # and opaque
_LINE, _HALO = 1, 2  # thickness of an outline, and of the black one below it, which is 3 pixels
_TINT = 0.4  # the part of the overlay that its colours have
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_LEAST_TEXT, _TEXT_PART = 0.35, 1 / 1400  # scale of the font: at least, and by the shorter side
_TEXT_MARGIN = 2  # pixels around the label of a region
_NAMED_PART = 0.01  # of the frame: smaller regions have no label

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
        return _over_rest(view(frame, segmentation), frame, segmentation, selection)

    return selected


def segments(
    frame: Frame, segmentation: Segmentation, selection: Selection = EVERYTHING
) -> Image | Painting:
    """Show every pixel in the colour of its cluster; over a pale rest, the picture itself."""
    if selection.rest == "pale" and not selection.is_everything:
        return original(frame, segmentation, selection)
    return _in_colors(segmentation.palette, frame, segmentation, selection)


@selective
def overlay(frame: Frame, segmentation: Segmentation) -> Image:
    """Tint each segment in a colour of its own, which has nothing to do with that of its pixels."""
    return _tinted(frame, segmentation, legend("overlay", segmentation))


def _tinted(frame: Frame, segmentation: Segmentation, colors: Palette) -> Image:
    painted = segmentation.paint(colors)
    tinted = cv2.addWeighted(frame.image, 1 - _TINT, painted, _TINT, 0)
    return np.asarray(cv2.copyTo(painted, _edges(segmentation), tinted), np.uint8)


@selective
def boundaries(frame: Frame, segmentation: Segmentation) -> Image:
    """Draw the borders between segments into the picture, in yellow over black."""
    edges = _edges(segmentation)
    image = fill(frame.image, np.asarray(cv2.dilate(edges, CROSS), np.uint8), _BLACK[:3])
    return fill(image, edges, _YELLOW[:3])


@selective
def side_by_side(frame: Frame, segmentation: Segmentation) -> Image:
    """Show the picture on the left and its segments on the right."""
    return np.concatenate([frame.image, segmentation.paint()], axis=1)


def wipe(
    frame: Frame,
    segmentation: Segmentation,
    selection: Selection = EVERYTHING,
    *,
    at: float = 0.5,
) -> Image:
    """Show the picture left of a line, and the segments right of it.

    Parameters
    ----------
    frame, segmentation, selection
        As of every view.
    at : float, default 0.5
        The part of the width at which the line is.
    """
    shown = segments(frame, segmentation, selection)
    image = np.array(shown.paint() if isinstance(shown, Painting) else shown)
    column = min(max(round(at * image.shape[1]), 0), image.shape[1] - 1)
    image[:, :column] = np.asarray(original(frame, segmentation, selection))[:, :column]
    image[:, column : column + 1, :3] = _WHITE[:3]
    return image


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
        shown = Selection([int(segmentation.ids[np.argmax(segmentation.counts)])])
    is_white = shown.of(segmentation)
    white = np.repeat(is_white[:, np.newaxis], 3, axis=1) * np.uint8(255)
    if selection.rest in (None, "pale") and selection.ignored is None:  # white on black already
        return segmentation.painting(white)
    return _in_colors(white, frame, segmentation, selection)


def regions(
    frame: Frame,
    segmentation: Segmentation,
    selection: Selection = EVERYTHING,
    *,
    min_area: int | None = None,
) -> Image:
    """Draw the outlines of connected regions into the picture, and the labels of large ones.

    Those of a selection also get their boxes, and each its label.

    Parameters
    ----------
    frame, segmentation, selection
        As of every view; only regions of selected segments are drawn.
    min_area : int, optional
        As of `livekm.regions.find_regions`.
    """
    image = np.array(original(frame, segmentation, selection))
    found = find_regions(segmentation, min_area, selection)
    outlines = [region.outline for region in found]
    cv2.polylines(image, outlines, True, _BLACK, _HALO)
    cv2.polylines(image, outlines, True, _YELLOW, _LINE)
    is_chosen = not selection.is_everything
    for region in found:
        if is_chosen:
            x, y, width, height = region.box
            cv2.rectangle(image, (x, y), (x + width - 1, y + height - 1), _WHITE)
        if is_chosen or region.area >= _NAMED_PART * segmentation.labels.size:
            identity, color = segmentation.ids[region.label], segmentation.palette[region.label]
            _draw_tag(image, region, segmentation.names[region.label] or str(identity), color)
    return image


VIEWS: dict[str, SelectiveView] = {
    "segments": segments,
    "overlay": overlay,
    "boundaries": boundaries,
    "regions": regions,
    "side-by-side": side_by_side,
    "wipe": wipe,
    "mask": mask,
    "original": original,
}
"""Every view by name, in the order in which a key goes through them."""


def recolored(name: str, colors: Palette) -> SelectiveView:
    """Return the view of that name in other colours: each id in one of them, for ever."""

    def shown(
        frame: Frame, segmentation: Segmentation, selection: Selection = EVERYTHING, **more: Any
    ) -> Image | Painting:
        painted = replace(segmentation, palette=legend(name, segmentation, colors))
        picture: Image | Painting = view(frame, painted, selection, **more)
        return picture

    view: Any = VIEWS[name]
    if name == "overlay":
        view = selective(lambda frame, painted: _tinted(frame, painted, painted.palette))
    return shown


def legend(name: str, segmentation: Segmentation, colors: Palette | None = None) -> Palette:
    """Return the colours that stand for the segments in the view of that name.

    `colors` (n, 3) are those of a view that is `recolored`.
    """
    if colors is not None:
        return np.asarray(colors[segmentation.ids % len(colors)])
    if name == "overlay":
        return categorical_palette(256)[segmentation.ids % 256]
    return segmentation.palette


def _draw_tag(image: Image, region: Region, text: str, color: Palette) -> None:
    """Write a text on a colour, above the pixel where the outline of a region begins."""
    scale = max(_LEAST_TEXT, min(image.shape[:2]) * _TEXT_PART)
    (text_width, text_height), _ = cv2.getTextSize(text, _FONT, scale, 1)
    width, height = text_width + 2 * _TEXT_MARGIN, text_height + 2 * _TEXT_MARGIN
    left, bottom = region.outline[0].tolist()
    left, bottom = max(0, min(left, image.shape[1] - 1 - width)), max(bottom, height)
    top, right = bottom - height, left + width
    cv2.rectangle(image, (left, top), (right, bottom), (*color.tolist(), 255), cv2.FILLED)
    cv2.rectangle(image, (left, top), (right, bottom), _WHITE)
    at, ink = (left + _TEXT_MARGIN, bottom - _TEXT_MARGIN), _WHITE if is_dark(color) else _BLACK
    cv2.putText(image, text, at, _FONT, scale, ink, 1, cv2.LINE_AA)
    image[top : bottom + 1, left : right + 1, 3:] = 255  # alpha, which OpenCV 5 blends text into


def _in_colors(
    palette: Palette, frame: Frame, segmentation: Segmentation, selection: Selection
) -> Image | Painting:
    """Paint each segment in one colour; where the rest is black, it need not be painted yet."""
    rest, ignored = _rests(selection)
    all_count = segmentation.n_counted == segmentation.labels.size
    if selection.is_everything and all_count and "transparent" not in (rest, ignored):
        return segmentation.painting(palette)
    if rest == "black" and (ignored == "black" or all_count):
        is_selected = selection.of(segmentation)[:, np.newaxis]
        return segmentation.painting(np.where(is_selected, palette, np.uint8(0)))
    return _over_rest(segmentation.paint(palette), frame, segmentation, selection)


def _over_rest(
    image: Image, frame: Frame, segmentation: Segmentation, selection: Selection
) -> Image:
    """Lay an image, as wide as the frame or several times, over what becomes of the rest."""
    ignored, picture = segmentation.ignored, frame.image
    times = image.shape[1] // picture.shape[1]
    rest, rest_of_ignored = _rests(selection)
    is_one = rest == rest_of_ignored
    if not selection.is_everything or (is_one and (ignored is not None or rest == "transparent")):
        image = over_rest(image, _pixels(segmentation, selection), picture, rest, times)
    if not is_one and (ignored is not None or rest_of_ignored == "transparent"):
        counted = np.full(picture.shape[:2], 255, np.uint8)
        if ignored is not None:
            counted[ignored] = 0
        image = over_rest(image, counted, picture, rest_of_ignored, times)
    return image


def _rests(selection: Selection) -> tuple[Rest, Rest]:
    """Return what becomes of what is not selected, and of what does not count."""
    return selection.rest or "black", selection.ignored or selection.rest or "original"


def _edges(segmentation: Segmentation) -> Mask:
    """Return the mask of the pixels at a border."""
    return segmentation.boundaries().view(np.uint8) * np.uint8(255)


def _pixels(segmentation: Segmentation, selection: Selection) -> Mask:
    """Return the mask of the pixels of the selected segments."""
    table = np.zeros(256, np.uint8)
    table[: segmentation.n_clusters][selection.of(segmentation)] = 255
    return np.asarray(cv2.LUT(segmentation.labels, table), np.uint8)
