"""Where the light has brought the centers since the frame before."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from livekm.core.policy import TrainingPolicy
from livekm.core.sample import Centers, Sample
from livekm.frame import Image


def predict(
    centers: Centers,
    groups: npt.NDArray[np.int32],
    before: Sample,
    sample: Sample,
    pixels: tuple[Image, Image],
    policy: TrainingPolicy,
) -> Centers:
    """Return each center moved as its calm points have changed from one frame to the next.

    A point is calm where no channel of its pixel has changed by more than `policy.calm` levels:
    what moved there is the light, not a thing. A cluster of which less than half is calm moves as
    the calm points of the whole frame do, if those are half of it. If they are not, but a curve of
    tones turns the one frame into the other, as in a flash or a quick fade, calm are the points
    that follow this curve.

    Parameters
    ----------
    centers : (d, k) float32
    groups : (n,) int32
        The center of each point. Those of the frame before `before` are best: where two centers
        share a thing, its noise tells which one a point of `before` is nearest to, and this noise
        is gone in the next frame, which would bring the two together.
    before, sample : Sample
        Of the two frames; the same places.
    pixels : two of (h, w, 3) uint8
        The sampled pixels of the two frames.
    """
    d, k = centers.shape
    every = 1 + sample.size // policy.light_points
    groups = groups[::every]
    old, new = (np.ascontiguousarray(image.reshape(-1, 3)[::every]) for image in pixels)
    calm = _are_near(old, new, policy.calm)
    if 2 * np.count_nonzero(calm) < calm.size:
        curved = _curved(old, new)
        if curved is not None:
            calm = _are_near(curved, new, policy.calm)
    labels = np.where(calm, groups, k).astype(np.intp)  # k collects what is not calm
    changes = sample.points[:, ::every] - before.points[:, ::every]
    sums = np.stack([np.bincount(labels, row, k + 1)[:k] for row in changes])
    counts = np.bincount(labels, minlength=k + 1)[:k]
    all_counts = np.bincount(groups, minlength=k)
    is_known = (counts >= policy.calm_points) & (2 * counts >= all_counts)
    total = int(counts.sum())
    whole = sums.sum(axis=1) / total if 2 * total >= groups.size else np.zeros(d)
    ways = np.where(is_known, sums / np.maximum(counts, 1), whole[:, np.newaxis])
    return (centers + ways).astype(np.float32)


def _are_near(a: Image, b: Image, most: int) -> npt.NDArray[np.bool_]:
    near = cv2.inRange(cv2.absdiff(a, b)[np.newaxis], (0, 0, 0), (most,) * 3)
    return np.asarray(near[0] > 0)


def _curved(old: Image, new: Image) -> Image | None:
    """Return the (n, 3) pixels `old` by the curve of each channel that comes nearest to `new`.

    None where no curve explains three quarters of the variance: it is not the light.
    """
    curved = np.empty_like(old)
    for before, after, to in zip(old.T, new.T, curved.T, strict=True):
        steps = before >> 4
        means = np.bincount(steps, after, 16) / np.maximum(np.bincount(steps, minlength=16), 1)
        to[:] = np.rint(means)[steps]
    left = np.square(new.astype(np.float64) - curved).sum()
    return curved if 4 * left < np.square(new - new.mean(axis=0)).sum() else None
