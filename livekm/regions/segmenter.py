"""Regions of the frames of a video that people would outline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from livekm.core.kernels import sum_regions
from livekm.core.segmenter import Segmenter
from livekm.core.threads import available_cores, run_in_threads
from livekm.frame import Image
from livekm.regions.graph import build_graph
from livekm.regions.identity import Identities, find_origins, measure_overlap
from livekm.regions.markers import find_markers
from livekm.regions.merging import merge_regions
from livekm.regions.pictures import LAB_UNITS, lab_planes, pyramid, smooth
from livekm.regions.segmentation import RegionSegmentation
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
        The most that a merge of two neighbours may cost, from 0 to 10; smaller, more regions.
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

    def reset(self) -> None:
        """Forget what was seen: the next frame starts anew, with new ids."""
        self._segmenter.reset()
        self._last = None

    def update(self, image: npt.NDArray[np.uint8]) -> RegionSegmentation:
        """Divide the next frame into regions.

        Parameters
        ----------
        image : (H, W, 3) uint8, BGR
            Any strides, read-only or not. With another size the regions start anew.

        Returns
        -------
        regions : RegionSegmentation

        Raises
        ------
        ValueError, TypeError
            If `image` is not such an array.
        """
        check_image(image)
        pixels = image
        if not (image.flags.c_contiguous and image.flags.writeable):
            pixels = image.copy(order="C")  # kernels are compiled for one kind of array
        small, *larger = pyramid(pixels)
        labels, ids, cut = self._find(smooth(small), pixels.shape)
        for number, picture in enumerate(larger):
            # Of the first the noise is seen; the next are larger, and followed closely by then.
            labels = self._watershed.refine(labels, picture if number else smooth(picture))
        return self._measure(labels, ids, pixels, cut)

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
        origins = np.full(len(graph.sizes), -1, np.int64)
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
        if last is None:
            ids = self._identities.begin(areas)
        else:
            overlap = overlap.merged(merged).among(colors, last.colors, _ALIKE)
            ids = self._identities.follow(overlap, last.ids, areas)
        order = np.argsort(ids)
        numbers = np.empty(len(ids), np.int32)
        numbers[order] = np.arange(len(ids))
        labels = numbers[merged][parts]
        self._last = _Last(labels, planes, ids[order], colors[order], shape, detail)
        return labels, ids[order], last is None

    def _measure(
        self, labels: npt.NDArray[np.int32], ids: npt.NDArray[np.int64], image: Image, cut: bool
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
