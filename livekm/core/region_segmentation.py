"""The regions of one frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
import numpy.typing as npt

from livekm.core.borders import find_borders
from livekm.core.kernels import trace_rings
from livekm.frame import Image


@dataclass(frozen=True, slots=True, eq=False)
class RegionSegmentation:
    """The regions of one frame: pieces that people would outline, or connected pieces of a colour.

    Every array belongs to the holder: later frames do not write to it.

    Attributes
    ----------
    labels : (H, W) int32
        The region of each pixel, from 0 to n - 1, or -1 where a pixel belongs to none. Each is
        connected at the sides of its pixels.
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
    is_still : bool
        True of a still image, which has all the ids that there will be.
    names : tuple of str
        Of each, the name of the segment that most of its pixels have, or nothing.
    """

    labels: npt.NDArray[np.int32]
    ids: npt.NDArray[np.int64]
    palette: npt.NDArray[np.uint8]
    areas: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.int32]
    scene_cut: bool
    is_still: bool = False
    names: tuple[str, ...] = ()

    noun: ClassVar[str] = "region"
    """What messages call one of them."""

    def __repr__(self) -> str:
        height, width = self.labels.shape
        return f"<RegionSegmentation of {width}x{height} pixels in {self.n_regions} regions>"

    @property
    def n_regions(self) -> int:
        """The number of regions."""
        return len(self.ids)

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """(n,) float64, the part of what belongs to regions that each covers."""
        return np.asarray(self.areas / max(1, self.areas.sum()))

    @property
    def neighbors(self) -> npt.NDArray[np.int32]:
        """(m, 2) int32, the pairs of labels that share a side of a pixel, the lower first; sorted.

        They are looked for in each call.
        """
        return find_borders(self.labels)[0]

    def mask(self, label: int) -> npt.NDArray[np.bool_]:
        """Return the (H, W) bool mask of one region's pixels."""
        return np.asarray(self.labels == label)

    def boundaries(self, wanted: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.bool_]:
        """Return the (H, W) bool mask of the pixels whose right or lower neighbour differs.

        Parameters
        ----------
        wanted : (n,) bool, optional
            Only borders of two of these regions; by default all.
        """
        labels, edges = self.labels, np.zeros(self.labels.shape, np.bool_)
        across, down = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
        if wanted is not None and not wanted.all():
            is_wanted = np.append(wanted, False)[labels]
            across &= is_wanted[:, 1:] & is_wanted[:, :-1]
            down &= is_wanted[1:] & is_wanted[:-1]
        edges[:, :-1] = across
        edges[:-1] |= down
        return edges

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

    def rings(
        self, wanted: npt.NDArray[np.bool_] | None = None
    ) -> list[list[npt.NDArray[np.int32]]]:
        """Return the closed lines along the sides of the pixels of each region.

        Two regions have the very same line between them, so that the rings tile the image.

        Parameters
        ----------
        wanted : (n,) bool, optional
            The regions to look at; the others have no rings. By default all.

        Returns
        -------
        rings : list of list of (p, 2) int32
            For each region, x and y of the corners of its outer ring, with the region to the
            right, then of those around its holes. The image's upper left corner is 0, 0, the
            middle of the first pixel 0.5, 0.5.

        Examples
        --------
        >>> image = np.zeros((4, 5, 3), np.uint8)
        >>> image[1:3, 1:4] = 255
        >>> from livekm import RegionSegmenter, segment
        >>> regions = RegionSegmenter(scale=0).update(image, segment(image, 2))
        >>> [[ring.tolist() for ring in rings] for rings in regions.rings()]
        [[[[5, 0], [5, 4], [0, 4], [0, 0]], [[4, 3], [4, 1], [1, 1], [1, 3]]],
         [[[4, 1], [4, 3], [1, 3], [1, 1]]]]
        """
        n = self.n_regions
        chosen = np.ones(n, np.uint8) if wanted is None else wanted.astype(np.uint8)
        labels = np.array(self.labels)  # kernels are compiled for arrays that can be written
        corners, starts, owners = _rings(labels, chosen, 0, 0)
        found: list[list[npt.NDArray[np.int32]]] = [[] for _ in range(n)]
        for owner, ring in zip(owners.tolist(), np.split(corners, starts[1:]), strict=False):
            found[owner].append(ring)
        return found

    def paint(self, palette: npt.NDArray[np.uint8] | None = None) -> Image:
        """Return the (H, W, 3) uint8 BGR image of every pixel in its region's colour.

        Parameters
        ----------
        palette : (n, 3) uint8, BGR, optional
            Other colours than the mean ones.
        """
        colors = np.zeros((self.n_regions + 1, 3), np.uint8)  # the last for what has none: -1
        colors[:-1] = self.palette if palette is None else palette
        return np.asarray(np.take(colors, self.labels, axis=0))


def _rings(
    labels: npt.NDArray[np.int32], wanted: npt.NDArray[np.uint8], n_corners: int, n_rings: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return corners, starts and owners, as `trace_rings` fills them; count them where 0."""
    corners = np.empty((n_corners, 2), np.int32)
    starts, owners = np.empty(n_rings, np.int32), np.empty(n_rings, np.int32)
    seen = np.zeros(labels.shape, np.uint8)
    n, rings = trace_rings(labels, wanted, seen, corners, starts, owners)
    return (corners, starts, owners) if rings == n_rings else _rings(labels, wanted, n, rings)
