"""What a user has chosen in a live session, to run it again elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from livekm.core.segmentation import Segmentation
from livekm.core.segmenter import Segmenter
from livekm.live.settings import LiveSettings


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen in a live session by playing with it.

    Attributes
    ----------
    n_clusters : int
    color_space : str
    hysteresis : float
    view : str
    scale : float or None
        None where it was left to livekm.
    chosen : tuple of int
        The segments that were isolated or left out: their ids, or where the colours are those of
        `palette`, their places in it, which are the ids of every run with it.
    drops : bool
        Whether those were left out.
    rest : str or None
        What became of the others; None where that was left to livekm, or is a picture.
    is_frozen : bool
        Whether the colours were frozen.
    palette : Path or None
        The file with the frozen colours, if they were written.
    roi : (int, int, int, int) or None
        Left, top, width and height of the part that was drawn.
    """

    n_clusters: int
    color_space: str
    hysteresis: float
    view: str
    scale: float | None = None
    chosen: tuple[int, ...] = ()
    drops: bool = False
    rest: str | None = None
    is_frozen: bool = False
    palette: Path | None = None
    roi: tuple[int, int, int, int] | None = None

    @classmethod
    def of(
        cls,
        segmenter: Segmenter,
        settings: LiveSettings,
        segmentation: Segmentation | None,
        palette: Path | None,
    ) -> Choice:
        """Collect it from what a session consists of; `palette` is the file of frozen colours."""
        is_frozen = segmenter.palette is not None
        chosen = settings.chosen
        if palette is not None and segmentation is not None:
            chosen = {n for n, i in enumerate(segmentation.ids.tolist()) if i in chosen}
        return cls(
            n_clusters=segmenter.n_clusters,
            color_space=segmenter.color_space,
            hysteresis=segmenter.hysteresis,
            view=settings.view,
            scale=settings.scale if settings.auto_scale is None else None,
            chosen=tuple(sorted(chosen)),
            drops=settings.drops and bool(chosen),
            rest=settings.rest if isinstance(settings.rest, str) else None,
            is_frozen=is_frozen,
            palette=palette,
            roi=settings.roi,
        )
