"""Streaming k-means over the frames of a video."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from livekm.core.buffers import BufferPool
from livekm.core.colorspace import COLOR_SPACES, to_features
from livekm.core.fixed_centers import FixedCenters
from livekm.core.identity import Colors, Identity
from livekm.core.labeler import Labeler
from livekm.core.sample import Centers, binary_places
from livekm.core.sampling import Lattice
from livekm.core.seeding import SEEDINGS, Seeding
from livekm.core.segmentation import Segmentation
from livekm.core.threads import Workers, available_cores
from livekm.core.trainer import Trainer
from livekm.errors import UsageError
from livekm.frame import Image
from livekm.validation import check_image, check_number, check_range, named

_MAX_THREADS = 8  # more do not pay: the memory is the limit
_MAX_WEIGHT = 4.0  # beyond it, scores are no longer exact in float32
_MAX_FIT = 2**21  # pixels that `fit` trains on; 40 bytes each


class Segmenter:
    """Segments each frame of a stream into k colours that stay the same from frame to frame.

    Each frame's centers start from the last frame's, are trained on a sample of its pixels, and
    then label every pixel. See docs/engine.md for the algorithm.

    Parameters
    ----------
    n_clusters : int, default 8
        k, from 1 to 256.
    color_space : {"bgr", "lab", "hsv"}, default "bgr"
        Where distances are measured.
    hysteresis : float, default 2.0
        A pixel keeps its last label until it lies this far, in units of the feature space (grey
        levels in BGR), beyond the border between the old center and the new one, or until that
        adds more to its squared distance than the frame's mse. 0 gives each pixel exactly its
        nearest center.
    steadiness : float, default 0.5
        Where quality on each frame and labels that last conflict: from 0, each frame as good as
        k-means run to convergence, to 1, no label is given to something else while a shot lasts.
    spatial_weight : float, default 0.0
        How much a pixel's place counts beside its colour, from 0 to 4: at 1.0 the way across the
        longer side of the image counts like the way from black to white in one channel.
    smoothing : int, default 0
        How often a majority filter goes over the labels, from 0 to 8: a pixel takes the label that
        at least five of its eight neighbours share. Speckles go, straight edges stay.
    seeding : {"k-means++", "random", "random-partition"} or callable, default "k-means++"
        How centers start: a name, or a function of (n, d) points, k and a random generator that
        returns (k, d) centers.
    random_state : int or None, default None
        The same number, input and options give the same bytes, whatever the number of threads.
    threads : int or None, default None
        Threads that label; None takes the processors that are there, up to 8.
    sample_size : int, default 16384
        About how many pixels of a frame the centers are trained on.

    Raises
    ------
    ValueError, TypeError
        For a parameter out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> segmenter = Segmenter(n_clusters=2, random_state=0)
    >>> image = np.zeros((4, 6, 3), np.uint8)
    >>> image[:, 3:] = 255
    >>> segmentation = segmenter.update(image)
    >>> sorted(segmentation.counts.tolist()), segmentation.mse
    ([12, 12], 0.0)
    """

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        color_space: str = "bgr",
        hysteresis: float = 2.0,
        steadiness: float = 0.5,
        spatial_weight: float = 0.0,
        smoothing: int = 0,
        seeding: str | Seeding = "k-means++",
        random_state: int | None = None,
        threads: int | None = None,
        sample_size: int = 16384,
    ) -> None:
        check_range("n_clusters", n_clusters, 1, 256)
        check_range("threads", 1 if threads is None else threads, 1, 256)
        check_range("smoothing", smoothing, 0, 8)
        check_range("sample_size", sample_size, 256, 2**24)
        self._n_clusters = int(n_clusters)
        self.hysteresis = hysteresis
        self._steadiness = check_number("steadiness", steadiness, 1)
        self._identity = Identity()
        self._space = named("color_space", color_space, COLOR_SPACES)
        self._smoothing = int(smoothing)
        self._spatial_weight = check_number("spatial_weight", spatial_weight, _MAX_WEIGHT)
        self._seeding = seeding if callable(seeding) else named("seeding", seeding, SEEDINGS)
        self._rng = np.random.default_rng(random_state)
        self._sample_size = int(sample_size)
        self._workers = Workers(threads or min(available_cores(), _MAX_THREADS))
        self._pool = BufferPool()
        self._labeler = Labeler(self._workers, self._pool)
        self._palette: npt.NDArray[np.uint8] | None = None
        self._planes: npt.NDArray[Any] = np.empty((3, 0, 0), np.uint8)
        self._lattice = Lattice()
        self.reset()

    @property
    def n_clusters(self) -> int:
        """The number of clusters k."""
        return self._n_clusters

    @property
    def color_space(self) -> str:
        """The name of the space where distances are measured."""
        return self._space.name

    @property
    def hysteresis(self) -> float:
        """How far beyond a border a pixel keeps its label; may be set at any time."""
        return self._hysteresis

    @hysteresis.setter
    def hysteresis(self, value: float) -> None:
        self._hysteresis = check_number("hysteresis", value, 255)

    @property
    def steadiness(self) -> float:
        """How much labels that last count beside quality on each frame; may be set at any time."""
        return self._steadiness

    @steadiness.setter
    def steadiness(self, value: float) -> None:
        self._steadiness = check_number("steadiness", value, 1)
        if isinstance(self._trainer, Trainer):
            self._trainer.steadiness = self._steadiness

    @property
    def palette(self) -> npt.NDArray[np.uint8] | None:
        """The fixed colours, (k, 3) uint8 BGR, or None where they follow the scene."""
        return self._palette

    def reset(self) -> None:
        """Forget everything that was seen: the next frame starts anew."""
        self._identity.forget()
        self._restart()

    def _restart(self) -> None:
        """Begin anew with the options as they are now, and let ids come back."""
        self._trainer: Trainer | FixedCenters
        places = binary_places(self._reach)
        if self._palette is None:
            self._trainer = Trainer(
                self._n_clusters,
                self._seeding,
                self._rng,
                places,
                to_colors=self._to_colors,
                identity=self._identity,
                steadiness=self._steadiness,
            )
        else:
            features = to_features(self._palette[np.newaxis], self.color_space)[0]
            centers = features.T * np.float32(self._space.units)
            centers = np.ascontiguousarray(centers)
            self._trainer = FixedCenters(centers, places, self._identity)
            self._identity.start(self._palette.astype(np.float64), in_order=True)
        self._labeler.forget()

    def set_palette(self, palette: npt.NDArray[np.uint8] | None) -> None:
        """Fix the colours from the next frame on; nothing is trained then.

        Each pixel gets the nearest of the colours in the colour space, or with `hysteresis` the
        label it had while that is near enough. k becomes their number.

        Parameters
        ----------
        palette : (k, 3) uint8, BGR, or None
            From 1 to 256 colours; None lets them follow the scene again, from where they are.

        Raises
        ------
        ValueError
            If there are more colours or none, or if places count, which fixed colours do not have.

        Examples
        --------
        >>> import numpy as np
        >>> segmenter = Segmenter()
        >>> segmenter.set_palette(np.array([(0, 0, 0), (255, 255, 255)], np.uint8))
        >>> segmenter.update(np.full((1, 2, 3), (90, 200, 40), np.uint8)).labels
        array([[0, 0]], dtype=uint8)
        """
        if palette is not None:
            colors = np.array(palette)
            if colors.dtype != np.uint8 or colors.ndim != 2 or colors.shape[1] != 3:
                raise ValueError(f"palette must be (k, 3) uint8, got {colors.shape} {colors.dtype}")
            if self._spatial_weight > 0:
                raise UsageError("a palette fixes colours alone: spatial_weight must be 0")
            check_range("the palette's number of colours", len(colors), 1, 256)
            self._n_clusters = len(colors)
            palette = colors
        elif self._palette is None:
            return  # they follow it already
        before, self._palette = self._trainer, palette
        self._restart()
        if isinstance(before, FixedCenters) and isinstance(self._trainer, Trainer) and before.seen:
            self._trainer.go_on(before.centers, *before.seen)

    def set_color_space(self, name: str) -> None:
        """Measure distances in another space from the next frame on, which starts anew."""
        self._space = named("color_space", name, COLOR_SPACES)
        self._restart()

    def set_n_clusters(self, n_clusters: int) -> npt.NDArray[np.uint8]:
        """Change k: split or merge clusters one by one and leave the others as they are.

        Returns
        -------
        slots : (256,) uint8
            The label that each old label has from now on.
        """
        check_range("n_clusters", n_clusters, 1, 256)
        if self._palette is not None:
            raise UsageError("the palette fixes the number of clusters; set_palette(None) frees it")
        assert isinstance(self._trainer, Trainer)
        self._n_clusters = int(n_clusters)
        slots = self._trainer.resize(self._n_clusters)
        self._labeler.rename(slots)
        return slots

    def update(self, image: npt.NDArray[np.uint8]) -> Segmentation:
        """Segment the next frame.

        Parameters
        ----------
        image : (H, W, 3) uint8, BGR
            Any strides, read-only or not. The size may change from frame to frame.

        Returns
        -------
        segmentation : Segmentation
            Its arrays stay as they are for as long as they are held.

        Raises
        ------
        ValueError, TypeError
            If `image` is not such an array.
        """
        pixels = self._load(image)
        points, sampled = self._draw(pixels, self._stride(*pixels.shape[:2]))
        cut = self._trainer.step(points, sampled)
        return self._label(cut)

    def fit(self, image: npt.NDArray[np.uint8], max_iterations: int = 300) -> Segmentation:
        """Segment one image by k-means over all of its pixels, run until it converges.

        The textbook's job: start the centers, assign each pixel to its nearest center, move each
        center to the mean of its pixels, and repeat until no pixel changes its cluster or
        `max_iterations` is reached. The start is the best of several that were tried on a sample
        of the pixels. Of images above two million pixels, every second row and column is trained
        on, or every third, and so on. Forgets what was seen before.

        Parameters
        ----------
        image : (H, W, 3) uint8, BGR
        max_iterations : int, default 300
        """
        check_range("max_iterations", max_iterations, 0, 2**31)
        self.reset()
        pixels = self._load(image)
        points, sampled = self._draw(pixels, self._stride(*pixels.shape[:2]))
        self._trainer.step(points, sampled)
        if max_iterations:
            points, _ = self._draw(pixels, math.ceil(math.sqrt(pixels.size / 3 / _MAX_FIT)))
            self._trainer.converge(points, max_iterations)
        return self._label(cut=False)

    def _load(self, image: npt.NDArray[np.uint8]) -> Image:
        """Check the image, split it into the planes, and return it C-contiguous."""
        check_image(image)
        pixels = image
        if not (image.flags.c_contiguous and image.flags.writeable):
            # Kernels are compiled for one kind of array; another would be compiled in mid-stream.
            pixels = self._pool.take(image.shape, np.uint8)
            np.copyto(pixels, image)
        shape = (3, *image.shape[:2])
        if self._planes.shape != shape or self._planes.dtype != self._space.dtype:
            self._planes = np.empty(shape, self._space.dtype)
        self._space.split(pixels, self._planes, self._workers)
        return pixels

    def _stride(self, height: int, width: int) -> int:
        return max(1, math.isqrt(height * width // self._sample_size))

    def _draw(self, pixels: Image, stride: int) -> tuple[npt.NDArray[np.float32], Image]:
        """Return the features (d, n) and the pixels (h, w, 3) of one pixel of every square.

        Squares are `stride` pixels wide and high.
        """
        height, width = pixels.shape[:2]
        rows, columns = self._lattice.places(height, width, stride)
        sampled = np.take(pixels.reshape(-1, 3), rows * width + columns, axis=0)
        planes = np.empty((3, *sampled.shape[:2]), self._space.dtype)
        self._space.split(sampled, planes, self._workers)
        features = planes.reshape(3, -1).astype(np.float32)
        if self._spatial_weight > 0:
            step = self._step(height, width)
            places = [np.rint(places.astype(np.float32) * step) for places in (columns, rows)]
            features = np.concatenate([features, np.reshape(places, (2, -1))])
        return features, sampled

    @property
    def _extent(self) -> float:
        """The spatial feature at the end of the longer side, in steps of the feature space."""
        return self._spatial_weight * self._space.span * self._space.units

    @property
    def _reach(self) -> float:
        """The largest squared distance of two pixels, in steps of the feature space."""
        return self._space.reach + 2 * self._extent**2

    def _step(self, height: int, width: int) -> np.float32:
        """Spatial features a pixel, in steps of the feature space."""
        return np.float32(self._extent / max(1, max(height, width) - 1))

    def _to_colors(self, centers: Centers) -> Colors:
        """Return the (k, 3) BGR levels of (d, k) centers, in eighths: the same on every machine."""
        levels = self._space.to_bgr(centers[:3].T / np.float32(self._space.units))
        return np.asarray(np.rint(8 * levels.clip(0, 255)) / 8)

    def _label(self, cut: bool) -> Segmentation:
        """Label every pixel of the planes with the trained centers."""
        assert self._trainer.centers is not None
        height, width = self._planes.shape[1:]
        units = self._space.units
        if cut:
            self._labeler.forget()
        labeling = self._labeler.label(
            self._planes,
            self._trainer.centers,
            step=self._step(height, width),
            reach=self._reach,
            hysteresis=self._hysteresis * units,
            most=self._trainer.mse,
            smoothing=self._smoothing,
        )
        centers = labeling.centers / np.float32(units)
        if self._palette is not None:
            palette = self._palette.copy()
        else:
            colors = self._space.to_bgr(centers[:, :3])
            palette = np.rint(colors).clip(0, 255).astype(np.uint8)
        view = labeling.labels.reshape(height, width)
        view.flags.writeable = False
        return Segmentation(
            labels=view,
            centers=centers,
            palette=palette,
            counts=labeling.counts,
            mse=labeling.error / units**2,
            scene_cut=cut,
            ids=self._identity.ids,
            _flat=labeling.labels,
            _pool=self._pool,
            _workers=self._workers,
        )
