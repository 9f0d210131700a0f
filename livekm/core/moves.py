"""Moves of single centers out of a local minimum: what one saves and costs, and when it is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from livekm.core.policy import TrainingPolicy
from livekm.core.sample import Fit, Sample


class Prices(NamedTuple):
    """What moves cost beside what they must save, in parts of the error.

    Attributes
    ----------
    relabelling : float
        Of giving all pixels another label.
    identities : (k,) float64
        Of giving each label to something else.
    exchange : float
        Of giving all labels other centers.
    """

    relabelling: float
    identities: npt.NDArray[np.float64]
    exchange: float = 0.0


class Move(NamedTuple):
    """A move that pays.

    Attributes
    ----------
    fit : Fit
    profit : float
        The part of the error that it saves beyond its price.
    """

    fit: Fit
    profit: float


def price(
    colors: npt.NDArray[np.float64],
    ages: npt.NDArray[np.int64],
    dearness: float,
    policy: TrainingPolicy,
) -> Prices:
    """Return what moves cost among labels of (k, 3) BGR `colors` that are `ages` frames old.

    A label is worth more, the farther its colour is from all others, up to `policy.distinct`
    levels, and the longer it has been there, up to `policy.age` frames.
    """
    ways = color_ways(colors[:, np.newaxis], colors)
    np.fill_diagonal(ways, np.inf)
    distinct = np.minimum(1, ways.min(axis=1) / policy.distinct)
    worth = policy.identity_price * distinct * np.minimum(1, ages / policy.age)
    return Prices(
        dearness * policy.relabel_price, dearness * worth, dearness * policy.challenge_price
    )


def color_ways(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return how far (..., 3) colours are from each other, in their largest channel."""
    return np.asarray(np.abs(a - b).max(axis=-1))


def find_move(
    sample: Sample, fit: Fit, saving: float, policy: TrainingPolicy, prices: Prices | None = None
) -> Move | None:
    """Return the first move of one center that saves the part `saving` of the error and its price.

    A center goes from where it is hardly missed to where it gains most. Both are estimated for all
    clusters; the most promising pairs are checked by Lloyd steps (in the spirit of Fritzke, "The
    LBG-U method", 1997, and "The breathing k-means algorithm", 2020).
    """
    k = len(fit.counts)
    prices = prices or Prices(0.0, np.zeros(k))
    losses, (gains, halves) = fit.losses(), sample.splits(fit)
    total = fit.mse * sample.size
    missed = policy.credit * losses + prices.identities * total
    costs = prices.identities[:, np.newaxis] + prices.relabelling * (
        np.add.outer(fit.counts, fit.counts / 2) / sample.size
    )
    pairs = [
        (gains[split] - missed[gone], int(gone), int(split))
        for split in np.argsort(-gains, kind="stable")[: policy.tried]
        for gone in np.argsort(losses + prices.identities * total, kind="stable")[: policy.tried]
        if gone != split
    ]
    for _, gone, split in sorted(pairs, reverse=True)[: policy.checked]:
        wanted = saving + costs[gone, split]
        if gains[split] - policy.credit * losses[gone] <= wanted * total:
            continue
        centers = fit.centers.copy()
        centers[:, [gone, split]] = halves[:, :, split].T
        moved = sample.fit(centers, policy.first_steps)
        if moved.mse < (1 - wanted + policy.hope) * fit.mse:
            moved = sample.refine(moved, policy.checking_steps - policy.first_steps)
        if moved.mse < (1 - wanted) * fit.mse:
            return Move(moved, 1 - moved.mse / fit.mse - costs[gone, split])
    return None


def make_moves(
    sample: Sample,
    fit: Fit,
    saving: float,
    policy: TrainingPolicy,
    most: int,
    prices: Prices | None = None,
) -> Fit:
    """Make up to `most` moves, one after the other, while each saves the part `saving`."""
    for _ in range(most):
        move = find_move(sample, fit, saving, policy, prices)
        if move is None:
            break
        fit = move.fit
    return fit


def revive(sample: Sample, fit: Fit) -> Fit:
    """Give centers without points a place where they gain.

    Those that stay without points have none to gain: there are fewer colours than centers.
    """
    while (dead := np.flatnonzero(fit.counts == 0)).size:
        gains, halves = sample.splits(fit)
        wanted = [j for j in np.argsort(-gains, kind="stable")[: len(dead)] if gains[j] > 0]
        if not wanted:
            break
        centers = fit.centers.copy()
        for target, split in zip(dead, wanted, strict=False):
            centers[:, [target, split]] = halves[:, :, split].T
        before, fit = fit, sample.fit(centers, 3)
        if fit.mse >= before.mse:  # what seemed to be gained was rounding
            break
    return fit


class MoveLedger:
    """Decides in which frame a move is made, by rent or buy.

    What a move on offer would have saved beyond its price is added up from frame to frame, and the
    move is made when the sum reaches `policy.debt`, or at once where one frame's part is large. In
    a frame without an offer the sum is cleared, and tries become rarer.
    """

    def __init__(self, policy: TrainingPolicy) -> None:
        self._policy = policy
        self._debt = 0.0
        self._wait = self._backoff = 0

    def clear(self) -> None:
        """Try again in the next frame, and owe nothing."""
        self._debt, self._wait, self._backoff = 0.0, 0, 0

    def hurry(self) -> None:
        """Try in the next frame."""
        self._wait = 0

    def is_due(self, has_news: Callable[[], bool]) -> bool:
        """Tell, once a frame, whether to look for a move in it."""
        self._wait -= 1
        return self._wait <= 0 or self._debt > 0 or has_news()

    def improve(
        self, sample: Sample, fit: Fit, prices: Prices, dearness: float
    ) -> tuple[Fit, bool]:
        """Return the fit after the moves of this frame, and whether a look for one failed."""
        policy = self._policy
        failed = False
        for _ in range(policy.moves):
            move = find_move(sample, fit, policy.saving, policy, prices)
            if move is None:
                self._debt, self._backoff = 0.0, min(policy.longest_wait, 2 * self._backoff + 1)
                failed = True
                break
            self._debt += move.profit
            if move.profit < dearness * policy.at_once and self._debt < dearness * policy.debt:
                break  # it may be offered again in the next frame
            fit = move.fit
            self._debt, self._backoff = 0.0, 0
        self._wait = self._backoff
        return fit, failed
