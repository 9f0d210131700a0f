"""Draw houses, trees and fences along the road."""

from __future__ import annotations

import numpy as np

from livekm.sources.demo.perspective import FAR, Color, Pencil, Points, box, mix

_BLACK, _WHITE = (24.0, 20.0, 20.0), (255.0, 255.0, 255.0)
_DETAIL = 0.42 * FAR  # metres; beyond it things are drawn with fewer strokes

# x, y and radius of the balls of leaves of a tree, in metres for size 1.
_CROWN_SHADED = np.array([(-0.75, 3.6, 1.25), (0.8, 3.7, 1.2), (0.0, 4.4, 1.6)])
_CROWN_LIT = np.array([(-0.55, 4.0, 0.95), (0.25, 4.8, 1.15)])
_TRUNK = box(-0.15, 0.15, 0, 3)

# Half the outline of a spruce, (x, y) from its foot to its top.
_SPRUCE = [(1.9, 0.8), (0.85, 2.3), (1.5, 2.3), (0.65, 3.9), (1.1, 3.9), (0.0, 7.0)]
_SPRUCE_WHOLE = np.array(
    [(-x, y, 0) for x, y in _SPRUCE] + [(x, y, 0) for x, y in reversed(_SPRUCE[:-1])], float
)
_SPRUCE_LIT = np.array([(-x, y, 0) for x, y in _SPRUCE] + [(-0.25, 0.8, 0)], float)
_SPRUCE_TRUNK = box(-0.18, 0.18, 0, 1)

_ANGLES = np.linspace(0, 2 * np.pi, 16, endpoint=False)
_SHADE = np.stack([1.5 * np.cos(_ANGLES), 0 * _ANGLES, 1.3 * np.sin(_ANGLES)], -1)


def draw_building(
    pencil: Pencil,
    side: int,
    z: float,
    length: float,
    height: float,
    wall: Color,
    window: Color,
) -> None:
    """Draw a house along the road from `z` on, to the left (`side` -1) or right (1) of it."""
    x = side * 14.0
    pencil.fill(box(x, side * 34.0, 0, height, z), mix(wall, _BLACK, 0.28), z)
    pencil.fill(_facade(x, 0, height, z, length), wall, z)
    if z < _DETAIL:
        pencil.fill(_facade(x, 0, 3.0, z, length), mix(wall, _BLACK, 0.35), z)
        pencil.fill(_facade(x, height - 0.5, height, z, length), mix(wall, _WHITE, 0.3), z)
        pencil.fill(_windows(x, height, z, length), window, z)


def _facade(x: float, y0: float, y1: float, z: float, length: float) -> Points:
    far = z + length
    return np.array([(x, y0, z), (x, y0, far), (x, y1, far), (x, y1, z)], float)


def _windows(x: float, height: float, z: float, length: float) -> Points:
    """(n, 4, 3) windows of a facade: four in each storey above the ground floor."""
    floors = np.arange(3.9, height - 2.2, 3.0)
    starts = z + length * (np.arange(4) + 0.25) / 4
    corners = np.empty((len(floors), len(starts), 4, 3))
    corners[..., 0] = x
    corners[..., 1] = floors[:, None, None] + (0, 0, 1.6, 1.6)
    corners[..., 2] = starts[:, None] + np.array((0, length / 8, length / 8, 0))
    return corners.reshape(-1, 4, 3)


def draw_tree(
    pencil: Pencil,
    place: Points,
    size: float,
    leaves: tuple[Color, Color],
    trunk: Color,
    shade: Color,
) -> None:
    """Draw a round tree 6 m high at size 1, its foot at the (3,) `place`."""
    z = float(place[2])
    if z < 1:
        return
    lit, shaded = leaves
    if z < _DETAIL:
        pencil.fill(_SHADE * size + place, shade, z)
    pencil.fill(_TRUNK * size + place, trunk, z)
    pencil.discs(place, _CROWN_SHADED * size, shaded)
    if z < _DETAIL:
        pencil.discs(place, _CROWN_LIT * size, lit)


def draw_conifer(
    pencil: Pencil, place: Points, size: float, leaves: tuple[Color, Color], trunk: Color
) -> None:
    """Draw a spruce 7 m high at size 1, its foot at the (3,) `place`."""
    z = float(place[2])
    if z < 1:
        return
    lit, shaded = leaves
    pencil.fill(_SPRUCE_TRUNK * size + place, trunk, z)
    pencil.fill(_SPRUCE_WHOLE * size + place, shaded, z)
    if z < _DETAIL:
        pencil.fill(_SPRUCE_LIT * size + place, lit, z)


def draw_fence(pencil: Pencil, x: float, z: float, length: float, color: Color) -> None:
    """Draw posts and two rails at `x` from `z` on."""
    if z > _DETAIL:
        return
    posts = np.stack([box(x - 0.07, x + 0.07, 0, 1.05, z + dz) for dz in (0.0, length / 2)])
    rails = np.stack([_facade(x, y, y + 0.12, z, length) for y in (0.42, 0.8)])
    pencil.fill(rails, color, z)
    pencil.fill(posts, color, z)
