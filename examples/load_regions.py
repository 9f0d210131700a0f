"""Read the regions that ``livekm clip.mp4 --regions FILE.jsonl`` wrote, as masks of each frame.

Usage: python load_regions.py FILE.jsonl WIDTH HEIGHT
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt


def load_regions(path: str | Path) -> Iterator[tuple[float, list[dict[str, Any]]]]:
    """Yield the time in seconds and the regions of each frame that has some."""
    with Path(path).open(encoding="utf-8") as file:
        rows = map(json.loads, file)
        for time, regions in groupby(rows, key=lambda row: row["time"]):
            yield time, list(regions)


def filled(region: dict[str, Any], width: int, height: int) -> npt.NDArray[np.uint8]:
    """Return (H, W) uint8: 255 within the outline of a region, its holes included."""
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.array(region["outline"], np.int32)], 255)
    return mask


if __name__ == "__main__":
    width, height = map(int, sys.argv[2:4])
    for time, regions in load_regions(sys.argv[1]):
        covered = sum(np.count_nonzero(filled(region, width, height)) for region in regions)
        print(f"{time:9.3f} s  {len(regions)} regions, {covered} pixels with their holes")
