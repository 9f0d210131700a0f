"""Regions grown from markers over the edges of a picture."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from livekm.core.kernels import enlarge, flood, measure_edges, peel
from livekm.core.threads import run_in_threads
from livekm.frame import Image
from livekm.regions.pictures import LAB_UNITS, smooth, sum_of_nine

_FULL_LAB = np.float32(25.0 * 9 * LAB_UNITS)  # of sums of nine
_FULL_LEVELS = np.float32(240.0)  # of one pixel to either side

Labels = npt.NDArray[np.int32]
Places = npt.NDArray[np.int64]


class Watershed:
    """Floods pictures of any sizes, and keeps the memory for the next frame's.

    Parameters
    ----------
    threads : int
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._following = np.empty(0, np.int32)
        self._heights = np.empty(0, np.uint8)
        self._places = np.empty(0, np.int64)

    def measure(self, planes: npt.NDArray[np.int16]) -> npt.NDArray[np.uint8]:
        """Return how strong the edge is at each pixel: 255 at 25 Lab units.

        Parameters
        ----------
        planes : (3, H, W) int16
            L*, a* and b*, as `lab_planes` gives them.
        """
        strengths = np.empty(planes.shape[1:], np.uint8)
        self._measure(np.arange(strengths.size), sum_of_nine(planes), 2, _FULL_LAB, strengths)
        return strengths

    def grow(self, markers: Labels, strengths: npt.NDArray[np.uint8]) -> None:
        """Flood from the markers, in place, until each pixel has a label."""
        self._flood(markers, np.flatnonzero(markers < 0), smooth(strengths))

    def refine(self, labels: Labels, image: Image) -> Labels:
        """Find the borders again on a larger picture, by the levels of its channels.

        All but a band along the borders is kept, one small pixel to either side, and flooded into
        the band. Regions that are connected at sides stay so: no core is empty or in two pieces.

        Parameters
        ----------
        labels : (h, w) int32
        image : (H, W, 3) uint8
            C-contiguous, the next picture of the pyramid.
        """
        cores = labels.copy()
        peel(_beside_borders(labels), labels, cores)
        large: Labels = np.empty(image.shape[:2], np.int32)
        places = self._enlarge(cores, large)
        if self._heights.size < large.size:
            self._heights = np.empty(large.size, np.uint8)
        heights = self._heights[: large.size].reshape(large.shape)
        self._measure(places, image.transpose(2, 0, 1), 1, _FULL_LEVELS, heights)
        self._flood(large, places, heights)
        return large

    def _enlarge(self, labels: Labels, large: Labels) -> Places:
        """Write the labels at the larger size; return the pixels that have none."""
        height, width = large.shape
        if (height // 2, width // 2) != labels.shape:
            cv2.resize(labels, (width, height), large, interpolation=cv2.INTER_NEAREST_EXACT)
            return np.flatnonzero(large < 0)
        if self._places.size < large.size:
            self._places = np.empty(large.size, np.int64)
        return self._places[: enlarge(labels, large, self._places)]

    def _measure(
        self,
        places: Places,
        planes: npt.NDArray[Any],
        reach: int,
        full: np.float32,
        heights: npt.NDArray[np.uint8],
    ) -> None:
        run_in_threads(
            self._threads, measure_edges, len(places), places, planes, reach, full, heights
        )

    def _flood(self, labels: Labels, places: Places, heights: npt.NDArray[np.uint8]) -> None:
        if self._following.size < labels.size:
            self._following = np.empty(labels.size, np.int32)
        width = labels.shape[1]
        flood(places, heights.reshape(-1), labels.reshape(-1), width, self._following)


def _beside_borders(labels: Labels) -> Places:
    """Return the pixels that have another label beside, above or below them."""
    beside = np.zeros(labels.shape, np.bool_)
    differs = labels[:, :-1] != labels[:, 1:]
    beside[:, :-1] |= differs
    beside[:, 1:] |= differs
    differs = labels[:-1] != labels[1:]
    beside[:-1] |= differs
    beside[1:] |= differs
    return np.flatnonzero(beside)
