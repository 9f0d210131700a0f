"""Draw a saloon car from polygons."""

from __future__ import annotations

import numpy as np

from livekm.sources.demo.perspective import FAR, Color, Pencil, Points, bgr, box, mix

_BLACK, _WHITE = bgr("#16161c"), bgr("#ffffff")
_TAIL_LIGHT, _HEADLIGHT, _GLOW = bgr("#e02020"), bgr("#fff7d0"), bgr("#ff5a3c")
_PLATE, _RIM = bgr("#f2ead0"), bgr("#8d93a0")
_DETAIL = 60.0  # metres; beyond it a car is drawn with fewer strokes

_ANGLES = np.linspace(0, 2 * np.pi, 16, endpoint=False)
_COS, _SIN = np.cos(_ANGLES), np.sin(_ANGLES)

# All shapes are in metres around the middle of the near end, on the ground.
_SHADOW = np.stack([1.15 * _COS, 0 * _COS, 2.1 + 2.7 * _SIN], -1)


def _flank(x: float, outline: list[tuple[float, float]]) -> Points:
    """(n, 3) outline in the plane at `x`, given as (z, y)."""
    return np.array([(x, y, z) for z, y in outline], float)


def _wheels(x: float, radius: float) -> Points:
    """(2, 16, 3) wheels in the plane at `x`."""
    z = np.array([(0.85,), (3.45,)]) + radius * _COS
    y = np.broadcast_to(0.34 + radius * _SIN, z.shape)
    return np.stack([np.full_like(z, x), y, z], -1)


# The right flank; the left one is its mirror image. The cabin reaches down behind the body,
# which is wider, so that no gap shows between them from above.
_CABIN = _flank(
    0.68, [(0.3, 0.6), (0.35, 0.93), (0.95, 1.42), (2.45, 1.42), (3.25, 0.9), (3.3, 0.6)]
)
_SIDE_GLASS = _flank(0.68, [(0.72, 0.97), (1.1, 1.33), (2.35, 1.33), (2.9, 0.97)])
_BODY = _flank(0.88, [(0.0, 0.28), (0.0, 0.85), (0.25, 0.94), (4.1, 0.84), (4.3, 0.6), (4.3, 0.28)])
_TIRES, _RIMS = _wheels(0.885, 0.34), _wheels(0.89, 0.18)

_NEAR_TIRES = np.stack([box(x - 0.13, x + 0.13, 0, 0.5, 0.1) for x in (-0.68, 0.68)])
_ROOF = np.array([(-0.6, 1.42, 0.95), (0.6, 1.42, 0.95), (0.58, 1.44, 2.4), (-0.58, 1.44, 2.4)])
_BACK = np.array([(-0.78, 0.9, 0.35), (0.78, 0.9, 0.35), (0.6, 1.42, 0.95), (-0.6, 1.42, 0.95)])
_PANE = np.array([(-0.66, 0.99, 0.42), (0.66, 0.99, 0.42), (0.54, 1.35, 0.87), (-0.54, 1.35, 0.87)])
_DECK = np.array([(-0.86, 0.88, 0.0), (0.86, 0.88, 0.0), (0.79, 0.95, 0.4), (-0.79, 0.95, 0.4)])
_END = [(-0.82, 0.26, 0.0), (-0.9, 0.36, 0.0), (-0.9, 0.78, 0.0), (-0.84, 0.9, 0.0)]
_END_FACE = np.array(_END + [(-x, y, z) for x, y, z in reversed(_END)])
_BUMPER = box(-0.84, 0.84, 0.26, 0.42)
_LIGHTS = np.stack([box(-0.82, -0.5, 0.6, 0.78), box(0.5, 0.82, 0.6, 0.78)])
_GLOWS = np.array([(-0.66, 0.69, 0.21), (0.66, 0.69, 0.21)])
_NUMBER_PLATE = box(-0.26, 0.26, 0.48, 0.6)


def draw_car(
    pencil: Pencil,
    x: float,
    z: float,
    paint: Color,
    shadow: Color,
    glass: Color,
    *,
    oncoming: bool,
    lights_on: bool,
) -> None:
    """Draw a car whose near end is at distance `z`, in the middle of the lane at `x`."""
    if not -4 < z < FAR:
        return
    place = np.array((x, 0.0, z))
    pencil.fill(_SHADOW + place, shadow, z)
    _draw_flank(pencil, place, paint, glass)
    if z > 0.7:
        _draw_end(pencil, place, paint, glass)
        _draw_lights(pencil, place, oncoming=oncoming, lights_on=lights_on)


def _draw_flank(pencil: Pencil, place: Points, paint: Color, glass: Color) -> None:
    """Draw the side that the eye can see."""
    x, _, z = place.tolist()
    mirror = np.array((-1.0 if x > pencil.eye[0] else 1.0, 1.0, 1.0))
    shaded = mix(paint, _BLACK, 0.22)
    if abs(x - pencil.eye[0]) > 1:
        pencil.fill(_CABIN * mirror + place, shaded, z)
        if z < _DETAIL:
            pencil.fill(_SIDE_GLASS * mirror + place, glass, z)
        pencil.fill(_BODY * mirror + place, shaded, z)
        if z < _DETAIL:
            pencil.fill(_TIRES * mirror + place, _BLACK, z)
            pencil.fill(_RIMS * mirror + place, _RIM, z)


def _draw_end(pencil: Pencil, place: Points, paint: Color, glass: Color) -> None:
    """Draw what is turned to the eye: wheels, roof, window, deck, body."""
    z = float(place[2])
    light = mix(paint, _WHITE, 0.25)
    pencil.fill(_NEAR_TIRES + place, _BLACK, z)
    pencil.fill(_BACK + place, paint, z)
    pencil.fill(_PANE + place, glass, z)
    if z < _DETAIL:
        pencil.fill(_ROOF + place, light, z)
        pencil.fill(_DECK + place, light, z)
    pencil.fill(_END_FACE + place, paint, z)
    pencil.fill(_BUMPER + place, mix(paint, _BLACK, 0.6), z)


def _draw_lights(pencil: Pencil, place: Points, *, oncoming: bool, lights_on: bool) -> None:
    z = float(place[2])
    if lights_on:
        pencil.discs(place, _GLOWS, mix(_HEADLIGHT, _GLOW, 0.25) if oncoming else _GLOW)
    # Light that is on does not fade in the haze.
    pencil.fill(_LIGHTS + place, _HEADLIGHT if oncoming else _TAIL_LIGHT, 0 if lights_on else z)
    if z < _DETAIL:
        pencil.fill(_NUMBER_PLATE + place, _PLATE, z)
