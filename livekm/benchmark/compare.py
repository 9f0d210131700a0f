"""Compare a benchmark with an older one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from livekm.benchmark.report import SCHEMA, Report
from livekm.errors import SourceError

_RESAMPLES = 2000
_BLOCK = 10  # frames in a row that are drawn together: neighbours are alike


@dataclass(frozen=True, slots=True)
class Ratio:
    """How much longer a frame takes now.

    Attributes
    ----------
    name : str
        The way in which it was measured.
    ratio : float
        Median period of a frame now, by that of then.
    low, high : float
        Between these it lies with a probability of 95 %, by resampling frames in blocks of ten
        (Künsch, "The jackknife and the bootstrap for general stationary observations", 1989). This
        covers what differs from frame to frame, not what differs from run to run.
    """

    name: str
    ratio: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.name}: {self.ratio:.2f} times as long ({self.low:.2f} to {self.high:.2f})"


def read_older(path: str) -> dict[str, Any]:
    """Read what ``--json`` has written; raise SourceError with what it is instead."""
    try:
        older = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SourceError(
            f"cannot read {path}: {getattr(error, 'strerror', None) or error}"
        ) from error
    if not isinstance(older, dict) or older.get("schema") != SCHEMA:
        raise SourceError(f"{path} is no benchmark of this version; write one by --json")
    return older


def compare(report: Report, older: Mapping[str, Any]) -> Iterator[Ratio]:
    """Yield the ratio of each way that both have measured."""
    rng = np.random.default_rng(0)
    key = ("width", "height", "n_clusters", "threads")
    then = {tuple(row[name] for name in key): row for row in older["measurements"]}
    for each in report.measurements:
        row = then.get(tuple(getattr(each, name) for name in key))
        if row is None or "frame" not in each.times_ms or "frame" not in row["times_ms"]:
            continue
        now, before = (np.array(times["frame"]) for times in (each.times_ms, row["times_ms"]))
        ratios = _medians(now, rng) / _medians(before, rng)
        low, high = np.percentile(ratios, [2.5, 97.5])
        yield Ratio(each.name, float(np.median(now) / np.median(before)), float(low), float(high))


def _medians(times: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the medians of resampled times."""
    block = min(_BLOCK, len(times))
    starts = rng.integers(len(times) - block + 1, size=(_RESAMPLES, -(-len(times) // block)))
    drawn = times[starts[:, :, np.newaxis] + np.arange(block)]
    return np.asarray(np.median(drawn.reshape(_RESAMPLES, -1), axis=1))
