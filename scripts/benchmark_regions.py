"""Print how fast and how steady regions are on clips, and how well they cover made pictures.

    python scripts/benchmark_regions.py [CLIP ...] [--sizes 960x540 1920x1080] [--frames 60]
        [--scale 0.13] [--threads N]
    python scripts/benchmark_regions.py --made 25 [--scale 0.04 0.06 0.08 0.1 0.13]

Of clips: the median of the time of a frame, on the clock and of all processors, in milliseconds
and (the clock's) as a multiple of the floor, `cv2.split` and `cv2.merge` of the same frame; the
number of regions; and the share of the static pixels, all of whose channels changed by at most 8
levels, whose region changed, the mean over the frames.

Of made pictures, those of the tests: the covering by the regions at each scale (Arbelaez et al.
2011), and the time of a call on one that is new.
"""

from __future__ import annotations

import argparse
import runpy
import statistics
import time
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from livekm import open_source
from livekm.regions import RegionSegmenter

_WARM_UP = 3
_STATIC = 8


def floor(image: np.ndarray) -> float:
    """Return the milliseconds that it takes to take an image apart and put it together again."""
    start = time.perf_counter()
    cv2.merge(cv2.split(image))
    return 1e3 * (time.perf_counter() - start)


def measure_clip(
    clip: str, size: tuple[int, int] | None, frames: int, scale: float, threads: int | None
) -> None:
    segmenter = RegionSegmenter(scale, threads=threads)
    clock, processors, floors, counts, changed = [], [], [], [], []
    before = None
    with open_source(clip) as source:
        for frame in islice(source, frames + _WARM_UP):
            image = frame.image if size is None else np.asarray(cv2.resize(frame.image, size))
            starts = time.perf_counter(), time.process_time()
            regions = segmenter.update(image)
            ends = time.perf_counter(), time.process_time()
            clock.append(1e3 * (ends[0] - starts[0]))
            processors.append(1e3 * (ends[1] - starts[1]))
            floors.append(floor(image))
            counts.append(regions.n_regions)
            ids = regions.ids[regions.labels]
            if before is not None:
                static = cv2.absdiff(image, before[0]).max(axis=2) <= _STATIC
                changed.append(100 * (ids != before[1])[static].mean())
            before = image.copy(), ids
    height, width = ids.shape
    wall = statistics.median(clock[_WARM_UP:])
    print(
        f"{Path(clip).name:22s} {width:4d}x{height:<4d} {wall:6.1f} ms"
        f" {statistics.median(processors[_WARM_UP:]):6.1f} ms of processors"
        f" {wall / statistics.median(floors):5.1f} floors {np.mean(counts):5.1f} regions"
        f" {np.mean(changed):5.2f} % of static pixels changed"
    )


def measure_made(number: int, scales: list[float], threads: int | None) -> None:
    made = runpy.run_path(str(Path(__file__).parents[1] / "tests" / "region_pictures.py"))
    pictures = [made["make_picture"](seed) for seed in range(number)]
    for scale in scales:
        scores, counts, clock = [], [], []
        for image, truth in pictures:
            segmenter = RegionSegmenter(scale, threads=threads)
            start = time.perf_counter()
            regions = segmenter.update(image)
            clock.append(1e3 * (time.perf_counter() - start))
            scores.append(made["covering"](truth, regions.labels))
            counts.append(regions.n_regions)
        print(
            f"scale {scale:<5g} covering {np.mean(scores):.3f}, {np.mean(counts):.1f} regions,"
            f" {statistics.median(clock):.1f} ms"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="*")
    parser.add_argument("--sizes", nargs="*", default=[])
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--scale", type=float, nargs="+", default=[0.13])
    parser.add_argument("--threads", type=int)
    parser.add_argument("--made", type=int, default=0, metavar="N")
    arguments = parser.parse_args()
    for clip in arguments.clips:
        for text in arguments.sizes or [None]:
            size = None if text is None else tuple(map(int, text.split("x")))
            measure_clip(clip, size, arguments.frames, arguments.scale[0], arguments.threads)
    if arguments.made:
        measure_made(arguments.made, arguments.scale, arguments.threads)


if __name__ == "__main__":
    main()
