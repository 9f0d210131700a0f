"""Print how good the segmentation is in scenes that are hard for it, made of clips and pictures.

    python scripts/measure_scenes.py CLIP CLIP ... PICTURE PICTURE ... [-k 4 8 16] [--seeds 4]

For each scene of 640x360: the error of every tenth frame over that of converged k-means, as
`measure_engine` takes it, without hysteresis and steadiness. The least and the largest mean of a k
over the random states, and the largest 95th percentile of one run. Then, for each k, the pictures
at their own size: the mean and the largest ratio of `update` and of `fit`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from itertools import islice

import cv2
import numpy as np
import numpy.typing as npt
from measure_engine import best_mse

from livekm import Segmenter, open_source

Image = npt.NDArray[np.uint8]
WIDTH, HEIGHT, N = 640, 360, 140
EVERY = 10


def read(name: str) -> list[Image]:
    """Return the first frames of a clip, or a picture."""
    size = WIDTH, HEIGHT
    with open_source(name) as source:
        frames = islice(source, 1 if source.info.n_frames == 1 else N)
        return [np.asarray(cv2.resize(frame.image, size), np.uint8) for frame in frames]


def levels(values: npt.NDArray[np.floating]) -> Image:
    return np.rint(values.clip(0, 255)).astype(np.uint8)


class Scenes:
    """The scenes by name, made of `clips` and `pictures`; each yields its frames."""

    def __init__(self, clips: list[list[Image]], pictures: list[Image]) -> None:
        self.clips, self.pictures = clips, pictures

    def all(self) -> dict[str, Callable[[], Iterator[Image]]]:
        return {
            "a pan over three photographs side by side": self.pan,
            "a shaking camera": self.shake,
            "a cut every 15 frames between four clips": self.cuts,
            "a fade from one clip to another": self.fade,
            "light that swells and fails": self.light,
            "a tint that turns": self.tint,
            "a flash every 20 frames": self.flash,
            "coloured waves that turn": self.waves,
        }

    def at(self, clip: int, index: int) -> Image:
        frames = self.clips[clip % len(self.clips)]
        return frames[index % len(frames)]

    def pan(self) -> Iterator[Image]:
        strip = np.hstack(self.pictures[:3])
        for i in range(N):
            x = i * (strip.shape[1] - WIDTH) // (N - 1)
            yield np.ascontiguousarray(strip[:, x : x + WIDTH])

    def shake(self) -> Iterator[Image]:
        rng = np.random.default_rng(0)
        for i in range(N):
            x, y = rng.integers(0, 25, 2)
            part = self.at(0, i)[y : HEIGHT - 24 + y, x : WIDTH - 24 + x]
            yield np.ascontiguousarray(part)

    def cuts(self) -> Iterator[Image]:
        for i in range(N):
            yield self.at(i // 15 % 4, i)

    def fade(self) -> Iterator[Image]:
        for i in range(N):
            part = i / (N - 1)
            yield levels((1 - part) * self.at(0, i).astype(float) + part * self.at(1, i))

    def light(self) -> Iterator[Image]:
        for i in range(N):
            yield levels(self.at(0, i) * (1 + 0.6 * np.sin(2 * np.pi * i / 50)))

    def tint(self) -> Iterator[Image]:
        for i in range(N):
            angles = 2 * np.pi * (i / 70 + np.arange(3) / 3)
            yield levels(self.at(1, i) * (1 + 0.35 * np.sin(angles)))

    def flash(self) -> Iterator[Image]:
        for i in range(N):
            image = self.at(0, i)
            yield levels(1.6 * image + 60.0) if i % 20 == 10 else image

    def waves(self) -> Iterator[Image]:
        y, x = np.mgrid[:HEIGHT, :WIDTH] / HEIGHT
        for i in range(N):
            turn = 2 * np.pi * i / 70
            way = 9 * (np.cos(turn) * x + np.sin(turn) * y)
            shifts = 2 * np.pi * np.arange(3) / 3 + i / 12
            yield levels(127.5 + 110 * np.sin(way[..., np.newaxis] * [1.0, 1.3, 0.7] + shifts))


def measure_scene(frames: Callable[[], Iterator[Image]], ks: list[int], seeds: int) -> str:
    means, worst = [], 0.0
    for k in ks:
        best = [best_mse(image, k) for image in islice(frames(), 0, None, EVERY)]
        for seed in range(seeds):
            segmenter = Segmenter(k, random_state=seed, hysteresis=0, steadiness=0)
            errors = [segmenter.update(image).mse for image in frames()]
            ratios = np.array(errors[::EVERY]) / np.maximum(best, 1e-9)
            means.append(ratios.mean())
            worst = max(worst, float(np.percentile(ratios, 95)))
    return f"{min(means):.3f} to {max(means):.3f} | {worst:.3f}"


def measure_pictures(names: list[str], k: int) -> str:
    ratios: dict[str, list[float]] = {"update": [], "fit": []}
    for name in names:
        with open_source(name) as source:
            image = next(iter(source)).image
        best = best_mse(image, k)
        for method, row in ratios.items():
            row.append(getattr(Segmenter(k, random_state=0), method)(image).mse / best)
    return " | ".join(f"{np.mean(row):.3f}, {max(row):.3f}" for row in ratios.values())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="+", metavar="CLIP_OR_PICTURE")
    parser.add_argument("-k", type=int, nargs="+", default=[4, 8, 16])
    parser.add_argument("--seeds", type=int, default=4)
    given = parser.parse_args()
    found = [read(name) for name in given.names]
    scenes = Scenes([f for f in found if len(f) > 1], [f[0] for f in found if len(f) == 1])
    if scenes.clips and len(scenes.pictures) > 2:
        print("| scene | mean | p95 |\n| --- | --- | --- |")
        for name, frames in scenes.all().items():
            print(f"| {name} | {measure_scene(frames, given.k, given.seeds)} |", flush=True)
    pictures = [name for name, frames in zip(given.names, found, strict=True) if len(frames) == 1]
    print(f"\n| {len(pictures)} pictures | `update` | `fit` |\n| --- | --- | --- |")
    for k in given.k:
        print(f"| k = {k} | {measure_pictures(pictures, k)} |", flush=True)


if __name__ == "__main__":
    main()
