"""Collect the history of a clip of any length in bounded memory, for its page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from livekm.core.image_scaling import scaled_image
from livekm.core.segmentation import Segmentation
from livekm.figures.ghost import painted
from livekm.frame import Frame, Image

_MOST_BINS = 2048  # more than a page is wide in pixels
_MOST_IDS = 512  # of those that have the largest share of the clip; two clips of k = 256
_MOST_SAMPLES = 16
_LONGEST_SIDE = 360  # of a sample in pixels


@dataclass(frozen=True, slots=True)
class SampleFrame:
    """A frame of the history, scaled down."""

    time: float
    image: Image
    painted: Image
    is_cut: bool


@dataclass(slots=True)
class _Thing:
    """One id: when it is there, and its colour, weighted by its share."""

    first: float
    last: float
    share: float
    color: npt.NDArray[np.float64]
    name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """The shares of the ids over time, those with the largest share of the clip.

    Attributes
    ----------
    ids : (m,) int64
    colors : (m, 3) uint8, BGR
        The mean colour of each id over the whole clip.
    shares : (n, m) float64
        The mean share of each id in each bin.
    names : list of str
        The name of each id, or its number.
    first, last : (m,) float64
        When each id is there for the first and the last time, in seconds.
    """

    ids: npt.NDArray[np.int64]
    colors: npt.NDArray[np.uint8]
    shares: npt.NDArray[np.float64]
    first: npt.NDArray[np.float64]
    last: npt.NDArray[np.float64]
    names: list[str]


class History:
    """Collects the shares of the ids and the error over time, the cuts, and some frames.

    Frames are averaged in bins of the same number of frames. When there are too many bins, each two
    become one of twice as many frames; every second sample frame is dropped likewise.

    Attributes
    ----------
    n_frames : int
    n_clusters : int
        The largest k.
    last_time : float
        When the last frame began, in seconds.
    cuts : list of float
        Their times in seconds.
    size : (int, int) or None
        Width and height of the last frame.

    Examples
    --------
    >>> from livekm import Segmenter
    >>> image = np.zeros((2, 2, 3), np.uint8)
    >>> history, segmentation = History(), Segmenter(1).update(image)
    >>> for index in range(5000):
    ...     history.append(Frame(image, index, index / 25), segmentation)
    >>> len(history.times), float(history.times[1]), len(history.samples) <= 16
    (1250, 0.16, True)
    """

    def __init__(self) -> None:
        self.n_frames: int = 0
        self.n_clusters: int = 0
        self.last_time: float = 0.0
        self.cuts: list[float] = []
        self.size: tuple[int, int] | None = None
        self._stride = 1  # frames in a bin
        self._times: list[float] = []
        self._errors: list[float] = []  # sums over the frames of each bin
        self._shares: list[dict[int, float]] = []  # likewise, by id
        self._things: dict[int, _Thing] = {}
        self._sample_stride = 1
        self._samples: list[SampleFrame] = []
        self._cut_samples: list[SampleFrame] = []

    def append(self, frame: Frame, segmentation: Segmentation) -> None:
        """Add the next frame."""
        if self.n_frames == _MOST_BINS * self._stride:
            self._halve()
        if self.n_frames % self._stride == 0:
            self._times.append(frame.time)
            self._errors.append(0.0)
            self._shares.append({})
        self._errors[-1] += segmentation.mse
        self._note_shares(frame.time, segmentation)
        if segmentation.scene_cut:
            self.cuts.append(frame.time)
        self._keep(frame, segmentation)
        self.n_frames += 1
        self.n_clusters = max(self.n_clusters, segmentation.n_clusters)
        self.last_time = frame.time
        self.size = frame.image.shape[1], frame.image.shape[0]

    def _note_shares(self, time: float, segmentation: Segmentation) -> None:
        bin_shares = self._shares[-1]
        rows = zip(
            segmentation.ids.tolist(),
            segmentation.shares.tolist(),
            segmentation.palette.astype(np.float64),
            segmentation.names,
            strict=True,
        )
        for key, share, color, name in rows:
            if not share:
                continue
            bin_shares[key] = bin_shares.get(key, 0.0) + share
            thing = self._things.setdefault(key, _Thing(time, time, 0.0, np.zeros(3)))
            thing.last, thing.name = time, name or thing.name
            thing.share += share
            thing.color += share * color

    def _halve(self) -> None:
        self._times = self._times[::2]
        self._errors = [a + b for a, b in zip(self._errors[::2], self._errors[1::2], strict=True)]
        pairs = zip(self._shares[::2], self._shares[1::2], strict=True)
        self._shares = [
            {key: a.get(key, 0.0) + b.get(key, 0.0) for key in a.keys() | b.keys()}
            for a, b in pairs
        ]
        self._stride *= 2

    def _keep(self, frame: Frame, segmentation: Segmentation) -> None:
        is_cut = segmentation.scene_cut
        is_due = self.n_frames % self._sample_stride == 0
        if not (is_due or is_cut):
            return
        colors = _small(painted(frame.image, segmentation))
        sample = SampleFrame(frame.time, _small(frame.image), colors, is_cut)
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
        return np.array(self._times)

    @property
    def end(self) -> float:
        """The end of the last frame in seconds, if it lasts as long as the mean of the others."""
        if self.n_frames < 2:
            return self.last_time + 1
        span = self.last_time - self._times[0]
        return self.last_time + span / (self.n_frames - 1)

    @property
    def _weights(self) -> npt.NDArray[np.float64]:
        """(n,), the number of frames in each bin."""
        weights = np.full(len(self._times), float(self._stride))
        weights[-1:] = self.n_frames - self._stride * (len(self._times) - 1)
        return weights

    @property
    def errors(self) -> npt.NDArray[np.float64]:
        """(n,), the mean mse of each bin."""
        return np.array(self._errors) / self._weights

    def course(self) -> Course:
        """Return how the shares of the ids went."""
        ids = sorted(self._things, key=lambda key: -self._things[key].share)[:_MOST_IDS]
        things = [self._things[key] for key in ids]
        column = {key: number for number, key in enumerate(ids)}
        shares = np.zeros((len(self._times), len(ids)))
        for row, by_id in zip(shares, self._shares, strict=True):
            for key, share in by_id.items():
                if key in column:
                    row[column[key]] = share
        colors = np.array([thing.color / thing.share for thing in things]).reshape(-1, 3)
        return Course(
            np.array(ids, np.int64),
            np.rint(colors).clip(0, 255).astype(np.uint8),
            shares / self._weights[:, np.newaxis],
            np.array([thing.first for thing in things]),
            np.array([thing.last for thing in things]),
            [thing.name or str(key) for key, thing in zip(ids, things, strict=True)],
        )

    @property
    def samples(self) -> list[SampleFrame]:
        """Frames that are evenly spaced, and frames after cuts, at most 32 in all."""
        return sorted([*self._samples, *self._cut_samples], key=lambda sample: sample.time)


def _small(image: Image) -> Image:
    return scaled_image(image, min(1.0, _LONGEST_SIDE / max(image.shape[:2])))
