"""Write the regions of each frame as a table."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import Any

from livekm.core.segmentation import Segmentation
from livekm.core.selection import EVERYTHING, Selection
from livekm.frame import Frame, VideoInfo
from livekm.outputs.tables.table import TableFile
from livekm.regions import find_regions

REGION_COLUMNS = (
    "frame", "time", "id", "first_frame", "last_frame", "color", "area", "share", "x", "y",
    "box_x", "box_y", "box_width", "box_height", "neighbors", "name",
)  # fmt: skip

_LAST_FRAME = {
    ".csv": re.compile(r"(\d+,[^,]*,(\d+),\d+,)\d+"),
    ".jsonl": re.compile(r'({"frame": \d+, "time": [^,]*, "id": (\d+), "first_frame": \d+, '
                         r'"last_frame": )\d+'),
}  # fmt: skip
"""Suffix -> the start of a row up to its last frame, and in it the id."""


class RegionFile(TableFile):
    """Write a row for each region of each frame: place, size, and in ``.jsonl`` its outline.

    The last frame of a region is known at the end only. Then the table is written once more; where
    that fails, and on stdout, rows have the frame that they belong to in its place.

    Parameters
    ----------
    path, info, overwrite
        As of `TableFile`.
    min_area, selection
        As of `livekm.regions.find_regions`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        info: VideoInfo,
        *,
        overwrite: bool = False,
        min_area: int | None = None,
        selection: Selection = EVERYTHING,
    ) -> None:
        super().__init__(path, info, overwrite=overwrite, columns=REGION_COLUMNS)
        self._min_area, self._selection = min_area, selection
        self._frames: dict[int, tuple[int, int]] = {}  # id -> its first and its last

    def _rows(self, frame: Frame, segmentation: Segmentation) -> list[dict[str, Any]]:
        rows = []
        for region in find_regions(segmentation, self._min_area, self._selection):
            first, _ = self._frames.get(region.id, (frame.index, 0))
            self._frames[region.id] = first, frame.index
            blue, green, red = region.color
            x, y, width, height = region.box
            row = {
                "frame": frame.index,
                "time": frame.time,
                "id": region.id,
                "first_frame": first,
                "last_frame": frame.index,
                "color": f"#{red:02x}{green:02x}{blue:02x}",
                "area": region.area,
                "share": round(region.share, 6),
                "x": round(region.centroid[0], 3),
                "y": round(region.centroid[1], 3),
                "box_x": x,
                "box_y": y,
                "box_width": width,
                "box_height": height,
                "neighbors": list(region.neighbors),
                "outline": region.outline.tolist(),
                "name": region.name,
            }
            rows.append(row)
        return rows

    def _finish(self) -> None:
        super()._finish()
        if self._stdout:
            return
        known = _LAST_FRAME[self.target.suffix.lower()]
        again = self._path.with_name(f"{self._path.name}-again")
        try:
            with (
                self._path.open(encoding="utf-8", newline="") as rows,
                again.open("w", encoding="utf-8", newline="") as whole,
            ):
                whole.writelines(known.sub(self._last, row, count=1) for row in rows)
            again.replace(self._path)
        finally:
            with suppress(OSError):
                again.unlink(missing_ok=True)

    def _last(self, found: re.Match[str]) -> str:
        return f"{found[1]}{self._frames[int(found[2])][1]}"
