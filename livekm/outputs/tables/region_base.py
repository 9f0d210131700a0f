"""Define what writers of regions have in common."""

from __future__ import annotations

from livekm.core.segmentation import Segmentation
from livekm.core.selection import EVERYTHING, Selection
from livekm.frame import VideoInfo
from livekm.outputs.atomic import PartFile
from livekm.outputs.tables.base import Sidecar
from livekm.regions import Region, find_regions


class RegionWriter(Sidecar):
    """Write the regions of each frame.

    Parameters
    ----------
    part : PartFile
    info : VideoInfo
        What the frames come from.
    min_area, selection
        As of `livekm.regions.find_regions`.
    """

    def __init__(
        self,
        part: PartFile,
        info: VideoInfo,
        *,
        min_area: int | None = None,
        selection: Selection = EVERYTHING,
    ) -> None:
        super().__init__(part, info)
        self._min_area, self._selection = min_area, selection
        self._begin(info)

    def _begin(self, info: VideoInfo) -> None:
        """Open what is written to; by default nothing before the first frame."""

    def _found(self, segmentation: Segmentation) -> list[Region]:
        return find_regions(segmentation, self._min_area, self._selection)


def html_color(region: Region) -> str:
    """Return the colour as in HTML, ``#rrggbb``."""
    blue, green, red = region.color
    return f"#{red:02x}{green:02x}{blue:02x}"


def frame_name(number: int, suffix: str) -> str:
    """Return what the file of a frame is called: ``000000.png``."""
    return f"{number:06d}{suffix}"
