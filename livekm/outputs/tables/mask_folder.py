"""Write one mask for each segment or region."""

from __future__ import annotations

import csv
import os
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import cv2
import numpy as np

from livekm.core.segmentation import Segmentation
from livekm.core.selection import EVERYTHING, Selection
from livekm.errors import UsageError
from livekm.frame import Frame, VideoInfo
from livekm.outputs.atomic import PartFolder
from livekm.outputs.schema import SCHEMA
from livekm.outputs.tables.base import Sidecar
from livekm.outputs.tail import cut_last_line
from livekm.regions import are_listed, regions_of

_COLUMNS = ("file", "frame", "time", "id", "schema")


class MaskFolder(Sidecar):
    """Write a grey PNG for each segment or region of each frame: 255 where it is, 0 elsewhere.

    They are called by the id, ``3.png``, of a clip by frame and id, ``000000-3.png``.
    ``masks.csv`` tells each one's frame, time and id.

    Parameters
    ----------
    path : path
        The folder.
    info, overwrite
        As of every sidecar.
    of_regions : bool
        Whether masks are of regions, not of segments.
    chosen : Selection
        The ids of those to write.
    min_area : int, optional
        Regions of fewer pixels have no mask; as of `livekm.regions.find_regions`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        info: VideoInfo,
        *,
        overwrite: bool = False,
        of_regions: bool = False,
        chosen: Selection = EVERYTHING,
        min_area: int | None = None,
    ) -> None:
        super().__init__(PartFolder(path, overwrite=overwrite, source=info.path), info)
        self._of_regions, self._chosen, self._min_area = of_regions, chosen, min_area
        self._is_still = info.is_still
        self._file = self._opened(_open_table)
        self._table = csv.writer(self._file, lineterminator="\n")
        self._table.writerow(_COLUMNS)

    def _write(self, frame: Frame, segmentation: Segmentation) -> None:
        if self._of_regions:
            regions = regions_of(segmentation)
            is_written = are_listed(regions, self._min_area, self._chosen)
            ids, labels = regions.ids, np.asarray(regions.labels)
        else:
            is_written = self._chosen.of(segmentation) & (segmentation.counts > 0)
            ids, labels = segmentation.ids, np.asarray(segmentation.labels)
        for label in np.flatnonzero(is_written).tolist():
            identity = int(ids[label])
            name = f"{identity}.png" if self._is_still else f"{self.n_frames:06d}-{identity}.png"
            mask = np.where(labels == label, np.uint8(255), np.uint8(0))
            (self._path / name).write_bytes(cv2.imencode(".png", mask)[1].tobytes())
            self._table.writerow((name, frame.index, frame.time, identity, SCHEMA))

    def _finish(self) -> None:
        self._file.close()

    def _rescue(self) -> bool:
        cut_last_line(self._path / "masks.csv")
        return True

    def _release(self) -> None:
        with suppress(OSError):
            self._file.close()


def check_masks_name(name: str) -> None:
    """Raise ValueError for the name of a file; one that ends in a slash is a folder's."""
    if Path(name).suffix and not name.endswith(("/", os.sep)):
        raise UsageError(f"masks are several images, {name} is one: name a folder, or {name}/")


def _open_table(path: Path) -> TextIO:
    return (path / "masks.csv").open("w", encoding="utf-8", newline="")
