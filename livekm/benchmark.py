"""How many frames a second this machine segments, and where the time goes."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2

from livekm import pipeline
from livekm.core.segmentation import Segmentation
from livekm.core.segmenter import Segmenter
from livekm.frame import Frame
from livekm.outputs.checks import as_image
from livekm.outputs.null import NullSink
from livekm.sources.base import Source
from livekm.timing import StageSummary, StageTimer
from livekm.views import View

WARM_UP = 10
"""Frames left out at the start: kernels load, buffers and caches fill."""


@dataclass(frozen=True, slots=True)
class BenchmarkReport:
    """What a benchmark measured.

    Attributes
    ----------
    source : str
    width, height : int
        Of the frames as they were segmented, in pixels.
    n_clusters : int
    n_frames : int
        Frames measured, the warm-up left out unless there were no others.
    fps : float or None
        The inverse of the mean period; None for fewer than two frames.
    stages : dict
        Stage by name: read, segment, view, and ``frame`` for the whole period.
    times_ms : dict
        The same stages' times in milliseconds, frame by frame.
    machine : dict
        What it was measured on.
    """

    source: str
    width: int
    height: int
    n_clusters: int
    n_frames: int
    fps: float | None
    stages: dict[str, StageSummary]
    times_ms: dict[str, list[float]]
    machine: dict[str, str]

    @property
    def headline(self) -> str:
        """What was measured, and the frames a second."""
        rate = "-" if self.fps is None else f"{self.fps:.1f}"
        return (
            f"{self.source}, {self.width}x{self.height}, k = {self.n_clusters}: "
            f"{rate} frames a second over {self.n_frames} frames"
        )

    @property
    def machine_line(self) -> str:
        """What it was measured on."""
        return ", ".join(f"{name} {value}" for name, value in self.machine.items())

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain dicts, numbers and strings."""
        return asdict(self)

    def to_text(self) -> str:
        """Return the report as a table for people."""
        lines = [
            self.headline,
            f"{'stage':<10}{'median ms':>12}{'p95 ms':>12}",
        ]
        lines += [
            f"{name:<10}{times.median_ms:>12.2f}{times.p95_ms:>12.2f}"
            for name, times in self.stages.items()
        ]
        return "\n".join([*lines, self.machine_line])


def run(
    source: Source,
    segmenter: Segmenter,
    view: View,
    *,
    scale: float = 1.0,
    max_frames: int = 300,
    should_stop: Callable[[], bool] = lambda: False,
) -> BenchmarkReport:
    """Measure the frame loop without a window and without an output.

    Parameters
    ----------
    source, segmenter, view
        The way of a frame, as in `livekm.pipeline.run`.
    scale : float, default 1.0
        Frames are resized by this factor first; this is a part of ``segment``.
    max_frames : int, default 300
        Frames to measure, after `WARM_UP` others.
    should_stop : callable, optional
        Is asked after each frame whether to end early.
    """
    timer = StageTimer()
    seen = 0
    size = (source.info.height, source.info.width)

    def after_frame(frame: Frame, segmentation: Segmentation) -> None:
        nonlocal seen, size
        seen += 1
        size = segmentation.labels.shape

    pipeline.run(
        source,
        segmenter,
        lambda frame, segmentation: as_image(view(frame, segmentation)),  # painted, as for a window
        NullSink(),
        scale=scale,
        max_frames=WARM_UP + max_frames,
        timer=timer,
        on_frame=after_frame,
        should_stop=should_stop,
    )
    if seen > WARM_UP:
        timer.forget(WARM_UP)
    stages = {name: times for name, times in timer.summary().items() if name != "write"}
    seconds = timer.times()
    return BenchmarkReport(
        source=source.info.name,
        width=size[1],
        height=size[0],
        n_clusters=segmenter.n_clusters,
        n_frames=seen - WARM_UP if seen > WARM_UP else seen,
        fps=timer.fps,
        stages=stages,
        times_ms={name: [round(1e3 * s, 3) for s in seconds[name]] for name in stages},
        machine=_machine(),
    )


def _machine() -> dict[str, str]:
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        "livekm": metadata.version("livekm"),
        "opencv": cv2.__version__,
        "numba": metadata.version("numba"),
    }


def _processor() -> str:
    """Return the processor's name as its maker gives it, or else what Python knows of it."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        if sys.platform == "darwin":
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(
                command, capture_output=True, text=True, check=True
            ).stdout.strip()
        # Linux; ARM's kernels tell no name there.
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            key, _, name = line.partition(":")
            if key.strip() == "model name":
                return name.strip()
    return platform.processor() or platform.machine()
