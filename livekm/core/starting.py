"""Centers found without regard to any before: the best of several starts."""

from __future__ import annotations

import numpy as np

from livekm.core.moves import make_moves, revive
from livekm.core.policy import TrainingPolicy
from livekm.core.sample import Centers, Fit, Sample
from livekm.core.seeding import Seeding


class Starter:
    """Starts centers anew.

    Parameters
    ----------
    seeding : callable
        See `livekm.core.seeding`.
    rng : numpy.random.Generator
    policy : TrainingPolicy
    """

    def __init__(self, seeding: Seeding, rng: np.random.Generator, policy: TrainingPolicy) -> None:
        self._seeding = seeding
        self._rng = rng
        self._policy = policy

    def converge(self, sample: Sample, k: int, starts: int) -> Fit:
        """Return the best of several starts, converged, and freed from local minima."""
        policy = self._policy
        centers = self._best(sample, k, starts)
        fit = revive(sample, sample.fit(centers, policy.steps, policy.start_tolerance))
        fit = make_moves(sample, fit, policy.start_saving, policy, most=k)
        return sample.refine(fit, policy.steps, policy.start_tolerance)

    def rival(self, sample: Sample, k: int, starts: int) -> Fit:
        """Return the best of several starts after the Lloyd steps of one frame."""
        policy = self._policy
        centers = self._best(sample, k, starts)
        return revive(sample, sample.fit(centers, policy.steps, policy.tolerance))

    def _best(self, sample: Sample, k: int, starts: int) -> Centers:
        """Return the best of several starts, as a part of the sample tells."""
        policy = self._policy
        thinned = sample.points[:, :: 1 + sample.size // policy.judged_points]
        part = Sample(np.ascontiguousarray(thinned), sample.bits)
        rivals = [
            part.fit(self._start(part, k), policy.steps, policy.tolerance) for _ in range(starts)
        ]
        return min(rivals, key=lambda fit: fit.mse).centers

    def _start(self, sample: Sample, k: int) -> Centers:
        size = min(sample.size, max(self._policy.start_points, 16 * k))
        chosen = self._rng.choice(sample.size, size, replace=False)
        points = np.ascontiguousarray(sample.points[:, chosen].T)
        centers = np.asarray(self._seeding(points, k, self._rng), np.float32)
        if centers.shape != (k, points.shape[1]) or not np.isfinite(centers).all():
            raise ValueError(
                f"seeding must return {k} finite centers of {points.shape[1]} "
                f"features, got an array of shape {centers.shape}"
            )
        # Far outside, scores would not be exact.
        return np.ascontiguousarray(centers.clip(points.min(axis=0), points.max(axis=0)).T)
