"""Make the moving picture of the README from the built-in demo.

    python scripts/make_demo_media.py [docs/media/demo.webp]

A divider sweeps over the street: left of it the frame as it is, right of it the segments. The
strip below shows each cluster's colour, as wide as its share, always in the order of the labels.
The scene cut of the demo comes in the middle.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Pillow

from livekm import Segmentation, Segmenter
from livekm.frame import Image
from livekm.sources.demo.source import SCENE_SECONDS, DemoSource

FPS = 15
SECONDS = 6  # half of them on each side of the cut
SIZE = (640, 360)
STRIP = 14  # pixels
QUALITY = 70


def main() -> None:
    """Draw, segment, compose and write."""
    default = Path(__file__).parents[1] / "docs" / "media" / "demo.webp"
    parser = argparse.ArgumentParser(description="Make the moving picture of the README.")
    parser.add_argument("output", nargs="?", type=Path, default=default)
    output: Path = parser.parse_args().output
    first, *others = [Pillow.fromarray(image[:, :, ::-1]) for image in draw_frames()]
    options = {"duration": round(1000 / FPS), "loop": 0, "quality": QUALITY, "method": 4}
    output.parent.mkdir(parents=True, exist_ok=True)
    first.save(output, save_all=True, append_images=others, **options)
    print(f"{output}: {1 + len(others)} frames, {output.stat().st_size / 1e6:.2f} MB")


def draw_frames() -> Iterator[Image]:
    """Yield the (H, W, 3) BGR frames of the moving picture."""
    start = (SCENE_SECONDS - SECONDS // 2) * FPS
    segmenter = Segmenter(n_clusters=8, random_state=0)
    with DemoSource(fps=FPS, n_frames=start + SECONDS * FPS) as source:
        for frame in source:
            segmentation = segmenter.update(frame.image)
            if frame.index >= start:
                phase = (frame.index - start) / (SECONDS * FPS)
                yield compose(frame.image, segmentation, phase)


def compose(image: Image, segmentation: Segmentation, phase: float) -> Image:
    """Wipe between `image` and its segments, with the palette below; `phase` is from 0 to 1."""
    width = SIZE[0]
    divider = round(width * (0.5 + 0.32 * math.sin(2 * math.pi * phase)))
    picture = _shrink(segmentation.paint())
    picture[:, :divider] = _shrink(image)[:, :divider]
    picture[:, divider - 1 : divider + 1] = 255
    ends = np.rint(np.cumsum(segmentation.shares) * width).astype(int)
    strip = np.repeat(segmentation.palette, np.diff(ends, prepend=0), axis=0)
    picture[-2:] = 255
    return np.concatenate([picture, np.broadcast_to(strip, (STRIP, width, 3))])


def _shrink(image: Image) -> Image:
    return np.asarray(cv2.resize(image, SIZE, interpolation=cv2.INTER_AREA), np.uint8)


if __name__ == "__main__":
    main()
