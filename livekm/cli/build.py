"""The parts of the frame loop, as the options of the command line ask for them."""

from __future__ import annotations

import argparse
from functools import partial

from livekm.cli.options import DEFAULT_CLUSTERS
from livekm.core.segmenter import Segmenter
from livekm.core.selection import EVERYTHING, Selection
from livekm.outputs import EncoderOptions
from livekm.outputs.palettes import read_palette
from livekm.outputs.tables import SIDECAR_FILES, OpenSidecar
from livekm.sources import SectionSource, Source, open_source
from livekm.views import VIEWS, View, regions


def opened_source(options: argparse.Namespace) -> Source:
    """Open the source that is named; raises `SourceError`."""
    name: int | str
    if options.demo:
        name = "demo"
    elif options.camera is not None:
        name = int(options.camera) if options.camera.isdecimal() else str(options.camera)
    else:
        name = str(options.inputs[0])
    return open_source(
        name,
        width=options.width,
        height=options.height,
        fps=options.fps,
        seed=options.seed,
        threads=options.threads,
    )


def section(options: argparse.Namespace, source: Source) -> Source:
    """Return what ``--start`` and ``--end`` leave of a source."""
    if options.start is None and options.end is None:
        return source
    if source.info.is_still:
        raise ValueError(f"{source.info.name} is an image: leave --start and --end out")
    end = float("inf") if options.end is None else options.end
    return SectionSource(source, options.start or 0.0, end)


def segmenter(options: argparse.Namespace) -> Segmenter:
    """Return a segmenter; raises ValueError for what makes no sense, `SourceError` of a palette."""
    palette = None if options.palette is None else read_palette(options.palette, options.clusters)
    made = Segmenter(
        DEFAULT_CLUSTERS if options.clusters is None else options.clusters,
        color_space=options.color_space,
        hysteresis=options.hysteresis,
        spatial_weight=options.spatial_weight,
        smoothing=options.smoothing,
        seeding=options.seeding,
        random_state=options.seed,
        threads=options.threads,
    )
    if palette is not None:
        made.set_palette(palette)
    k = made.n_clusters
    if max(options.keep or options.drop or [0]) >= k:
        raise ValueError(f"--keep, --drop: {k} segments are 0 to {k - 1}")
    return made


def view(options: argparse.Namespace) -> View:
    """Return what is shown of each frame."""
    chosen = VIEWS[options.view]
    if chosen is regions:
        return partial(regions, selection=_selection(options), min_area=options.min_area)
    return partial(chosen, selection=_selection(options))


def sidecars(options: argparse.Namespace) -> list[OpenSidecar]:
    """Return what opens each file that is written beside the output."""
    given = {name: getattr(options, name) for name in SIDECAR_FILES}
    opened: dict[str, OpenSidecar] = {
        name: partial(SIDECAR_FILES[name], path) for name, path in given.items() if path
    }
    if "labels" in opened:
        opened["labels"] = partial(opened["labels"], threads=options.threads)
    if "regions" in opened:
        more = {"min_area": options.min_area, "selection": _selection(options)}
        opened["regions"] = partial(opened["regions"], **more)
    return list(opened.values())


def encoder(options: argparse.Namespace) -> EncoderOptions:
    """Return how a clip is to be encoded."""
    return EncoderOptions(options.codec, options.crf, options.preset, options.threads)


def _selection(options: argparse.Namespace) -> Selection:
    """Return what ``--keep``, ``--drop`` and ``--rest`` ask for."""
    labels = options.keep or options.drop
    if labels is None:
        return EVERYTHING
    return Selection(labels, drop=options.keep is None, rest=options.rest or "black")
