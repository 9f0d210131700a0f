"""Which thing each label is: ids that mean one thing for ever."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from livekm.core.moves import color_ways
from livekm.core.policy import TrainingPolicy

Colors = npt.NDArray[np.float64]
"""(k, 3) BGR levels."""
Ids = npt.NDArray[np.int64]
Order = npt.NDArray[np.intp]


class _Shot(NamedTuple):
    colors: Colors
    ids: Ids  # -1 where no pixel ever had the label


class Remembered(NamedTuple):
    """What the labels of a frame were; see `Identity`."""

    colors: Colors
    own: npt.NDArray[np.float64]
    ids: Ids
    ages: npt.NDArray[np.int64]


class Identity:
    """Gives each label an id, and another one as soon as the label is something else.

    The id of a label that no pixel has had yet means nothing so far: it is kept for what the label
    will be. A black frame has one colour, and the other labels find theirs in the next ones.

    Colours are measured in BGR whatever the space of the centers, so that ids outlive a change of
    that space.

    Attributes
    ----------
    ids : (k,) int64
        The id of each label.
    ages : (k,) int64
        Frames in which pixels had the label with this id; 0 where there has been none.
    """

    def __init__(self, policy: TrainingPolicy | None = None) -> None:
        self._policy = policy or TrainingPolicy()
        self._next = itertools.count()
        self._colors: Colors = np.zeros((0, 3))
        self._own = np.stack([self._colors, self._colors])  # without the light, and with it
        self.ids: Ids = np.zeros(0, np.int64)
        self.ages: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._shots: list[_Shot] = []

    def forget(self) -> None:
        """Let nothing that was there come back; its ids are never given again."""
        self._shots = []
        self._set(np.zeros((0, 3)), np.zeros(0, np.int64))

    def start(self, colors: Colors, *, in_order: bool = False) -> Order:
        """Begin a shot: return for each label which of `colors` it gets.

        They go to the labels of that one of the last shots to which they are nearest, the nearest
        pair first. What is the same within `policy.same` levels has its id again; the others get
        new ones. With `in_order` each label gets its own colour, and only the ids come back.
        """
        k = len(colors)
        order, ids, is_back = np.arange(k), np.full(k, -1, np.int64), np.zeros(k, np.bool_)
        if len(self.ids):
            seen = np.where(self.ages > 0, self.ids, -1)
            self._shots = [*self._shots, _Shot(self._colors, seen)][-self._policy.shots :]
            if len(seen) == k:
                ids = np.where(self.ages > 0, -1, self.ids)
        shots = [shot for shot in reversed(self._shots) if len(shot.ids) == k]
        if shots:
            back, order = min(
                ((shot, match(-_distances(shot.colors, colors))) for shot in shots),
                key=lambda pair: float(color_ways(pair[0].colors, colors[pair[1]]).mean()),
            )
            near = color_ways(colors[order], back.colors) <= self._policy.same
            is_back = near & (back.ids >= 0)
            ids[is_back] = back.ids[is_back]
            if in_order:
                ids[order], is_back[order] = ids.copy(), is_back.copy()
                order = np.arange(k)
        self._set(colors[order], ids)
        self.ages[is_back] = 1
        self._renew(ids < 0)
        return order

    def follow(self, expected: Colors, colors: Colors) -> None:
        """Take the colours of the next frame of a shot.

        A label is something else when its colour has jumped by more than `policy.distinct` levels
        from what it was, or from where the light would have brought it (`expected`), or has slid
        `policy.slide` levels away from its own colour, with and without the light since. (With the
        light alone, errors of a level a frame, at edges that move, would add up.)
        """
        policy = self._policy
        self._own[1] += expected - self._colors
        jumped = color_ways(colors, expected)
        is_usual = color_ways(expected, self._colors) <= policy.calm
        jumped[is_usual] = np.maximum(jumped, color_ways(colors, self._colors))[is_usual]
        slid = color_ways(colors, self._own).min(axis=0)
        self._colors = colors
        is_other = (jumped > policy.distinct) | (slid > policy.slide)
        self._renew(is_other & (self.ages > 0))
        self._own += policy.forget * (colors - self._own)

    def see(self, counts: npt.NDArray[np.int64]) -> None:
        """Take down which labels the frame's pixels have, (k,) of them each."""
        self.ages += counts > 0

    def remember(self) -> Remembered:
        """Return what the labels are now, for `restore`."""
        return Remembered(self._colors, self._own.copy(), self.ids, self.ages.copy())

    def restore(self, past: Remembered) -> None:
        """Let each label be again what it was."""
        self._colors, self.ids = past.colors, past.ids
        self._own, self.ages = past.own.copy(), past.ages.copy()

    def regroup(self, origins: Order, colors: Colors) -> None:
        """Take other labels: each has the id of the one that it was, or a new one (-1)."""
        is_new = origins < 0
        own = np.where(is_new[:, np.newaxis], colors, self._own[:, origins])
        ids, ages = self.ids[origins], self.ages[origins]
        self._set(self._colors[origins], ids)
        self._own, self.ages = own, ages
        self._colors[is_new] = colors[is_new]
        self._renew(is_new)
        self.follow(self._colors, colors)

    def reorder(self, order: Order) -> None:
        """Let label i be what ``order[i]`` is, before anyone was told an id; ids stay in order."""
        self._colors, self._own = self._colors[order], self._own[:, order]

    def _set(self, colors: Colors, ids: Ids) -> None:
        self._colors, self.ids = colors, ids
        self._own = np.stack([colors, colors])
        self.ages = np.zeros(len(ids), np.int64)

    def _renew(self, ended: npt.NDArray[np.bool_]) -> None:
        fresh = [next(self._next) for _ in range(int(ended.sum()))]
        self.ids = self.ids.copy()  # those of the last frame belong to its segmentation
        self.ids[ended] = fresh
        self.ages[ended] = 0
        self._own[:, ended] = self._colors[ended]


def match(gain: npt.NDArray[np.float64]) -> Order:
    """Return for each row of `gain` (k, k) its column: the largest first, then that of the rest.

    Examples
    --------
    >>> match(np.array([[8.0, 9.0], [1.0, 7.0]]))
    array([1, 0])
    """
    left = gain.astype(np.float64)
    order = np.zeros(len(left), np.intp)
    for _ in range(len(left)):
        row, column = divmod(int(left.argmax()), len(left))
        order[row] = column
        left[row], left[:, column] = -np.inf, -np.inf
    return order


def _distances(a: Colors, b: Colors) -> npt.NDArray[np.float64]:
    return np.asarray(np.sqrt(((a[:, np.newaxis] - b) ** 2).sum(axis=2)))
