"""How much the scene has changed: cuts, and slow drift."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from livekm.frame import Image

_LEVELS = 20.0  # mean change of a pixel at a cut, at the least, in grey levels,
_TIMES = 3.0  # and as a multiple of what is usual,
_SHARE = 0.1  # while so much of the colour histogram moves


class SceneChange:
    """Compares each frame with the one before and with one that was marked.

    A cut is a frame whose pixels and whose colours both change far more than is usual; the mean
    change follows the scene, as in PySceneDetect's adaptive detector, but from the past alone.
    """

    def __init__(self) -> None:
        self._pixels: Image | None = None
        self._histogram: npt.NDArray[np.float64] | None = None
        self._marked: npt.NDArray[np.float64] | None = None
        self._usual = 0.0

    def observe(self, pixels: Image) -> bool:
        """Take the sampled (h, w, 3) pixels of the next frame and tell whether it is a cut."""
        histogram = _histogram(pixels)
        cut = False
        if self._pixels is not None and self._histogram is not None:
            moved = _distance(histogram, self._histogram)
            if self._pixels.shape == pixels.shape:
                change = float(np.mean(cv2.mean(cv2.absdiff(pixels, self._pixels))[:3]))
                cut = change > max(_LEVELS, _TIMES * self._usual) and moved > _SHARE
                if not cut:
                    self._usual += 0.2 * (change - self._usual)
            else:
                cut = moved > 3 * _SHARE
        self._pixels, self._histogram = pixels, histogram
        return cut

    @property
    def drift(self) -> float:
        """The share of the pixels' colours, 0 to 1, that differs from the marked frame's."""
        if self._histogram is None or self._marked is None:
            return 1.0
        return _distance(self._histogram, self._marked)

    def mark(self) -> None:
        """Measure drift from the latest frame on."""
        self._marked = self._histogram


def _histogram(pixels: Image) -> npt.NDArray[np.float64]:
    """Return the shares of 8 x 8 x 8 colours."""
    counts = cv2.calcHist([pixels], [0, 1, 2], None, [8, 8, 8], [0, 256] * 3)
    return np.asarray(counts.reshape(-1) / (pixels.size // 3), np.float64)


def _distance(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    return float(np.abs(a - b).sum()) / 2
