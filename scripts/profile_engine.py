"""Print where the time of one `Segmenter.update` goes, stage by stage.

    python scripts/profile_engine.py [CLIP] [--size 1920x1080] [-k 8 64] [--hysteresis 0 2]
        [--color-space bgr]

Without a clip, the built-in street is used. Times are medians over the frames after a warm-up, in
milliseconds and as multiples of the floor: `cv2.split` and `cv2.merge` of the same frame.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections import defaultdict

import cv2
import numpy as np

from livekm import Segmenter, open_source
from livekm.core.features import Features
from livekm.core.moves import MoveLedger
from livekm.core.sample import Sample
from livekm.core.scene_change import SceneChange
from livekm.core.trainer import Trainer

_WARM_UP = 5

# Indented stages are parts of the one above them.
_STAGES = {
    "update": (Segmenter, "update"),
    "  draw the sample": (Features, "sample"),
    "  train": (Trainer, "step"),
    "    watch for cuts": (SceneChange, "observe"),
    "    Lloyd steps": (Sample, "_run"),
    "    moves": (MoveLedger, "improve"),
    "    challenges": (Trainer, "_challenge"),
    "  label": (Segmenter, "_label"),
    "    turn into features": (Features, "colors"),
}


class Stopwatch:
    """Adds up, frame by frame, the time spent in methods that it wraps."""

    def __init__(self) -> None:
        self.frames: list[dict[str, float]] = []

    def wrap(self, name: str, owner: type, method: str) -> None:
        function = getattr(owner, method)

        def timed(*arguments: object, **options: object) -> object:
            start = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                self.frames[-1][name] += time.perf_counter() - start

        setattr(owner, method, timed)

    def median_ms(self, name: str) -> float:
        return 1e3 * statistics.median(frame[name] for frame in self.frames[_WARM_UP:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", nargs="?", default="demo")
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("-k", type=int, nargs="+", default=[8, 64])
    parser.add_argument("--hysteresis", type=float, nargs="+", default=[0.0, 2.0])
    parser.add_argument("--color-space", default="bgr")
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    with open_source(options.clip) as source:
        images = [
            cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_CUBIC)
            for frame in itertools.islice(source, options.frames)
        ]
    watch = Stopwatch()
    for name, (owner, method) in _STAGES.items():
        watch.wrap(name, owner, method)
    planes = [np.empty((height, width), np.uint8) for _ in range(3)]
    merged = np.empty_like(images[0])
    for k, hysteresis in itertools.product(options.k, options.hysteresis):
        segmenter = Segmenter(
            k, hysteresis=hysteresis, color_space=options.color_space, random_state=0
        )
        watch.frames.clear()
        for image in images:
            watch.frames.append(defaultdict(float))
            start = time.perf_counter()
            cv2.merge(cv2.split(image, planes), merged)
            watch.frames[-1]["floor"] = time.perf_counter() - start
            segmentation = segmenter.update(image)
            start = time.perf_counter()
            segmentation.paint()
            watch.frames[-1]["paint"] = time.perf_counter() - start
        floor = watch.median_ms("floor")
        print(f"k {k}, hysteresis {hysteresis:g}, {options.size}: floor {floor:.2f} ms")
        for name in (*_STAGES, "paint"):
            median = watch.median_ms(name)
            print(f"  {name:<22}{median:8.2f} ms {median / floor:6.1f} x floor")


if __name__ == "__main__":
    main()
