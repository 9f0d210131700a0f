"""Make the moving picture of the README from the built-in demo.

    python scripts/make_demo_media.py [docs/media/demo.webp]

Two panels show the same street in eight colours: on the left each frame is segmented by itself, by
`cv2.kmeans`, on the right by livekm. The strips below show each label's colour, as wide as its
share, in the order of the labels. The scene cut of the demo comes in the middle.
"""

from __future__ import annotations

import argparse
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
K = 8
PANEL = (400, 225)
GAP, CAPTION, STRIP = 8, 26, 14  # pixels
GROUND, INK = 255, (60, 60, 60)
QUALITY = 60


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
    segmenter = Segmenter(n_clusters=K, random_state=0)
    cv2.setRNGSeed(0)
    with DemoSource(fps=FPS, n_frames=start + SECONDS * FPS) as source:
        for frame in source:
            segmentation = segmenter.update(frame.image)
            if frame.index >= start:
                left = panel("k-means, each frame by itself", segment_alone(frame.image))
                right = panel("livekm", segmentation)
                gap = np.full((left.shape[0], GAP, 3), GROUND, np.uint8)
                yield np.concatenate([left, gap, right], axis=1)


def segment_alone(image: Image) -> Segmentation:
    """Segment (H, W, 3) BGR by OpenCV's k-means, without regard to other frames."""
    points = image.reshape(-1, 3).astype(np.float32)
    criteria = (cv2.TERM_CRITERIA_MAX_ITER + cv2.TERM_CRITERIA_EPS, 20, 0.5)
    _, labels, centers = cv2.kmeans(points, K, None, criteria, 1, cv2.KMEANS_PP_CENTERS)
    palette = np.rint(centers).astype(np.uint8)
    return Segmentation(labels.reshape(image.shape[:2]).astype(np.uint8), palette)


def panel(caption: str, segmentation: Segmentation) -> Image:
    """Return the segments under a caption and above the strip of their colours."""
    width = PANEL[0]
    ends = np.rint(np.cumsum(segmentation.shares) * width).astype(int)
    strip = np.repeat(segmentation.palette, np.diff(ends, prepend=0), axis=0)
    title = np.full((CAPTION, width, 3), GROUND, np.uint8)
    cv2.putText(
        title, caption, (2, CAPTION - 9), cv2.FONT_HERSHEY_SIMPLEX, 0.5, INK, 1, cv2.LINE_AA
    )
    picture = cv2.resize(segmentation.paint(), PANEL, interpolation=cv2.INTER_AREA)
    space = np.full((2, width, 3), GROUND, np.uint8)
    return np.concatenate(
        [title, picture, space, np.broadcast_to(strip, (STRIP, width, 3))]
    ).astype(np.uint8)


if __name__ == "__main__":
    main()
