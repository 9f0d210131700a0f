"""Write place, size and colour of each segment of each frame as a table."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from livekm.core.kernels import measure_labels
from livekm.core.segmentation import Segmentation
from livekm.core.threads import available_cores, run_in_threads
from livekm.frame import Frame, VideoInfo
from livekm.outputs.tables.table import TableFile


class SegmentRow(NamedTuple):
    """One segment of one frame; a segment without pixels has no centroid and no box.

    Attributes
    ----------
    frame, time
        The frame's place in the source from 0, and its time there in seconds.
    label
        The number that the segment's pixels have in the frame's labels.
    id
        Which thing the segment is; see `Segmentation.ids`. A label that is given to something else
        has another id from that frame on.
    color
        As in HTML, ``#rrggbb``.
    share, pixels
        The segment's part of the pixels that count, and its number of pixels.
    x, y
        Its centroid in pixels, from the centre of the upper left one.
    box_x, box_y, box_width, box_height
        The smallest box of whole pixels that holds it.
    mse, scene_cut
        Those of the whole frame; see `Segmentation`.
    name
        What the segment is called, or nothing.
    """

    frame: int
    time: float
    label: int
    id: int
    color: str
    share: float
    pixels: int
    x: float | None
    y: float | None
    box_x: int | None
    box_y: int | None
    box_width: int | None
    box_height: int | None
    mse: float
    scene_cut: bool
    name: str


def measure(frame: Frame, segmentation: Segmentation, threads: int = 1) -> list[SegmentRow]:
    """Measure every segment of a frame, on as many threads as are given.

    Examples
    --------
    >>> from livekm import Segmenter
    >>> image = np.zeros((2, 6, 3), np.uint8)
    >>> image[:, 4:] = 10, 20, 255
    >>> segmentation = Segmenter(n_clusters=2, random_state=0).fit(image)
    >>> for row in measure(Frame(image, 0, 0.0), segmentation):
    ...     print(row.color, row.pixels, row.x, row.y, row.box_x, row.box_width)
    #000000 8 1.5 0.5 0 4
    #ff140a 4 4.5 0.5 4 2
    """
    labels = segmentation.labels
    sums, boxes = _regions(labels, segmentation.n_clusters, threads)
    mse, n_counted = _rounded(segmentation.mse), max(1, segmentation.n_counted)
    rows = []
    found = zip(
        segmentation.ids.tolist(),
        segmentation.palette.tolist(),
        sums.tolist(),
        boxes.tolist(),
        strict=True,
    )
    for label, (identity, color, (n, x, y), (left, top, right, bottom)) in enumerate(found):
        is_there = n > 0
        rows.append(
            SegmentRow(
                frame=frame.index,
                time=frame.time,
                label=label,
                id=identity,
                color="#{2:02x}{1:02x}{0:02x}".format(*color),
                share=round(n / n_counted, 6),
                pixels=n,
                x=_rounded(x / n) if is_there else None,
                y=_rounded(y / n) if is_there else None,
                box_x=left if is_there else None,
                box_y=top if is_there else None,
                box_width=right - left if is_there else None,
                box_height=bottom - top if is_there else None,
                mse=mse,
                scene_cut=bool(segmentation.scene_cut),
                name=segmentation.names[label],
            )
        )
    return rows


def _regions(
    labels: npt.NDArray[np.uint8], k: int, threads: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return number, sum of x and sum of y of each label, (k, 3), and its box, (k, 4)."""
    height, width = labels.shape
    bands = 4 * threads
    sums = np.zeros((bands, k, 3), np.int64)
    boxes = np.zeros((bands, k, 4), np.int64)
    boxes[:, :, :2] = width, height
    run_in_threads(threads, measure_labels, bands, labels, sums, boxes)
    ends = boxes[:, :, :2].min(axis=0), boxes[:, :, 2:].max(axis=0)
    return sums.sum(axis=0), np.concatenate(ends, axis=1)


def _rounded(value: float) -> float:
    return round(value, 3)


class StatisticsFile(TableFile):
    """Write the rows of `measure` to a ``.csv`` or ``.jsonl`` file; used as a context manager.

    The parameters are those of `livekm.outputs.tables.table.TableFile`.
    """

    def __init__(
        self, path: str | os.PathLike[str], info: VideoInfo, *, overwrite: bool = False
    ) -> None:
        super().__init__(path, info, overwrite=overwrite, columns=SegmentRow._fields)
        self._threads = available_cores()

    def _rows(self, frame: Frame, segmentation: Segmentation) -> list[dict[str, Any]]:
        return [row._asdict() for row in measure(frame, segmentation, self._threads)]
