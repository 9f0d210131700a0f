"""The result of segmenting one frame."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from livekm.core.buffers import BufferPool
from livekm.core.painting import Painting
from livekm.core.threads import Workers
from livekm.frame import Image


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """Labels, centers and colours of one frame.

    Every array belongs to the holder of the segmentation: later frames do not write to it.

    Attributes
    ----------
    labels : (H, W) uint8, read-only
        The cluster of each pixel, at the image's own size.
    centers : (k, d) float32
        In feature space; the same slot is the same thing from frame to frame.
    palette : (k, 3) uint8, BGR
        The colour of each center.
    counts : (k,) int64
        Pixels of each cluster. Clusters without pixels are left where an image has fewer colours
        than k.
    mse : float
        Mean over the pixels of the squared distance to the center of their label, in feature space
        (all features summed).
    scene_cut : bool
        True where the frame does not continue the one before.
    ids : (k,) int64
        The identity of each label: 0 to k - 1 at the start, and a new number as soon as a label is
        something else. No number ever has a second meaning; what comes back after a cut has its
        old one where it plausibly is the same.
    """

    labels: npt.NDArray[np.uint8]
    centers: npt.NDArray[np.float32]
    palette: npt.NDArray[np.uint8]
    counts: npt.NDArray[np.int64]
    mse: float
    scene_cut: bool
    ids: npt.NDArray[np.int64]
    _flat: npt.NDArray[np.uint8] = field(repr=False)  # the labels once more, as kernels take them
    _pool: BufferPool = field(repr=False)
    _workers: Workers = field(repr=False)

    @property
    def n_clusters(self) -> int:
        """The number of clusters, those without pixels included."""
        return len(self.palette)

    @property
    def n_segments(self) -> int:
        """The number of clusters that have pixels: less than k where there are fewer colours."""
        return int(np.count_nonzero(self.counts))

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """(k,) float64, the part of the image that each cluster covers; their sum is 1."""
        return np.asarray(self.counts / self.labels.size)

    def paint(self, palette: npt.NDArray[np.uint8] | None = None) -> Image:
        """Return the (H, W, 3) uint8 BGR image of every pixel in its cluster's colour.

        Parameters
        ----------
        palette : (k, 3) uint8, BGR, optional
            Other colours than the segmentation's own.

        Examples
        --------
        >>> import numpy as np
        >>> from livekm import Segmenter
        >>> image = np.zeros((2, 4, 3), np.uint8)
        >>> image[:, 2:] = 200
        >>> segmentation = Segmenter(n_clusters=2, random_state=0).update(image)
        >>> bool((segmentation.paint() == image).all())
        True
        """
        return self.painting(palette).paint()

    def painting(self, palette: npt.NDArray[np.uint8] | None = None) -> Painting:
        """Return what `paint` would paint; see `livekm.core.painting`."""
        colors = self.palette if palette is None else np.asarray(palette)
        if colors.shape != (self.n_clusters, 3) or colors.dtype != np.uint8:
            kind = f"{colors.shape} {colors.dtype}"
            raise ValueError(f"palette must be ({self.n_clusters}, 3) uint8, got {kind}")
        labels = self._flat.reshape(self.labels.shape)
        return Painting(labels, colors, self._pool, self._workers)

    def mask(self, index: int) -> npt.NDArray[np.bool_]:
        """Return the (H, W) bool mask of one cluster's pixels."""
        if not 0 <= index < self.n_clusters:
            raise ValueError(f"cluster must be from 0 to {self.n_clusters - 1}, got {index}")
        return np.asarray(self.labels == index)

    def boundaries(self) -> npt.NDArray[np.bool_]:
        """Return the (H, W) bool mask of the pixels whose right or lower neighbour differs."""
        edges = np.zeros(self.labels.shape, np.bool_)
        np.not_equal(self.labels[:, 1:], self.labels[:, :-1], out=edges[:, :-1])
        edges[:-1] |= self.labels[1:] != self.labels[:-1]
        return edges
