"""Files beside the picture: labels, tables, figures; each kind is a row of `SIDECARS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

from livekm import figures
from livekm.outputs.palettes import PALETTE_FILES
from livekm.outputs.tables.base import Sidecar, chosen_suffix
from livekm.outputs.tables.figure import FigureFile
from livekm.outputs.tables.labels import check_labels_name, name_as_folder, open_labels
from livekm.outputs.tables.mask_folder import MaskFolder, check_masks_name
from livekm.outputs.tables.palette import PaletteFile
from livekm.outputs.tables.region_files import open_regions, region_format
from livekm.outputs.tables.regions import RegionFile
from livekm.outputs.tables.statistics import StatisticsFile
from livekm.outputs.tables.table import table_suffix

__all__ = [
    "SIDECARS",
    "FigureFile",
    "OpenSidecar",
    "PaletteFile",
    "RegionFile",
    "Sidecar",
    "SidecarKind",
    "StatisticsFile",
    "open_labels",
]

OpenSidecar: TypeAlias = Callable[..., Sidecar]
"""``(info, *, overwrite)``: opens a sidecar whose path is given by `functools.partial`."""


@dataclass(frozen=True, slots=True)
class SidecarKind:
    """One kind of file beside the picture, with its option of the command line.

    Attributes
    ----------
    open : callable
        ``(path, info, *, overwrite)``, and by name each of `settings`; returns a `Sidecar`.
    check : callable
        Take the file's name; raise ValueError if it cannot be called that.
    help : str
        Say what the file holds and in which formats.
    in_folder : str
        The files' names in a folder, where many clips have one each; ``{}`` stands for the clip.
    metavar : str
        What the help calls the option's value.
    settings : tuple of str
        Other options that `open` takes.
    to_text : callable
        Take the file's path; return the name by which `check` and `open` know it.
    """

    open: Callable[..., Sidecar]
    check: Callable[[str], object]
    help: str
    in_folder: str
    metavar: str = "FILE"
    settings: tuple[str, ...] = ()
    to_text: Callable[[Path], str] = str


SIDECARS: dict[str, SidecarKind] = {
    "labels": SidecarKind(
        open_labels,
        check_labels_name,
        "labels: .png of an image; a folder of PNGs, .npz or .mkv of a clip; - for stdout",
        "{}",
        metavar="PATH",
        settings=("threads",),
        to_text=name_as_folder,
    ),
    "figure": SidecarKind(
        FigureFile,
        lambda name: figures.check_format(Path(name).suffix),
        "a page about the segments, as .png or .pdf",
        "{}.png",
        settings=("clusters",),
    ),
    "stats": SidecarKind(
        StatisticsFile,
        table_suffix,
        "each segment of each frame as a .csv or .jsonl table, or - for lines on stdout",
        "{}.csv",
    ),
    "regions": SidecarKind(
        open_regions,
        region_format,
        "each region of each frame: .csv, .jsonl, COCO .json, .svg, a folder that says "
        "yolo, labelme or svg, or - for lines on stdout",
        "{}.csv",
        settings=("min_area", "selection"),
    ),
    "masks": SidecarKind(
        MaskFolder,
        check_masks_name,
        "a mask of each segment, with --view regions of each region, as PNGs in a folder",
        "{}",
        metavar="FOLDER",
        settings=("of_regions", "chosen", "min_area"),
        to_text=lambda path: f"{path}/",
    ),
    "save-palette": SidecarKind(
        PaletteFile,
        partial(chosen_suffix, known=PALETTE_FILES),
        "the segments' colours as .gpl (GIMP) or .json",
        "{}.gpl",
    ),
}
"""Option of the command line, without its dashes -> the file that it asks for."""
