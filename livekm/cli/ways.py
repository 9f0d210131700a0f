"""The ways of running: the window, a still image, a clip, a benchmark, a batch."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from livekm import batch, files, live
from livekm.batch.protocol import Reporter
from livekm.cli import build, lesson, measuring
from livekm.cli.again import command_line
from livekm.cli.checks import check_way
from livekm.cli.interrupt import Interruption
from livekm.cli.options import DEFAULT_DETAIL, Settings, Way
from livekm.cli.output_streams import say, tell
from livekm.cli.progress import clip_progress
from livekm.cli.serving import preview, served
from livekm.core.names import Names, template
from livekm.core.region_segmentation import RegionSegmentation
from livekm.core.segmentation import Segmentation
from livekm.core.segmenter import Segmenter
from livekm.errors import SinkError, UsageError, printable
from livekm.frame import Frame, Image
from livekm.live.choice import Choice
from livekm.live.hud import card
from livekm.live.letterbox import letterboxed
from livekm.live.status import STARTING
from livekm.live.warmup import WarmUp, compile_all
from livekm.live.window import why_no_window
from livekm.outputs import (
    CONTAINERS,
    PIPE_FORMATS,
    STDOUT,
    WRITABLE_IMAGES,
    check_distinct,
    choose_encoding,
    is_image_row,
)
from livekm.outputs.checks import as_image
from livekm.outputs.video.virtual_camera import VirtualCamera
from livekm.outputs.whole_file import WholeFile
from livekm.prefetch import WriteBehind
from livekm.sources import Source

_logger = logging.getLogger(__name__)

_DEMO_FILE = "livekm-demo.mp4"
_DEMO_FRAMES = 300
_CARD_SECONDS = 0.05  # between two pictures of a virtual camera that say that livekm is starting


def warm_up(*, quiet: bool) -> None:
    """Compile the kernels, and say where they are kept."""
    start = time.perf_counter()
    folder = compile_all()
    if folder is None:
        _logger.warning("the kernels are compiled at each start: set NUMBA_CACHE_DIR to a folder")
    elif not quiet:
        say(f"kernels ready in {time.perf_counter() - start:.1f} s, kept in {folder}")


def process_batch(settings: Settings, stop: Interruption) -> bool:
    """Process many clips; tell whether one failed."""
    start = time.perf_counter()
    if settings.names:
        Names.read(settings.names)
    build.segmenter(settings)  # tells what is wrong with it once, not for each clip
    _check_labels(settings, is_single=settings.frames == 1)
    jobs = batch.plan_jobs(
        settings.inputs,
        settings.output,
        encoder=build.encoder(settings),
        sidecars=settings.sidecars,
    )
    results = batch.run(
        jobs,
        settings.arguments_of_each(),
        workers=settings.jobs or 1,
        skip_existing=settings.skip_existing,
        quiet=settings.quiet,
        tell=tell,
        should_stop=stop,
    )
    if not settings.quiet:
        say(batch.summary(results, time.perf_counter() - start))
    return any(result.outcome == "failed" for result in results)


def process_source(settings: Settings, stop: Interruption, reporter: Reporter | None) -> None:
    """Process one source."""
    settings = _without_window(settings) if settings.demo else settings
    names = settings.names if build.lacks_names(settings) else None
    beside = [name for name in (settings.json, settings.plot, settings.explain, names) if name]
    check_distinct([*settings.written, *beside], picture=settings.output)
    segmenter = build.segmenter(settings)
    with build.opened_source(settings, stop) as opened:
        if opened.info.is_still:
            check_way(settings, Way.STILL)
        section = build.section(settings, opened)
        source = build.masked(settings, section)
        if settings.benchmark:
            measuring.run(settings, source, stop)
        elif settings.explain:
            lesson.write(settings, source, segmenter.n_clusters)
        elif not settings.written:
            _live(settings, source, segmenter, stop)
        elif source.info.is_still:
            _image(settings, source, segmenter, names)
        else:
            _clip(settings, source, segmenter, stop, reporter, names)


def _without_window(settings: Settings) -> Settings:
    """Give the demo a file where there is no display, and files an end, which it lacks itself."""
    is_shown = settings.written or settings.benchmark or settings.explain or settings.serve
    if not (is_shown or settings.virtual_camera) and (why := why_no_window()):
        if not settings.quiet:
            say(f"{why}: writing {_DEMO_FILE}")
        settings = replace(settings, output=_DEMO_FILE, overwrite=True)
    if settings.written and settings.frames is None:
        settings = replace(settings, frames=_DEMO_FRAMES)
    return settings


def _live(settings: Settings, source: Source, segmenter: Segmenter, stop: Interruption) -> None:
    why = why_no_window()

    def tell_command(choice: Choice) -> None:
        is_still, is_live = source.info.is_still, source.info.is_live
        say(command_line(settings, choice, is_still=is_still, is_live=is_live))

    with _as_camera(settings, source) as on_picture, served(settings) as server:
        if why and settings.serve is None:
            if on_picture is None:
                raise SinkError(
                    f"{why}: add -o FILE to write a file, -o - for a pipe, "
                    "or --serve 8000 for a browser"
                )
            _without_window_to(on_picture, settings, source, segmenter, stop)
            return
        summary = live.run(
            source,
            segmenter,
            view=settings.view,
            detail=DEFAULT_DETAIL if settings.detail is None else settings.detail,
            scale=settings.scale,
            rest=build.rest(settings) or ("black" if settings.keep or settings.drop else None),
            colors=build.recoloring(settings),
            min_area=settings.min_area,
            selection=build.selection(settings),
            max_frames=settings.frames,
            on_picture=on_picture,
            on_choice=tell_command,
            names_file=settings.names,
            server=server,
            opens_window=not why,
            should_stop=stop,
        )
    if not settings.quiet:
        say(summary.to_text(source.info.name))
        if summary.choice is not None:
            tell_command(summary.choice)


@contextmanager
def _as_camera(
    settings: Settings, source: Source
) -> Iterator[Callable[[Image, float], None] | None]:
    """Give a function that shows a picture to the virtual camera; None where none is asked for."""
    if settings.virtual_camera is None:
        yield None
        return
    with VirtualCamera(settings.virtual_camera, source.info) as camera:
        with WriteBehind(camera, drops=True) as written:
            yield lambda image, time: written.write(letterboxed(image, camera.size), time)
        if not settings.quiet:
            say(f"{camera.target}: {camera.n_frames} frames")


def _without_window_to(
    show: Callable[[Image, float], None],
    settings: Settings,
    source: Source,
    segmenter: Segmenter,
    stop: Interruption,
) -> None:
    """Give each newest picture to a function, and until there is one a black one that says so."""
    view = build.view(settings, source.info)
    kernels, size = WarmUp(), (source.info.width, source.info.height)
    while not kernels.are_ready(segmenter.color_space) and not stop():
        show(card(size, STARTING), 0.0)
        time.sleep(_CARD_SECONDS)
    frames = live.live_frames(
        source,
        segmenter,
        scale=settings.scale or 1.0,
        max_frames=settings.frames,
        should_stop=stop,
    )
    for frame, segmentation in frames:
        show(as_image(view(frame, segmentation)), frame.time)


def _image(settings: Settings, source: Source, segmenter: Segmenter, names: str | None) -> None:
    """Segment a still image; `names` is a table of names to write."""
    output = settings.output
    if output and output != STDOUT and Path(output).suffix.lower() not in WRITABLE_IMAGES:
        raise UsageError(
            f"{source.info.name} is an image: end {output} in {', '.join(WRITABLE_IMAGES)}"
        )
    start = time.perf_counter()
    result = files.process_image(
        source,
        segmenter,
        build.view(settings, source.info),
        output,
        sidecars=build.sidecars(settings),
        regions=build.regions(settings),
        scale=settings.scale or 1.0,
        overwrite=settings.overwrite,
    )
    _check_names(result.renamed)
    segmentation = result.segmentation
    if names:
        _write_names(names, segmentation)
    _logger.info(
        "%s: %dx%d, k = %d, %s iterations, in %.1f s",
        source.info.name,
        source.info.width,
        source.info.height,
        segmentation.n_clusters,
        segmentation.n_iter,
        time.perf_counter() - start,
    )
    if not settings.quiet:
        found = segmentation.n_segments
        fewer = "" if found == segmentation.n_clusters else ", the image has no more colours"
        written = printable(", ".join(map(_told, settings.written)))
        regions = segmentation.regions
        more = "" if regions is None else f", {regions.n_regions} regions"
        told = f"{_suggestion(segmenter)}{_to_fill_in(names)}"
        say(f"{written}: {found} segments{more}{fewer}, mse {segmentation.mse:.4g}{told}")


def _clip(
    settings: Settings,
    source: Source,
    segmenter: Segmenter,
    stop: Interruption,
    reporter: Reporter | None,
    names: str | None,
) -> None:
    """Segment a clip; `names` is a table of names to write."""
    is_single = 1 in (settings.frames, source.info.n_frames)
    _check_labels(settings, is_single=is_single)
    output = settings.output
    is_image = (
        output and Path(output).suffix.lower() in WRITABLE_IMAGES and not is_image_row(output)
    )
    if is_image and not is_single:
        raise UsageError(
            f"{output} holds one image: end it in .mp4, name images out/%06d.png, or add --frames 1"
        )
    totals = [n for n in (source.info.n_frames, settings.frames) if n is not None]
    total, name = min(totals, default=None), Path(_told(settings.written[0])).name
    bar = clip_progress(total, name, hidden=settings.quiet)
    missing = set(build.selection(settings).ids)
    last: Segmentation | None = None
    start = time.perf_counter()
    view = build.view(settings, source.info)
    watched, shown = served(settings), reporter.progress(total) if reporter else bar
    with watched as server, shown as advance:
        show = preview(server, source.info.name, view)

        def count(frame: Frame, segmentation: Segmentation) -> None:
            nonlocal last
            last = segmentation
            missing.difference_update(_selectable(settings, segmentation).ids.tolist())
            show(frame, segmentation)
            advance()

        result = files.process_clip(
            source,
            segmenter,
            view,
            output,
            sidecars=build.sidecars(settings),
            regions=build.regions(settings),
            scale=settings.scale or 1.0,
            max_frames=settings.frames,
            from_zero=settings.start is not None or settings.end is not None,
            overwrite=settings.overwrite,
            encoder=build.encoder(settings),
            form=settings.pipe_format or PIPE_FORMATS[0],
            on_frame=count,
            should_stop=stop,
        )
    _check_names(result.renamed)
    if names and last is not None:
        _write_names(names, last)
    if missing:
        ids = ", ".join(map(str, sorted(missing)))
        flag = "--drop" if settings.keep is None else "--keep"
        noun = "region" if settings.selects_regions else "segment"
        _logger.warning("%s: no frame of %s had a %s %s", flag, source.info.name, noun, ids)
    if result.n_dropped:
        dropped = f"{result.n_dropped} of {result.n_frames} frames were dropped"
        _logger.warning("stdout: %s: its reader is too slow", dropped)
    seconds = time.perf_counter() - start
    _logger.info("%s", _account(settings, source, segmenter, result.n_frames, seconds))
    if not settings.quiet and not reporter:
        stdout = ["stdout"] if settings.fills_stdout else []
        written = printable(", ".join([*stdout, *map(str, result.paths)])) or "nothing is written"
        frames = f"{result.n_frames} frame{'' if result.n_frames == 1 else 's'}"
        interrupted = ", interrupted" if stop.requested else ""
        say(f"{written}: {frames}{interrupted}{_suggestion(segmenter)}{_to_fill_in(names)}")


def _write_names(name: str, segmentation: Segmentation) -> None:
    """Write a table of names to fill in."""
    with WholeFile(name) as file:
        file.write(template(segmentation).encode())


def _to_fill_in(names: str | None) -> str:
    return f"; {printable(names)}: colours to name" if names else ""


def _suggestion(segmenter: Segmenter) -> str:
    """Return what was said where k was asked for."""
    return "" if segmenter.suggestion is None else f"; {segmenter.suggestion}"


def _account(
    settings: Settings, source: Source, segmenter: Segmenter, n_frames: int, seconds: float
) -> str:
    """Return what ``-v`` tells of a run: size, rate, codec, k, and how long it took."""
    info, output = source.info, settings.output or ""
    rate = "" if info.fps is None else f" at {float(info.fps):.4g} frames a second"
    codec = ""
    if Path(output).suffix.lower() in CONTAINERS:
        codec = f", to {choose_encoding(output, build.encoder(settings)).codec.encoder}"
    times = ""
    if info.fps is not None and not info.is_live and seconds > 0:
        times = f", {n_frames / float(info.fps) / seconds:.2g} times real time"
    return (
        f"{info.name}: {info.width}x{info.height}{rate}{codec}, k = {segmenter.n_clusters}, "
        f"in {seconds:.1f} s{times}"
    )


def _told(name: str) -> str:
    return "stdout" if name == STDOUT else name


def _selectable(
    settings: Settings, segmentation: Segmentation
) -> Segmentation | RegionSegmentation:
    """Return what ``--keep`` and ``--drop`` select from."""
    found = segmentation.regions if settings.selects_regions else None
    return segmentation if found is None else found


def _check_names(renamed: Iterable[tuple[Path, Path]]) -> None:
    """Raise `SinkError` of what is complete, but not under the name that was asked for."""
    told = [
        f"cannot write {name}: it has been made by others meanwhile; "
        f"the output is {path}, rename one of them"
        for name, path in renamed
    ]
    if told:
        raise SinkError("; ".join(told))


def _check_labels(settings: Settings, *, is_single: bool) -> None:
    name = settings.sidecars.get("labels", "")
    if Path(name).suffix.lower() == ".png" and not is_single:
        raise UsageError(f"{name} holds one image: name a folder, .npz or .mkv")
    name = settings.sidecars.get("regions", "")
    if Path(name).suffix.lower() == ".svg" and not is_single:
        raise UsageError(f"{name} holds one image: name a folder that says svg, like out-svg")
