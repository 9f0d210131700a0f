"""Build what the frame loop consists of, as the settings ask for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from livekm.channel import Channel, Work
from livekm.cli.options import DEFAULT_CLUSTERS, DEFAULT_DETAIL, Settings
from livekm.context import GiveUp
from livekm.core.rests import RESTS, Backdrop, Rest, is_color
from livekm.core.segmenter import Segmenter
from livekm.core.selection import EVERYTHING, Selection
from livekm.frame import VideoInfo
from livekm.outputs import ALPHA_SUFFIXES, CONTAINERS, EncoderOptions, alpha_codec
from livekm.outputs.palettes import read_palette, read_recoloring
from livekm.outputs.tables import SIDECARS, OpenSidecar
from livekm.regions import RegionSegmenter
from livekm.sources import MaskedSource, SectionSource, Source, open_source
from livekm.sources.device import is_url
from livekm.sources.still import read_still
from livekm.views import VIEWS, Palette, View, recolored

_SLICE = 0.05  # seconds


def opened_source(settings: Settings, should_stop: Callable[[], bool]) -> Source:
    """Open the source that the settings name; raise `SourceError`.

    A file or a network stream is opened in a thread: where the disk or the network does not
    answer, C sees no signal, and the thread is left to itself.

    Raises
    ------
    GiveUp
        If the user wants to end meanwhile.
    """
    if settings.demo or (settings.camera is not None and not is_url(settings.camera)):
        return _opened(settings)
    found: Channel[Source] = Channel(1)

    def open_it() -> None:
        try:
            source = _opened(settings)
        except BaseException as error:
            found.end(error)
        else:
            if not found.put(source):
                source.close()

    Work(open_it, "open")
    while (source := found.take(_SLICE)) is None:
        if should_stop():
            found.give_up()
            raise GiveUp
    return source


def _opened(settings: Settings) -> Source:
    name: int | str
    if settings.demo:
        name = "demo"
    elif settings.camera is not None:
        name = int(settings.camera) if settings.camera.isdecimal() else settings.camera
    else:
        name = settings.inputs[0]
    width, height = settings.size or (None, None)
    return open_source(
        name,
        width=width,
        height=height,
        fps=settings.fps,
        seed=settings.seed,
        threads=settings.threads,
        raw=settings.raw_video,
        alpha="alpha" in (settings.ignore or ()),
    )


def section(settings: Settings, source: Source) -> Source:
    """Return the frames of a source from ``--start`` to ``--end``."""
    if settings.start is None and settings.end is None:
        return source
    end = float("inf") if settings.end is None else settings.end
    return SectionSource(source, settings.start or 0.0, end)


def masked(settings: Settings, source: Source) -> Source:
    """Return the frames of a source with what ``--ignore`` and ``--roi`` let count."""
    if not settings.ignore and settings.roi is None:
        return source
    return MaskedSource(source, settings.ignore or (), settings.roi)


def lacks_names(settings: Settings) -> bool:
    """Tell whether the table of names is yet to be written: by an output, or in the window."""
    only_reads = settings.benchmark or settings.explain
    return bool(settings.names and not only_reads) and not Path(settings.names or "").exists()


def segmenter(settings: Settings) -> Segmenter:
    """Return a segmenter; raise `UsageError`, or `SourceError` of a palette."""
    fixed = None if settings.clusters == "auto" else settings.clusters
    palette = None if settings.palette is None else read_palette(settings.palette, fixed)
    made = Segmenter(
        DEFAULT_CLUSTERS if settings.clusters is None else settings.clusters,
        color_space=settings.color_space,
        hysteresis=settings.hysteresis,
        steadiness=settings.steadiness,
        spatial_weight=settings.spatial_weight,
        smoothing=settings.smoothing,
        seeding=settings.seeding,
        random_state=settings.seed,
        threads=settings.threads,
    )
    if palette is not None:
        made.palette = palette
    if settings.names and not lacks_names(settings):
        made.read_names(settings.names)
    return made


def view(settings: Settings, info: VideoInfo) -> View:
    """Return the view that the settings name, with its selection.

    What is transparent in the source is so in the output, too, if that can be.
    """
    is_asked = settings.selects_regions == (settings.view == "regions")
    shown = replace(selection(settings) if is_asked else EVERYTHING, rest=rest(settings))
    suffix = Path(settings.output or "").suffix.lower()
    ignores_alpha = info.has_alpha and "none" not in (settings.ignore or ())
    if ignores_alpha and settings.rest is None and suffix in ALPHA_SUFFIXES:
        shown = replace(shown, ignored="transparent")
    colors = recoloring(settings)
    made = VIEWS[settings.view] if colors is None else recolored(settings.view, colors)
    chosen = partial(made, selection=shown)
    return partial(chosen, min_area=settings.min_area) if settings.view == "regions" else chosen


def regions(settings: Settings) -> RegionSegmenter | None:
    """Return what finds regions, if something that the settings ask for shows them."""
    return region_segmenter(settings) if settings.asks_for_regions else None


def region_segmenter(settings: Settings) -> RegionSegmenter:
    """Return what finds regions of the detail that the settings ask for."""
    detail = DEFAULT_DETAIL if settings.detail is None else settings.detail
    return RegionSegmenter.with_detail(detail, random_state=settings.seed, threads=settings.threads)


def sidecars(settings: Settings) -> list[OpenSidecar]:
    """Return a function that opens it for each file beside the output."""
    known = {
        "threads": settings.threads,
        "min_area": settings.min_area,
        "clusters": settings.clusters,
        "of_regions": settings.view == "regions",
        "chosen": selection(settings),
        "selection": selection(settings) if settings.selects_regions else EVERYTHING,
    }
    opened: list[OpenSidecar] = []
    for name, path in settings.sidecars.items():
        kind = SIDECARS[name]
        opened.append(partial(kind.open, path, **{name: known[name] for name in kind.settings}))
    return opened


def encoder(settings: Settings) -> EncoderOptions:
    """Return the options of a clip's encoder."""
    codec, suffix = settings.codec, Path(settings.output or "").suffix.lower()
    if settings.rest == "transparent" and suffix in CONTAINERS:
        codec = alpha_codec(settings.output or "", codec)
    return EncoderOptions(codec, settings.crf, settings.preset, settings.threads)


def selection(settings: Settings) -> Selection:
    """Return the selection of ``--keep`` and ``--drop``."""
    return Selection(settings.keep or settings.drop or (), drop=settings.keep is None)


def rest(settings: Settings) -> Rest | None:
    """Return what ``--rest`` makes of the others; raise `SourceError` of a picture."""
    name = settings.rest
    if name is None or name in RESTS or is_color(name):
        return name
    return Backdrop(read_still(name).image)


def recoloring(settings: Settings) -> Palette | None:
    """Return the colours of ``--recolor``; raise `SourceError` or `UsageError`."""
    return None if settings.recolor is None else read_recoloring(settings.recolor)
