"""The lines of the HUD: rate, view, and the time of each stage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from livekm.core.segmentation import Segmentation
from livekm.core.segmenter import Segmenter
from livekm.live.settings import LiveSettings
from livekm.timing import StageTimer

_STARTING = "starting, a few seconds"  # kernels are compiled
_STAGES = ("wait", "read", "segment", "view", "draw", "show")


def status_lines(
    settings: LiveSettings,
    segmenter: Segmenter,
    segmentation: Segmentation | None,
    timer: StageTimer,
    progress: Sequence[str],
    *,
    is_interrupted: bool,
) -> list[str]:
    """Return the lines, without empty ones.

    Parameters
    ----------
    settings, segmenter, timer
        Of the session.
    segmentation : Segmentation or None
        None where the kernels are not compiled yet.
    progress : sequence of str
        How well the front keeps up with the source.
    is_interrupted : bool
        Whether frames that should come do not: there is no rate then.
    """
    rate = _rate(settings, timer, is_interrupted=is_interrupted)
    clusters = f"k {segmenter.n_clusters}" + " auto" * segmenter.is_auto
    shown = [clusters, settings.view, _chosen(settings, segmentation)]
    starting = [_STARTING * (segmentation is None)]
    if settings.hud == "line":
        lines = [[rate, *shown], starting]
    else:
        scale = f"scale {settings.current_scale:g}" + " auto" * (settings.auto_scale is not None)
        mirrored = "mirrored" * settings.is_mirrored
        locked = "palette locked" * (segmenter.palette is not None)
        lines = [
            [rate, *progress],
            [*shown, segmenter.color_space, scale, mirrored, locked],
            [_stages(timer)],
            starting,
        ]
    joined = ("   ".join(filter(None, line)) for line in lines)
    return [line for line in joined if line]


def describe(identity: int, segmentation: Segmentation) -> str:
    """Return a segment's id, colour and share, or that it is gone."""
    labels = np.flatnonzero(segmentation.ids == identity)
    if not len(labels):
        return f"{identity} is gone"
    label = int(labels[0])
    blue, green, red = segmentation.palette[label].tolist()
    called = " ".join(filter(None, (str(identity), segmentation.names[label])))
    return f"{called}: #{red:02x}{green:02x}{blue:02x}, {segmentation.shares[label]:.0%}"


def _chosen(settings: LiveSettings, segmentation: Segmentation | None) -> str:
    """Return what is isolated, if anything is."""
    chosen = settings.chosen
    if not chosen or segmentation is None:
        return ""
    return f"{len(chosen)} segments" if len(chosen) > 1 else describe(min(chosen), segmentation)


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
