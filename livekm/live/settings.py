"""The settings of a live session that keys change, but for the segmenter's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from livekm.core.rests import Rest
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
    chosen : set of int
        The ids of the segments that are isolated; where it is empty, every segment is shown.
    is_paused : bool
    wants_step : bool
        Whether a single frame is to be shown although it is paused.
    fills_screen : bool
    hud : str
        One of `HUDS`: how much of the HUD is shown.
    shows_help : bool
    rest : Rest or None
        What becomes of segments that are not isolated, by default pale, and of what does not count,
        by default nothing.
    rests : sequence of Rest
        What a key goes through.
    colors : (n, 3) uint8, BGR, or None
        Other colours for the segments, by their ids.
    sorts_strip : bool
        Whether the strip of colours is sorted by share, not by label.
    """

    view: str
    scale: float = 1.0
    auto_scale: AutoScale | None = None
    is_mirrored: bool = False
    chosen: set[int] = field(default_factory=set)
    is_paused: bool = False
    wants_step: bool = False
    fills_screen: bool = False
    hud: str = "line"
    shows_help: bool = False
    rest: Rest | None = None
    rests: Sequence[Rest] = ("pale", "black", "original", "blur")
    colors: npt.NDArray[np.uint8] | None = None
    sorts_strip: bool = False

    @property
    def current_scale(self) -> float:
        """The factor by which frames are resized."""
        return self.scale if self.auto_scale is None else self.auto_scale.scale

    @property
    def wants_frame(self) -> bool:
        """Whether the picture is to move on: it is not paused, or a single step is asked for."""
        return not self.is_paused or self.wants_step
