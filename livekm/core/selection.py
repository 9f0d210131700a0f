"""Which segments or regions are shown, and what becomes of the pixels of the others."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from livekm.core.region_segmentation import RegionSegmentation
from livekm.core.rests import RESTS, Rest, check_rest
from livekm.core.segmentation import Segmentation
from livekm.errors import UsageError
from livekm.validation import check_range

_MOST = 2**31

__all__ = ["EVERYTHING", "RESTS", "Selection"]


@dataclass(frozen=True, slots=True)
class Selection:
    """Some things by their ids, and what becomes of the rest.

    An id is followed wherever its thing goes: whatever label it has, and when it comes back.

    Attributes
    ----------
    ids : collection of int
        See `Segmentation.ids`. At the start of a stream, and in a still image, they are the labels.
        Of regions, see `RegionSegmentation.ids`.
    drop : bool, default False
        Whether they are left out; otherwise they alone are kept.
    rest : str or Backdrop, optional
        What becomes of the pixels that are not selected, by default black: one of `RESTS`, a colour
        ``#rrggbb``, or a picture, see `livekm.core.rests`.
    ignored : str or Backdrop, optional
        What becomes of the pixels that do not count, by default the same as of the
        rest, or if that is not given, nothing.

    Raises
    ------
    ValueError
        If an id is below 0, or `rest` is none of `RESTS`.

    Examples
    --------
    >>> labels, palette = np.zeros((1, 1), np.uint8), np.zeros((4, 3), np.uint8)
    >>> later = Segmentation(labels, palette, ids=np.array([0, 1, 6, 3]))
    >>> Selection([0, 6]).of(later)
    array([ True, False,  True, False])
    >>> Selection([0, 2], drop=True).of(later)
    array([False,  True,  True,  True])
    """

    ids: Collection[int]
    drop: bool = False
    rest: Rest | None = None
    ignored: Rest | None = None

    def __post_init__(self) -> None:
        for identity in self.ids:
            check_range("a segment's id", identity, 0, _MOST)
        for name, rest in (("rest", self.rest), ("ignored", self.ignored)):
            if rest is not None:
                check_rest(name, rest)
        object.__setattr__(self, "ids", frozenset(map(int, self.ids)))

    @property
    def is_everything(self) -> bool:
        """Whether no segment is left out."""
        return self.drop and not self.ids

    def of(self, found: Segmentation | RegionSegmentation) -> npt.NDArray[np.bool_]:
        """Return (k,) bool: for each label, whether it is selected.

        An id that a frame of a stream lacks selects nothing: its thing has ended, or is yet to
        come.

        Raises
        ------
        ValueError
            If a still image lacks an id.
        """
        unknown = sorted(set(self.ids) - set(found.ids.tolist()))
        if unknown and found.is_still:
            there = f"the image has 0 to {len(found.ids) - 1}"
            raise UsageError(f"there is no {found.noun} {unknown[0]}: {there}")
        return np.asarray(np.isin(found.ids, list(self.ids)) != self.drop)


EVERYTHING = Selection((), drop=True)
"""Leaves no segment out."""
