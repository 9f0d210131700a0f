"""Collect the history of a clip of any length in bounded memory, for its page."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from livekm.core.segmentation import Segmentation
from livekm.frame import Frame, Image

_MOST_BINS = 2048  # more than a page is wide in pixels
_MOST_SAMPLES = 16
_LONGEST_SIDE = 360  # of a sample in pixels


@dataclass(frozen=True, slots=True)
class SampleFrame:
    """A frame of the history, scaled down."""

    time: float
    image: Image
    painted: Image
    is_cut: bool


class History:
    """Collects shares, colours and error over time, the cuts, and some frames.

    Frames are averaged in bins of the same number of frames. When there are too many bins, each two
    become one of twice as many frames; every second sample frame is dropped likewise.

    Attributes
    ----------
    n_frames : int
    cuts : list of float
        Their times in seconds.
    size : (int, int) or None
        Width and height of the last frame.

    Examples
    --------
    >>> from livekm import Segmenter
    >>> history, segmenter = History(), Segmenter(2, random_state=0)
    >>> for index in range(5000):
    ...     image = np.full((2, 2, 3), index // 20, np.uint8)
    ...     history.append(Frame(image, index, index / 25), segmenter.update(image))
    >>> len(history.times), float(history.times[1]), len(history.samples) <= 16
    (1250, 0.16, True)
    """

    def __init__(self) -> None:
        self.n_frames = 0
        self.cuts: list[float] = []
        self.size: tuple[int, int] | None = None
        self._stride = 1  # frames in a bin
        self._n_bins = 0
        self._k = 0
        self._last_time = 0.0
        self._times = np.zeros(_MOST_BINS)
        self._errors = np.zeros(_MOST_BINS)
        self._shares = np.zeros((_MOST_BINS, 256), np.float32)
        self._colors = np.zeros((_MOST_BINS, 256, 3), np.float32)  # weighted by the shares
        self._sample_stride = 1
        self._samples: list[SampleFrame] = []
        self._cut_samples: list[SampleFrame] = []

    def append(self, frame: Frame, segmentation: Segmentation) -> None:
        """Add the next frame."""
        number = self.n_frames // self._stride
        if number == _MOST_BINS:
            self._halve()
            number = self.n_frames // self._stride
        if self.n_frames % self._stride == 0:
            self._times[number] = frame.time
            self._n_bins = number + 1
        k = segmentation.n_clusters
        shares = segmentation.shares.astype(np.float32)
        self._shares[number, :k] += shares
        self._colors[number, :k] += shares[:, np.newaxis] * segmentation.palette
        self._errors[number] += segmentation.mse
        self._k = max(self._k, k)
        if segmentation.scene_cut:
            self.cuts.append(frame.time)
        self._keep(frame, segmentation)
        self.n_frames += 1
        self._last_time = frame.time
        self.size = frame.image.shape[1], frame.image.shape[0]

    def _halve(self) -> None:
        half = _MOST_BINS // 2
        self._times[:half] = self._times[::2]
        for sums in (self._errors, self._shares, self._colors):
            sums[:half] = sums[::2] + sums[1::2]
            sums[half:] = 0
        self._stride *= 2
        self._n_bins = half

    def _keep(self, frame: Frame, segmentation: Segmentation) -> None:
        is_cut = segmentation.scene_cut
        is_due = self.n_frames % self._sample_stride == 0
        if not (is_due or is_cut):
            return
        painted = _small(segmentation.paint())
        sample = SampleFrame(frame.time, _small(frame.image), painted, is_cut)
        if is_due:
            self._samples.append(sample)
            if len(self._samples) > _MOST_SAMPLES:
                del self._samples[1::2]
                self._sample_stride *= 2
        if is_cut:
            self._cut_samples.append(sample)
            if len(self._cut_samples) > _MOST_SAMPLES:
                del self._cut_samples[1::2]

    @property
    def times(self) -> npt.NDArray[np.float64]:
        """(n,), the beginning of each bin, in seconds."""
        return self._times[: self._n_bins]

    @property
    def end(self) -> float:
        """The end of the last frame in seconds, if it lasts as long as the mean of the others."""
        if self.n_frames < 2:
            return self._last_time + 1
        span = self._last_time - float(self._times[0])
        return self._last_time + span / (self.n_frames - 1)

    @property
    def _weights(self) -> npt.NDArray[np.float64]:
        """(n,), the number of frames in each bin."""
        weights = np.full(self._n_bins, float(self._stride))
        weights[-1:] = self.n_frames - self._stride * (self._n_bins - 1)
        return weights

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """(n, k), the mean share of each segment in each bin."""
        return np.asarray(self._shares[: self._n_bins, : self._k] / self._weights[:, np.newaxis])

    @property
    def errors(self) -> npt.NDArray[np.float64]:
        """(n,), the mean mse of each bin."""
        return np.asarray(self._errors[: self._n_bins] / self._weights)

    @property
    def colors(self) -> npt.NDArray[np.uint8]:
        """(n, k, 3) BGR, the mean colour of each segment in each bin."""
        return _mean_colors(
            self._colors[: self._n_bins, : self._k], self._shares[: self._n_bins, : self._k]
        )

    @property
    def palette(self) -> npt.NDArray[np.uint8]:
        """(k, 3) BGR, the mean colour of each segment."""
        return _mean_colors(
            self._colors[: self._n_bins, : self._k].sum(axis=0, dtype=np.float64),
            self._shares[: self._n_bins, : self._k].sum(axis=0, dtype=np.float64),
        )

    @property
    def samples(self) -> list[SampleFrame]:
        """Frames that are evenly spaced, and frames after cuts, at most 32 in all."""
        return sorted([*self._samples, *self._cut_samples], key=lambda sample: sample.time)


def _mean_colors(
    sums: npt.NDArray[np.floating], weights: npt.NDArray[np.floating]
) -> npt.NDArray[np.uint8]:
    means = sums / np.maximum(weights, 1e-12)[..., np.newaxis]
    return np.asarray(np.rint(means).clip(0, 255), np.uint8)


def _small(image: Image) -> Image:
    height, width = image.shape[:2]
    scale = min(1.0, _LONGEST_SIDE / max(height, width))
    size = max(1, round(scale * width)), max(1, round(scale * height))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
