"""Print which size of picture a small machine holds at 30 frames a second.

    python scripts/small_machines.py [--frames 40]

A small machine is this one with fewer cores, or cores that work for a part of the time: the
benchmark is stopped and continued a hundred times a second. Its rates are frames by seconds of the
clock, so what stands still counts. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KS = (4, 8, 16, 64)
SIZES = (240, 360, 480, 720, 1080, 1440, 2160)  # rows; 16 columns to 9 rows
RATE = 30.0
PERIOD = 0.01  # seconds
MACHINES = (
    ("two cores", 2, 1.0),
    ("one core", 1, 1.0),
    ("two cores, a quarter of the time", 2, 0.25),
    ("one core, a quarter of the time", 1, 0.25),
)


def rates(cores: int, share: float, frames: int) -> dict[tuple[int, int], float]:
    """Return the frames a second of each k and number of rows."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "rates.json"
        sweep = f"k={','.join(map(str, KS))} size={','.join(map(str, SIZES))} threads={cores}"
        command = [sys.executable, "-m", "livekm", "--demo", "-q", "--frames", str(frames)]
        command += ["--benchmark", "--sweep", sweep, "--json", str(table)]
        allowed = sorted(os.sched_getaffinity(0))[:cores]
        process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            preexec_fn=lambda: os.sched_setaffinity(0, allowed),
        )
        while process.poll() is None and share < 1:
            for number, part in ((signal.SIGSTOP, 1 - share), (signal.SIGCONT, share)):
                process.send_signal(number)
                time.sleep(PERIOD * part)
        if process.wait():
            raise SystemExit("the benchmark failed")
        measured = json.loads(table.read_text())["measurements"]
    return {(way["n_clusters"], way["height"]): way["fps"] for way in measured}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=40)
    frames = parser.parse_args().frames
    print("| machine | " + " | ".join(f"k = {k}" for k in KS) + " |")
    print("| --- |" + " --- |" * len(KS))
    for name, cores, share in MACHINES:
        found = rates(cores, share, frames)
        cells = []
        for k in KS:
            holds = [rows for rows in SIZES if found[k, rows] >= RATE]
            rows = max(holds, default=0)
            cells.append(f"{16 * rows // 9}x{rows} ({found[k, rows]:.0f})" if rows else "none")
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
