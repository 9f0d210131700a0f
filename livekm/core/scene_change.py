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
_ALIKE_COLORS = 0.7  # and of its channels,
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
    are nothing but smooth 0.1 in the mean; 0.33 and more of mottled pictures of which a half was
    painted over, or that are twice as bright. Blocks that are flat do not count. Greys alone
    would take a picture of other colours with borders in the same places for the same one.
    """
    a, b = _blocks(_grey(before)), _blocks(_grey(after))
    tells = np.maximum(_deviations(a), _deviations(b)) > _FLAT
    if tells.size == 0 or np.count_nonzero(tells) < _TELL * tells.size:
        return 0.0
    goes_on = _are_alike(a[tells], b[tells], _ALIKE)
    a, b = _blocks(before)[tells], _blocks(after)[tells]
    return float((goes_on & _are_alike(a, b, _ALIKE_COLORS)).mean())


def _are_alike(
    a: npt.NDArray[np.float32], b: npt.NDArray[np.float32], least: float
) -> npt.NDArray[np.bool_]:
    """Tell of pairs of blocks whether they correlate."""
    return np.asarray((a * b).mean(axis=1) > least * _deviations(a) * _deviations(b))


def _deviations(blocks: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(np.sqrt((blocks * blocks).mean(axis=1)))


def _grey(pixels: Image) -> Image:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8)[:, :, np.newaxis]


def _blocks(pixels: Image) -> npt.NDArray[np.float32]:
    """Return the levels of each block around their mean of each channel, (number, size)."""
    channels = pixels.shape[2]
    if len(pixels) == 1:  # pixels that count, in the order of rows
        pixels = pixels.reshape(-1, 1, channels)
        rows, columns = max(_LEAST**2, len(pixels) // _GRID**2), 1
    else:
        rows, columns = (max(_LEAST, side // _GRID) for side in pixels.shape[:2])
    height, width = pixels.shape[0] // rows, pixels.shape[1] // columns
    whole = pixels[: height * rows, : width * columns].astype(np.float32)
    tiles = whole.reshape(height, rows, width, columns, channels).transpose(0, 2, 4, 1, 3)
    blocks = tiles.reshape(height * width, channels, rows * columns)
    around = blocks - blocks.mean(axis=2, keepdims=True)
    return np.asarray(around.reshape(height * width, channels * rows * columns))
