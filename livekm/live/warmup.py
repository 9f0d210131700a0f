"""Compile the kernels: in the background of a window, or all of them for later."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

import numpy as np

from livekm.core import kernels
from livekm.core.colorspace import COLOR_SPACES
from livekm.core.labeler import Labeler
from livekm.core.painting import Painting
from livekm.core.segmenter import Segmenter, segment
from livekm.frame import Frame, Image
from livekm.outputs.tables.statistics import measure
from livekm.regions import find_regions
from livekm.regions.segmenter import RegionSegmenter

REGIONS = "regions"
"""What `WarmUp.are_ready` calls the kernels that find regions, beside those of colour spaces."""

_SIZE = 64  # pixels; enough to draw more samples than clusters
_CLUSTERS = 4
_LARGE = (360, 480)  # height and width of a picture whose regions are refined


class WarmUp:
    """Compiles kernels in a thread, or loads them from numba's cache.

    With an empty cache that takes some seconds, while the caller goes on. The thread is a daemon,
    which does not delay the program's end.

    Examples
    --------
    >>> kernels = WarmUp()
    >>> while not kernels.are_ready("bgr"):
    ...     pass  # show the raw picture
    """

    def __init__(self) -> None:
        self._threads: dict[str, Thread] = {}
        self._ready: set[str] = set()
        self._error: BaseException | None = None

    def are_ready(self, color_space: str) -> bool:
        """Tell whether kernels are compiled; start to compile them if not.

        Parameters
        ----------
        color_space : str
            One of `COLOR_SPACES`, or `REGIONS`.

        Raises
        ------
        BaseException
            The error that ended the thread.
        """
        if self._error is not None:
            raise self._error
        if color_space not in self._threads:
            thread = Thread(target=self._compile, args=(color_space,), daemon=True)
            self._threads[color_space] = thread
            thread.start()
        return color_space in self._ready

    def _compile(self, color_space: str) -> None:
        try:
            if color_space == REGIONS:
                _compile_regions()
                self._ready.add(REGIONS)
                return
            image = _noise()
            # One thread: Python joins those of a pool before the program ends.
            segmenter = Segmenter(
                _CLUSTERS, color_space=color_space, smoothing=1, random_state=0, threads=1
            )
            for picture in (image, image, 255 - image):  # the start, going on, and a cut
                segmentation = segmenter.update(picture)
            segmentation.paint()
            segmentation.boundaries()
            self._ready.add(color_space)
        except BaseException as error:
            self._error = error


def compile_all() -> Path | None:
    """Compile every kernel for every option into numba's cache, or load it from there.

    Returns
    -------
    folder : Path or None
        The cache; None where nothing is compiled, or where numba finds no folder to write to.
    """
    image = _noise()
    counts = np.ones(image.shape[:2], np.uint8)
    counts[:9] = 0
    for color_space in COLOR_SPACES:
        for weight, hysteresis in ((0.0, 2.0), (0.5, 0.0)):
            segmenter = Segmenter(
                _CLUSTERS,
                color_space=color_space,
                spatial_weight=weight,
                hysteresis=hysteresis,
                smoothing=1,
                random_state=0,
            )
            for picture, mask in ((image, None), (image, counts), (255 - image, None)):
                segmentation = segmenter.update(picture, mask)
            segmenter.fit(image)
    Labeler(1, table_from=0).label(
        image, np.zeros((3, 1), np.float32), spacing=np.float32(0), reach=3 * 255.0**2,
        hysteresis=0, most=0, smoothing=0,
    )  # fmt: skip
    segmentation.boundaries()
    find_regions(segmentation)
    measure(Frame(image, 0, 0.0), segmentation)
    painting = Painting(segmentation.labels, segmentation.palette)
    painting.paint()
    luma, *chroma = (
        np.zeros(image.shape[:2], np.uint8),
        *np.zeros((2, _SIZE // 2, _SIZE // 2), np.uint8),
    )
    painting.paint_yuv(luma, *chroma, red=0.2126, blue=0.0722)
    RegionSegmenter().update(np.tile(image, (8, 8, 1)))  # large enough for a pyramid
    statistics = getattr(kernels.label_blocks, "stats", None)
    folder = None if statistics is None else statistics.cache_path
    return None if folder is None else Path(folder)


def _noise() -> Image:
    return np.random.default_rng(0).integers(0, 256, (_SIZE, _SIZE, 3)).astype(np.uint8)


def _compile_regions() -> None:
    image = np.zeros((*_LARGE, 3), np.uint8)
    image[:, _LARGE[1] // 2 :] = 255
    segmenter = RegionSegmenter(threads=1)
    for picture in (image, image):  # the start, and going on
        segmenter.update(picture)
    segmenter.scale = 0
    segmenter.update(image, segment(image, 2))
