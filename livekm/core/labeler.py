"""The label of every pixel, given the centers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from livekm.core.kernels import (
    BLOCK_ROWS,
    RUN,
    ignore_pixels,
    label_blocks,
    look_up_labels,
    smooth_labels,
)
from livekm.core.lookup import ColorTable
from livekm.core.sample import Centers, fraction_bits
from livekm.core.threads import run_in_threads

# Centers times pixels. With four clips at 3840 x 2160 and k = 128, 1.1e9, neither way is better
# than the other; at k = 256 the table takes 0.7 to 0.95 of the time.
_MANY = 1.5e9


@dataclass(frozen=True, slots=True)
class Labeling:
    """The labels of one frame, and what they come to.

    Attributes
    ----------
    labels : (H, W) uint8
    centers : (k, d) float32
        As they were used: rounded.
    counts : (k,) int64
        Pixels of each label.
    error : float
        Mean squared distance of the pixels that count to the centers of their labels.
    """

    labels: npt.NDArray[np.uint8]
    centers: npt.NDArray[np.float32]
    counts: npt.NDArray[np.int64]
    error: float


class Labeler:
    """Gives each pixel its nearest center, or the label it had while that is near enough.

    Everything is in steps of the feature space.

    Parameters
    ----------
    threads : int
    table_from : float
        Centers times pixels of a frame from which on a table of all colours takes less time than
        to compare centers.
    """

    def __init__(self, threads: int, table_from: float = _MANY) -> None:
        self._threads = threads
        self._table_from = table_from
        self._table: ColorTable | None = None
        self.forget()

    def forget(self) -> None:
        """Let the next frame's labels stick to nothing."""
        self._previous: npt.NDArray[np.uint8] | None = None
        self._shape = (0, 0)
        self._has_ignored = False

    def relabel(self, new_labels: npt.NDArray[np.uint8]) -> None:
        """Take label i of the last frame as ``new_labels[i]`` from now on."""
        if self._previous is not None:
            self._previous = new_labels[self._previous]

    def label(
        self,
        colors: npt.NDArray[Any],
        centers: Centers,
        *,
        spacing: np.float32,
        reach: float,
        hysteresis: float,
        most: float,
        smoothing: int,
        mask: npt.NDArray[np.uint8] | None = None,
    ) -> Labeling:
        """Label a frame.

        Parameters
        ----------
        colors : (H, W, 3) uint8 or (3, H, W) int16
            The colour features of each pixel, or in planes.
        centers : (d, k) float32
        spacing : float32
            Spatial features from one pixel to the next, 0 for none.
        reach : float
            The largest squared distance of two pixels.
        hysteresis : float
            How far beyond a border a pixel keeps its label,
        most : float
            while its squared distance exceeds that of the nearest center by no more than this.
        smoothing : int
            Passes of the majority filter.
        mask : (H, W) uint8, optional
            0 where a pixel does not count: its label becomes 255. k is at most 255 then.
        """
        is_planar = colors.dtype != np.uint8
        shape = height, width = colors.shape[1:] if is_planar else colors.shape[:2]
        d, k = centers.shape
        fraction = fraction_bits(reach)
        rounded = np.zeros((5, k), np.float32)
        rounded[:d] = np.ldexp(np.rint(np.ldexp(centers, fraction)), -fraction)
        scale = np.float32(2 ** (2 * fraction + 1))
        biases = scale / 2 * (rounded * rounded).sum(axis=0, dtype=np.float32)
        labels: npt.NDArray[np.uint8] = np.empty(height * width, np.uint8)
        is_same_kind = self._shape == shape and (k < 256 or not self._has_ignored)
        if hysteresis == 0 or self._previous is None or not is_same_kind:
            slack, previous = np.zeros((0, 0), np.float32), labels
        else:
            ways = np.minimum(hysteresis * _distances(rounded), most / 2)
            slack, previous = scale * ways.astype(np.float32), self._previous
        frame, plane = colors.reshape(-1), height * width if is_planar else None
        scaled = scale * rounded
        total, error = np.zeros(k, np.int64), 0

        def run(kernel: Callable[..., None], rows: int, *arguments: Any) -> None:
            """Run a kernel that labels, or changes labels, and add what they come to."""
            nonlocal total, error
            counts, errors = np.zeros((rows, k), np.int64), np.zeros(rows, np.int64)
            run_in_threads(self._threads, kernel, rows, frame, *arguments, counts, errors)
            total, error = total + counts.sum(axis=0), error + int(errors.sum())

        if not is_planar and spacing == 0 and k * height * width >= self._table_from:
            self._table = self._table or ColorTable(self._threads)
            self._table.follow(scaled[:3], biases)
            run(
                look_up_labels, -(-height * width // RUN), scale, scaled, biases, slack, previous,
                self._table.labels, labels,
            )  # fmt: skip
        else:
            run(
                label_blocks, -(-height // BLOCK_ROWS), plane, height, width,
                spacing if spacing > 0 else None, scale, scaled, biases, slack, previous, labels,
            )  # fmt: skip
        frame_of_rows = plane, height, width, spacing, rounded, scale
        if mask is not None:
            run(ignore_pixels, height, *frame_of_rows, mask.reshape(-1), labels)
        self._previous, self._shape = labels, shape
        self._has_ignored = mask is not None
        for _ in range(smoothing):
            rough, labels = labels, np.empty(height * width, np.uint8)
            run(smooth_labels, height, *frame_of_rows, rough, labels)
        used = np.ascontiguousarray(rounded[:d].T)
        return Labeling(
            labels.reshape(shape), used, total, 2 * error / (float(scale) * max(1, total.sum()))
        )


def _distances(centers: Centers) -> npt.NDArray[np.float32]:
    """Return the (k, k) distances between (d, k) centers."""
    squares = ((centers[:, :, np.newaxis] - centers[:, np.newaxis]) ** 2).sum(axis=0)
    return np.asarray(np.sqrt(squares))
