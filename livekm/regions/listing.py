"""List regions: area, box, centroid, colour, neighbours and outline of each."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from livekm.core.region_segmentation import RegionSegmentation
from livekm.core.segmentation import Segmentation
from livekm.core.selection import EVERYTHING, Selection
from livekm.regions.segmenter import RegionSegmenter
from livekm.validation import check_positive

_DEFAULT_PART = 1000  # regions below this fraction (1/1000) of the frame are left out by default


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """One region of a frame: pixels that hang together at their sides.

    Attributes
    ----------
    id : int
        What it is from frame to frame; see `RegionSegmentation.ids`.
    label : int
        The number that its pixels have in `RegionSegmentation.labels`.
    area : int
        Number of pixels.
    share : float
        The part of the frame that it covers.
    box : (int, int, int, int)
        x, y, width and height of the smallest box of whole pixels that holds it.
    centroid : (float, float)
        x and y in pixels, from the centre of the upper left one.
    color : (int, int, int)
        Blue, green and red of its mean colour.
    name : str
        That of the segment that most of its pixels have, or nothing.
    neighbors : tuple of int
        The ids of the listed regions that share a side of a pixel with it, rising.
    rings : list of (p, 2) int32
        The lines around it and around its holes, along the sides of the pixels; see
        `RegionSegmentation.rings`.
    """

    id: int
    label: int
    area: int
    share: float
    box: tuple[int, int, int, int]
    centroid: tuple[float, float]
    color: tuple[int, int, int]
    name: str
    neighbors: tuple[int, ...]
    rings: list[npt.NDArray[np.int32]]
    _labels: npt.NDArray[np.int32] = field(repr=False)

    def __repr__(self) -> str:
        return f"<Region {self.id}: {self.area} pixels, box {self.box}>"

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """(height, width) bool, its pixels within its box."""
        x, y, width, height = self.box
        return np.asarray(self._labels[y : y + height, x : x + width] == self.label)

    @property
    def outline(self) -> npt.NDArray[np.int32]:
        """(p, 2) int32, x and y of the corners of the polygon through the outermost pixels."""
        lines, _ = cv2.findContours(
            self.mask.view(np.uint8),
            cv2.RETR_EXTERNAL,
            cv2.CHAIN_APPROX_SIMPLE,
            offset=self.box[:2],
        )
        return np.asarray(lines[0], np.int32).reshape(-1, 2)


def regions_of(segmentation: Segmentation) -> RegionSegmentation:
    """Return the regions of a segmentation; where there are none, the connected pieces."""
    if segmentation.regions is not None:
        return segmentation.regions
    return RegionSegmenter(scale=0).update(segmentation.paint(), segmentation)


def are_listed(
    found: RegionSegmentation, min_area: int | None, selection: Selection = EVERYTHING
) -> npt.NDArray[np.bool_]:
    """Return (n,) bool: for each region, whether it is selected and large enough.

    The parameters are those of `find_regions`.
    """
    check_positive("min_area", min_area)
    least = found.labels.size // _DEFAULT_PART if min_area is None else min_area
    return np.asarray(selection.of(found) & (found.areas >= least))


def find_regions(
    found: Segmentation | RegionSegmentation,
    min_area: int | None = None,
    selection: Selection = EVERYTHING,
) -> list[Region]:
    """List the regions of a frame.

    Parameters
    ----------
    found : RegionSegmentation or Segmentation
        What a `RegionSegmenter` found. Of a segmentation its regions; where it has none, the
        connected pieces of its labels.
    min_area : int, optional
        Regions of fewer pixels are left out; by default those below a thousandth of the frame.
    selection : Selection, default all
        The ids of the regions to list.

    Returns
    -------
    regions : list of Region
        In the order of their ids.

    Raises
    ------
    ValueError
        If `min_area` is not positive, or an id is selected that a still image lacks.

    Examples
    --------
    >>> from livekm import segment
    >>> image = np.zeros((8, 20, 3), np.uint8)
    >>> image[2:5, 3:7] = image[1:7, 12:18] = 255
    >>> find_regions(segment(image, 2), min_area=10)
    [<Region 0: 112 pixels, box (0, 0, 20, 8)>, <Region 1: 36 pixels, box (12, 1, 6, 6)>,
     <Region 2: 12 pixels, box (3, 2, 4, 3)>]
    """
    regions = regions_of(found) if isinstance(found, Segmentation) else found
    wanted = are_listed(regions, min_area, selection)
    beside = _neighbors(regions, are_listed(regions, min_area))
    rings = regions.rings(wanted)
    return [
        Region(
            id=int(regions.ids[label]),
            label=label,
            area=int(regions.areas[label]),
            share=float(regions.shares[label]),
            box=_four(regions.boxes[label]),
            centroid=_centroid(rings[label]),
            color=_three(regions.palette[label]),
            name=regions.names[label] if regions.names else "",
            neighbors=tuple(beside[label]),
            rings=rings[label],
            _labels=regions.labels,
        )
        for label in np.flatnonzero(wanted).tolist()
    ]


def _neighbors(found: RegionSegmentation, is_listed: npt.NDArray[np.bool_]) -> list[list[int]]:
    """Return the ids of the listed neighbours of each region."""
    beside: list[list[int]] = [[] for _ in is_listed]
    pairs = found.neighbors
    for a, b in pairs[is_listed[pairs].all(axis=1)].tolist():
        beside[a].append(int(found.ids[b]))
        beside[b].append(int(found.ids[a]))
    return [sorted(ids) for ids in beside]


def _centroid(rings: list[npt.NDArray[np.int32]]) -> tuple[float, float]:
    """Return the mean of the pixels' centres, from the lines around them (Green's theorem)."""
    area, moments = 0, np.zeros(2, np.int64)
    for ring in rings:
        here = ring.astype(np.int64)
        following = np.roll(here, -1, axis=0)
        cross = here[:, 0] * following[:, 1] - following[:, 0] * here[:, 1]
        area += int(cross.sum())
        moments += ((here + following) * cross[:, np.newaxis]).sum(axis=0)
    x, y = (moments / (3 * area) - 0.5).tolist()
    return x, y


def _three(values: npt.NDArray[np.uint8]) -> tuple[int, int, int]:
    a, b, c = values.tolist()
    return a, b, c


def _four(values: npt.NDArray[np.int32]) -> tuple[int, int, int, int]:
    a, b, c, d = values.tolist()
    return a, b, c, d
