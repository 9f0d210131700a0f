"""What is written of each frame beside its picture: labels, tables, figures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from livekm import figures
from livekm.outputs.palettes import PALETTE_FILES
from livekm.outputs.tables.base import Sidecar, chosen_suffix
from livekm.outputs.tables.figure import FigureFile
from livekm.outputs.tables.labels import LABEL_FILES, open_labels
from livekm.outputs.tables.palette import PaletteFile
from livekm.outputs.tables.regions import RegionFile
from livekm.outputs.tables.statistics import StatisticsFile
from livekm.outputs.tables.table import TABLE_SUFFIXES

__all__ = [
    "LABEL_FILES",
    "SIDECAR_FILES",
    "FigureFile",
    "OpenSidecar",
    "PaletteFile",
    "RegionFile",
    "Sidecar",
    "StatisticsFile",
    "check_name",
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


def check_name(option: str, name: str) -> None:
    """Raise ValueError if the file of one of `SIDECAR_FILES` cannot have that name."""
    if option == "figure":
        figures.check_format(Path(name).suffix)
    else:
        chosen_suffix(name, _SUFFIXES[option])


_SUFFIXES = {
    "labels": LABEL_FILES,
    "stats": TABLE_SUFFIXES,
    "regions": TABLE_SUFFIXES,
    "save_palette": PALETTE_FILES,
}
