"""Print how good the segmentation of clips is, how steady, and whether labels stay the same things.

    python scripts/measure_engine.py CLIP ... [-k 8 16] [--frames 250] [--hysteresis H]
        [--steadiness S] [--assignment]

For each clip and k, over its first frames; all but the ratio leaves flagged cuts out:

ratio     mse of all pixels over that of the best of five runs of OpenCV's k-means on 40,000 of the
          same frame's pixels, on every tenth frame: mean, 95th percentile and worst
relabel   per cent of the static pixels (no channel changed by more than 8 levels) with a new label
flicker   per cent of them whose painted colour changed by more than 8 levels
upset     per cent of the frames in which more than 15 % of them have a new label
given     labels of at least 0.2 % of the frame whose colour moved by more than 40 levels since the
          frame before: given away, or in a flash; in brackets those that have the same id still
new ids   that begin behind the first frame, in 100 frames
cuts      frames flagged as a cut

With `--assignment`, for which SciPy must be installed: of the points that could keep their label
when labels are assigned anew, the part that does, beside the same by the Hungarian method.
"""

from __future__ import annotations

import argparse
from itertools import islice

import cv2
import numpy as np

from livekm import Segmenter, open_source
from livekm.core import trainer

_SAMPLE = 40_000
_EVERY = 10


def best_mse(image: np.ndarray, k: int) -> float:
    """Return the mse of all pixels with the best of five converged runs on a part of them."""
    pixels = image.reshape(-1, 3).astype(np.float32)
    size = min(_SAMPLE, len(pixels))
    sample = pixels[np.random.default_rng(0).choice(len(pixels), size, replace=False)]
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 100, 0.01)
    _, _, centers = cv2.kmeans(sample, k, None, stop, 5, cv2.KMEANS_PP_CENTERS)
    least = np.full(len(pixels), np.inf, np.float32)
    for center in centers:
        np.minimum(least, np.square(pixels - center).sum(axis=1), out=least)
    return float(least.mean(dtype=np.float64))


def given_away(before: np.ndarray, after: np.ndarray, counts: np.ndarray) -> np.ndarray:
    jumped = np.abs(after.astype(int) - before).max(axis=1) > 40
    return np.flatnonzero(jumped & (counts > 0.002 * counts.sum()))


def measure(clip: str, k: int, frames: int, options: dict[str, float]) -> str:
    segmenter = Segmenter(k, random_state=0, **options)
    ratios, relabel, flicker, cuts, ids = [], [], [], [], set()
    given = silent = n_first = 0
    before = None
    with open_source(clip) as source:
        for index, frame in enumerate(islice(source, frames)):
            image, found = frame.image.copy(), segmenter.update(frame.image)
            painted = np.array(found.paint())
            ids |= set(found.ids.tolist())
            n_first = n_first or len(ids)
            if index % _EVERY == 0:
                ratios.append(found.mse / max(best_mse(image, k), 1e-9))
            if found.scene_cut:
                cuts.append(index)
            elif before is not None:
                old_image, old, old_painted = before
                static = cv2.absdiff(image, old_image).max(axis=2) <= 8
                if static.any():
                    relabel.append(100 * (found.labels != old.labels)[static].mean())
                    moved = cv2.absdiff(painted, old_painted).max(axis=2) > 8
                    flicker.append(100 * moved[static].mean())
                away = given_away(old.palette, found.palette, old.counts)
                given += len(away)
                silent += int((old.ids == found.ids)[away].sum())
            before = image, found, painted
    upset = 100 * np.mean(np.array(relabel) > 15)
    new = 100 * (len(ids) - n_first) / (index + 1)
    return (
        f"ratio {np.mean(ratios):.3f} p95 {np.percentile(ratios, 95):.3f} max {max(ratios):.3f}"
        f"  relabel {np.mean(relabel):.2f}  flicker {np.mean(flicker):.2f}  upset {upset:.1f}"
        f"  given {given} ({silent})  new ids {new:.1f}  cuts {cuts}"
    )


class Assignments:
    """Records what assignments by overlap keep, and what the best ones would."""

    def __init__(self) -> None:
        from scipy.optimize import linear_sum_assignment

        self._best = linear_sum_assignment
        self._greedy = trainer.match
        self.kept: list[tuple[float, float]] = []
        trainer.match = self

    def __call__(self, gain: np.ndarray) -> np.ndarray:
        order = self._greedy(gain)
        whole = gain.clip(0).sum()
        best = gain[self._best(-gain)].sum()
        self.kept.append((gain[np.arange(len(gain)), order].sum() / whole, best / whole))
        return order

    def __str__(self) -> str:
        greedy, best = 100 * np.mean(self.kept or [(1, 1)], axis=0)
        return f"assignments {len(self.kept)}: {greedy:.3f} % kept, at the best {best:.3f} %"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", nargs="+", metavar="CLIP")
    parser.add_argument("-k", type=int, nargs="+", default=[8, 16])
    parser.add_argument("--frames", type=int, default=250)
    parser.add_argument("--hysteresis", type=float)
    parser.add_argument("--steadiness", type=float)
    parser.add_argument("--assignment", action="store_true")
    given = parser.parse_args()
    names = ("hysteresis", "steadiness")
    options = {name: getattr(given, name) for name in names if getattr(given, name) is not None}
    assignments = Assignments() if given.assignment else None
    for clip in given.clips:
        for k in given.k:
            print(clip, f"k={k}", measure(clip, k, given.frames, options), flush=True)
    if assignments is not None:
        print(assignments)


if __name__ == "__main__":
    main()
