"""The lines of the HUD: how fast it goes, what is shown, where the time goes."""

from __future__ import annotations

from collections.abc import Sequence

from livekm.core.segmenter import Segmenter
from livekm.live.settings import LiveSettings
from livekm.timing import StageTimer

_STAGES = ("wait", "read", "segment", "view", "draw", "show")


def status_lines(
    settings: LiveSettings,
    segmenter: Segmenter,
    timer: StageTimer,
    progress: Sequence[str],
    *,
    is_interrupted: bool,
    can_segment: bool,
) -> list[str]:
    """Return the lines, without empty ones.

    Parameters
    ----------
    settings, segmenter, timer
        What is told of.
    progress : sequence of str
        Is added to the first line.
    is_interrupted : bool
        Whether frames that should come do not: there is no rate then.
    can_segment : bool
        Whether the kernels are compiled.
    """
    lines = [
        [_rate(settings, timer, is_interrupted=is_interrupted), *progress],
        [
            f"k {segmenter.n_clusters}",
            settings.view,
            segmenter.color_space,
            f"scale {settings.current_scale:g}" + " auto" * (settings.auto_scale is not None),
            "mirrored" * settings.is_mirrored,
            "palette locked" * (segmenter.palette is not None),
        ],
        [_stages(timer)],
        ["compiling kernels" * (not can_segment)],
    ]
    joined = ("   ".join(filter(None, line)) for line in lines)
    return [line for line in joined if line]


def _rate(settings: LiveSettings, timer: StageTimer, *, is_interrupted: bool) -> str:
    if settings.is_paused:
        return "paused"
    fps = timer.fps
    return "" if fps is None or is_interrupted else f"{fps:.1f} fps"


def _stages(timer: StageTimer) -> str:
    """Tell the median time of each stage."""
    times = timer.summary()
    stages = [f"{name} {times[name].median_ms:.1f}" for name in _STAGES if name in times]
    return "  ".join(stages) + " ms" * bool(stages)
