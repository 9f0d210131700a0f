"""Flat-coloured polygons in space, seen from a car: the pencil that draws the demo's streets."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from livekm.frame import Image

Points: TypeAlias = npt.NDArray[np.float64]
"""(..., 3) metres: x to the right of the road's middle, y up, z ahead of the eye."""

Color: TypeAlias = tuple[float, float, float]
"""BGR, 0 to 255."""

HORIZON = 0.5  # row of the horizon, as a share of the height
FAR = 220.0  # metres; things come out of the haze there
_NEAR = 0.6  # metres; what is nearer or behind is drawn there, outside the picture
_STRAIGHT = 150.0  # metres; a bend's direction no longer changes much beyond

SHIFT = 4
"""cv2 draws at 1/16 pixel, without which slow things would jerk."""


def bgr(code: str) -> Color:
    """Turn ``"#rrggbb"`` into a BGR colour.

    Examples
    --------
    >>> bgr("#ff8000")
    (0, 128, 255)
    """
    return int(code[5:7], 16), int(code[3:5], 16), int(code[1:3], 16)


def mix(a: Color, b: Color, share: float) -> Color:
    """Go `share` (0 to 1) of the way from colour `a` to colour `b`."""
    return (
        a[0] + (b[0] - a[0]) * share,
        a[1] + (b[1] - a[1]) * share,
        a[2] + (b[2] - a[2]) * share,
    )


def box(x0: float, x1: float, y0: float, y1: float, z: float = 0.0) -> Points:
    """(4, 3) corners of a rectangle that faces the eye."""
    return np.array([(x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)], float)


class Pencil:
    """Draws on one image from one place on the road.

    Strokes are collected and drawn in their order by `finish`, since projecting all points in
    one go takes a third of the time.

    Parameters
    ----------
    image : (H, W, 3) uint8
        What is drawn on.
    haze : Color
        What colours turn into with distance.
    eye : tuple of float
        The eye's x and y in metres.
    bend : float
        Curvature of the road: it lies ``bend * z**2`` metres to the right at a small distance z
        and goes straight on far away.
    """

    def __init__(self, image: Image, haze: Color, eye: tuple[float, float], bend: float) -> None:
        height, width = image.shape[:2]
        unit = 1 << SHIFT
        self.eye = eye
        self._image = image
        self._haze = haze
        self._bend = bend
        self._middle = unit * width / 2
        self._horizon = unit * height * HORIZON
        self._focal = unit * 0.8 * max(width, 1.2 * height)
        self._strokes: list[tuple[Points, Color, list[int]]] = []

    def fill(self, polygons: Points, color: Color, distance: float = 0.0) -> None:
        """Fill one (n, 3) polygon or several (m, n, 3), as hazy as at `distance` metres.

        Several must not overlap: where two do, cv2 leaves a hole.
        """
        if len(polygons):
            self._strokes.append((polygons, self._at_distance(color, distance), []))

    def discs(self, place: Points, circles: npt.NDArray[np.float64], color: Color) -> None:
        """Fill (n, 3) circles, each an x, y and radius in metres around the (3,) `place`."""
        z = max(float(place[2]), _NEAR)
        centers = circles * (1, 1, 0) + place
        radii = (circles[:, 2] * (self._focal / z)).astype(int).tolist()
        self._strokes.append((centers, self._at_distance(color, z), radii))

    def finish(self) -> None:
        """Draw all shapes onto the image, in the order in which they came."""
        pixels = self._project(np.concatenate([s[0].reshape(-1, 3) for s in self._strokes]))
        start = 0
        for points, color, radii in self._strokes:
            end = start + points.size // 3
            here = pixels[start:end]
            start = end
            if radii:
                for center, radius in zip(here.tolist(), radii, strict=True):
                    cv2.circle(self._image, center, radius, color, cv2.FILLED, cv2.LINE_AA, SHIFT)
            else:
                outlines = list(here.reshape(-1, points.shape[-2], 2))
                cv2.fillPoly(self._image, outlines, color, cv2.LINE_AA, SHIFT)
        self._strokes.clear()

    def _project(self, points: Points) -> npt.NDArray[np.int32]:
        """Return the (n, 2) pixel positions of (n, 3) points, in units of 1/16 pixel."""
        x, y, z = points.T
        z = np.maximum(z, _NEAR)
        scale = self._focal / z
        curve = z * z * (self._bend / (1 + z / _STRAIGHT))
        u = self._middle + scale * (x - self.eye[0] + curve)
        v = self._horizon + scale * (self.eye[1] - y)
        return np.stack([u, v], -1).astype(np.int32)

    def _at_distance(self, color: Color, distance: float) -> Color:
        """Mix in the haze: none at the eye, all of it at FAR."""
        return mix(color, self._haze, min(1.0, (max(distance, 0.0) / FAR) ** 1.2))
