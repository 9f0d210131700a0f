"""Draw a street as it is at any moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from livekm.frame import Image
from livekm.sources.demo.backdrop import draw_backdrop, draw_cloud
from livekm.sources.demo.car import draw_car
from livekm.sources.demo.ground import LANE, draw_ground
from livekm.sources.demo.perspective import FAR, Color, Pencil
from livekm.sources.demo.roadside import draw_building, draw_conifer, draw_fence, draw_tree
from livekm.sources.demo.theme import Theme

_LOT = 16.0  # metres of ground for one house
_N_LOTS = 48  # then the houses repeat


@dataclass(frozen=True, slots=True)
class _Lane:
    """Cars at even distances that all drive at one speed, so that they never meet."""

    x: float
    closing: float  # metres a second toward the viewer
    phases: tuple[float, ...]  # places along the lane, in units of FAR
    colors: tuple[Color, ...]
    oncoming: bool


class Street:
    """One street, which can be drawn at any moment.

    Parameters
    ----------
    theme : Theme
        Which one.
    width, height : int
        Size in pixels.
    rng : numpy.random.Generator
        Where chance comes from: clouds, houses, trees and cars.
    """

    def __init__(self, theme: Theme, width: int, height: int, rng: np.random.Generator) -> None:
        self._theme = theme
        self._backdrop = draw_backdrop(theme, width, height, rng)
        self._sway = rng.uniform(0, 2 * np.pi)
        # (n, 4): place and speed in widths, row and size in heights.
        self._clouds = np.column_stack(
            [
                (np.arange(4) + rng.uniform(-0.3, 0.3, 4)) / 4,
                rng.uniform(0.006, 0.014, 4),
                rng.uniform(0.10, 0.26, 4),
                rng.uniform(0.035, 0.065, 4),
            ]
        )
        self._heights = rng.uniform(7.0, 19.0, (2, _N_LOTS))
        self._heights[rng.random((2, _N_LOTS)) < 0.15] = 0  # a gap with a tree
        self._walls = rng.integers(0, 3, (2, _N_LOTS)).cumsum(axis=1)
        self._tree_sizes = rng.uniform(0.85, 1.25, (2, _N_LOTS))
        self._lanes = _make_lanes(theme, rng)

    def draw(self, time: float) -> Image:
        """(H, W, 3) uint8 BGR picture of the street `time` seconds after its start."""
        image = self._backdrop.copy()
        self._draw_clouds(image, time)
        bend = 2.6e-4 * np.sin(2 * np.pi * time / 14 + self._sway)
        eye = (LANE / 2 + 0.15 * np.sin(time * 0.9), 1.55 + 0.012 * np.sin(time * 7))
        pencil = Pencil(image, self._theme.haze, eye, float(bend))
        travelled = self._theme.speed * time
        draw_ground(pencil, self._theme, travelled)
        # From far to near, so that near things hide far ones.
        first = int(travelled // _LOT)
        for lot in range(first + int(FAR // _LOT), first - 1, -1):
            for side in (-1, 1):
                self._draw_lot(pencil, lot, side, lot * _LOT - travelled)
        self._draw_cars(pencil, time)
        pencil.finish()
        return image

    def _draw_clouds(self, image: Image, time: float) -> None:
        height, width = image.shape[:2]
        for x, speed, y, size in self._clouds.tolist():
            across = (x + speed * time) % 1.0 * 1.5 - 0.25
            draw_cloud(image, (across * width, y * height), size * height, self._theme.cloud)

    def _draw_lot(self, pencil: Pencil, lot: int, side: int, z: float) -> None:
        theme = self._theme
        place = (max(side, 0), lot % _N_LOTS)
        size = float(self._tree_sizes[place])

        def at(x: float, dz: float) -> np.ndarray:
            return np.array((side * x, 0.0, z + dz))

        if theme.kind == "country":
            draw_conifer(pencil, at(15 + 6 * size, 9), 1.25 * size, theme.leaves, theme.trunk)
            draw_conifer(pencil, at(11 + 2 * size, 3), 1.1 * size, theme.leaves, theme.trunk)
            draw_fence(pencil, side * 9.4, z, _LOT, theme.fence)
            return
        if height := float(self._heights[place]):
            wall = theme.walls[int(self._walls[place]) % len(theme.walls)]
            draw_building(pencil, side, z, _LOT, height, wall, theme.window)
        else:
            draw_tree(pencil, at(17, 10), 1.3 * size, theme.leaves, theme.trunk, theme.shade)
        draw_tree(pencil, at(9.6, 4), size, theme.leaves, theme.trunk, theme.shade)

    def _draw_cars(self, pencil: Pencil, time: float) -> None:
        theme = self._theme
        # The car ahead keeps its distance, more or less.
        ahead = 24.0 + 9.0 * float(np.sin(0.35 * time + self._sway))
        cars = [(ahead, LANE / 2, theme.cars[0], False)]
        for lane in self._lanes:
            for phase, color in zip(lane.phases, lane.colors, strict=True):
                z = (phase * FAR - lane.closing * time) % FAR - 4.0
                cars.append((z, lane.x, color, lane.oncoming))
        for z, x, color, oncoming in sorted(cars, reverse=True):
            draw_car(
                pencil,
                x,
                z,
                color,
                theme.shadow,
                theme.window,
                oncoming=oncoming,
                lights_on=theme.lights_on,
            )


def _make_lanes(theme: Theme, rng: np.random.Generator) -> list[_Lane]:
    lanes = []
    for x, closing, n, oncoming in (
        (-1.5 * LANE, 24.0, 5, True),
        (-0.5 * LANE, 29.0, 4, True),
        (1.5 * LANE, 5.0, 6, False),
    ):
        phases = tuple(((np.arange(n) + rng.uniform(0.1, 0.6, n)) / n).tolist())
        colors = tuple(theme.cars[i % len(theme.cars)] for i in rng.permutation(n))
        lanes.append(_Lane(x, closing, phases, colors, oncoming))
    return lanes
