"""Regions grown from markers over the edges of a picture."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from livekm.core.buffers import BufferPool
from livekm.core.kernels import flood, measure_edges, peel
from livekm.core.threads import Workers
from livekm.frame import Image
from livekm.regions.pictures import LAB_UNITS, lab_planes, smooth, sum_of_nine

_FULL_LAB = np.float32(25.0 * 9 * LAB_UNITS)  # of sums of nine
_FULL_LEVELS = np.float32(240.0)

Labels = npt.NDArray[np.int32]
Places = npt.NDArray[np.int64]


class Watershed:
    """Floods pictures of any sizes, and keeps the memory for the next frame's.

    Parameters
    ----------
    workers : Workers
    """

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._pool = BufferPool()
        self._following = np.empty(0, np.int32)
        self._heights = np.empty(0, np.uint8)

    def measure(
        self, planes: npt.NDArray[np.int16], places: Places | None = None
    ) -> npt.NDArray[np.uint8]:
        """Return how strong the edge is at each pixel, or at some places: 255 at 25 Lab units.

        Parameters
        ----------
        planes : (3, H, W) int16
            L*, a* and b*, as `lab_planes` gives them.
        places : (p,) int64, optional
            Pixels, numbered row by row; elsewhere it is 0.
        """
        strengths = np.zeros(planes.shape[1:], np.uint8)
        if places is None:
            places = np.arange(strengths.size)
        sums = sum_of_nine(planes)
        self._workers.run(measure_edges, len(places), places, sums, 2, _FULL_LAB, strengths)
        return strengths

    def grow(self, markers: Labels, strengths: npt.NDArray[np.uint8]) -> None:
        """Flood from the markers, in place, until each pixel has a label."""
        self._flood(markers, np.flatnonzero(markers < 0), smooth(strengths))

    def refine(self, labels: Labels, image: Image, *, lab: bool) -> Labels:
        """Find the borders again on a larger picture.

        All but a band along the borders is kept, one small pixel to either side, and flooded into
        the band. Regions that are connected at sides stay so: no core is empty or in two pieces.

        Parameters
        ----------
        labels : (h, w) int32
        image : (H, W, 3) uint8
            C-contiguous, the next picture of the pyramid.
        lab : bool
            Whether edges are measured in Lab, on a smoothed picture, as those of the small
            picture, or by the levels.
        """
        cores = labels.copy()
        peel(_beside_borders(labels), labels, cores)
        large: Labels = self._pool.take(image.shape[:2], np.int32)
        _enlarge(cores, large)
        places = np.flatnonzero(large < 0)
        if lab:
            near = cv2.dilate((large < 0).view(np.uint8), np.ones((7, 7), np.uint8))
            planes = lab_planes(smooth(image), self._workers)
            strengths = self.measure(planes, np.flatnonzero(near))
            self._flood(large, places, smooth(strengths))
            return large
        if self._heights.size < large.size:
            self._heights = np.empty(large.size, np.uint8)
        heights = self._heights[: large.size].reshape(large.shape)
        levels: npt.NDArray[Any] = image.transpose(2, 0, 1)
        self._workers.run(measure_edges, len(places), places, levels, 1, _FULL_LEVELS, heights)
        self._flood(large, places, heights)
        return large

    def _flood(self, labels: Labels, places: Places, heights: npt.NDArray[np.uint8]) -> None:
        if self._following.size < labels.size:
            self._following = np.empty(labels.size, np.int32)
        width = labels.shape[1]
        flood(places, heights.reshape(-1), labels.reshape(-1), width, self._following)


def _enlarge(labels: Labels, large: Labels) -> None:
    """Repeat pixels: twice, where that comes to the size or one pixel less."""
    height, width = large.shape
    h, w = labels.shape
    if (height // 2, width // 2) == (h, w):
        height, width = 2 * h, 2 * w  # `pyramid` leaves the odd pixel out
    part = large[:height, :width]
    cv2.resize(labels, (width, height), part, interpolation=cv2.INTER_NEAREST_EXACT)
    large[height:, :width] = part[-1]
    large[:, width:] = large[:, width - 1 : width]


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
