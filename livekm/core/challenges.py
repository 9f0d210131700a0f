"""When all centers are challenged by fresh ones, and what those must save."""

from __future__ import annotations

from livekm.core.identity import Colors, Order
from livekm.core.moves import Prices, color_ways
from livekm.core.policy import TrainingPolicy
from livekm.core.sample import Fit
from livekm.core.scene_change import Histogram, SceneChange


class Calendar:
    """Tells in which frames the centers are challenged.

    Every few frames, a few times, after the colours of the scene have drifted: one start may be
    unlucky. A steady scene sees no challenge.
    """

    def __init__(self, scene: SceneChange, policy: TrainingPolicy) -> None:
        self._scene = scene
        self._policy = policy
        self._since = 0
        self._histogram: Histogram | None = None
        self._rounds = 0

    def note(self, *, is_new: bool) -> None:
        """Take down that this frame has a challenge, with `is_new` the first of some more."""
        self._since = 0
        self._histogram = self._scene.histogram
        if is_new:
            self._rounds = self._policy.rounds

    def is_due(self) -> bool:
        """Tell, once a frame, whether it is to have a challenge."""
        self._since += 1
        if self._since < self._policy.period:
            return False
        if self._scene.drift(self._histogram) > self._policy.drift:
            self._rounds = self._policy.rounds
        self._rounds -= 1
        return self._rounds >= 0


def wanted_saving(
    fit: Fit,
    rival: Fit,
    order: Order,
    colors: tuple[Colors, Colors],
    prices: Prices,
    policy: TrainingPolicy,
) -> float:
    """Return the part of the error that `rival` must save to take the place of `fit`.

    It pays for all that it relabels, and for each label that is something else with it.

    Parameters
    ----------
    fit, rival : Fit
    order : (k,) intp
        The cluster of the rival that each label would get.
    colors : two of (k, 3) float64
        The BGR colours of the labels with the one and with the other.
    prices : Prices
    policy : TrainingPolicy
    """
    share = float((order[fit.labels] != rival.labels).mean())
    lost = color_ways(*colors) > policy.distinct
    price = prices.exchange + prices.relabelling * share + prices.identities[lost].sum()
    return policy.challenge_saving + float(price)
