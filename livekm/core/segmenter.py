"""Streaming k-means over the frames of a video."""

from __future__ import annotations

import os
from pathlib import Path
from threading import RLock
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from livekm.core.colorspace import COLOR_SPACES, to_features
from livekm.core.features import Features, contiguous, counting
from livekm.core.fixed_centers import FixedCenters
from livekm.core.identity import Colors, Identity
from livekm.core.labeler import Labeler, Labeling
from livekm.core.names import Names, Naming
from livekm.core.painting import check_palette
from livekm.core.sample import Centers, fraction_bits
from livekm.core.seeding import SEEDINGS, Seeding
from livekm.core.segmentation import Segmentation
from livekm.core.state import read_state, write_state
from livekm.core.suggestion import Suggestion, suggest_n_clusters
from livekm.core.threads import MOST_THREADS, available_cores
from livekm.core.trainer import Trainer
from livekm.errors import SourceError, UsageError
from livekm.frame import Image
from livekm.validation import check_number, check_range, named

__all__ = ["Segmenter", "segment"]

_DEFAULT_CLUSTERS = 8
_DEFAULT_THREADS = 8  # more do not pay: the memory is the limit
_MOST_MASKED = 255  # clusters: the label 255 is that of ignored pixels then
_MAX_WEIGHT = 4.0  # beyond it, scores are no longer exact in float32
_MAX_SORTS = 10  # of labels by size; one is enough but for pixels as near to two centers


class Segmenter:
    """Segments each frame of a stream into k colours that stay the same from frame to frame.

    Each frame's centers start from the last frame's, are trained on a sample of its pixels, and
    then label every pixel. See docs/engine.md for the algorithm.

    What can be set after the start is a property: `n_clusters`, `color_space`, `hysteresis`,
    `steadiness`, `palette`; it counts from the next frame on. Several threads may use one
    segmenter: a call or a setting waits until the one before it is done. Frames are taken in the
    order in which they arrive, so that those of one stream should come from one thread.

    Parameters
    ----------
    n_clusters : int or "auto", default 8
        k, from 1 to 256; or as many as `suggest_n_clusters` makes of the first frame.
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
        n_clusters: int | Literal["auto"] = 8,
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
        self._is_auto = n_clusters == "auto"
        self._suggestion: Suggestion | None = None
        k = _DEFAULT_CLUSTERS if isinstance(n_clusters, str) and self._is_auto else n_clusters
        check_range("n_clusters", k, 1, 256)  # type: ignore[arg-type]
        check_range("threads", 1 if threads is None else threads, 1, MOST_THREADS)
        check_range("smoothing", smoothing, 0, 8)
        check_range("sample_size", sample_size, 256, 2**24)
        self._lock = RLock()
        self._n_clusters = int(k)
        self._hysteresis = check_number("hysteresis", hysteresis, 255)
        self._steadiness = check_number("steadiness", steadiness, 1)
        self._identity = Identity()
        self._space = named("color_space", color_space, COLOR_SPACES)
        self._smoothing = int(smoothing)
        self._spatial_weight = check_number("spatial_weight", spatial_weight, _MAX_WEIGHT)
        self._seeding = seeding if callable(seeding) else named("seeding", seeding, SEEDINGS)
        self._rng = np.random.default_rng(random_state)
        self._sample_size = int(sample_size)
        self._threads = threads or min(available_cores(), _DEFAULT_THREADS)
        self._labeler = Labeler(self._threads)
        self._palette: npt.NDArray[np.uint8] | None = None
        self._naming: Naming | None = None
        self.reset()

    def __repr__(self) -> str:
        return (
            f"Segmenter({self._n_clusters}, color_space={self._space.name!r}, "
            f"hysteresis={self._hysteresis:g})"
        )

    def __getstate__(self) -> dict[str, Any]:
        """Leave the lock out of copies and pickles: each segmenter has its own."""
        with self._lock:
            return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=RLock())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all that the next frame depends on to an .npz file, to go on from another day.

        The file is read by the same version of livekm only.

        Raises
        ------
        SinkError
            If it cannot be written.
        TypeError
            If the seeding is a function of the caller's.
        """
        write_state(path, self)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Segmenter:
        """Return the segmenter that `save` wrote: it goes on with the same ids.

        Raises
        ------
        SourceError
            If the file is missing, damaged, or of another version.
        """
        found = read_state(path)
        if not isinstance(found, cls):
            raise SourceError(f"{path}: holds no segmenter; give a file that save wrote")
        return found

    @property
    def n_clusters(self) -> int:
        """The number of clusters k; see `set_n_clusters`."""
        return self._n_clusters

    @n_clusters.setter
    def n_clusters(self, value: int) -> None:
        self.set_n_clusters(value)

    @property
    def suggestion(self) -> Suggestion | None:
        """What was made of the last frame that was asked for k; None where none was."""
        return self._suggestion

    @property
    def is_auto(self) -> bool:
        """Whether the next start asks a frame for k: until someone sets it."""
        return self._is_auto and self._palette is None

    def suggest(
        self, image: npt.NDArray[np.uint8], mask: npt.NDArray[Any] | None = None
    ) -> Suggestion:
        """Take as many clusters as suit an image, from the next frame on, and with each new start.

        Parameters
        ----------
        image, mask
            As of `update`.

        Raises
        ------
        UsageError
            If a palette is fixed.
        """
        suggestion = suggest_n_clusters(image, mask)
        with self._lock:
            self.set_n_clusters(suggestion.n_clusters)
            self._is_auto, self._suggestion = True, suggestion
        return suggestion

    @property
    def color_space(self) -> str:
        """The name of the space where distances are measured; in another one all starts anew."""
        return self._space.name

    @color_space.setter
    def color_space(self, name: str) -> None:
        space = named("color_space", name, COLOR_SPACES)
        with self._lock:
            self._space = space
            self._restart()

    @property
    def hysteresis(self) -> float:
        """How far beyond a border a pixel keeps its label."""
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
        steadiness = check_number("steadiness", value, 1)
        with self._lock:
            self._steadiness = steadiness
            if isinstance(self._trainer, Trainer):
                self._trainer.steadiness = steadiness

    @property
    def threads(self) -> int:
        """The threads that label a frame."""
        return self._threads

    @property
    def palette(self) -> npt.NDArray[np.uint8] | None:
        """The fixed colours, (k, 3) uint8 BGR, read-only; None where they follow the scene.

        With fixed colours nothing is trained: each pixel gets the nearest of them in the colour
        space, or with `hysteresis` the label it had while that is near enough. k is their number,
        from 1 to 256. None lets them follow the scene again, from where they are. Setting raises
        ValueError for anything else, and where `spatial_weight` counts: colours have no place.

        Examples
        --------
        >>> import numpy as np
        >>> segmenter = Segmenter()
        >>> segmenter.palette = np.array([(0, 0, 0), (255, 255, 255)], np.uint8)
        >>> segmenter.update(np.full((1, 2, 3), (90, 200, 40), np.uint8)).labels
        array([[0, 0]], dtype=uint8)
        """
        return self._palette

    @palette.setter
    def palette(self, palette: npt.NDArray[np.uint8] | None) -> None:
        with self._lock:
            if palette is not None:
                self._fix(np.array(palette))
            elif self._palette is not None:
                self._free()

    @property
    def names(self) -> Names | None:
        """What names the segments by their colours: an id keeps the name that it once got."""
        return None if self._naming is None else self._naming.names

    @names.setter
    def names(self, names: Names | None) -> None:
        with self._lock:
            self._naming = None if names is None else Naming(names)

    def name_segment(self, identity: int, name: str, color: tuple[int, int, int]) -> None:
        """Name the segment of an id from the next frame on, and what looks like it.

        Parameters
        ----------
        identity : int
        name : str
            At most 40 letters; "" takes its name away.
        color : (int, int, int)
            BGR levels by which it is found again, in another clip too.
        """
        with self._lock:
            if self._naming is None:
                self._naming = Naming(Names([]))
            self._naming.give(identity, name, color)

    def read_names(self, path: str | Path) -> None:
        """Name segments from the next frame on by a table of names and colours.

        Parameters
        ----------
        path : str or Path
            CSV: ``name,color,tolerance``; see docs/segments.md.

        Raises
        ------
        SourceError
            If the file cannot be read, or is no such table.
        """
        self.names = Names.read(path)

    def _fix(self, palette: npt.NDArray[np.uint8]) -> None:
        check_palette(palette)
        if self._spatial_weight > 0:
            raise UsageError("a palette fixes colours alone: spatial_weight must be 0")
        palette.flags.writeable = False
        self._palette, self._n_clusters = palette, len(palette)
        self._restart()

    def _free(self) -> None:
        fixed, self._palette = self._trainer, None
        self._restart()
        assert isinstance(fixed, FixedCenters)
        assert isinstance(self._trainer, Trainer)
        if fixed.last_frame:  # the last frame again, a jump from where they are
            self._trainer.go_on(fixed.centers, *fixed.last_frame)

    @property
    def ids(self) -> npt.NDArray[np.int64]:
        """The (k,) identities of the labels as they are now; empty before the first frame."""
        return self._identity.ids

    def reseed(self) -> None:
        """Start anew with the next frame; what is still there keeps its label and id."""
        with self._lock:
            self._restart()

    def reset(self) -> None:
        """Forget all frames: the next one starts anew."""
        with self._lock:
            self._identity.forget()
            if self._naming is not None:
                self._naming.forget()
            self._restart()

    def _restart(self) -> None:
        """Begin anew with the options as they are now, and let ids come back."""
        self._features = Features(
            self._space, self._spatial_weight, self._sample_size, self._threads
        )
        self._trainer = self._new_trainer()
        self._labeler.forget()

    def _new_trainer(self) -> Trainer | FixedCenters:
        bits = fraction_bits(self._features.reach)
        if self._palette is None:
            return Trainer(
                self._n_clusters,
                self._seeding,
                self._rng,
                bits,
                to_colors=self._to_colors,
                identity=self._identity,
                steadiness=self._steadiness,
            )
        self._identity.start(self._palette.astype(np.float64), in_order=True)
        features = to_features(self._palette[np.newaxis], self.color_space)[0]
        centers = np.ascontiguousarray(features.T * np.float32(self._space.units))
        return FixedCenters(centers, bits, self._identity)

    def _to_colors(self, centers: Centers) -> Colors:
        """Return the (k, 3) BGR levels of (d, k) centers, in eighths: the same on every machine."""
        levels = self._space.to_bgr(centers[:3].T / np.float32(self._space.units))
        return np.asarray(np.rint(8 * levels.clip(0, 255)) / 8)

    def set_n_clusters(self, n_clusters: int) -> npt.NDArray[np.uint8]:
        """Change k: split or merge clusters one by one and leave the others as they are.

        It is what ``segmenter.n_clusters = k`` does, and tells those who remember labels what
        becomes of them.

        Returns
        -------
        labels : (256,) uint8
            The label that each old label has from now on.
        """
        check_range("n_clusters", n_clusters, 1, 256)
        with self._lock:
            if self._palette is not None:
                raise UsageError("the palette fixes the number of clusters; set it to None first")
            assert isinstance(self._trainer, Trainer)
            self._n_clusters, self._is_auto = int(n_clusters), False
            labels = self._trainer.resize(self._n_clusters)
            self._labeler.relabel(labels)
            return labels

    def update(
        self, image: npt.NDArray[np.uint8], mask: npt.NDArray[Any] | None = None
    ) -> Segmentation:
        """Segment the next frame.

        Parameters
        ----------
        image : (H, W, 3) uint8, BGR
            Any strides, read-only or not. The size may change from frame to frame.
        mask : (H, W) bool or integers, optional
            Where it is 0, pixels neither train nor count, and their label is 255: k is at most 255
            then. It may change from frame to frame.

        Returns
        -------
        segmentation : Segmentation

        Raises
        ------
        ValueError, TypeError
            If `image` or `mask` is not such an array.

        Examples
        --------
        >>> import numpy as np
        >>> image = np.array([[[0] * 3, [200] * 3, [90] * 3]], np.uint8)
        >>> segmenter = Segmenter(n_clusters=2, random_state=0)
        >>> segmenter.update(image, mask=np.array([[1, 1, 0]])).labels
        array([[  1,   0, 255]], dtype=uint8)
        """
        with self._lock:
            pixels = contiguous(image)
            counted = self._counting(pixels, mask)
            if counted is not None and not counted.any():
                return self._nothing(pixels)
            self._ask(pixels, counted)
            cut = self._trainer.step(*self._features.sample(pixels, counted))
            if cut:
                self._labeler.forget()
            labeling = self._label(pixels, counted)
            self._identity.see(labeling.counts)
            return self._segmentation(
                labeling, self._palette, ids=self._identity.ids, scene_cut=cut
            )

    def _counting(
        self, pixels: Image, mask: npt.NDArray[Any] | None
    ) -> npt.NDArray[np.uint8] | None:
        """Return which pixels count, 0 for those that do not; None where all do."""
        if mask is not None and self._n_clusters > _MOST_MASKED:
            raise UsageError(f"with a mask there are at most {_MOST_MASKED} clusters: 255 is taken")
        return None if mask is None else counting(mask, pixels)

    def _ask(self, pixels: Image, mask: npt.NDArray[np.uint8] | None) -> None:
        """Ask a frame that all starts with how many clusters suit it, if that is wanted."""
        if self.is_auto and self._trainer.centers is None:
            self.suggest(pixels, mask)

    def _nothing(self, pixels: Image, **more: Any) -> Segmentation:
        """Return what there is of a frame of which no pixel counts: it changes nothing."""
        k, centers = self._n_clusters, self._trainer.centers
        if centers is None:
            centers = np.zeros((5 if self._spatial_weight > 0 else 3, k), np.float32)
        labels = np.full(pixels.shape[:2], 255, np.uint8)
        used = np.ascontiguousarray(centers.T)
        ids = self._identity.ids
        if len(ids) != k:  # no label has been anything yet
            ids = np.full(k, -1)
        labeling = Labeling(labels, used, np.zeros(k, np.int64), 0.0)
        return self._segmentation(labeling, self._palette, ids=ids, **more)

    def fit(
        self,
        image: npt.NDArray[np.uint8],
        max_iterations: int = 300,
        mask: npt.NDArray[Any] | None = None,
    ) -> Segmentation:
        """Segment one image by k-means over all of its pixels, run until it converges.

        The textbook's job: start the centers, assign each pixel to its nearest center, move each
        center to the mean of its pixels, and repeat until no pixel changes its cluster or
        `max_iterations` is reached. The start is the best of several that were tried on a sample
        of the pixels. Where `spatial_weight` counts, every second row and column of images above
        two million pixels is trained on, or every third, and so on. Label 0 is the largest segment,
        and so on down, unless a palette is fixed. Forgets all frames before.

        Parameters
        ----------
        image : (H, W, 3) uint8, BGR
        max_iterations : int, default 300
        mask : (H, W) bool or integers, optional
            See `update`.

        Returns
        -------
        segmentation : Segmentation
            With `n_iter` and `converged`.

        Raises
        ------
        ValueError, TypeError
            If `image` or `mask` is not such an array.
        """
        check_range("max_iterations", max_iterations, 0, 2**31)
        with self._lock:
            pixels = contiguous(image)
            counted = self._counting(pixels, mask)
            self.reset()
            if counted is not None and not counted.any():
                return self._nothing(pixels, n_iter=0, converged=True)
            self._ask(pixels, counted)
            self._trainer.step(*self._features.sample(pixels, counted))
            n_iter, converged = 0, True
            if isinstance(self._trainer, Trainer):
                cloud = self._features.cloud(pixels, counted)
                n_iter, converged = self._trainer.converge(cloud, max_iterations)
                labeling = self._sorted_by_size(self._trainer, pixels, counted)
            else:
                labeling = self._label(pixels, counted)
            return self._segmentation(
                labeling,
                self._palette,
                ids=None,  # an image has no past: they are its labels
                n_iter=n_iter,
                converged=converged,
            )

    def _sorted_by_size(
        self,
        trainer: Trainer,
        pixels: Image,
        mask: npt.NDArray[np.uint8] | None,
    ) -> Labeling:
        """Label every pixel with the largest cluster first.

        Pixels that are as near to another center may go over to it, since it has the lower label
        now, which makes the larger one larger: then sort again.
        """
        labeling = self._label(pixels, mask)
        for _ in range(_MAX_SORTS):
            order = np.argsort(-labeling.counts, kind="stable")
            if (order == np.arange(len(order))).all():
                break
            trainer.reorder(order)
            self._labeler.forget()
            labeling = self._label(pixels, mask)
        return labeling

    def predict(
        self, image: npt.NDArray[np.uint8], centers: npt.NDArray[np.float32] | None = None
    ) -> Segmentation:
        """Label another image with the centers as they are; nothing is trained or remembered.

        Each pixel gets the nearest center, without hysteresis.

        Parameters
        ----------
        image : (H, W, 3) uint8, BGR
        centers : (k, d) float32, optional
            Other ones in the same feature space, such as an earlier segmentation's; the result
            says how finely they are rounded (in BGR, to eighths of a level).

        Raises
        ------
        ValueError, TypeError
            If `image` or `centers` is not such an array, or if there are no centers yet.

        Examples
        --------
        >>> import numpy as np
        >>> segmenter = Segmenter(n_clusters=2, random_state=0)
        >>> fitted = segmenter.fit(np.array([[[0] * 3, [0] * 3, [200] * 3]], np.uint8))
        >>> segmenter.predict(np.array([[[150] * 3, [90] * 3]], np.uint8)).labels
        array([[1, 0]], dtype=uint8)
        """
        with self._lock:
            pixels = contiguous(image)
            palette = self._palette if centers is None else None
            used = self._trainer.centers if centers is None else self._steps(centers)
            if used is None:
                raise ValueError("there are no centers before the first frame: give some")
            labeling = self._nearest(pixels, Labeler(self._threads), used, hysteresis=0)
            ids = self._identity.ids if centers is None else None
            return self._segmentation(labeling, palette, ids=ids)

    def _steps(self, centers: npt.NDArray[np.float32]) -> Centers:
        """Return (k, d) centers in units as (d, k) in steps."""
        given = np.array(centers, np.float32)
        d = 5 if self._spatial_weight > 0 else 3
        if given.shape not in [(k, d) for k in range(1, 257)] or not np.isfinite(given).all():
            raise ValueError(f"centers must be (1 to 256, {d}) and finite, got {given.shape}")
        return np.ascontiguousarray(given.T * np.float32(self._space.units))

    def _label(self, pixels: Image, mask: npt.NDArray[np.uint8] | None) -> Labeling:
        """Label every pixel with the trained centers, beginning with the last frame's labels."""
        assert self._trainer.centers is not None
        return self._nearest(pixels, self._labeler, self._trainer.centers, self._hysteresis, mask)

    def _nearest(
        self,
        pixels: Image,
        labeler: Labeler,
        centers: Centers,
        hysteresis: float,
        mask: npt.NDArray[np.uint8] | None = None,
    ) -> Labeling:
        return labeler.label(
            self._features.colors(pixels),
            centers,
            spacing=self._features.spacing(*pixels.shape[:2]),
            reach=self._features.reach,
            hysteresis=hysteresis * self._space.units,
            most=self._trainer.mse,
            smoothing=self._smoothing,
            mask=mask,
        )

    def _segmentation(
        self,
        labeling: Labeling,
        palette: npt.NDArray[np.uint8] | None,
        *,
        ids: npt.NDArray[np.int64] | None = None,
        scene_cut: bool = False,
        n_iter: int | None = None,
        converged: bool | None = None,
    ) -> Segmentation:
        """Return the result for the labels: in units, and in colours unless those are fixed."""
        centers = labeling.centers / np.float32(self._space.units)
        if palette is None:
            colors = self._space.to_bgr(centers[:, :3])
            palette = np.rint(colors).clip(0, 255).astype(np.uint8)
        if self._naming is None:
            names: tuple[str, ...] = ()
        elif ids is None:  # those of an image are its labels, which mean nothing in another
            names = self._naming.names.of(palette)
        else:
            names = self._naming.of(palette, ids, labeling.counts)
        return Segmentation(
            labeling.labels,
            palette.copy(),
            centers=centers,
            counts=labeling.counts,
            mse=float(labeling.error) / self._space.units**2,
            scene_cut=scene_cut,
            ids=ids,
            names=names,
            n_iter=n_iter,
            converged=converged,
        )


def segment(
    image: npt.NDArray[np.uint8],
    k: int | Literal["auto"] = 8,
    *,
    color_space: str = "bgr",
    spatial_weight: float = 0.0,
    smoothing: int = 0,
    seeding: str | Seeding = "k-means++",
    max_iterations: int = 300,
    random_state: int | None = None,
    threads: int | None = None,
    mask: npt.NDArray[Any] | None = None,
) -> Segmentation:
    """Segment one image by k-means, run until it converges.

    Parameters
    ----------
    image : (H, W, 3) uint8, BGR
    k : int or "auto", default 8
        The number of clusters, from 1 to 256, or that of `suggest_n_clusters`.
    max_iterations : int, default 300
        See `Segmenter.fit`.
    color_space, spatial_weight, smoothing, seeding, random_state, threads
        See `Segmenter`.
    mask : (H, W) bool or integers, optional
        See `Segmenter.update`.

    Returns
    -------
    segmentation : Segmentation
        Label 0 is the largest segment, and so on down.

    Raises
    ------
    ValueError, TypeError
        For an image or a parameter that is not like this.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((2, 6, 3), np.uint8)
    >>> image[:, :2] = 10, 20, 255
    >>> segmentation = segment(image, k=2, random_state=0)
    >>> segmentation.palette.tolist(), segmentation.counts.tolist(), segmentation.converged
    ([[0, 0, 0], [10, 20, 255]], [8, 4], True)
    """
    segmenter = Segmenter(
        k,
        color_space=color_space,
        spatial_weight=spatial_weight,
        smoothing=smoothing,
        seeding=seeding,
        random_state=random_state,
        threads=threads,
    )
    return segmenter.fit(image, max_iterations, mask)
