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
    the calm points of the whole frame do, if those are half of it.

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
    calm = cv2.inRange(cv2.absdiff(old, new)[np.newaxis], (0, 0, 0), (policy.calm,) * 3)[0] > 0
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
