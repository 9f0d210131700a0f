"""What is shown of a frame: pure functions of the frame and its segmentation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np

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


VIEWS: dict[str, View] = {
    "segments": segments,
    "overlay": overlay,
    "boundaries": boundaries,
    "side-by-side": side_by_side,
    "original": original,
}
"""Every view by name, in the order in which a key goes through them."""
