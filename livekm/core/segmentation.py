"""The result of segmenting one frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from livekm.core.inline import segments_html
from livekm.core.painting import Painting, check_labels, check_palette
from livekm.core.region_segmentation import RegionSegmentation
from livekm.frame import Image
from livekm.thumbnail import to_png
from livekm.validation import check_range

__all__ = ["Segmentation"]


@dataclass(frozen=True, slots=True, eq=False, repr=False, init=False)
class Segmentation:
    """Labels, centers and colours of one frame.

    A `Segmenter` makes them; labels and a palette are enough to make one by hand. What is left out
    then is that of the painted image. No array is written to again.

    Parameters
    ----------
    labels, palette, centers, counts, mse, scene_cut, ids, names, n_iter, converged, regions
        The attributes.

    Attributes
    ----------
    labels : (H, W) uint8, read-only
        The cluster of each pixel, at the image's own size. A pixel whose label is k or more belongs
        to no cluster: it is painted black and not counted. 255 is that of pixels that are ignored.
    palette : (k, 3) uint8, BGR
        The colour of each center.
    centers : (k, d) float32
        In feature space; the same label is the same thing from frame to frame. By default the
        palette.
    counts : (k,) int64
        Pixels of each cluster; some have none where an image has fewer colours than k.
    mse : float
        Mean of the squared distance of the pixels that count to the center of their label, in
        feature space (all features summed). By default 0.
    scene_cut : bool
        True where the frame does not continue the one before.
    ids : (k,) int64
        The identity of each label: 0 to k - 1 at the start, and a new number as soon as a label is
        something else. No number that pixels had ever has a second meaning; what comes back after
        a cut has its old one where it plausibly is the same.
    names : tuple of str
        The name of each label's thing, "" where it has none; see `Segmenter.read_names`.
    n_iter : int or None
        Of a still image, the iterations of k-means over its pixels: each assigns the pixels to the
        nearest centers and moves the centers to the means.
    converged : bool or None
        Of a still image, whether the last iteration changed nothing.
    regions : RegionSegmentation or None
        The regions of the same frame, where something asked for them.

    Raises
    ------
    ValueError
        If the arrays do not fit together.

    Examples
    --------
    >>> labels = np.array([[0, 0, 1], [0, 1, 1]], np.uint8)
    >>> Segmentation(labels, np.array([(0, 0, 0), (255, 255, 255)], np.uint8))
    <Segmentation of 3x2 pixels in 2 clusters, mse 0.00>
    """

    labels: npt.NDArray[np.uint8]
    palette: npt.NDArray[np.uint8]
    centers: npt.NDArray[np.float32]
    counts: npt.NDArray[np.int64]
    mse: float
    scene_cut: bool
    ids: npt.NDArray[np.int64]
    names: tuple[str, ...]
    n_iter: int | None
    converged: bool | None
    regions: RegionSegmentation | None

    noun: ClassVar[str] = "segment"
    """What messages call one of them."""

    def __init__(
        self,
        labels: npt.NDArray[np.uint8],
        palette: npt.NDArray[np.uint8],
        *,
        centers: npt.NDArray[np.float32] | None = None,
        counts: npt.NDArray[np.int64] | None = None,
        mse: float = 0.0,
        scene_cut: bool = False,
        ids: npt.NDArray[np.int64] | None = None,
        names: Sequence[str] = (),
        n_iter: int | None = None,
        converged: bool | None = None,
        regions: RegionSegmentation | None = None,
    ) -> None:
        check_labels(labels)
        check_palette(palette)
        k = len(palette)
        labels = np.ascontiguousarray(labels).view()
        labels.flags.writeable = False
        if centers is None:
            centers = palette.astype(np.float32)
        if counts is None:
            counts = np.bincount(labels.reshape(-1), minlength=k)[:k].astype(np.int64)
        if ids is None:
            ids = np.arange(k)
        if centers.ndim != 2 or not len(centers) == k == counts.size == ids.size:
            shapes = f"{centers.shape}, {counts.shape} and {ids.shape}"
            raise ValueError(f"there must be {k} centers, counts and ids, got {shapes}")
        names = tuple(names) or ("",) * k
        if len(names) != k:
            raise ValueError(f"there must be {k} names, got {len(names)}")
        for name, value in (
            ("labels", labels),
            ("palette", palette),
            ("centers", centers),
            ("counts", counts),
            ("mse", mse),
            ("scene_cut", scene_cut),
            ("ids", ids),
            ("names", names),
            ("n_iter", n_iter),
            ("converged", converged),
            ("regions", regions),
        ):
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        height, width = self.labels.shape
        cut = ", scene cut" if self.scene_cut else ""
        size = f"{width}x{height} pixels in {self.n_clusters} clusters"
        return f"<Segmentation of {size}, mse {self.mse:.2f}{cut}>"

    def _repr_png_(self) -> bytes:
        """Return what a notebook shows: the painted image, scaled down."""
        return to_png(self.paint())

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the painted image and the segments' colours and shares."""
        return segments_html(self.paint(), self.palette, self.shares, self.names, repr(self)[1:-1])

    @property
    def n_clusters(self) -> int:
        """The number of clusters, those without pixels included."""
        return len(self.palette)

    @property
    def n_segments(self) -> int:
        """The number of clusters that have pixels: less than k where there are fewer colours."""
        return int(np.count_nonzero(self.counts))

    @property
    def is_still(self) -> bool:
        """Whether it is of a still image, segmented to convergence."""
        return self.n_iter is not None

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """(k,) float64, the part that each cluster covers of the pixels that count."""
        return np.asarray(self.counts / max(1, self.n_counted))

    @property
    def n_counted(self) -> int:
        """The number of pixels that count: those that belong to a cluster."""
        return int(self.counts.sum())

    @property
    def ignored(self) -> npt.NDArray[np.bool_] | None:
        """The (H, W) bool mask of the pixels that do not count; None where all do."""
        if self.n_counted == self.labels.size:
            return None
        return np.asarray(self.labels >= self.n_clusters)

    def paint(self, palette: npt.NDArray[np.uint8] | None = None) -> Image:
        """Return the (H, W, 3) uint8 BGR image of every pixel in its cluster's colour.

        Parameters
        ----------
        palette : (k, 3) uint8, BGR, optional
            Other colours than the segmentation's own.

        Examples
        --------
        >>> labels = np.array([[0, 0, 1]], np.uint8)
        >>> palette = np.array([(0, 0, 0), (30, 20, 10)], np.uint8)
        >>> Segmentation(labels, palette).paint()
        array([[[ 0,  0,  0], [ 0,  0,  0], [30, 20, 10]]], dtype=uint8)
        """
        return self.painting(palette).paint()

    def painting(self, palette: npt.NDArray[np.uint8] | None = None) -> Painting:
        """Return what `paint` would paint, as labels and colours."""
        colors = self.palette if palette is None else np.asarray(palette)
        check_palette(colors, self.n_clusters)
        return Painting(self.labels, colors)

    def mask(self, label: int) -> npt.NDArray[np.bool_]:
        """Return the (H, W) bool mask of one cluster's pixels."""
        check_range("label", label, 0, self.n_clusters - 1)
        return np.asarray(self.labels == label)

    def boundaries(self) -> npt.NDArray[np.bool_]:
        """Return the (H, W) bool mask of the pixels whose right or lower neighbour differs."""
        edges = np.zeros(self.labels.shape, np.bool_)
        np.not_equal(self.labels[:, 1:], self.labels[:, :-1], out=edges[:, :-1])
        edges[:-1] |= self.labels[1:] != self.labels[:-1]
        return edges
