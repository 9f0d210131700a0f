"""Draw the ground: verges, pavements, the road and its markings."""

from __future__ import annotations

import itertools

import numpy as np

from livekm.sources.demo.perspective import FAR, Color, Pencil, Points, mix
from livekm.sources.demo.theme import Theme

LANE = 3.5  # metres; two of them on each side of the middle
_ROAD = 2 * LANE + 0.7  # half the width
_WIDE = 900.0
_ZEBRA_PERIOD = 110.0

# Distances at which the haze gets one step thicker.
_STEPS = (0.6, 35.0, 70.0, 120.0, 3000.0)


def _ladder(start: float, end: float) -> Points:
    """(n, 3) outline, to be scaled in x, of a band from x = 0 to 1 with points for a bend."""
    z = np.geomspace(start, end, 9)
    x = np.repeat((0.0, 1.0), len(z))
    return np.stack([x, np.zeros_like(x), np.concatenate([z, z[::-1]])], -1)


# From far to near, each with the distance that its haze is taken from.
_STRETCHES = [
    (_ladder(start, end), min((start + end) / 2, 0.8 * FAR) - 15)
    for start, end in reversed(list(itertools.pairwise(_STEPS)))
]


def draw_ground(pencil: Pencil, theme: Theme, travelled: float) -> None:
    """Draw the ground as it is after `travelled` metres."""
    walk = 11.5 if theme.kind == "avenue" else _ROAD + 0.8
    _draw_band(pencil, [(-_WIDE, _WIDE)], theme.verge[0])
    _draw_marks(pencil, [(-_WIDE, _WIDE)], travelled, 24.0, 12.0, theme.verge[1])
    _draw_band(pencil, [(-walk, walk)], theme.edge)
    _draw_band(pencil, [(-_ROAD - 0.3, _ROAD + 0.3)], mix(theme.edge, theme.road, 0.4))
    _draw_band(pencil, [(-_ROAD, _ROAD)], theme.road)
    lines = [(x - 0.08, x + 0.08) for x in (-2 * LANE, -0.18, 0.18, 2 * LANE)]
    _draw_band(pencil, lines, theme.paint)
    dashes = [(x - 0.08, x + 0.08) for x in (-LANE, LANE)]
    _draw_marks(pencil, dashes, travelled, 9.0, 4.0, theme.paint)
    if theme.kind == "avenue":
        whole = [(-_ROAD, _ROAD)]
        _draw_marks(pencil, whole, travelled, _ZEBRA_PERIOD, 5.0, theme.road)
        stripes = [(x, x + 0.55) for x in np.arange(-_ROAD + 0.45, _ROAD - 0.5, 1.1).tolist()]
        _draw_marks(pencil, stripes, travelled, _ZEBRA_PERIOD, 4.2, theme.paint)


def _draw_band(pencil: Pencil, sides: list[tuple[float, float]], color: Color) -> None:
    """Fill bands that run all along the road, between two x each."""
    left, right = (np.array(x)[:, None] for x in zip(*sides, strict=True))
    for ladder, distance in _STRETCHES:
        bands = np.repeat(ladder[None], len(sides), axis=0)
        bands[..., 0] = left + (right - left) * bands[..., 0]
        pencil.fill(bands, color, distance)


def _draw_marks(
    pencil: Pencil,
    sides: list[tuple[float, float]],
    travelled: float,
    period: float,
    length: float,
    color: Color,
) -> None:
    """Fill rectangles that come again every `period` metres, between two x each."""
    starts = np.arange(-(travelled % period), FAR, period)
    starts = starts[starts > -length]
    for near, far in itertools.pairwise(_STEPS):
        here = starts[(starts >= near) & (starts < far)] if near > 1 else starts[starts < far]
        marks = np.zeros((len(here), len(sides), 4, 3))
        marks[..., 0] = [(left, right, right, left) for left, right in sides]
        marks[..., 2] = here[:, None, None] + (0.0, 0.0, length, length)
        distance = min((near + far) / 2, 0.8 * FAR) - 15
        pencil.fill(marks.reshape(-1, 4, 3), color, distance)
