"""What is shown of a frame: pure functions of the frame and its segmentation."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from livekm.frame import Frame, Image
from livekm.segmentation import Segmentation

View: TypeAlias = Callable[[Frame, Segmentation], Image]
"""Takes a frame and its segmentation; returns a (H, W, 3) uint8 BGR image, which may be theirs."""


def segments(frame: Frame, segmentation: Segmentation) -> Image:
    """Show every pixel in the colour of its cluster."""
    return segmentation.paint()


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


def mask(frame: Frame, segmentation: Segmentation) -> Image:
    """Show the largest segment in white on black."""
    return chosen_mask(segmentation, [int(np.argmax(segmentation.counts))])


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
        return lambda frame, segmentation: chosen_mask(segmentation, slots)

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

    def kept(frame: Frame, segmentation: Segmentation) -> Image:
        image = view(frame, segmentation)
        inside = _where(segmentation, slots)
        inside = 255 - inside if drop else inside
        inside = np.tile(inside, (1, image.shape[1] // inside.shape[1]))  # side by side: twice
        seen: Image = cv2.bitwise_and(image, image, mask=inside)  # type: ignore[assignment]
        return seen

    return kept


def chosen_mask(segmentation: Segmentation, slots: Collection[int]) -> Image:
    """Return the pixels of the segments `slots` in white on black."""
    mask: Image = cv2.cvtColor(_where(segmentation, slots), cv2.COLOR_GRAY2BGR)  # type: ignore[assignment]
    return mask


def _where(segmentation: Segmentation, slots: Collection[int]) -> npt.NDArray[np.uint8]:
    """Return (H, W) uint8: 255 where a pixel belongs to one of the segments, else 0."""
    table = np.zeros(256, np.uint8)
    table[list(slots)] = 255
    return table[segmentation.labels]
