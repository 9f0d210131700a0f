"""Draw the pictures of docs/tutorial.md: a monarch butterfly, and what k-means makes of it.

python scripts/make_tutorial.py [FOLDER, by default docs/media]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from livekm import Segmenter
from livekm.core.lesson import make_lesson
from livekm.figures.lesson import lesson_sheet
from livekm.figures.page import render
from livekm.frame import Image

SIZE = (480, 640)  # rows, columns
SCALE = 3  # drawn so many times larger, for smooth edges
BLACK, ORANGE, WHITE = (22, 20, 24), (28, 118, 226), (238, 242, 244)

# Outlines of the right half in a square of one, the body at x = 0; y grows downwards.
FOREWING = [(0.02, -0.1), (0.2, -0.42), (0.5, -0.68), (0.78, -0.72), (0.82, -0.6), (0.7, -0.34),
            (0.56, -0.12), (0.36, 0.02), (0.04, 0.06)]  # fmt: skip
HINDWING = [(0.03, 0.02), (0.34, 0.0), (0.56, 0.1), (0.58, 0.3), (0.44, 0.5), (0.26, 0.56),
            (0.12, 0.46), (0.04, 0.24)]  # fmt: skip
FORE_VEINS = [[(0.05, -0.08), (0.72, -0.62)], [(0.06, -0.05), (0.66, -0.4)],
              [(0.07, -0.02), (0.54, -0.14)], [(0.3, -0.3), (0.6, -0.64)],
              [(0.28, -0.18), (0.6, -0.26)]]  # fmt: skip
HIND_VEINS = [[(0.05, 0.06), (0.54, 0.16)], [(0.05, 0.08), (0.52, 0.34)],
              [(0.05, 0.1), (0.36, 0.5)], [(0.05, 0.12), (0.18, 0.48)]]  # fmt: skip


def main() -> None:
    """Draw and write all pictures."""
    default = Path(__file__).parents[1] / "docs" / "media"
    parser = argparse.ArgumentParser(description="Draw the pictures of the tutorial.")
    parser.add_argument("folder", nargs="?", type=Path, default=default)
    folder: Path = parser.parse_args().folder
    image = draw_butterfly()
    cv2.imwrite(str(folder / "butterfly.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 90])
    image = cv2.imread(str(folder / "butterfly.jpg"))
    write(folder / "tutorial-steps.webp", sheet(image))
    write(folder / "tutorial-segments.webp", segments(image))


def draw_butterfly() -> Image:
    """Return (480, 640, 3) BGR: a monarch on leaves, with the unevenness of a photograph."""
    rng = np.random.default_rng(7)
    height, width = SIZE[0] * SCALE, SIZE[1] * SCALE
    image = _leaves(rng, height, width)
    unit = 0.52 * height
    for side in (-1, 1):

        def at(points: list[tuple[float, float]], side: int = side) -> npt.NDArray[np.int32]:
            middle = np.array([width / 2, 0.52 * height])
            return np.rint(np.array(points) * (side * unit, unit) + middle).astype(np.int32)

        for outline, veins in ((HINDWING, HIND_VEINS), (FOREWING, FORE_VEINS)):
            edge = _smooth(at(outline))
            cv2.fillPoly(image, [edge], BLACK, cv2.LINE_AA)
            inner = _smooth(at(_shrunk(outline)))
            cv2.fillPoly(image, [inner], ORANGE, cv2.LINE_AA)
            for vein in veins:
                cv2.polylines(image, [at(vein)], False, BLACK, 5 * SCALE, cv2.LINE_AA)
            for x, y in _spots(outline):
                spot = at([(x, y)])[0]
                radius = int(rng.integers(3, 6)) * SCALE
                cv2.circle(image, spot.tolist(), radius, WHITE, -1, cv2.LINE_AA)
        cv2.polylines(
            image, [_smooth(at([(0.0, -0.2), (0.06, -0.36), (0.14, -0.46)]), closed=False)],
            False, BLACK, 2 * SCALE, cv2.LINE_AA,
        )  # fmt: skip
    body = (width // 2, round(0.56 * height))
    cv2.ellipse(image, body, (9 * SCALE, 80 * SCALE), 0, 0, 360, BLACK, -1, cv2.LINE_AA)
    cv2.circle(image, (width // 2, round(0.415 * height)), 12 * SCALE, BLACK, -1, cv2.LINE_AA)
    image = cv2.resize(image, SIZE[::-1], interpolation=cv2.INTER_AREA)
    return _like_a_photograph(rng, image)


def sheet(image: Image) -> Image:
    """Return the steps of the algorithm on one page."""
    page = render(lesson_sheet(make_lesson(image, 5, "random", seed=2)), ".png")
    return cv2.imdecode(np.frombuffer(page, np.uint8), cv2.IMREAD_COLOR)


def segments(image: Image) -> Image:
    """Return the picture, its five colours, the borders, and the segments that are chosen."""
    segmentation = Segmenter(n_clusters=5, random_state=0).fit(image)
    borders = image.copy()
    borders[segmentation.boundaries()] = 255
    background = segmentation.palette.argmax(axis=1) == 1  # BGR: what is green
    butterfly = ~background[segmentation.labels]
    chosen = np.where(butterfly[:, :, np.newaxis], image, 235).astype(np.uint8)
    top = np.concatenate([image, segmentation.paint()], axis=1)
    bottom = np.concatenate([borders, chosen], axis=1)
    page = np.concatenate([top, bottom])
    return cv2.resize(page, (960, 720), interpolation=cv2.INTER_AREA)


def write(path: Path, image: Image) -> None:
    """Write a .webp that is small and looks the same."""
    cv2.imwrite(str(path), image, [cv2.IMWRITE_WEBP_QUALITY, 85])
    print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


def _leaves(rng: np.random.Generator, height: int, width: int) -> Image:
    """Return a ground of blurred leaves."""
    small = np.full((height // 8, width // 8, 3), (46, 96, 62), np.uint8)
    for _ in range(60):
        center = rng.integers(0, (width // 8, height // 8)).tolist()
        axes = rng.integers((10, 4), (40, 12)).tolist()
        color = (np.array([40, 130, 80]) + rng.integers(-35, 36, 3)).tolist()
        cv2.ellipse(small, center, axes, float(rng.integers(180)), 0, 360, color, -1)
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), 5), (width, height))


def _like_a_photograph(rng: np.random.Generator, image: Image) -> Image:
    """Add light from above left, soft edges and noise."""
    rows, columns = np.mgrid[0 : 1 : SIZE[0] * 1j, 0 : 1 : SIZE[1] * 1j]
    light = 1.12 - 0.3 * (0.6 * rows + 0.4 * columns)
    soft = cv2.GaussianBlur(image, (0, 0), 0.7) * light[:, :, np.newaxis]
    return (soft + rng.normal(0, 4, image.shape)).clip(0, 255).astype(np.uint8)


def _smooth(points: npt.NDArray[np.int32], *, closed: bool = True) -> npt.NDArray[np.int32]:
    """Return a polygon with its corners cut, four times (Chaikin, 1974)."""
    curve = points.astype(np.float64)
    for _ in range(4):
        following = np.roll(curve, -1, axis=0)
        cut = np.stack([0.75 * curve + 0.25 * following, 0.25 * curve + 0.75 * following], axis=1)
        if closed:
            curve = cut.reshape(-1, 2)
        else:
            curve = np.vstack([curve[:1], cut[:-1].reshape(-1, 2), curve[-1:]])
    return np.rint(curve).astype(np.int32)


def _shrunk(outline: list[tuple[float, float]]) -> list[tuple[float, float]]:
    points = np.array(outline)
    middle = points.mean(axis=0)
    return [(float(x), float(y)) for x, y in middle + 0.8 * (points - middle)]


def _spots(outline: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return places in the black border, away from the body."""
    points = np.array(outline)
    curve = _smooth(np.rint(1000 * points).astype(np.int32)) / 1000
    middle = points.mean(axis=0)
    rim = middle + 0.9 * (curve[::9] - middle)
    return [(float(x), float(y)) for x, y in rim if x > 0.2]


if __name__ == "__main__":
    main()
