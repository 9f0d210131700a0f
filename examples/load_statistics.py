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
                name: text if name in ("color", "name") else json.loads(text) if text else None
                for name, text in row.items()
            }


if __name__ == "__main__":
    shares: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for row in load_statistics(sys.argv[1]):  # several segments may have one name
        shares[row["name"] or f"id {row['id']}"][row["frame"]] += row["share"]
    for thing, by_frame in sorted(shares.items()):
        print(f"{thing}: {sum(by_frame.values()) / len(by_frame):6.1%} of {len(by_frame)} frames")
