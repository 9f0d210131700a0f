"""The centers' way from frame to frame: warm start, moves, cuts, changes of k."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from livekm.core.sample import Centers, Sample
from livekm.core.scene_change import Histogram, SceneChange
from livekm.core.seeding import Seeding
from livekm.frame import Image

_STEPS, _TOLERANCE = 10, 1e-3  # Lloyd steps a frame: until a step saves less than this part
_LONG = 50  # Lloyd steps of the first frame
_FINE = 12  # binary places of the centers where all of an image is fitted
_WORTH = 0.01  # the part of the error that moving one center must save
_PRICE = 0.1  # what it must save beside that, times the part of the pixels that it relabels
_WORTH_ALL = 0.02  # and the part that exchanging all centers must save, since all may be relabelled
_JUMP = 1.15  # growth of the error from one frame to the next that calls for a challenge at once
_PERIOD, _DRIFT = 5, 0.05  # frames and drift after which the centers are challenged,
_ROUNDS = 3  # and how often then, since one start may be unlucky
_STARTS, _RIVALS = 16, 3  # tried at the beginning, and where the scene changes in one frame
_STILL = 0.006  # squared way, in parts of the cluster's mse, that a center must go to move at all
_MOVES = 3  # centers moved in one frame, at the most
_LONGEST_WAIT = 8  # frames between two tries to move a center,
_NEWS = 0.03  # or the share of the pixels whose colours have changed since the last one


class Trainer:
    """Keeps k centers where k-means run to convergence would put them, frame after frame.

    Parameters
    ----------
    n_clusters : int
    seeding : callable
        See `livekm.core.seeding`.
    rng : numpy.random.Generator
    places : int
        Binary places of the centers; see `livekm.core.sample.binary_places`.

    Attributes
    ----------
    centers : (d, k) float32 or None
        In steps of the feature space; None before the first frame.
    """

    def __init__(
        self, n_clusters: int, seeding: Seeding, rng: np.random.Generator, places: int
    ) -> None:
        self.n_clusters = n_clusters
        self.centers: Centers | None = None
        self._seeding = seeding
        self._rng = rng
        self._places = places
        self._scene = SceneChange()
        self._sample: Sample | None = None
        self._error = 0.0
        self._frame = 0
        self._challenged = 0
        self._at_challenge: Histogram | None = None
        self._at_failure: Histogram | None = None
        self._wait = self._backoff = 0
        self._rounds = 0
        self._just_resized = False

    def step(self, points: npt.NDArray[np.float32], pixels: Image) -> bool:
        """Train on the sampled (d, n) features of the next frame; tell whether it is a cut.

        `pixels` are the same samples as (h, w, 3) BGR.
        """
        cut = self._scene.observe(pixels)
        sample = self._sample = Sample(points, self._places)
        self._frame += 1
        if self.centers is None:
            self.centers = self.seed(sample)
            self._at_challenge = self._scene.histogram
            self._error = sample.fit(self.centers, 0)
        elif self._just_resized and not cut:  # the other centers stay where they are
            self._error = sample.fit(self.centers, 0)
        else:
            self.centers, self._error = self._follow(sample, self.centers, cut)
        self._just_resized = False
        return cut

    def converge(self, points: npt.NDArray[np.float32], max_iterations: int) -> None:
        """Run Lloyd steps on (d, n) points until none of them lowers the error any more."""
        assert self.centers is not None
        # On a finer grid: towards the end, steps are shorter than those of the usual one.
        Sample(points, _FINE).fit(self.centers, max_iterations)

    def seed(self, sample: Sample) -> Centers:
        """Start anew: the best of several starts, converged, and freed from local minima."""
        centers = self._best_start(sample, _STARTS)
        error = sample.revive(centers, sample.fit(centers, _LONG, 1e-4))
        for _ in range(self.n_clusters):
            before = error
            error = sample.swap(centers, error, 1e-3, _STEPS)
            if error == before:
                break
        sample.fit(centers, _LONG, 1e-4)
        return centers

    def _follow(self, sample: Sample, old: Centers, cut: bool) -> tuple[Centers, float]:
        """Return the centers for a frame that follows one with the centers `old`, and their mse."""
        centers = old.copy()
        error = sample.fit(centers, 0)
        jumped = cut or error > _JUMP * self._error + 1
        if jumped:
            self._wait = 0
        if jumped or not _are_still(sample, centers, sample.means(centers)).all():
            error = sample.fit(centers, _STEPS, _TOLERANCE, is_known=True)
        error = sample.revive(centers, error)
        error = self._move(sample, centers, error, price=0.0 if jumped else _PRICE)
        if jumped or self._is_due():
            self._challenge(sample, centers, error, starts=_RIVALS if jumped else 1)
            centers = np.ascontiguousarray(centers[:, match_slots(old, centers)])
            error = sample.fit(centers, 0)
        still = _are_still(sample, old, centers)
        centers[:, still] = old[:, still]
        return centers, error

    def _move(self, sample: Sample, centers: Centers, error: float, price: float) -> float:
        """Try to free the centers from a local minimum, less and less often while it fails.

        What failed may pay as soon as the scene is another.
        """
        self._wait -= 1
        if self._wait > 0 and self._scene.drift(self._at_failure) < _NEWS:
            return error
        for _ in range(_MOVES):
            before = error
            error = sample.swap(centers, error, _WORTH, 8, price=price)
            if error == before:
                self._backoff = min(_LONGEST_WAIT, 2 * self._backoff + 1)
                self._at_failure = self._scene.histogram
                break
            self._backoff = 0
        self._wait = self._backoff
        return error

    def _is_due(self) -> bool:
        """Tell whether the scene has drifted so far that all centers are to be challenged."""
        if self._frame - self._challenged < _PERIOD:
            return False
        if self._scene.drift(self._at_challenge) > _DRIFT:
            self._rounds = _ROUNDS
        self._rounds -= 1
        return self._rounds >= 0

    def _challenge(self, sample: Sample, centers: Centers, error: float, starts: int) -> None:
        """Take centers found without regard to the old ones, in place, if those are better."""
        self._challenged = self._frame
        self._at_challenge = self._scene.histogram
        if starts > 1:
            self._rounds = _ROUNDS
        rival = self._best_start(sample, starts)
        found = sample.revive(rival, sample.fit(rival, _STEPS, _TOLERANCE))
        if found < (1 - _WORTH_ALL) * error:
            centers[:] = rival
            self._wait = self._backoff = 0

    def _best_start(self, sample: Sample, starts: int) -> Centers:
        """Return the best of several starts, as a part of the sample tells."""
        thinned = np.ascontiguousarray(sample.points[:, :: 1 + sample.size // 4096])
        part = Sample(thinned, self._places)
        rivals = [self._start(part) for _ in range(starts)]
        errors = [part.fit(rival, _STEPS, _TOLERANCE) for rival in rivals]
        return rivals[int(np.argmin(errors))]

    def _start(self, sample: Sample) -> Centers:
        size = min(sample.size, 4096 if self.n_clusters > 64 else 2048)
        chosen = self._rng.choice(sample.size, size, replace=False)
        points = np.ascontiguousarray(sample.points[:, chosen].T)
        centers = np.asarray(self._seeding(points, self.n_clusters, self._rng), np.float32)
        if centers.shape != (self.n_clusters, points.shape[1]) or not np.isfinite(centers).all():
            raise ValueError(
                f"seeding must return {self.n_clusters} finite centers of {points.shape[1]} "
                f"features, got an array of shape {centers.shape}"
            )
        # Far outside, scores would not be exact.
        return np.ascontiguousarray(centers.clip(points.min(axis=0), points.max(axis=0)).T)

    def resize(self, n_clusters: int) -> npt.NDArray[np.uint8]:
        """Split or merge clusters until there are `n_clusters`; the others stay as they are.

        Returns
        -------
        slots : (256,) uint8
            The slot that each old label has from now on.
        """
        slots = np.arange(256, dtype=np.uint8)
        self.n_clusters = n_clusters
        if self.centers is not None and self.centers.shape[1] == n_clusters:
            return slots
        if self.centers is None or self._sample is None:
            self.centers = None  # there is no frame yet that tells what to split or merge
            return slots
        while self.centers.shape[1] < n_clusters:
            self.centers = _split_one(self._sample, self.centers)
        while self.centers.shape[1] > n_clusters:
            self.centers, step = _merge_one(self._sample, self.centers)
            slots = step[slots]
        self._error = self._sample.fit(self.centers, 0)
        self._just_resized = True
        self._wait = self._backoff = 0
        return slots


def _are_still(sample: Sample, old: Centers, new: Centers) -> npt.NDArray[np.bool_]:
    """Tell for each center whether its way from `old` to `new` is too short to be worth it."""
    return np.asarray(((new - old) ** 2).sum(axis=0) * sample.counts <= _STILL * sample.errors)


def match_slots(old: Centers, new: Centers) -> npt.NDArray[np.intp]:
    """Return for each slot of `old` (d, k) the one of `new` that takes its place.

    The nearest pair first, then the nearest of the rest: what looks the same keeps its slot, at
    the cost of those that are unlike anything before.

    Examples
    --------
    >>> import numpy as np
    >>> old = np.array([[0, 100, 200]], np.float32)
    >>> match_slots(old, np.array([[205, 90, 4]], np.float32))
    array([2, 1, 0])
    """
    k = old.shape[1]
    distances = ((old[:, :, np.newaxis] - new[:, np.newaxis, :]) ** 2).sum(axis=0)
    order = np.full(k, -1, np.intp)
    taken = np.zeros(k, bool)
    for pair in np.argsort(distances, axis=None, kind="stable"):
        slot, rival = divmod(int(pair), k)
        if order[slot] < 0 and not taken[rival]:
            order[slot] = rival
            taken[rival] = True
    return order


def _split_one(sample: Sample, centers: Centers) -> Centers:
    """Split the cluster that gains most; the new half gets the next free slot."""
    sample.fit(centers, 0)
    gains, both = sample.splits(centers)
    split = int(np.argmax(gains))
    points = np.ascontiguousarray(sample.points[:, sample.labels == split])
    halves = np.ascontiguousarray(both[:, :, split].T)
    if points.size:
        Sample(points, sample.places).fit(halves, _STEPS, _TOLERANCE)
    grown = np.concatenate([centers, halves[:, 1:]], axis=1)
    grown[:, split] = halves[:, 0]
    return np.ascontiguousarray(grown)


def _merge_one(sample: Sample, centers: Centers) -> tuple[Centers, npt.NDArray[np.uint8]]:
    """Take away the center that is missed least; the last slot moves to its place."""
    sample.fit(centers, 0)
    last = centers.shape[1] - 1
    removed = int(np.argmin(sample.losses()))
    distances = ((centers - centers[:, [removed]]) ** 2).sum(axis=0)
    distances[removed] = np.inf
    slots = np.arange(256, dtype=np.uint8)
    slots[removed] = np.argmin(distances)
    slots[last] = slots[removed] if removed == last else removed
    if slots[removed] == last:
        slots[removed] = removed
    kept = centers[:, :last].copy()
    if removed != last:
        kept[:, removed] = centers[:, last]
    return kept, slots
