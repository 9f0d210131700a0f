"""The settings of a live session that keys change, but for the segmenter's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from livekm.core.rests import Rest
from livekm.core.selection import Selection
from livekm.live.pace import AutoScale

HUDS = ("line", "all", "hidden")
"""How much of the HUD can be shown, in the order in which a key goes through them."""


@dataclass(slots=True)
class LiveSettings:
    """How frames are taken and shown.

    Attributes
    ----------
    view : str
        A key of `livekm.views.VIEWS`.
    scale : float
        Frames are resized by this factor first, unless `auto_scale` chooses it.
    auto_scale : AutoScale or None
    is_mirrored : bool
        Whether left and right are exchanged.
    chosen_segments, chosen_regions : set of int
        The ids of the segments that are isolated; where it is empty, every segment is shown.
    drops : bool
        Whether those are the ones that are left out instead.
    wipe_at : float
        The part of the width at which the view ``wipe`` goes from one picture to the other.
    is_paused : bool
    wants_step : bool
        Whether a single frame is to be shown although it is paused.
    seek_to : float or None
        Where a recorded source is to go on, in seconds from its first frame; None once it does.
    loops : bool
        Whether a recorded source begins again at its end.
    fills_screen : bool
    hud : str
        One of `HUDS`: how much of the HUD is shown.
    help_page : int
        The page of the help that is shown; 0 for none.
    rest : Rest or None
        What becomes of segments that are not isolated, by default pale, and of what does not count,
        by default nothing.
    rests : sequence of Rest
        What a key goes through.
    colors : (n, 3) uint8, BGR, or None
        Other colours for the segments, by their ids.
    min_area : int or None
        Pixels of a frame: smaller regions have no borders; None for a thousandth of it.
    roi : (int, int, int, int) or None
        Left, top, width and height of what counts, in pixels of the source; None for all of it.
    draws_roi : bool
        Whether the pointer is to draw it.
    """

    view: str
    scale: float = 1.0
    auto_scale: AutoScale | None = None
    is_mirrored: bool = False
    chosen_segments: set[int] = field(default_factory=set)
    chosen_regions: set[int] = field(default_factory=set)
    drops: bool = False
    wipe_at: float = 0.5
    is_paused: bool = False
    wants_step: bool = False
    seek_to: float | None = None
    loops: bool = False
    fills_screen: bool = False
    hud: str = "line"
    help_page: int = 0
    rest: Rest | None = None
    rests: Sequence[Rest] = ("pale", "black", "original", "blur")
    colors: npt.NDArray[np.uint8] | None = None
    min_area: int | None = None
    roi: tuple[int, int, int, int] | None = None
    draws_roi: bool = False

    @property
    def shows_regions(self) -> bool:
        """Whether the view shows regions, which are found for it only."""
        return self.view == "regions"

    @property
    def chosen(self) -> set[int]:
        """The ids that are isolated in the view."""
        return self.chosen_regions if self.shows_regions else self.chosen_segments

    @chosen.setter
    def chosen(self, ids: set[int]) -> None:
        if self.shows_regions:
            self.chosen_regions = ids
        else:
            self.chosen_segments = ids

    @property
    def current_scale(self) -> float:
        """The factor by which frames are resized."""
        return self.scale if self.auto_scale is None else self.auto_scale.scale

    @property
    def wants_frame(self) -> bool:
        """Whether the picture is to move on: it is not paused, or a single step is asked for."""
        return not self.is_paused or self.wants_step or self.seek_to is not None

    @property
    def selection(self) -> Selection:
        """What is isolated, and what becomes of the rest."""
        chosen = self.chosen
        rest = self.rest or ("pale" if chosen else None)
        ignored = self.rest or "original"
        return Selection(chosen, drop=self.drops or not chosen, rest=rest, ignored=ignored)
