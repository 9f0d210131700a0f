"""Write the labels of each frame as masks, in lines of JSON."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from livekm.core.segmentation import Segmentation
from livekm.frame import Frame, VideoInfo
from livekm.outputs.stdout import STDOUT
from livekm.outputs.tables.table import TableFile


class MaskLines(TableFile):
    """Write a line for each segment of each frame to stdout, with its mask as COCO counts it.

    ``size`` is the height and width, ``counts`` the lengths of the runs down one column after the
    other, outside the segment first.
    """

    def __init__(self, info: VideoInfo) -> None:
        super().__init__(STDOUT, info, columns=())

    def _rows(self, frame: Frame, segmentation: Segmentation) -> list[dict[str, Any]]:
        palette = segmentation.palette.tolist()
        return [
            {
                "frame": frame.index,
                "time": frame.time,
                "label": label,
                "id": int(segmentation.ids[label]),
                "color": "#{2:02x}{1:02x}{0:02x}".format(*palette[label]),
                "size": list(segmentation.labels.shape),
                "counts": counts,
            }
            for label, counts in enumerate(run_lengths(segmentation.labels, len(palette)))
        ]


def run_lengths(labels: npt.NDArray[np.uint8], n_labels: int) -> list[list[int]]:
    """Return COCO's run lengths of the mask of each label.

    Examples
    --------
    >>> run_lengths(np.array([[0, 1, 1], [0, 0, 1]], np.uint8), 3)
    [[0, 2, 1, 1, 2], [2, 1, 1, 2], [6]]
    """
    flat = labels.ravel(order="F")
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    ends = np.append(starts[1:], flat.size)
    found = []
    for label in range(n_labels):
        is_it = flat[starts] == label
        borders = np.stack([starts[is_it], ends[is_it]], axis=1).ravel()
        counts = np.diff(borders, prepend=0, append=flat.size).tolist()
        found.append(counts if counts[-1] else counts[:-1])
    return found
