"""Which segments are shown, and what becomes of the pixels of the others."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from livekm.errors import UsageError
from livekm.validation import check_range

RESTS = ("black", "original", "transparent", "pale")
"""What the pixels of the other segments can become; `livekm.views` says how each is drawn."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Some of the segments, and what becomes of the rest.

    Attributes
    ----------
    labels : collection of int
        The labels of the segments.
    drop : bool, default False
        Whether they are left out; otherwise they alone are kept.
    rest : str, default "black"
        One of `RESTS`: what the pixels that are not selected become.

    Raises
    ------
    ValueError
        If a label is below 0 or above 255, or `rest` is none of `RESTS`.

    Examples
    --------
    >>> Selection([0, 2]).of(4)
    array([ True, False,  True, False])
    >>> Selection([0, 2], drop=True).of(4)
    array([False,  True, False,  True])
    >>> Selection([7]).of(4)
    Traceback (most recent call last):
        ...
    livekm.errors.UsageError: there is no segment 7: the labels are 0 to 3
    """

    labels: Collection[int]
    drop: bool = False
    rest: str = "black"

    def __post_init__(self) -> None:
        for label in self.labels:
            check_range("a segment's label", label, 0, 255)
        if self.rest not in RESTS:
            raise UsageError(f"rest must be one of {', '.join(RESTS)}, got {self.rest!r}")
        object.__setattr__(self, "labels", frozenset(map(int, self.labels)))

    @property
    def is_everything(self) -> bool:
        """Whether no segment is left out."""
        return self.drop and not self.labels

    def of(self, n_clusters: int) -> npt.NDArray[np.bool_]:
        """Return (k,) bool: for each label, whether it is selected.

        Raises
        ------
        ValueError
            If a label is named that k clusters do not have.
        """
        unknown = [label for label in sorted(self.labels) if label >= n_clusters]
        if unknown:
            names = f"segment {unknown[0]}: the labels are 0 to {n_clusters - 1}"
            raise UsageError(f"there is no {names}")
        is_named = np.zeros(n_clusters, np.bool_)
        is_named[list(self.labels)] = True
        return np.asarray(is_named != self.drop)


EVERYTHING = Selection((), drop=True)
"""Leaves no segment out."""
