"""What is written of each frame beside its picture: labels, tables, figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from livekm.sidecars.base import Sidecar
from livekm.sidecars.figure import FigureFile
from livekm.sidecars.label_files import LABEL_FILES, open_labels
from livekm.sidecars.palette_file import PaletteFile
from livekm.sidecars.region_file import RegionFile
from livekm.sidecars.statistics import StatisticsFile

__all__ = [
    "LABEL_FILES",
    "SIDECAR_FILES",
    "FigureFile",
    "OpenSidecar",
    "PaletteFile",
    "RegionFile",
    "Sidecar",
    "StatisticsFile",
    "open_labels",
]

OpenSidecar: TypeAlias = Callable[..., Sidecar]
"""``(info, *, overwrite)``: one of `SIDECAR_FILES` whose path is given by `functools.partial`."""

SIDECAR_FILES: dict[str, Callable[..., Sidecar]] = {
    "labels": open_labels,
    "figure": FigureFile,
    "stats": StatisticsFile,
    "regions": RegionFile,
    "save_palette": PaletteFile,
}
"""Option of the command line -> what opens the file it names: ``(path, info, *, overwrite)``."""
