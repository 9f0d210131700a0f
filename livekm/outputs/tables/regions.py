"""Write the connected regions of the segments of each frame as a table."""

from __future__ import annotations

import os
from typing import Any

from livekm.core.segmentation import Segmentation
from livekm.core.selection import EVERYTHING, Selection
from livekm.frame import Frame, VideoInfo
from livekm.outputs.tables.table import TableFile
from livekm.regions import find_regions

REGION_COLUMNS = (
    "frame", "time", "label", "id", "color", "region", "area", "x", "y",
    "box_x", "box_y", "box_width", "box_height", "name",
)  # fmt: skip


class RegionFile(TableFile):
    """Write a row for each region of each frame: place, size, and in ``.jsonl`` its outline.

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

    def _rows(self, frame: Frame, segmentation: Segmentation) -> list[dict[str, Any]]:
        regions = find_regions(segmentation, self._min_area, self._selection)
        palette = segmentation.palette.tolist()
        return [
            {
                "frame": frame.index,
                "time": frame.time,
                "label": region.label,
                "id": int(segmentation.ids[region.label]),
                "color": "#{2:02x}{1:02x}{0:02x}".format(*palette[region.label]),
                "region": number,
                "area": region.area,
                "x": round(region.centroid[0], 3),
                "y": round(region.centroid[1], 3),
                "box_x": region.box[0],
                "box_y": region.box[1],
                "box_width": region.box[2],
                "box_height": region.box[3],
                "outline": region.outline.tolist(),
                "name": segmentation.names[region.label],
            }
            for number, region in enumerate(regions)
        ]
