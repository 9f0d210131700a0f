"""Draw what is too far away to come nearer: sky, sun, clouds, skyline and hills."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from livekm.frame import Image
from livekm.sources.demo.perspective import HORIZON, Color
from livekm.sources.demo.theme import Theme

_SHIFT = 4

# A cloud in units of its size: circles (x, y, radius) that stand on one base line.
_PUFFS = ((-1.9, -0.45, 0.45), (-1.1, -0.75, 0.75), (0.0, -1.1, 1.1), (1.1, -0.8, 0.8),
          (1.95, -0.5, 0.5))  # fmt: skip


def draw_backdrop(theme: Theme, width: int, height: int, rng: np.random.Generator) -> Image:
    """(H, W, 3) uint8 BGR of everything that stands still."""
    horizon = HORIZON * height
    image = _gradient(theme.sky, width, height, horizon)
    x, y, radius = theme.sun_place
    for size, share in ((2.4, 0.12), (1.6, 0.28), (1.0, 1.0)):
        _disc(image, (x * width, y * height), size * radius * height, theme.sun, share)
    outline = _skyline if theme.kind == "avenue" else _ridge
    for color, rise in zip(theme.far, (0.17, 0.10), strict=True):
        points = outline(rng, rise) * (width, -height) + (0, horizon)
        _fill(image, points, color)
    image[int(horizon) + 1 :] = theme.verge[0]
    return image


def draw_cloud(
    image: Image, place: tuple[float, float], size: float, colors: tuple[Color, Color]
) -> None:
    """Draw a cloud whose base has its middle at `place` (x, y), all in pixels."""
    lit, shaded = colors
    x, y = place
    for color, lift, scale in ((shaded, 0.0, 1.0), (lit, 0.2, 0.93)):
        for dx, dy, radius in _PUFFS:
            center = (x + dx * size * scale, y + (dy * scale - lift) * size)
            _disc(image, center, radius * scale * size, color)
        left, right = (x + s * 1.95 * size * scale for s in (-1, 1))
        base, top = (y - (lift + up) * size for up in (0.0, 0.9))
        _fill(image, np.array([(left, base), (right, base), (right - size, top), (x, top)]), color)


def _gradient(colors: tuple[Color, Color, Color], width: int, height: int, horizon: float) -> Image:
    rows = np.clip((np.arange(height) + 0.5) / max(horizon, 1), 0, 1)
    column = np.stack(
        [np.interp(rows, (0, 0.55, 1), channel) for channel in zip(*colors, strict=True)], -1
    )
    return np.repeat(np.rint(column).astype(np.uint8)[:, None], width, axis=1)


def _disc(
    image: Image, center: tuple[float, float], radius: float, color: Color, share: float = 1.0
) -> None:
    x, y, size = (round(value * (1 << _SHIFT)) for value in (*center, radius))
    target = image if share == 1 else image.copy()
    cv2.circle(target, (x, y), size, color, cv2.FILLED, cv2.LINE_AA, _SHIFT)
    if share < 1:
        cv2.addWeighted(target, share, image, 1 - share, 0, dst=image)


def _fill(image: Image, points: npt.NDArray[np.float64], color: Color) -> None:
    outline = np.rint(points * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(image, [outline], color, cv2.LINE_AA, _SHIFT)


def _skyline(rng: np.random.Generator, rise: float) -> npt.NDArray[np.float64]:
    """(n, 2) roofs of a far city, higher toward the middle; x in widths, y in heights."""
    edges = np.sort(rng.uniform(0, 1, 34))
    edges = np.concatenate([[0.0], edges, [1.0]])
    middles = (edges[1:] + edges[:-1]) / 2
    roofs = rise * (0.35 + 0.65 * np.exp(-(((middles - 0.5) / 0.22) ** 2)))
    roofs *= rng.uniform(0.45, 1.0, len(roofs))
    x = np.repeat(edges, 2)
    y = np.concatenate([[0.0], np.repeat(roofs, 2), [0.0]])
    return np.stack([x, y], -1)


def _ridge(rng: np.random.Generator, rise: float) -> npt.NDArray[np.float64]:
    """(n, 2) line of hills; x in widths, y in heights."""
    x = np.linspace(0, 1, 160)
    y = np.full_like(x, 0.55)
    for octave in range(5):
        frequency = 1.3 * 1.9**octave
        y += 0.42 * 0.52**octave * np.sin(2 * np.pi * (frequency * x + rng.random()))
    y = rise * np.clip(y, 0.12, None)
    return np.concatenate([[(0.0, 0.0)], np.stack([x, y], -1), [(1.0, 0.0)]])
