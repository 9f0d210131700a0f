"""Compile the kernels in the background, so that a window need not wait for them."""

from __future__ import annotations

from threading import Thread

import numpy as np

from livekm.core.segmenter import Segmenter
from livekm.regions import find_regions

_SIZE = 64  # pixels; enough to draw more samples than clusters
_CLUSTERS = 4


class WarmUp:
    """Compiles the kernels of a colour space in a thread, or loads them from numba's cache.

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
        """Tell whether the kernels are compiled; start to compile them if not.

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
            image = np.random.default_rng(0).integers(0, 256, (_SIZE, _SIZE, 3)).astype(np.uint8)
            # One thread: Python joins those of a pool before the program ends.
            segmenter = Segmenter(
                _CLUSTERS, color_space=color_space, smoothing=1, random_state=0, threads=1
            )
            for picture in (image, image, 255 - image):  # the start, going on, and a cut
                segmentation = segmenter.update(picture)
            segmentation.paint()
            segmentation.boundaries()
            self._ready.add(color_space)
            find_regions(segmentation)  # after ready: only one view needs these kernels
        except BaseException as error:
            self._error = error
