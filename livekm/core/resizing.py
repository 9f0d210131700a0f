"""A change of k: one cluster split or merged, the others as they are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from livekm.core.policy import TrainingPolicy
from livekm.core.sample import Fit, Sample


def split_one(sample: Sample, fit: Fit, policy: TrainingPolicy) -> Fit:
    """Split the cluster that gains most; the smaller half gets the next free label."""
    gains, both = sample.splits(fit)
    split = int(np.argmax(gains))
    points = np.ascontiguousarray(sample.points[:, fit.labels == split])
    halves = both[:, :, split].T
    if points.size:
        parted = Sample(points, sample.bits).fit(halves, policy.steps, policy.tolerance)
        halves = parted.centers[:, np.argsort(-parted.counts, kind="stable")]
    grown = np.concatenate([fit.centers, halves[:, 1:]], axis=1)
    grown[:, split] = halves[:, 0]
    return sample.fit(grown)


def merge_one(sample: Sample, fit: Fit) -> tuple[Fit, npt.NDArray[np.intp], npt.NDArray[np.uint8]]:
    """Take away the center that is missed least; the last label moves to its place.

    Returns
    -------
    fit : Fit
    origins : (k - 1,) intp
        What each label was before.
    labels : (256,) uint8
        What each old label is now; the one that is gone is its nearest.
    """
    last = len(fit.counts) - 1
    gone = int(np.argmin(fit.losses()))
    distances = ((fit.centers - fit.centers[:, [gone]]) ** 2).sum(axis=0)
    distances[gone] = np.inf
    labels = np.arange(256, dtype=np.uint8)
    labels[last] = gone
    labels[gone] = labels[np.argmin(distances)]
    origins = np.arange(last)
    origins[gone:][:1] = last  # none where the last one is gone
    return sample.fit(fit.centers[:, origins]), origins, labels
