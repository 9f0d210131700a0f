"""Regions of the frames of a video that people would outline."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from livekm.core.kernels import sum_regions
from livekm.core.region_segmentation import RegionSegmentation
from livekm.core.segmentation import Segmentation
from livekm.core.segmenter import Segmenter
from livekm.core.threads import available_cores, run_in_threads
from livekm.frame import Image
from livekm.regions.graph import build_graph, mean_colors
from livekm.regions.identity import Identities, Overlap, find_origins, measure_overlap
from livekm.regions.merging import merge_regions
from livekm.regions.pictures import LAB_UNITS, lab_planes, pyramid, small_size, smooth
from livekm.regions.pieces import find_markers, find_pieces
from livekm.regions.watershed import Watershed
from livekm.validation import check_image, check_number, check_range

_N_CLUSTERS, _SAMPLE = 16, 8192
_STEADY = 12 * LAB_UNITS  # mean change of L*, a* and b* together, up to which the past counts
_ALIKE = 0.8  # distance of colours, in 50 Lab units, beyond which it is another thing
_MAX_SCALE = 10.0
_MAX_THREADS = 8


@dataclass(frozen=True, slots=True, eq=False)
class _Last:
    """The regions of the last frame, on the small picture."""

    labels: npt.NDArray[np.int32]
    planes: npt.NDArray[np.int16]
    ids: npt.NDArray[np.int64]
    colors: npt.NDArray[np.float64]  # as in `Graph`, before they spread
    shape: tuple[int, ...]  # of the frame
    detail: tuple[float, int | None]


class RegionSegmenter:
    """Divides each frame of a stream into regions that stay the same from frame to frame.

    Connected pieces of the colour labels of a small picture grow over its edges, the cheapest
    neighbours are merged, and borders are found again at full size. See docs/regions.md.

    Parameters
    ----------
    scale : float, default 0.13
        The most that a merge of two neighbours may cost, from 0 to 10; smaller, more regions. At 0
        nothing is merged: where colour labels are given, regions are their connected pieces.
    n_regions : int or None, default None
        How many regions to merge to, in place of `scale`; there may be fewer.
    hysteresis : float, default 1.5
        How much cheaper a merge is that keeps the last frame's regions, and dearer one that joins
        two of them, from 1 to 10; 1 looks at each frame by itself.
    random_state : int or None, default 0
        The same number, input and options give the same regions, whatever the number of threads.
    threads : int or None, default None
        None takes the processors that are there, up to 8.

    Raises
    ------
    ValueError, TypeError
        For a parameter out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((160, 240, 3), np.uint8)
    >>> image[40:120, 40:80] = image[40:120, 160:200] = 255
    >>> regions = RegionSegmenter().update(image)
    >>> regions.areas.tolist(), regions.boxes[1].tolist()
    ([32000, 3200, 3200], [40, 40, 40, 80])
    """

    def __init__(
        self,
        scale: float = 0.13,
        n_regions: int | None = None,
        *,
        hysteresis: float = 1.5,
        random_state: int | None = 0,
        threads: int | None = None,
    ) -> None:
        self.scale = scale
        self.n_regions = n_regions
        self._hysteresis = check_number("hysteresis", hysteresis, 10)
        if hysteresis < 1:
            raise ValueError(f"hysteresis must be from 1 to 10, got {hysteresis}")
        self._segmenter = Segmenter(
            _N_CLUSTERS,
            color_space="lab",
            random_state=random_state,
            threads=threads,
            sample_size=_SAMPLE,
        )
        self._threads = threads or min(available_cores(), _MAX_THREADS)
        self._watershed = Watershed(self._threads)
        self._identities = Identities()
        self._last: _Last | None = None

    @classmethod
    def with_detail(
        cls, detail: float, *, random_state: int | None = 0, threads: int | None = None
    ) -> RegionSegmenter:
        """Return one of a `detail`: a scale below 1, or from 1 on a number of regions."""
        made = cls(random_state=random_state, threads=threads)
        made.detail = detail
        return made

    @property
    def scale(self) -> float:
        """The most that a merge may cost; may be set at any time."""
        return self._scale

    @scale.setter
    def scale(self, value: float) -> None:
        self._scale = check_number("scale", value, _MAX_SCALE)

    @property
    def n_regions(self) -> int | None:
        """How many regions are left, or None where the scale decides; may be set at any time."""
        return self._n_regions

    @n_regions.setter
    def n_regions(self, value: int | None) -> None:
        if value is not None:
            check_range("n_regions", value, 1, 2**31 - 1)
        self._n_regions = None if value is None else int(value)

    @property
    def detail(self) -> float:
        """Both in one: a `scale` below 1, or from 1 on `n_regions`; may be set at any time."""
        return self._scale if self._n_regions is None else float(self._n_regions)

    @detail.setter
    def detail(self, value: float) -> None:
        if value < 1:
            self.scale, self.n_regions = value, None
        elif value == int(value):
            self.n_regions = int(value)
        else:
            raise ValueError(f"detail must be below 1 or a whole number, got {value}")

    def reset(self) -> None:
        """Forget what was seen: the next frame starts anew, with new ids."""
        self._segmenter.reset()
        self._last = None

    def update(
        self, image: npt.NDArray[np.uint8], segmentation: Segmentation | None = None
    ) -> RegionSegmentation:
        """Divide the next frame into regions.

        Parameters
        ----------
        image : (H, W, 3) uint8, BGR
            Any strides, read-only or not. With another size the regions start anew.
        segmentation : Segmentation, optional
            Of the same image. At scale 0 its labels are taken: regions are their connected pieces.
            At other scales regions do not depend on it, but pixels that it ignores belong to none.

        Returns
        -------
        regions : RegionSegmentation

        Raises
        ------
        ValueError, TypeError
            If `image` is not such an array, or the segmentation has another size.
        """
        check_image(image)
        if segmentation is not None and segmentation.labels.shape != image.shape[:2]:
            raise ValueError(
                f"labels of {segmentation.labels.shape} do not fit an image of {image.shape[:2]}"
            )
        pixels = image
        if not (image.flags.c_contiguous and image.flags.writeable):
            pixels = image.copy(order="C")  # kernels are compiled for one kind of array
        if segmentation is not None and self._n_regions is None and self._scale == 0:
            labels, ids, cut = self._follow_pieces(pixels, segmentation)
        else:
            labels, ids, cut = self._grow(pixels)
            if segmentation is not None and segmentation.ignored is not None:
                labels, ids = _without(labels, ids, segmentation.ignored)
        found = self._measure(labels, ids, pixels, cut=cut)
        if segmentation is None:
            return replace(found, names=("",) * len(ids))
        return replace(found, is_still=segmentation.is_still, names=_names(found, segmentation))

    def _follow_pieces(
        self, image: Image, segmentation: Segmentation
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], bool]:
        """Return the connected pieces of the labels, their ids, and whether a stream begins.

        Ids go on by what a grid of pixels shows, as many as the small picture has. What no pixel of
        the grid shows has a new id in each frame.
        """
        pieces, areas = find_pieces(segmentation.labels, segmentation.n_clusters)
        size = small_size(image.shape[:2])
        parts: npt.NDArray[np.int32] = np.empty(size[::-1], np.int32)
        cv2.resize(pieces, size, parts, interpolation=cv2.INTER_NEAREST)
        small = cv2.resize(image, size, interpolation=cv2.INTER_NEAREST)
        planes = lab_planes(np.asarray(small, np.uint8), self._threads)
        shown = np.bincount(parts[parts >= 0], minlength=len(areas)).astype(np.float64)
        colors = mean_colors(parts, planes, shown)
        last = self._last
        if last is not None and (segmentation.scene_cut or last.shape != image.shape):
            last = None
        overlap = None if last is None else measure_overlap(parts, last.labels)
        numbers, ids = self._name(last, overlap, areas.astype(np.float64), colors)
        self._last = _Last(
            numbers[parts], planes, ids, _sorted(colors, numbers), image.shape, (0.0, None)
        )
        return numbers[pieces], ids, last is None

    def _grow(self, image: Image) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], bool]:
        """Return regions that people would outline, their ids, and whether a stream begins."""
        small, *larger = pyramid(image)
        labels, ids, cut = self._find(smooth(small), image.shape)
        for number, picture in enumerate(larger):
            # Of the first the noise is seen; the next are larger, and followed closely by then.
            labels = self._watershed.refine(labels, picture if number else smooth(picture))
        return labels, ids, cut

    def _find(
        self, small: Image, shape: tuple[int, ...]
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], bool]:
        """Return labels of the small picture, ids, and whether it does not continue the last."""
        segmentation = self._segmenter.update(small)
        last = self._last
        if last is not None and (segmentation.scene_cut or last.shape != shape):
            last = None
        planes = lab_planes(small, self._threads)
        strengths = self._watershed.measure(planes)
        parts = find_markers(np.array(segmentation.labels))
        self._watershed.grow(parts, strengths)
        graph = build_graph(parts, planes, strengths)

        detail = self._scale, self._n_regions
        origins, overlap = np.full(len(graph.sizes), -1, np.int64), None
        if last is not None:
            overlap = measure_overlap(parts, last.labels)
            if last.detail == detail:
                changes = np.abs(planes - last.planes).sum(axis=0, dtype=np.int32)
                total = np.bincount(parts.reshape(-1), changes.reshape(-1))
                steady = total <= _STEADY * graph.sizes
                origins = np.where(steady, find_origins(overlap, graph.sizes), -1)
        merged = merge_regions(graph, origins, self._scale, self._n_regions, self._hysteresis)

        areas = np.asarray(np.bincount(merged, graph.sizes), np.float64)
        sums = [np.bincount(merged, graph.sizes * color) for color in graph.colors.T]
        colors = np.stack(sums, axis=1) / areas[:, np.newaxis]
        overlap = None if overlap is None else overlap.merged(merged)
        numbers, ids = self._name(last, overlap, areas, colors)
        labels = numbers[merged][parts]
        self._last = _Last(labels, planes, ids, _sorted(colors, numbers), shape, detail)
        return labels, ids, last is None

    def _name(
        self,
        last: _Last | None,
        overlap: Overlap | None,
        areas: npt.NDArray[np.float64],
        colors: npt.NDArray[np.float64],
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Return the label of each region, -1 behind them, and the ids by label, rising."""
        if last is None or overlap is None:
            ids = self._identities.begin(areas)
        else:
            among = overlap.among(colors, last.colors, _ALIKE)
            ids = self._identities.follow(among, last.ids, areas)
        order = np.argsort(ids)
        numbers = np.full(len(ids) + 1, -1, np.int32)
        numbers[order] = np.arange(len(ids))
        return numbers, ids[order]

    def _measure(
        self,
        labels: npt.NDArray[np.int32],
        ids: npt.NDArray[np.int64],
        image: Image,
        *,
        cut: bool,
    ) -> RegionSegmentation:
        height, width = labels.shape
        bands = min(height, 2 * self._threads)
        sums = np.zeros((bands, len(ids), 4), np.int64)
        boxes = np.zeros((bands, len(ids), 4), np.int64)
        boxes[..., 0], boxes[..., 1] = width, height
        flat = image.reshape(height, -1)
        run_in_threads(self._threads, sum_regions, bands, labels, flat, sums, boxes)
        areas, *colors = sums.sum(axis=0).T
        labels.flags.writeable = False  # those of a small image are looked at again
        start, end = boxes[..., :2].min(axis=0), boxes[..., 2:].max(axis=0)
        return RegionSegmentation(
            labels=labels,
            ids=ids,
            palette=np.rint(np.stack(colors, axis=1) / areas[:, np.newaxis]).astype(np.uint8),
            areas=areas,
            boxes=np.concatenate([start, end - start], axis=1).astype(np.int32),
            scene_cut=cut,
        )


def _sorted(
    values: npt.NDArray[np.float64], numbers: npt.NDArray[np.int32]
) -> npt.NDArray[np.float64]:
    """Return the rows of (n, 3) values by their labels."""
    found = np.empty_like(values)
    found[numbers[:-1]] = values
    return found


def _without(
    labels: npt.NDArray[np.int32], ids: npt.NDArray[np.int64], ignored: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Return labels of -1 where pixels are ignored, and what is left of the regions."""
    counted = labels[~ignored]
    is_left = np.bincount(counted, minlength=len(ids)) > 0
    numbers = np.cumsum(is_left, dtype=np.int32) - 1
    found = np.full(labels.shape, -1, np.int32)
    found[~ignored] = numbers[counted]
    return found, ids[is_left]


def _names(found: RegionSegmentation, segmentation: Segmentation) -> tuple[str, ...]:
    """Return the name of the segment that most pixels of each region have."""
    n, k = found.n_regions, segmentation.n_clusters
    if not any(segmentation.names):
        return ("",) * n
    here = (found.labels >= 0) & (segmentation.labels < k)
    keys = found.labels[here].astype(np.int64) * k + segmentation.labels[here]
    most = np.bincount(keys, minlength=n * k).reshape(n, k).argmax(axis=1)
    return tuple(segmentation.names[label] for label in most.tolist())
