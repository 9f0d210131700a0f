"""The centers' way from frame to frame: warm start, moves, cuts, changes of k."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from livekm.core import light
from livekm.core.challenges import Calendar, wanted_saving
from livekm.core.cloud import Cloud
from livekm.core.identity import Colors, Identity, Remembered, match
from livekm.core.moves import MoveLedger, Prices, make_moves, price, revive
from livekm.core.places import Index, Places, shared
from livekm.core.policy import TrainingPolicy
from livekm.core.resizing import merge_one, split_one
from livekm.core.sample import Centers, Fit, Sample
from livekm.core.scene_change import Histogram, SceneChange
from livekm.core.seeding import Seeding
from livekm.core.starting import Starter
from livekm.frame import Image

ToColors = Callable[[Centers], Colors]
"""Turns (d, k) centers into (k, 3) BGR levels."""


class _Frame(NamedTuple):
    """A frame that was trained on.

    Attributes
    ----------
    sample : Sample
    pixels : (h, w, 3) uint8
    fit : Fit
    groups : (n,) int32
        The labels by which the light is followed from here; see `livekm.core.light`.
    places : Places or None
        Of the pixels, where not all of the frame count.
    """

    sample: Sample
    pixels: Image
    fit: Fit
    groups: npt.NDArray[np.int32]
    places: Places | None


class _Past(NamedTuple):
    """What there was before the error jumped.

    Attributes
    ----------
    fit : Fit
    labels : Remembered
    frames : int
        For how many frames it is remembered.
    """

    fit: Fit
    labels: Remembered
    frames: int


class Trainer:
    """Keeps k centers near where k-means run to convergence would put them, frame after frame.

    Parameters
    ----------
    n_clusters : int
    seeding : callable
        See `livekm.core.seeding`.
    rng : numpy.random.Generator
    bits : int
        Bits behind the point of the centers; see `livekm.core.sample.fraction_bits`.
    to_colors : callable
        Gives the (k, 3) BGR levels of (d, k) centers.
    identity : Identity
    steadiness : float
        From 0, each frame as good as k-means can be, to 1, labels stay what they are.
    policy : TrainingPolicy
    """

    def __init__(
        self,
        n_clusters: int,
        seeding: Seeding,
        rng: np.random.Generator,
        bits: int,
        *,
        to_colors: ToColors = lambda centers: centers[:3].T.astype(np.float64),
        identity: Identity | None = None,
        steadiness: float = 0.5,
        policy: TrainingPolicy | None = None,
    ) -> None:
        self.n_clusters: int = n_clusters
        self.steadiness = steadiness
        self.policy: TrainingPolicy = policy or TrainingPolicy()
        self.identity: Identity = identity or Identity(self.policy)
        self._starter = Starter(seeding, rng, self.policy)
        self._bits = bits
        self._to_colors = to_colors
        self._scene = SceneChange(self.policy.usual)
        self._ledger = MoveLedger(self.policy)
        self._last: _Frame | None = None
        self._calendar = Calendar(self._scene, self.policy)
        self._at_failure: Histogram | None = None
        self._just_resized = False
        self._is_waiting = False
        self._past: _Past | None = None

    @property
    def centers(self) -> Centers | None:
        """The (d, k) float32 centers in steps of the feature space; None before the first frame."""
        return None if self._last is None else self._last.fit.centers

    @property
    def mse(self) -> float:
        """The mean squared distance of the sample to its nearest centers."""
        return 0.0 if self._last is None else self._last.fit.mse

    def step(
        self, points: npt.NDArray[np.float32], pixels: Image, places: Places | None = None
    ) -> bool:
        """Train on the sampled (d, n) features of the next frame; tell whether it is a cut.

        `pixels` are the same samples as (h, w, 3) BGR; where not all of the frame count, `places`
        tells which these are.
        """
        cut = self._scene.observe(pixels, places)
        sample = Sample(points, self._bits)
        if self._last is None or cut:
            fit = self._start_shot(sample, is_first=self._last is None)
            groups = fit.labels
        elif self._just_resized:  # the other centers stay where they are
            fit = sample.fit(self._last.fit.centers)
            groups = fit.labels
            colors = self._to_colors(fit.centers)
            self.identity.follow(colors, colors)
        else:
            fit, groups = self._follow(sample, self._last, pixels, places)
        self._just_resized = False
        self._last = _Frame(sample, pixels, fit, groups, places)
        return cut

    def go_on(
        self,
        centers: Centers,
        points: npt.NDArray[np.float32],
        pixels: Image,
        places: Places | None = None,
    ) -> None:
        """Train on a frame that was labelled with given centers, from where these are."""
        sample = Sample(points, self._bits)
        self._scene.observe(pixels, places)
        fit = sample.fit(centers)
        self._last = _Frame(sample, pixels, fit, fit.labels, places)
        self.step(points, pixels, places)

    def converge(self, cloud: Cloud, max_iterations: int) -> tuple[int, bool]:
        """Run Lloyd steps on all points until one of them does not lower the error any more.

        Returns
        -------
        n_iter : int
            The number of steps.
        converged : bool
            Whether the last one did not lower the error.
        """
        assert self._last is not None
        # On a finer grid: towards the end, steps are shorter than those of the usual one.
        centers, n_iter, converged = cloud.converge(
            self._last.fit.centers, max_iterations, self.policy.fine_bits
        )
        self._last = self._last._replace(fit=replace(self._last.fit, centers=centers))
        return n_iter, converged

    def reorder(self, order: npt.NDArray[np.intp]) -> None:
        """Let label i be what ``order[i]`` is, right after the first frame."""
        assert self._last is not None
        centers = self._last.fit.centers[:, order]
        fit = replace(self._last.sample.fit(centers), centers=np.ascontiguousarray(centers))
        self._last = self._last._replace(fit=fit, groups=fit.labels)
        self.identity.reorder(order)

    def _start_shot(self, sample: Sample, is_first: bool) -> Fit:
        """Start anew, as all labels are new anyway; what was there before has its label again."""
        policy = self.policy
        starts = policy.starts if is_first else policy.cut_starts
        fit = self._starter.converge(sample, self.n_clusters, starts)
        self._calendar.note(is_new=not is_first)
        self._ledger.clear()
        self._past = None
        order = self.identity.start(self._to_colors(fit.centers))
        return sample.fit(fit.centers[:, order])

    def _follow(
        self, sample: Sample, last: _Frame, pixels: Image, places: Places | None
    ) -> tuple[Fit, npt.NDArray[np.int32]]:
        """Return the fit for a frame that continues the last one, and its groups."""
        old = last.fit
        both = shared(last.places, places)
        if places is None and pixels.shape != last.pixels.shape:
            both = None
        expected = old.centers if both is None else self._expected(sample, last, pixels, both)
        start = sample.fit(self._hold(old, old.centers, expected))
        has_same_places = both is not None and isinstance(both[0], slice)
        groups = old.labels if has_same_places else None
        back = self._returned(sample, start)
        if back is not None:
            old, start = back
            expected, groups = start.centers, None
        jumped = start.mse > self.policy.jump * old.mse + 1
        self._is_waiting = jumped and not self._is_waiting and self._is_small(sample, start, old)
        if self._is_waiting:  # the next frame tells what it was
            fit = replace(start, mse=old.mse)
        else:
            if jumped:
                self._ledger.hurry()
                self._past = _Past(old, self.identity.remember(), self.policy.age)
            fit, has_moved = self._train(sample, start, jumped=jumped)
            groups = None if has_moved else groups
        self.identity.follow(self._to_colors(expected), self._to_colors(fit.centers))
        return fit, fit.labels if groups is None else groups

    def _train(self, sample: Sample, start: Fit, *, jumped: bool) -> tuple[Fit, bool]:
        """Train on a frame from where the light has brought the centers.

        Return the fit, and whether a center has moved to another place.
        """
        policy, fit = self.policy, start
        if jumped or not self._are_still(start, start.centers, start.means()).all():
            fit = sample.refine(fit, policy.steps, policy.tolerance)
        followed = fit = revive(sample, fit)
        is_looking, is_challenged = self._ledger.is_due(self._has_news), self._calendar.is_due()
        if is_looking or is_challenged or jumped:
            colors, dearness = self._to_colors(start.centers), self._dearness
            prices = price(colors, self.identity.ages, dearness, policy)
            if is_looking:
                fit, has_failed = self._ledger.improve(sample, fit, prices, dearness)
                if has_failed:
                    self._at_failure = self._scene.histogram
            if is_challenged or jumped:
                self._calendar.note(is_new=jumped)
                fit = self._challenge(sample, fit, prices, policy.rivals if jumped else 1)
        has_moved = fit is not followed
        if has_moved:
            fit = sample.fit(fit.centers[:, by_overlap(start, fit)])
        return replace(fit, centers=self._hold(fit, start.centers, fit.centers)), has_moved

    def _is_small(self, sample: Sample, start: Fit, old: Fit) -> bool:
        """Tell whether few pixels make the error jump: they may be gone in the next frame.

        So a scratch, a flash in a corner or a damaged block takes no label.
        """
        policy = self.policy
        if self.steadiness == 0:
            return False
        errors = sample.squared_distances(start)
        is_strange = errors > policy.strange * old.mse
        rest = errors[~is_strange].sum() / sample.size
        few = np.count_nonzero(is_strange) <= policy.few * sample.size
        return bool(few and rest <= policy.jump * old.mse + 1)

    def _returned(self, sample: Sample, start: Fit) -> tuple[Fit, Fit] | None:
        """Let labels be what they were before the error jumped, if the scene is back.

        Return the fit of that time, and that of its centers to the sample.
        """
        if self._past is None:
            return None
        past, frames = self._past, self._past.frames - 1
        self._past = past._replace(frames=frames) if frames else None
        if (self.identity.ids == past.labels.ids).all():
            return None
        back = sample.fit(past.fit.centers)
        if back.mse > min(start.mse, self.policy.jump * past.fit.mse + 1):
            return None
        self._past = None
        self._ledger.clear()
        self.identity.restore(past.labels)
        return past.fit, back

    def _expected(
        self, sample: Sample, last: _Frame, pixels: Image, both: tuple[Index, Index]
    ) -> Centers:
        """Return where the light has brought the last centers, by the points that both have."""
        centers, (before, after) = last.fit.centers, both
        if isinstance(before, slice):
            pair = last.pixels, pixels
            return light.predict(centers, last.groups, last.sample, sample, pair, self.policy)
        old, new = (
            Sample(np.ascontiguousarray(points[:, at]), self._bits)
            for points, at in ((last.sample.points, before), (sample.points, after))
        )
        pair = last.pixels[:, before], pixels[:, after]
        return light.predict(centers, last.groups[before], old, new, pair, self.policy)

    @property
    def _dearness(self) -> float:
        return self.steadiness / (1 - self.steadiness) if self.steadiness < 1 else 1e9

    def _are_still(self, fit: Fit, old: Centers, new: Centers) -> npt.NDArray[np.bool_]:
        """Tell for each center whether its way is too short to be worth it."""
        ways = ((new - old) ** 2).sum(axis=0)
        return np.asarray(ways * fit.counts <= self.policy.stillness * fit.errors)

    def _hold(self, fit: Fit, old: Centers, new: Centers) -> Centers:
        """Return the new centers, but the old ones where the way is too short to be worth it."""
        return np.where(self._are_still(fit, old, new), old, new).astype(np.float32)

    def _has_news(self) -> bool:
        return self._scene.drift(self._at_failure) >= self.policy.news

    def _challenge(self, sample: Sample, fit: Fit, prices: Prices, starts: int) -> Fit:
        """Take fresh centers where they are worth their price, single moves if those do."""
        policy = self.policy
        rival = self._starter.rival(sample, self.n_clusters, starts)
        order = by_overlap(fit, rival)
        colors = self._to_colors(rival.centers[:, order]), self._to_colors(fit.centers)
        wanted = wanted_saving(fit, rival, order, colors, prices, policy)
        if rival.mse >= (1 - wanted) * fit.mse:
            return fit
        self._ledger.clear()
        saving = policy.challenge_saving + prices.exchange
        fit = make_moves(sample, fit, saving, policy, policy.moves, prices)
        return rival if rival.mse < (1 - wanted) * fit.mse else fit

    def resize(self, n_clusters: int) -> npt.NDArray[np.uint8]:
        """Split or merge clusters until there are `n_clusters`; the others stay as they are.

        Returns
        -------
        new_labels : (256,) uint8
            The label that each old label has from now on.
        """
        new_labels = np.arange(256, dtype=np.uint8)
        self.n_clusters = n_clusters
        if self._last is None:
            return new_labels
        sample, fit = self._last.sample, self._last.fit
        if len(fit.counts) == n_clusters:
            return new_labels
        while len(fit.counts) < n_clusters:
            origins = np.append(np.arange(len(fit.counts)), -1)
            fit = split_one(sample, fit, self.policy)
            self.identity.regroup(origins, self._to_colors(fit.centers))
        while len(fit.counts) > n_clusters:
            fit, origins, labels = merge_one(sample, fit)
            new_labels = labels[new_labels]
            self.identity.regroup(origins, self._to_colors(fit.centers))
        self._last = self._last._replace(fit=fit)
        self._just_resized = True
        self._past = None
        self._ledger.clear()
        return new_labels


def by_overlap(before: Fit, after: Fit) -> npt.NDArray[np.intp]:
    """Return for each label of `before` the one of `after` that has most of its points.

    Where there is no overlap left the nearest center takes it.
    """
    k = len(before.counts)
    pairs = before.labels.astype(np.intp) * k + after.labels
    gain = np.bincount(pairs, minlength=k * k).reshape(k, k).astype(np.float64)
    ways = ((before.centers[:, :, np.newaxis] - after.centers[:, np.newaxis]) ** 2).sum(axis=0)
    return match(gain - 1e-9 * ways)
