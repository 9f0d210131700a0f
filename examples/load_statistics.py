"""Read the table that ``livekm clip.mp4 --stats FILE`` wrote, .csv or .jsonl.

Usage: python load_statistics.py FILE
"""

from __future__ import annotations

import csv
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def load_statistics(path: str | Path) -> Iterator[dict[str, Any]]:
    """Yield a dict for each segment of each frame; what a segment without pixels lacks is None."""
    path = Path(path)
    with path.open(encoding="utf-8", newline="") as file:
        if path.suffix == ".jsonl":
            yield from map(json.loads, file)
            return
        for row in csv.DictReader(file):
            yield {
                name: text if name == "color" else json.loads(text) if text else None
                for name, text in row.items()
            }


if __name__ == "__main__":
    shares: dict[int, list[float]] = defaultdict(list)
    for row in load_statistics(sys.argv[1]):
        shares[row["id"]].append(row["share"])
    for identity, values in sorted(shares.items()):
        print(f"id {identity}: {sum(values) / len(values):6.1%} of {len(values)} frames")
