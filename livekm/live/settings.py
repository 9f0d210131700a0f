"""The settings of a live session that keys change, but for the segmenter's own."""

from __future__ import annotations

from dataclasses import dataclass, field

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
    sorts_strip: bool = False

    @property
    def current_scale(self) -> float:
        """The factor by which frames are resized."""
        return self.scale if self.auto_scale is None else self.auto_scale.scale

    @property
    def wants_frame(self) -> bool:
        """Whether the picture is to move on: it is not paused, or a single step is asked for."""
        return not self.is_paused or self.wants_step
