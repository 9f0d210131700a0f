"""What a benchmark has measured, as a table, and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from livekm.timing import StageSummary

SCHEMA = 2
"""Version of what `Report.to_json` returns; docs/benchmarks.md describes it."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured in one way.

    Attributes
    ----------
    width, height : int
        Of the frames as they were segmented, in pixels.
    n_clusters : int
    threads : int or None
        None for as many as there are processors.
    n_frames : int
        Frames measured, the warm-up left out unless there were no others.
    fps : float or None
        As many periods as there are by their sum; None for fewer than two frames.
    processor_ms : float or None
        Milliseconds of all processors for a frame; None without frames behind the warm-up.
    stages : dict
        Stage by name: segment, view, and ``frame`` for the whole period.
    times_ms : dict
        The same stages' times in milliseconds, frame by frame.
    """

    width: int
    height: int
    n_clusters: int
    threads: int | None
    n_frames: int
    fps: float | None
    processor_ms: float | None
    stages: dict[str, StageSummary]
    times_ms: dict[str, list[float]]

    @property
    def name(self) -> str:
        """Size, k and threads, as tables and comparisons call it."""
        threads = "" if self.threads is None else f", threads {self.threads}"
        return f"{self.width}x{self.height}, k = {self.n_clusters}{threads}"

    @property
    def rate(self) -> str:
        """The frames a second, or a dash."""
        return "-" if self.fps is None else f"{self.fps:.1f}"


@dataclass(frozen=True, slots=True)
class Report:
    """What a benchmark measured.

    Attributes
    ----------
    source : str
    read : StageSummary
        How long the source took for a frame, before anything else was measured.
    measurements : tuple of Measurement
        One, or those of a sweep.
    peak_memory : int or None
        Bytes that the process held at most, the frames in memory included.
    machine : dict
        What it was measured on.
    """

    source: str
    read: StageSummary
    measurements: tuple[Measurement, ...]
    peak_memory: int | None
    machine: dict[str, str]

    @property
    def headline(self) -> str:
        """What was measured, and the frames a second of the first way."""
        first = self.measurements[0]
        return (
            f"{self.source}, {first.name}: "
            f"{first.rate} frames a second over {first.n_frames} frames"
        )

    @property
    def machine_line(self) -> str:
        """What it was measured on."""
        return ", ".join(f"{name} {value}" for name, value in self.machine.items())

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain dicts, numbers and strings."""
        return {"schema": SCHEMA, **asdict(self)}

    def to_text(self) -> str:
        """Return the report as a table for people."""
        is_sweep = len(self.measurements) > 1
        lines = self._sweep() if is_sweep else self._stages(self.measurements[0])
        memory = "" if self.peak_memory is None else f", peak memory {self.peak_memory >> 20} MB"
        read = f"read before: {self.read.median_ms:.2f} ms a frame{memory}"
        return "\n".join([*lines, read, self.machine_line])

    def _stages(self, measurement: Measurement) -> list[str]:
        header = f"{'stage':<10}{'median ms':>10}{'p95 ms':>10}{'p99 ms':>10}{'share':>8}"
        total = sum(row.median_ms for name, row in measurement.stages.items() if name != "frame")
        rows = [
            f"{name:<10}{row.median_ms:>10.2f}{row.p95_ms:>10.2f}{row.p99_ms:>10.2f}"
            + ("" if name == "frame" else f"{row.median_ms / total:>8.0%}")
            for name, row in measurement.stages.items()
        ]
        used = measurement.processor_ms
        processor = [] if used is None else [f"processor time: {used:.2f} ms a frame"]
        return [self.headline, header, *rows, *processor]

    def _sweep(self) -> list[str]:
        first = [f"{self.source}: {len(self.measurements)} ways, frames in memory"]
        width = max(len(each.name) for each in self.measurements) + 2
        header = f"{'way':<{width}}{'frames/s':>9}{'median ms':>11}{'p95 ms':>9}{'p99 ms':>9}"
        rows = []
        for each in self.measurements:
            periods = each.times_ms.get("frame") or [float("nan")]
            low, high, highest = np.percentile(periods, [50, 95, 99])
            rows.append(
                f"{each.name:<{width}}{each.rate:>9}{low:>11.2f}{high:>9.2f}{highest:>9.2f}"
            )
        return [*first, header, *rows]
