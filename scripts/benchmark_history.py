"""Measure this version's frame loop beside those before, and draw them all.

    python scripts/benchmark_history.py [--draw-only]

Writes ``docs/benchmarks/VERSION.json``, the JSON of ``--benchmark`` for the demo in a few ways, as
``--compare`` reads it, and ``docs/media/benchmark-history.webp``, which has all that lie there. To
be run for each release, on a quiet machine; versions measured on different processors are only
drawn, not compared.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

import cv2
import matplotlib as mpl
import numpy as np

mpl.use("agg")
from matplotlib.figure import Figure

import livekm

DOCS = Path(__file__).resolve().parents[1] / "docs"
SWEEP = "k=8,64 size=540,1080"


def measure(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "livekm", "--demo", "--benchmark", "--sweep", SWEEP]
    subprocess.run([*command, "--json", str(path)], check=True)


def in_order(path: Path) -> list[int]:
    return [int(part) for part in path.stem.split(".")]


def draw(reports: dict[str, dict[str, Any]]) -> Figure:
    """Draw the median and the 95th percentile of a frame by version, a line for each way."""
    figure = Figure((9, 4.5), layout="constrained")
    axes = figure.add_subplot()
    rows = [
        (f"{way['height']} rows, k = {way['n_clusters']}", number, way["stages"]["frame"])
        for number, report in enumerate(reports.values())
        for way in report["measurements"]
    ]
    ways = groupby(sorted(rows, key=lambda row: row[:2]), key=lambda row: row[0])
    for place, (name, found) in enumerate(ways):
        _, numbers, frames = zip(*found, strict=True)
        middle, end = (
            np.array([frame[key] for frame in frames]) for key in ("median_ms", "p95_ms")
        )
        at = np.array(numbers) + 0.05 * place  # beside each other
        bars = [0 * middle, end - middle]
        axes.errorbar(at, middle, bars, marker="o", capsize=3, label=name)
    for rate in (30, 60):
        axes.axhline(1000 / rate, color="0.6", linewidth=0.8, linestyle="--")
        axes.annotate(f"{rate} a second", (1, 1000 / rate), xycoords=("axes fraction", "data"),
                      ha="right", va="bottom", fontsize=8, color="0.4")  # fmt: skip
    machines = [report["machine"] for report in reports.values()]
    names = [
        f"{version}\n{machine['processor']}, {machine['cores']} cores"
        for version, machine in zip(reports, machines, strict=True)
    ]
    axes.set_xticks(range(len(names)), names, fontsize=8)
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.set_yscale("log")
    axes.set_yticks([2, 5, 10, 20, 50], ["2", "5", "10", "20", "50"])
    axes.minorticks_off()
    axes.set_ylabel("milliseconds a frame, to 95 %")
    axes.legend(frameon=False, fontsize=8, loc="lower left")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draw-only", action="store_true", help="measure nothing")
    folder = DOCS / "benchmarks"
    if not parser.parse_args().draw_only:
        measure(folder / f"{livekm.__version__}.json")
    paths = sorted(folder.glob("*.json"), key=in_order)
    page = io.BytesIO()
    draw({path.stem: json.loads(path.read_text()) for path in paths}).savefig(page, dpi=110)
    image = cv2.imdecode(np.frombuffer(page.getvalue(), np.uint8), cv2.IMREAD_COLOR)
    cv2.imwrite(
        str(DOCS / "media" / "benchmark-history.webp"), image, [cv2.IMWRITE_WEBP_QUALITY, 90]
    )


if __name__ == "__main__":
    main()
