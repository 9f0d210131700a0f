"""The regions of one frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from livekm.frame import Image
from livekm.regions.graph import find_borders


@dataclass(frozen=True, slots=True, eq=False)
class RegionSegmentation:
    """The pieces of one frame that people would outline.

    Every array belongs to the holder: later frames do not write to it.

    Attributes
    ----------
    labels : (H, W) int32
        The region of each pixel, from 0 to n - 1. Each is connected at the sides of its pixels.
    ids : (n,) int64
        What each region is from frame to frame, rising: a number means one thing for ever.
    palette : (n, 3) uint8, BGR
        The mean colour of each.
    areas : (n,) int64
        Pixels of each.
    boxes : (n, 4) int32
        x, y, width and height of the smallest box of whole pixels around each.
    scene_cut : bool
        True where the frame does not continue the one before: all ids are new.
    """

    labels: npt.NDArray[np.int32]
    ids: npt.NDArray[np.int64]
    palette: npt.NDArray[np.uint8]
    areas: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.int32]
    scene_cut: bool

    @property
    def n_regions(self) -> int:
        """The number of regions."""
        return len(self.ids)

    @property
    def neighbors(self) -> npt.NDArray[np.int32]:
        """(m, 2) int32, the pairs of labels that share a side of a pixel, the lower first; sorted.

        They are looked for in each call.
        """
        return find_borders(self.labels)[0]

    def outlines(self) -> list[npt.NDArray[np.int32]]:
        """Return the polygon through the outermost pixels of each region.

        Returns
        -------
        outlines : list of (p, 2) int32
            x and y of the corners; holes are not outlined.
        """
        found = []
        for label, (x, y, width, height) in enumerate(self.boxes.tolist()):
            part = self.labels[y : y + height, x : x + width] == label
            lines, _ = cv2.findContours(
                part.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=(x, y)
            )
            found.append(np.asarray(lines[0], np.int32).reshape(-1, 2))
        return found

    def paint(self) -> Image:
        """Return the (H, W, 3) uint8 BGR image of every pixel in its region's colour."""
        return np.asarray(np.take(self.palette, self.labels, axis=0))
