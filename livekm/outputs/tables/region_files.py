"""Choose what writes regions, by the name of the file or folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from livekm.core.selection import EVERYTHING, Selection
from livekm.errors import UsageError
from livekm.frame import VideoInfo
from livekm.outputs.atomic import PartFile, PartFolder
from livekm.outputs.stdout import STDOUT
from livekm.outputs.tables.base import Sidecar
from livekm.outputs.tables.coco import CocoFile
from livekm.outputs.tables.region_base import RegionWriter
from livekm.outputs.tables.region_folders import LabelmeFolder, SvgFolder, YoloFolder
from livekm.outputs.tables.regions import RegionFile
from livekm.outputs.tables.svg import SvgFile
from livekm.outputs.tables.table import TABLE_SUFFIXES

_FILES: dict[str, type[RegionWriter]] = {".json": CocoFile, ".svg": SvgFile}
_FOLDERS: dict[str, type[RegionWriter]] = {
    "yolo": YoloFolder,
    "labelme": LabelmeFolder,
    "svg": SvgFolder,
}

REGION_FORMATS = (*TABLE_SUFFIXES, *_FILES, *_FOLDERS)
"""Suffixes of files, and words that tell from the name of a folder what it is to hold."""


def region_format(path: str | os.PathLike[str]) -> str:
    """Return which of `REGION_FORMATS` a name asks for; raise ValueError if it asks for none.

    Examples
    --------
    >>> region_format("regions.json"), region_format("cars-yolo"), region_format("labelme/a.b")
    ('.json', 'yolo', 'labelme')
    >>> region_format("regions.txt")
    Traceback (most recent call last):
    livekm.errors.UsageError: cannot tell the format of regions.txt; end it in .csv, ...
    """
    if path == STDOUT:
        return ".jsonl"
    suffix = Path(path).suffix.lower()
    if suffix in (*TABLE_SUFFIXES, *_FILES):
        return suffix
    for part in reversed(Path(path).parts):
        for word in _FOLDERS:
            if word in part.lower():
                return word
    endings, words = ", ".join((*TABLE_SUFFIXES, *_FILES)), " or ".join(_FOLDERS)
    raise UsageError(
        f"cannot tell the format of {path}; end it in {endings}, or name a folder that says "
        f"{words}, like out-yolo"
    )


def open_regions(
    path: str | os.PathLike[str],
    info: VideoInfo,
    *,
    overwrite: bool = False,
    min_area: int | None = None,
    selection: Selection = EVERYTHING,
) -> Sidecar:
    """Open what writes the regions of each frame, chosen by the name of `path`.

    Parameters
    ----------
    path : path
        A table ``.csv`` or ``.jsonl``, a COCO ``.json``, an ``.svg`` of one image, or a folder
        whose name says ``yolo``, ``labelme`` or ``svg``.
    info : VideoInfo
        What the frames come from.
    overwrite : bool
        Whether what exists may be replaced.
    min_area, selection
        As of `livekm.regions.find_regions`.

    Raises
    ------
    ValueError
        If the name says nothing of these.
    SinkError
        If the target exists or cannot be written.
    """
    chosen = region_format(path)
    if chosen in TABLE_SUFFIXES:
        return RegionFile(path, info, overwrite=overwrite, min_area=min_area, selection=selection)
    made: Callable[..., Sidecar] = (_FILES | _FOLDERS)[chosen]
    kind = PartFile if chosen in _FILES else PartFolder
    part = kind(path, overwrite=overwrite, source=info.path)
    return made(part, info, min_area=min_area, selection=selection)
