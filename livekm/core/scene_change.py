"""How much the scene has changed: cuts, and slow drift."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from livekm.core.places import Places, shared
from livekm.frame import Image

Histogram = npt.NDArray[np.float64]
"""(512,) float64, the shares of 8 x 8 x 8 colours."""

_LEVELS = 20.0  # mean change of a pixel at a cut, at the least, in grey levels,
_TIMES = 3.0  # and as a multiple of what is usual,
_SHARE = 0.1  # while so much of the colour histogram moves,
_GOES_ON = 0.2  # and less than this part of the picture goes on.
_GRID = 12  # blocks a side tell what goes on, at the most,
_LEAST = 6  # of so many pixels a side at the least:
_ALIKE = 0.9  # correlation of a block's greys from which on it does,
_FLAT = 4.0  # and their deviation below which it tells nothing.
_TELL = 1 / 3  # Where fewer of them tell, none does


class SceneChange:
    """Compares each frame with the one before, and with any that is remembered by its histogram.

    A cut is a frame whose pixels and whose colours both change far more than is usual; the mean
    change follows the scene, as in PySceneDetect's adaptive detector, but from the past alone. It
    is none where the pattern of the picture goes on: what flashes, fades in, or is damaged in
    parts, is the same scene.

    Attributes
    ----------
    histogram : (512,) float64 or None
        Of the latest frame; None before the first.
    """

    def __init__(self, usual: float = 15.0) -> None:
        self._most = usual
        self.histogram: Histogram | None = None
        self._pixels: Image | None = None
        self._places: Places | None = None
        self._usual = 0.0

    def observe(self, pixels: Image, places: Places | None = None) -> bool:
        """Take the sampled (h, w, 3) pixels of the next frame and tell whether it is a cut.

        Where not all pixels count, `places` tells which of them these are.
        """
        histogram = _histogram(pixels)
        cut = False
        if self._pixels is not None and self.histogram is not None:
            moved = _distance(histogram, self.histogram)
            both = self._both(pixels, places)
            if both is not None:
                change = float(np.mean(cv2.mean(cv2.absdiff(*both))[:3]))
                cut = (
                    change > max(_LEVELS, _TIMES * self._usual)
                    and moved > _SHARE
                    and _going_on(*both) < _GOES_ON
                )
                if not cut:
                    self._usual += 0.2 * (change - self._usual)
                    self._usual = min(self._usual, self._most)
            else:
                cut = moved > 3 * _SHARE
        self._pixels, self._places, self.histogram = pixels, places, histogram
        return cut

    def _both(self, pixels: Image, places: Places | None) -> tuple[Image, Image] | None:
        """Return what the last two frames show in the same places, if that is enough to compare."""
        assert self._pixels is not None
        places_of_both = shared(self._places, places)
        if places_of_both is None:
            return None
        before, after = (
            image[:, at] for image, at in zip((self._pixels, pixels), places_of_both, strict=True)
        )
        return (before, after) if before.shape == after.shape else None

    def drift(self, since: Histogram | None) -> float:
        """Return the share of the pixels, 0 to 1, whose colours differ from those of `since`."""
        if self.histogram is None or since is None:
            return 1.0
        return _distance(self.histogram, since)


def _histogram(pixels: Image) -> Histogram:
    counts = cv2.calcHist([pixels], [0, 1, 2], None, [8, 8, 8], [0, 256] * 3)
    return np.asarray(counts.reshape(-1) / (pixels.size // 3), np.float64)


def _distance(a: Histogram, b: Histogram) -> float:
    return float(np.abs(a - b).sum()) / 2


def _going_on(before: Image, after: Image) -> float:
    """Return the share of the blocks whose pattern is the same, whatever the light makes of it.

    Between pictures of five clips and three photographs it was 0.02 at most, between pictures that
    are nothing but smooth 0.1 in the mean; 0.22 and more in 95 % of those of which a fifth to
    three fifths were painted over, and 0.45 in the mean of flashes (1.4 to 3 times as bright, up
    to 100 levels more). Blocks that are flat do not count.
    """
    a, b = _blocks(before), _blocks(after)
    deviations = np.sqrt((a * a).mean(axis=1)), np.sqrt((b * b).mean(axis=1))
    tells = np.maximum(*deviations) > _FLAT
    if np.count_nonzero(tells) < _TELL * tells.size:
        return 0.0
    alike = (a * b).mean(axis=1) > _ALIKE * deviations[0] * deviations[1]
    return float(alike[tells].mean())


def _blocks(pixels: Image) -> npt.NDArray[np.float32]:
    """Return the greys of each block around their mean, (number, size)."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY).astype(np.float32)
    if grey.shape[0] == 1:  # pixels that count, in the order of rows
        grey = grey.reshape(-1, 1)
        rows, columns = max(_LEAST**2, len(grey) // _GRID**2), 1
    else:
        rows, columns = (max(_LEAST, side // _GRID) for side in grey.shape)
    height, width = grey.shape[0] // rows, grey.shape[1] // columns
    whole = grey[: height * rows, : width * columns]
    tiles = whole.reshape(height, rows, width, columns).swapaxes(1, 2)
    blocks = tiles.reshape(height * width, rows * columns)
    return np.asarray(blocks - blocks.mean(axis=1, keepdims=True))
