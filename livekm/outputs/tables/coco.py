"""Write regions as COCO annotations."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from livekm.core.segmentation import Segmentation
from livekm.frame import Frame, VideoInfo
from livekm.outputs.tables.polygons import corner_polygon
from livekm.outputs.tables.region_base import RegionWriter, frame_name, html_color
from livekm.regions import Region

_START = '{"annotations": [\n'


class CocoFile(RegionWriter):
    """Write a COCO ``.json``: an image for each frame, an annotation for each of its regions.

    An annotation's ``track_id`` is the region's id. Its segmentation is a polygon, whose holes are
    joined to it by lines there and back; in a file called ``.rle.json`` run lengths.

    Parameters
    ----------
    part, info, min_area, selection
        As of `RegionWriter`.
    """

    def _begin(self, info: VideoInfo) -> None:
        self._is_rle = self.target.name.lower().endswith(".rle.json")
        self._name, self._is_still = info.name, info.is_still
        self._images: list[tuple[int, float, int, int]] = []  # index, time, height and width
        self._ends: list[int] = []  # where each frame ends in the file
        self._n_annotations = 0
        self._file = self._opened(_open_text)
        self._file.write(_START)

    def _write(self, frame: Frame, segmentation: Segmentation) -> None:
        shape = segmentation.labels.shape
        lines = []
        for region in self._found(segmentation):
            comma = "," if self._n_annotations else " "
            lines.append(comma + json.dumps(self._annotation(region, *shape)) + "\n")
            self._n_annotations += 1
        self._file.writelines(lines)
        self._images.append((frame.index, frame.time, *shape))
        self._ends.append(self._file.tell())

    def _annotation(self, region: Region, height: int, width: int) -> dict[str, Any]:
        segmentation: Any = [corner_polygon(region.rings).reshape(-1).tolist()]
        if self._is_rle:
            counts = run_lengths(region, height, width)
            segmentation = {"size": [height, width], "counts": counts}
        return {
            "id": self._n_annotations + 1,
            "image_id": self.n_frames,
            "category_id": 1,
            "segmentation": segmentation,
            "area": region.area,
            "bbox": list(region.box),
            "iscrowd": 0,
            "track_id": region.id,
            "color": html_color(region),
        }

    def _end_of(self, n_frames: int) -> str:
        images = [
            {
                "id": number,
                "file_name": self._name if self._is_still else frame_name(number, ".png"),
                "width": width,
                "height": height,
                "frame": index,
                "time": time,
            }
            for number, (index, time, height, width) in enumerate(self._images[:n_frames])
        ]
        category = {"id": 1, "name": "region", "supercategory": "region"}
        rest = {"images": images, "categories": [category], "info": {"description": self._name}}
        return "], " + json.dumps(rest)[1:] + "\n"

    def _finish(self) -> None:
        self._file.write(self._end_of(self.n_frames))
        self._file.close()

    def _rescue(self) -> bool:
        """Give up frames at the end until what follows them fits in their place."""
        n_frames = len(self._ends)
        while n_frames > 0:
            with suppress(OSError), self._path.open("r+b") as file:
                file.truncate(self._ends[n_frames - 1])
                file.seek(0, os.SEEK_END)
                file.write(self._end_of(n_frames).encode())
                return True
            n_frames -= 1 + n_frames // 20
        return False

    def _release(self) -> None:
        with suppress(OSError):
            self._file.close()


def run_lengths(region: Region, height: int, width: int) -> list[int]:
    """Return how many pixels lie outside, inside, outside ... of a region, column by column.

    Parameters
    ----------
    region : Region
    height, width : int
        Of the frame.
    """
    x, y, _, box_height = region.box
    columns = np.pad(region.mask.T, ((0, 0), (0, 1)))  # the row below parts the columns
    steps = np.flatnonzero(np.diff(columns.reshape(-1), prepend=False))
    places = (x + steps // (box_height + 1)) * height + y + steps % (box_height + 1)
    # Where a run ends at the foot of a column, another may begin at the head of the next.
    goes_on = np.append(np.diff(places) == 0, False)
    ends = places[~(goes_on | np.roll(goes_on, 1))]
    counts: list[int] = np.diff(ends, prepend=0, append=height * width).tolist()
    return counts


def _open_text(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", newline="")
