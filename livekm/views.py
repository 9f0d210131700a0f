"""What is shown of a frame: pure functions of the frame and its segmentation."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from livekm.core.painting import Painting
from livekm.core.segmentation import Segmentation
from livekm.frame import Frame, Image
from livekm.regions import Region, find_regions

_BLACK, _WHITE, _YELLOW = (0, 0, 0, 255), (255, 255, 255, 255), (0, 255, 255, 255)  # and opaque
_FONT = cv2.FONT_HERSHEY_SIMPLEX

View: TypeAlias = Callable[[Frame, Segmentation], Image]
"""Takes a frame and its segmentation; returns a (H, W, 3) uint8 BGR image, which may be theirs."""

Palette: TypeAlias = npt.NDArray[np.uint8]
"""(k, 3) uint8, BGR."""


Mask: TypeAlias = npt.NDArray[np.uint8]
"""(H, W) uint8: 255 inside, 0 outside."""


@dataclass(frozen=True, slots=True)
class PaletteView:
    """A view that shows each segment in one colour, so that a sink may paint it by itself.

    Attributes
    ----------
    colors : callable
        Takes a segmentation; returns the (k, 3) uint8 BGR colours of its segments.
    """

    colors: Callable[[Segmentation], Palette]

    def __call__(self, frame: Frame, segmentation: Segmentation) -> Image:
        """Return the painted image."""
        return self.painting(segmentation).paint()

    def painting(self, segmentation: Segmentation) -> Painting:
        """Return the same, not painted yet."""
        return segmentation.painting(self.colors(segmentation))


def seen(view: View, frame: Frame, segmentation: Segmentation) -> Image | Painting:
    """Return what a view shows, for a sink: not painted yet where a palette tells it all."""
    if isinstance(view, PaletteView):
        return view.painting(segmentation)
    return view(frame, segmentation)


segments = PaletteView(lambda segmentation: segmentation.palette)
"""Shows every pixel in the colour of its cluster."""


def overlay(frame: Frame, segmentation: Segmentation) -> Image:
    """Let the picture shine through the segments."""
    painted = segmentation.paint()
    blend: Image = cv2.addWeighted(frame.image, 0.5, painted, 0.5, 0, painted)  # type: ignore[assignment]
    return blend


def boundaries(frame: Frame, segmentation: Segmentation) -> Image:
    """Draw the borders between segments into the picture, in yellow."""
    image = frame.image.copy()
    image[segmentation.boundaries()] = _YELLOW[:3]
    return image


def side_by_side(frame: Frame, segmentation: Segmentation) -> Image:
    """Show the picture on the left and its segments on the right."""
    return np.concatenate([frame.image, segmentation.paint()], axis=1)


def original(frame: Frame, segmentation: Segmentation) -> Image:
    """Show the picture itself."""
    return frame.image


mask = PaletteView(lambda segmentation: _white(segmentation, [int(np.argmax(segmentation.counts))]))
"""Shows the largest segment in white on black."""


@dataclass(frozen=True, slots=True)
class RegionView:
    """A view with the outlines and boxes of connected regions drawn into it.

    Attributes
    ----------
    base : callable
        What they are drawn into; a view of the frame's size.
    min_area, slots, drop
        As of `livekm.regions.find_regions`.
    """

    base: View
    min_area: int | None = None
    slots: Collection[int] | None = None
    drop: bool = False

    def __call__(self, frame: Frame, segmentation: Segmentation) -> Image:
        """Return the image with all that is drawn."""
        image = self.base(frame, segmentation).copy()
        found = find_regions(segmentation, self.min_area, self.slots, drop=self.drop)
        for region in found:
            cv2.polylines(image, [region.outline], True, _YELLOW)
        for region in found:
            _draw_box(image, region, segmentation.palette[region.label])
        return image


def _draw_box(image: Image, region: Region, color: Palette) -> None:
    """Draw the box, and above its corner the number of the segment on its colour."""
    x, y, width, height = region.box
    cv2.rectangle(image, (x, y), (x + width - 1, y + height - 1), _WHITE)
    text, scale = f"{region.label}", max(0.35, min(image.shape[:2]) / 1400)
    (text_width, text_height), _ = cv2.getTextSize(text, _FONT, scale, 1)
    bottom = max(y, text_height + 4)
    top, right = bottom - text_height - 4, x + text_width + 3
    b, g, r = color.tolist()
    ink = _WHITE if 0.114 * b + 0.587 * g + 0.299 * r < 128 else _BLACK
    cv2.rectangle(image, (x, top), (right, bottom), (b, g, r, 255), cv2.FILLED)
    cv2.rectangle(image, (x, top), (right, bottom), _WHITE)
    cv2.putText(image, text, (x + 2, bottom - 2), _FONT, scale, ink, 1, cv2.LINE_AA)
    image[top : bottom + 1, x : right + 1, 3:] = 255  # alpha, which OpenCV 5 blends text into


VIEWS: dict[str, View] = {
    "segments": segments,
    "overlay": overlay,
    "boundaries": boundaries,
    "regions": RegionView(original),
    "side-by-side": side_by_side,
    "mask": mask,
    "original": original,
}
"""Every view by name, in the order in which a key goes through them."""


def choose(view: View, slots: Collection[int]) -> View:
    """Return `view` for some segments only.

    Parameters
    ----------
    view : View
    slots : collection of int
        The labels of the chosen segments. Of the mask, they are what is white, and only their
        regions are drawn; elsewhere all others are dimmed to a quarter. Without any, the view
        itself.
    """
    if not slots:
        return view
    if view is mask:
        return PaletteView(lambda segmentation: _white(segmentation, slots))
    if isinstance(view, RegionView):
        return replace(view, base=choose(view.base, slots), slots=slots)

    def chosen(frame: Frame, segmentation: Segmentation) -> Image:
        image = view(frame, segmentation)
        others = 255 - _where(segmentation, slots)
        others = np.tile(others, (1, image.shape[1] // others.shape[1]))  # side by side: twice
        dimmed = cv2.convertScaleAbs(image, alpha=0.25)
        seen = image.copy()
        cv2.copyTo(dimmed, others, seen)
        return seen

    return chosen


def keep(view: View, slots: Collection[int], *, drop: bool = False, rest: str = "black") -> View:
    """Return `view` of the segments `slots` only, or with `drop` of all others.

    Parameters
    ----------
    view : View
    slots : collection of int
        Those that a segmentation does not have are passed over.
    drop : bool, default False
        Whether they are what is left out.
    rest : {"black", "original", "transparent"}, default "black"
        What the other pixels become. With ``"transparent"`` the images are (H, W, 4), BGR and
        alpha, black where they cannot be seen.
    """
    if rest not in RESTS:
        raise ValueError(f"rest must be one of {', '.join(RESTS)}, got {rest!r}")
    if isinstance(view, RegionView):
        base = keep(view.base, slots, drop=drop, rest=rest)
        return replace(view, base=base, slots=slots, drop=drop)
    if isinstance(view, PaletteView) and rest == "black":
        colors = view.colors

        def kept_colors(segmentation: Segmentation) -> Palette:
            is_kept = (_white(segmentation, slots) > 0) != drop
            return np.where(is_kept, colors(segmentation), np.uint8(0))

        return PaletteView(kept_colors)

    def kept(frame: Frame, segmentation: Segmentation) -> Image:
        image = view(frame, segmentation)
        inside = _where(segmentation, slots)
        inside = 255 - inside if drop else inside
        times = image.shape[1] // inside.shape[1]  # side by side: twice
        return RESTS[rest](image, np.tile(inside, (1, times)), np.tile(frame.image, (1, times, 1)))

    return kept


def _on_black(image: Image, inside: Mask, picture: Image) -> Image:
    return np.asarray(cv2.bitwise_and(image, image, mask=inside), np.uint8)


def _on_picture(image: Image, inside: Mask, picture: Image) -> Image:
    return np.asarray(cv2.copyTo(image, inside, picture.copy()), np.uint8)


def _on_nothing(image: Image, inside: Mask, picture: Image) -> Image:
    return np.dstack([_on_black(image, inside, picture), inside])


RESTS: dict[str, Callable[[Image, Mask, Image], Image]] = {
    "black": _on_black,
    "original": _on_picture,
    "transparent": _on_nothing,
}
"""What is left of the segments that are not kept, by name."""


def _white(segmentation: Segmentation, slots: Collection[int]) -> Palette:
    """Return colours: white for the segments `slots`, black for all others."""
    white = np.zeros((256, 3), np.uint8)
    white[list(slots)] = 255
    return white[: segmentation.n_clusters]


def _where(segmentation: Segmentation, slots: Collection[int]) -> npt.NDArray[np.uint8]:
    """Return (H, W) uint8: 255 where a pixel belongs to one of the segments, else 0."""
    table = np.zeros(256, np.uint8)
    table[list(slots)] = 255
    return table[segmentation.labels]
