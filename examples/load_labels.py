"""Read the labels that ``livekm clip.mp4 --labels PATH`` wrote: time and (H, W) uint8 labels.

Usage: python load_labels.py PATH
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from PIL import Image

Labels = npt.NDArray[np.uint8]


def load_labels(path: str | Path) -> Iterator[tuple[float, Labels]]:
    """Yield the time in seconds and the labels of each frame; one frame is in memory."""
    path = Path(path)
    if path.is_dir():
        with (path / "frames.csv").open(encoding="utf-8", newline="") as table:
            for row in csv.DictReader(table):
                with Image.open(path / row["file"]) as png:
                    yield float(row["time"]), np.asarray(png)
    elif path.suffix == ".npz":
        with np.load(path) as archive:
            for number, time in enumerate(archive["times"]):
                yield float(time), archive[f"frame_{number:06d}"]
    else:
        with av.open(str(path)) as clip:
            for frame in clip.decode(video=0):
                yield float(frame.time), frame.to_ndarray(format="gray")


if __name__ == "__main__":
    for time, labels in load_labels(sys.argv[1]):
        counts = np.bincount(labels.ravel())
        print(f"{time:9.3f} s  {labels.shape[1]}x{labels.shape[0]}  pixels: {counts.tolist()}")
