"""The lines of the HUD, the value beside each key of the help, and what a segment is called."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from livekm.core.region_segmentation import RegionSegmentation
from livekm.core.segmentation import Segmentation
from livekm.core.segmenter import Segmenter
from livekm.live.controls import Timeline
from livekm.live.settings import LiveSettings
from livekm.timing import StageTimer

STARTING = "starting, a few seconds"  # kernels are compiled
_STAGES = ("wait", "read", "segment", "regions", "view", "draw", "show")
_FRESH = 0.4  # seconds for which what is measured stays on the screen: it is read, and it is cheap


class Status:
    """Tells the state of a session in a few lines.

    Parameters
    ----------
    settings, segmenter, timer
        Of the session.
    """

    def __init__(self, settings: LiveSettings, segmenter: Segmenter, timer: StageTimer) -> None:
        self._settings, self._segmenter, self._timer = settings, segmenter, timer
        self._measured: tuple[str, list[str], str] = "", [], ""
        self._measured_at, self._measured_for = -_FRESH, ""

    def lines(
        self,
        found: Segmentation | RegionSegmentation | None,
        progress: Sequence[str],
        *,
        is_interrupted: bool = False,
        timeline: Timeline | None = None,
    ) -> list[str]:
        """Return the lines, without empty ones.

        Parameters
        ----------
        found : Segmentation or RegionSegmentation or None
            What the view shows; None where the kernels are not compiled yet.
        progress : sequence of str
            How well the front keeps up with the source.
        is_interrupted : bool
            Whether frames that should come do not: there is no rate then.
        timeline : Timeline or None
            Of a recorded source.
        """
        settings, segmenter = self._settings, self._segmenter
        rate, progress, stages = self._measure(progress)
        if settings.is_paused:
            rate = "paused"
        elif timeline is not None and timeline.is_at_end:
            rate = "end"
        elif is_interrupted:
            rate = ""
        clusters = f"k {segmenter.n_clusters}" + " auto" * segmenter.is_auto
        shown = [clusters, settings.view, _chosen(settings, found)]
        if isinstance(found, RegionSegmentation):
            shown[0] = f"{found.n_regions}"  # of which the name of the view follows
        starting = [STARTING * (found is None)]
        if settings.hud == "line":
            lines = [[rate, *shown], starting]
        else:
            lines = [
                [rate, *progress, told_time(timeline), "loop" * settings.loops],
                [
                    *shown,
                    segmenter.color_space,
                    f"scale {_scale(settings)}",
                    "mirrored" * settings.is_mirrored,
                    "colours frozen" * (segmenter.palette is not None),
                ],
                [stages],
                starting,
            ]
        joined = ("   ".join(filter(None, line)) for line in lines)
        return [line for line in joined if line]

    def _measure(self, progress: Sequence[str]) -> tuple[str, list[str], str]:
        """Return rate, progress and stages as they were read last, or read them again."""
        now, hud = time.monotonic(), self._settings.hud
        if now - self._measured_at >= _FRESH or hud != self._measured_for:
            fps = self._timer.fps
            rate = "" if fps is None else f"{fps:.1f} fps"
            stages = _stages(self._timer) if hud == "all" else ""
            self._measured = rate, list(progress), stages
            self._measured_at, self._measured_for = now, hud
        return self._measured


def describe(identity: int, found: Segmentation | RegionSegmentation) -> str:
    """Return id, name, colour and share, or that it is gone."""
    labels = np.flatnonzero(found.ids == identity)
    if not len(labels):
        return f"{identity} is gone"
    label = int(labels[0])
    called = f"{identity} {found.names[label]}".rstrip()
    blue, green, red = found.palette[label].tolist()
    share = 100 * float(found.shares[label])
    return f"{called} · #{red:02x}{green:02x}{blue:02x} · {share:.0f} %"


def values_of_keys(settings: LiveSettings, segmenter: Segmenter) -> dict[str, str]:
    """Return what stands beside a key in the help: command, or its name -> current value."""
    on = {False: "off", True: "on"}
    return {
        "clusters:-1": str(segmenter.n_clusters),
        "color-space": segmenter.color_space,
        "hysteresis": f"{segmenter.hysteresis:g}",
        "lock": on[segmenter.palette is not None],
        "view:next": settings.view,
        "scale": _scale(settings),
        "mirror": on[settings.is_mirrored],
        "pause": on[settings.is_paused],
        "loop": on[settings.loops],
        "hud": settings.hud,
        "full-screen": on[settings.fills_screen],
        "select": f"{len(settings.chosen)}{' left out' * settings.drops}" * bool(settings.chosen),
    }


def clock(seconds: float) -> str:
    """Return minutes and seconds.

    Examples
    --------
    >>> clock(83.9)
    '1:23'
    """
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _chosen(settings: LiveSettings, found: Segmentation | RegionSegmentation | None) -> str:
    """Return what is isolated, if anything is."""
    chosen = settings.chosen
    if not chosen or found is None:
        return ""
    text = f"{len(chosen)} {found.noun}s" if len(chosen) > 1 else describe(min(chosen), found)
    return f"without {text}" if settings.drops else text


def _scale(settings: LiveSettings) -> str:
    return f"{settings.current_scale:g}{' auto' * (settings.auto_scale is not None)}"


def told_time(timeline: Timeline | None) -> str:
    """Return where a clip is, and how long it is if that is known."""
    if timeline is None:
        return ""
    length = "" if timeline.duration is None else f" of {clock(timeline.duration)}"
    return f"{clock(timeline.position)}{length}"


def _stages(timer: StageTimer) -> str:
    """Tell the median time of each stage."""
    times = timer.times()
    stages = [f"{name} {1e3 * np.median(times[name]):.1f}" for name in _STAGES if name in times]
    return "  ".join(stages) + " ms" * bool(stages)
