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
from livekm.core.painting import Painting
from livekm.core.rests import CROSS, Rest, fill, over_rest
from livekm.core.segmentation import Segmentation
from livekm.core.selection import EVERYTHING, Selection
from livekm.frame import Frame, Image
from livekm.regions import RegionSegmentation, are_listed, regions_of

_BLACK, _WHITE, _YELLOW = (0, 0, 0, 255), (255, 255, 255, 255), (0, 255, 255, 255)  # and opaque
_TINT = 0.4  # the part of the overlay that its colours have
_BORDERS = np.array([(0, 0, 0), (90, 90, 90)], np.uint8)  # of regions, and of those that are black
_DARK = 50  # levels: what is darker is black

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
        return _over_rest_of(view(frame, segmentation), frame, segmentation, selection)

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
) -> Image | Painting:
    """Show regions in their mean colours, with thin borders.

    Parameters
    ----------
    frame, segmentation
        As of every view. The regions are those of the segmentation; where it has none, the
        connected pieces of its labels.
    selection : Selection, default all
        The ids of the regions to show.
    min_area : int, optional
        As of `livekm.find_regions`: what is smaller has no borders, and is never selected.
    """
    found, ignored = regions_of(segmentation), segmentation.ignored
    is_listed = are_listed(found, min_area, selection)
    borders = found.boundaries(is_listed)
    rests = _rests(selection)
    is_flat = selection.is_everything or rests[0] == "black"
    if ignored is None and is_flat and "transparent" not in rests:
        is_shown = is_listed | selection.is_everything
        palette = np.where(is_shown[:, np.newaxis], found.palette, np.uint8(0))
        fits = found.n_regions + len(_BORDERS) <= 256
        return (_bordered_painting if fits else _bordered)(found, palette, borders)
    image = frame.image
    if selection.rest != "pale":
        image = _bordered(found, found.palette, borders)
    inside = np.append(is_listed | selection.is_everything, False)[found.labels]
    mask = np.asarray(inside.view(np.uint8) * np.uint8(255))
    return _over_rest(image, frame.image, mask, ignored, selection)


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
        if name == "regions":
            found = regions_of(segmentation)
            found = replace(found, palette=legend(name, found, colors))
            painted = replace(segmentation, regions=found)
        else:
            painted = replace(segmentation, palette=legend(name, segmentation, colors))
        picture: Image | Painting = view(frame, painted, selection, **more)
        return picture

    view: Any = VIEWS[name]
    if name == "overlay":
        view = selective(lambda frame, painted: _tinted(frame, painted, painted.palette))
    return shown


def legend(
    name: str, found: Segmentation | RegionSegmentation, colors: Palette | None = None
) -> Palette:
    """Return the colours that stand for segments, or regions, in the view of that name.

    `colors` (n, 3) are those of a view that is `recolored`.
    """
    if colors is not None:
        return np.asarray(colors[found.ids % len(colors)])
    if name == "overlay":
        return categorical_palette(256)[found.ids % 256]
    return found.palette


def _bordered(found: RegionSegmentation, palette: Palette, borders: npt.NDArray[np.bool_]) -> Image:
    """Paint each region in one colour, with black borders, of what is nearly black grey ones."""
    image = found.paint(palette)
    image[borders] = _BORDERS[_lines(found, palette, borders)]
    return image


def _bordered_painting(
    found: RegionSegmentation, palette: Palette, borders: npt.NDArray[np.bool_]
) -> Painting:
    """Do the same where the labels fit into a byte; it need not be painted yet."""
    labels, n = found.labels.astype(np.uint8), found.n_regions
    labels[found.labels < 0] = n
    labels[borders] = n + _lines(found, palette, borders)
    return Painting(labels, np.concatenate([palette, _BORDERS]))


def _lines(
    found: RegionSegmentation, palette: Palette, borders: npt.NDArray[np.bool_]
) -> npt.NDArray[np.uint8]:
    """Return which of `_BORDERS` each pixel of a border has."""
    is_black = np.append(palette.max(axis=1) < _DARK, False).astype(np.uint8)
    return np.asarray(is_black[found.labels[borders]])


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
    return _over_rest_of(segmentation.paint(palette), frame, segmentation, selection)


def _over_rest_of(
    image: Image, frame: Frame, segmentation: Segmentation, selection: Selection
) -> Image:
    """Lay an image, as wide as the frame or several times, over what becomes of the rest."""
    inside = _pixels(segmentation, selection)
    return _over_rest(image, frame.image, inside, segmentation.ignored, selection)


def _over_rest(
    image: Image,
    picture: Image,
    inside: Mask,
    ignored: npt.NDArray[np.bool_] | None,
    selection: Selection,
) -> Image:
    """Lay what is inside over what becomes of the rest, and of the pixels that are ignored."""
    times = image.shape[1] // picture.shape[1]
    rest, rest_of_ignored = _rests(selection)
    is_one = rest == rest_of_ignored
    if not selection.is_everything or (is_one and (ignored is not None or rest == "transparent")):
        image = over_rest(image, inside, picture, rest, times)
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
