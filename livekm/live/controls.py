"""The slider of the number of clusters, and the progress line of a clip."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from livekm.frame import Image
from livekm.live.text import SMALLEST, WHITE, line_height, text_stamp

MOST_CLUSTERS = 256
_GROUND, _TRACK, _KNOB, _FILLED = (40, 40, 40), (110, 110, 110), (90, 60, 20), (235, 180, 90)
_KNOB_WIDTH, _MARGIN = 30, 4  # pixels
_TRACK_HEIGHT, _LINE_HEIGHT = 2, 4


@dataclass(frozen=True, slots=True)
class Timeline:
    """Where in a recorded source the picture is, in seconds from its first frame.

    Attributes
    ----------
    position : float
    duration : float or None
        None where it is not known.
    is_at_end : bool
        Whether its last frame is held.
    """

    position: float
    duration: float | None = None
    is_at_end: bool = False


def clusters_at(part: float) -> int:
    """Return the number of clusters at a part of the slider, each doubling as far as the next.

    Examples
    --------
    >>> [clusters_at(part) for part in (0, 0.25, 0.5, 1)]
    [1, 4, 16, 256]
    """
    return round(math.pow(MOST_CLUSTERS, part))


@lru_cache(maxsize=8)
def slider(width: int, height: int, n_clusters: int) -> Image:
    """Draw a slider that stands at a number of clusters, as (H, W, 3) uint8 BGR."""
    image: Image = np.full((height, width, 3), _GROUND, np.uint8)
    middle, knob = height // 2, min(_KNOB_WIDTH, width)
    image[middle - 1 : middle - 1 + _TRACK_HEIGHT, _MARGIN : width - _MARGIN] = _TRACK
    left = round((width - knob) * math.log(n_clusters, MOST_CLUSTERS))
    part = image[min(2, middle) : height - min(2, middle), left : left + knob]
    part[:] = _KNOB
    if line_height(SMALLEST - 1) <= part.shape[0] + 1:
        text_stamp(str(n_clusters), SMALLEST - 1, WHITE).put_within(part, (0.5, 0.5))
    return image


def slider_part(x: float, width: int) -> float:
    """Return the part of a slider at a column: the middle of the knob is where it is pressed."""
    knob = min(_KNOB_WIDTH, width)
    return min(max((x - knob / 2) / max(1, width - knob), 0.0), 1.0)


def draw_frame(image: Image, corner: tuple[int, int], other: tuple[int, int]) -> None:
    """Draw the outline of a rectangle, light over dark."""
    for color, thickness in (((0, 0, 0), 3), (WHITE, 1)):
        cv2.rectangle(image, corner, other, color, thickness)


def draw_line(image: Image, timeline: Timeline) -> None:
    """Fill `image`, (H, W, 3) uint8 BGR, with a thin line up to where a clip is."""
    image[:] = _GROUND
    height, width = image.shape[:2]
    top = (height - _LINE_HEIGHT) // 2
    line = image[max(0, top) : top + _LINE_HEIGHT]
    line[:] = _TRACK
    if timeline.duration:
        line[:, : round(width * min(1.0, timeline.position / timeline.duration))] = _FILLED
