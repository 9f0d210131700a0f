"""What is shown of a frame: pure functions of the frame and its segmentation."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from livekm.frame import Frame, Image
from livekm.painting import Painting, Picture
from livekm.segmentation import Segmentation

View: TypeAlias = Callable[[Frame, Segmentation], Image]
"""Takes a frame and its segmentation; returns a (H, W, 3) uint8 BGR image, which may be theirs."""

Palette: TypeAlias = npt.NDArray[np.uint8]
"""(k, 3) uint8, BGR."""


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


def seen(view: View, frame: Frame, segmentation: Segmentation) -> Picture:
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
    image[segmentation.boundaries()] = (0, 255, 255)
    return image


def side_by_side(frame: Frame, segmentation: Segmentation) -> Image:
    """Show the picture on the left and its segments on the right."""
    return np.concatenate([frame.image, segmentation.paint()], axis=1)


def original(frame: Frame, segmentation: Segmentation) -> Image:
    """Show the picture itself."""
    return frame.image


mask = PaletteView(lambda segmentation: _white(segmentation, [int(np.argmax(segmentation.counts))]))
"""Shows the largest segment in white on black."""


VIEWS: dict[str, View] = {
    "segments": segments,
    "overlay": overlay,
    "boundaries": boundaries,
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
        The labels of the chosen segments. Of the mask, they are what is white; elsewhere all
        others are dimmed to a quarter. Without any, the view itself.
    """
    if not slots:
        return view
    if view is mask:
        return PaletteView(lambda segmentation: _white(segmentation, slots))

    def chosen(frame: Frame, segmentation: Segmentation) -> Image:
        image = view(frame, segmentation)
        others = 255 - _where(segmentation, slots)
        others = np.tile(others, (1, image.shape[1] // others.shape[1]))  # side by side: twice
        dimmed = cv2.convertScaleAbs(image, alpha=0.25)
        seen = image.copy()
        cv2.copyTo(dimmed, others, seen)
        return seen

    return chosen


def keep(view: View, slots: Collection[int], *, drop: bool = False) -> View:
    """Return `view` of the segments `slots` only, or with `drop` of all others; the rest is black.

    Slots that a segmentation does not have are passed over.
    """
    if isinstance(view, PaletteView):
        colors = view.colors

        def kept_colors(segmentation: Segmentation) -> Palette:
            is_kept = (_white(segmentation, slots) > 0) != drop
            return np.where(is_kept, colors(segmentation), np.uint8(0))

        return PaletteView(kept_colors)

    def kept(frame: Frame, segmentation: Segmentation) -> Image:
        image = view(frame, segmentation)
        inside = _where(segmentation, slots)
        inside = 255 - inside if drop else inside
        inside = np.tile(inside, (1, image.shape[1] // inside.shape[1]))  # side by side: twice
        seen: Image = cv2.bitwise_and(image, image, mask=inside)  # type: ignore[assignment]
        return seen

    return kept


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
