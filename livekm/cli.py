"""The command ``livekm``: calls and exit codes. The only place that prints."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from livekm import batch, benchmark, cluster, live
from livekm.archive import SIDECARS, Job, is_archive, plan_jobs
from livekm.errors import LivekmError, SinkError
from livekm.frame import Frame
from livekm.interrupt import Interruption, interruption
from livekm.jobs import JobEvent, JobResult, run_jobs
from livekm.options import DEFAULT_CLUSTERS, MISUSED, parse_options, shared_arguments, written_files
from livekm.palettes import read_palette
from livekm.progress import ArchiveProgress, clip_progress
from livekm.reports import Report, follow_parent
from livekm.segmentation import Segmentation
from livekm.segmenter import Segmenter
from livekm.sidecars import SIDECAR_FILES, OpenSidecar
from livekm.sinks import FILE_SINKS, IMAGE_SUFFIXES, has_display, is_image_row
from livekm.sinks.part_file import WholeFile
from livekm.sources import SectionSource, Source, open_source
from livekm.sources.discovery import find_cameras
from livekm.views import VIEWS, RegionView, View, keep

_DEMO_FILE = "livekm-demo.mp4"
_DEMO_FRAMES = 300
_FAILED, _INTERRUPTED = 1, 130
_REPORT_PERIOD = 0.2  # seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; those of the process by default.
    """
    options = parse_options(arguments)
    _set_up_logging(options)
    try:
        if options.list_cameras:
            print("\n".join(map(str, find_cameras())) or "no camera is connected")
            return 0
        with interruption() as stop:
            if options.report:
                follow_parent(stop.request, stop.insist)
            if options.inputs and is_archive(options.inputs):
                code = _archive(options, stop)
            else:
                code = _run(options, stop)
            return _INTERRUPTED if stop.requested else code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except (ValueError, LivekmError, MemoryError) as error:
        if options.verbose:
            traceback.print_exc()
        text = str(error) or "not enough memory"
        if options.report:
            _report(Report("failure", text))
        else:
            print(f"livekm: {text}", file=sys.stderr)
        return MISUSED if isinstance(error, ValueError) else _FAILED


def _set_up_logging(options: argparse.Namespace) -> None:
    handlers = [_ReportHandler()] if options.report else None
    logging.basicConfig(level=logging.ERROR, format="livekm: %(message)s", handlers=handlers)
    # Only livekm's own: a user has no use for what the libraries tell each other.
    level = logging.ERROR if options.quiet else logging.INFO if options.verbose else logging.WARNING
    logging.getLogger("livekm").setLevel(level)


def _report(report: Report) -> None:
    print(report.to_line(), flush=True)


class _ReportHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _report(Report("warning", record.getMessage()))


@contextmanager
def _progress(
    options: argparse.Namespace, total: int | None, name: str
) -> Iterator[Callable[[], object]]:
    """Show how many frames are done, or report it; what it gives is to be called after each."""
    if not options.report:
        with clip_progress(total, name, hidden=options.quiet) as advance:
            yield advance
        return
    done, last = 0, time.monotonic()

    def count() -> None:
        nonlocal done, last
        done += 1
        if time.monotonic() - last > _REPORT_PERIOD:
            last = time.monotonic()
            _report(Report("progress", n_frames=done, total=total))

    try:
        yield count
    finally:
        _report(Report("progress", n_frames=done, total=total))


def _archive(options: argparse.Namespace, stop: Interruption) -> int:
    """Process many clips; return the exit code."""
    start = time.perf_counter()
    _segmenter(options)  # what is wrong with it is said here, not once for each clip
    jobs = _jobs(options)
    # What an earlier run completed stays; of a clip that lacks a file, only this is written.
    waiting = [job.remaining() for job in jobs] if options.skip_existing else jobs
    results = {job: JobResult(job, "skipped") for job in waiting if not job.outputs}
    todo = [job for job in waiting if job.outputs]
    with ArchiveProgress(len(todo), hidden=options.quiet) as progress:
        for event in _events(options, todo, stop):
            progress.show(event)
            if isinstance(event, JobResult):
                results[event.job] = event
    if not options.quiet:
        print(_table([results[job] for job in waiting], time.perf_counter() - start))
    return _FAILED if any(result.outcome == "failed" for result in results.values()) else 0


def _events(
    options: argparse.Namespace, jobs: Sequence[Job], stop: Interruption
) -> Iterator[JobEvent]:
    """Run jobs on this machine or on a cluster."""
    if options.palette:
        options.palette = str(Path(options.palette).absolute())  # workers have other folders
    arguments = shared_arguments(options)
    if options.scheduler:
        return cluster.run_jobs(jobs, arguments, options.scheduler, should_stop=stop)
    return run_jobs(jobs, arguments, workers=options.jobs or 1, should_stop=stop)


def _jobs(options: argparse.Namespace) -> list[Job]:
    """Return what is to be done with many clips."""
    if options.save_palette or options.regions:
        raise ValueError("--save-palette and --regions are for one clip; leave them out")
    given = {option: getattr(options, option) for option in SIDECARS}
    sidecars = {option: name for option, name in given.items() if name}
    if options.benchmark or not (options.output or sidecars):
        raise ValueError("many clips: add -o FOLDER, or name one clip")
    folder = Path(options.output) if options.output else None
    if folder and (folder.is_file() or folder.suffix.lower() in FILE_SINKS):
        raise ValueError(f"many clips: {folder} is a name of one; name a folder")
    return plan_jobs(
        options.inputs, folder, suffix=options.suffix, codec=options.codec, sidecars=sidecars
    )


def _table(results: Sequence[JobResult], seconds: float) -> str:
    """Return a line for each clip, and one for all."""
    width = max(len("clip"), *(len(str(result.job.source)) for result in results))
    lines = [f"{'clip':{width}s} {'frames':>7s} {'seconds':>8s} {'fps':>6s} {'MB':>7s}  result"]
    for result in results:
        target, frames = result.job.output, result.n_frames
        fps = f"{frames / result.seconds:.0f}" if frames and result.seconds else ""
        size = f"{target.stat().st_size / 1e6:.1f}" if target and target.exists() else ""
        lines.append(
            f"{result.job.source!s:{width}s} {'' if frames is None else frames:>7} "
            f"{result.seconds:8.1f} {fps:>6s} {size:>7s}  {_outcome(result)}"
        )
    counts = Counter(result.outcome for result in results)
    total = ", ".join(f"{n} {outcome}" for outcome, n in counts.items())
    return "\n".join([*lines, f"{total} in {seconds:.0f} s"])


def _outcome(result: JobResult) -> str:
    n = len(result.warnings)
    return f"{result.outcome}, {n} warning{'s' if n > 1 else ''}" if n else result.outcome


def _run(options: argparse.Namespace, stop: Interruption) -> int:
    """Process one source; return the exit code."""
    if options.scheduler:
        raise ValueError("--scheduler is for many clips; leave it out")
    segmenter = _segmenter(options)
    to_file = bool(written_files(options) or options.benchmark)
    if not to_file and not has_display():
        if not options.demo:
            raise SinkError("no display for the window: add -o FILE to write a file instead")
        options.output, options.overwrite = _DEMO_FILE, True
        if not options.quiet:
            print(f"no display for the window: writing {_DEMO_FILE}")
        to_file = True
    if options.demo and written_files(options) and options.frames is None:
        options.frames = _DEMO_FRAMES  # the demo itself has no end
    with open_source(
        _source_name(options),
        width=options.width,
        height=options.height,
        fps=options.fps,
        seed=options.seed,
    ) as opened:
        source = _section(options, opened)
        if options.benchmark:
            _benchmark(options, source, segmenter, stop)
        elif not to_file:
            _live(options, source, segmenter, stop)
        elif source.info.n_frames == 1:
            _image(options, source, segmenter)
        else:
            _clip(options, source, segmenter, stop)
    return 0


def _segmenter(options: argparse.Namespace) -> Segmenter:
    palette = None if options.palette is None else read_palette(options.palette, options.clusters)
    segmenter = Segmenter(
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
        segmenter.set_palette(palette)
    k = segmenter.n_clusters
    if max(options.keep or options.drop or [0]) >= k:
        raise ValueError(f"--keep, --drop: {k} segments are 0 to {k - 1}")
    return segmenter


def _section(options: argparse.Namespace, source: Source) -> Source:
    if options.start is None and options.end is None:
        return source
    if source.info.n_frames == 1:
        raise ValueError(f"{source.info.name} is an image: leave --start and --end out")
    end = float("inf") if options.end is None else options.end
    return SectionSource(source, options.start or 0.0, end)


def _source_name(options: argparse.Namespace) -> int | str:
    if options.demo:
        return "demo"
    if options.camera is not None:
        return int(options.camera) if options.camera.isdecimal() else str(options.camera)
    return str(options.inputs[0])


def _live(
    options: argparse.Namespace, source: Source, segmenter: Segmenter, stop: Interruption
) -> None:
    summary = live.run(
        source,
        segmenter,
        view=options.view,
        scale=options.scale,
        target_fps=options.target_fps,
        mirror=options.mirror,
        reconnect=options.reconnect,
        max_frames=options.frames,
        should_stop=stop,
    )
    if not options.quiet:
        rate = (
            ""
            if summary.fps is None
            else f", {summary.fps:.1f} frames a second, "
            f"{1e3 / summary.fps:.1f} ms a frame (95 % below {summary.p95_ms:.1f})"
        )
        dropped = f", {summary.n_dropped} dropped" if summary.n_dropped else ""
        age = "" if summary.age_ms is None else f", {summary.age_ms:.0f} ms old on the screen"
        print(f"{source.info.name}: {_frames(summary.n_frames)}{rate}{dropped}{age}")
        missing = f", {_frames(summary.n_not_recorded)} left out" if summary.n_not_recorded else ""
        if summary.recordings:
            print(f"recorded {', '.join(map(str, summary.recordings))}{missing}")


def _image(options: argparse.Namespace, source: Source, segmenter: Segmenter) -> None:
    if options.output and Path(options.output).suffix.lower() not in IMAGE_SUFFIXES:
        raise ValueError(
            f"{source.info.name} is an image: end {options.output} in {', '.join(IMAGE_SUFFIXES)}"
        )
    segmentation = batch.process_image(
        source,
        segmenter,
        _view(options),
        options.output,
        sidecars=_sidecars(options),
        scale=options.scale or 1.0,
        overwrite=options.overwrite,
    )
    if not options.quiet:
        found = segmentation.n_segments
        fewer = "" if found == segmentation.n_clusters else ", the image has no more colours"
        written = ", ".join(written_files(options))
        print(f"{written}: {found} segments{fewer}, mse {segmentation.mse:.4g}")


def _clip(
    options: argparse.Namespace, source: Source, segmenter: Segmenter, stop: Interruption
) -> None:
    if options.labels and Path(options.labels).suffix.lower() == ".png" and options.frames != 1:
        raise ValueError(f"{options.labels} holds one image: name a folder, .npz or .mkv")
    output = Path(options.output) if options.output else None
    is_image = output and output.suffix.lower() in IMAGE_SUFFIXES and not is_image_row(output)
    if is_image and options.frames != 1:
        raise ValueError(
            f"{output} holds one image: end it in .mp4, name images %06d.png, or add --frames 1"
        )
    totals = [n for n in (source.info.n_frames, options.frames) if n is not None]
    name = Path(written_files(options)[0]).name
    with _progress(options, min(totals, default=None), name) as advance:

        def count(frame: Frame, segmentation: Segmentation) -> None:
            advance()

        result = batch.process_clip(
            source,
            segmenter,
            _view(options),
            output,
            sidecars=_sidecars(options),
            scale=options.scale or 1.0,
            max_frames=options.frames,
            from_zero=isinstance(source, SectionSource),
            overwrite=options.overwrite,
            verify=not options.no_verify,
            codec=options.codec,
            crf=options.crf,
            preset=options.preset,
            on_frame=count,
            should_stop=stop,
        )
    if not options.quiet and not options.report:
        written = ", ".join(map(str, result.paths))
        print(f"{written}: {_frames(result.n_frames)}{', interrupted' if stop.requested else ''}")


def _sidecars(options: argparse.Namespace) -> list[OpenSidecar]:
    given = {name: getattr(options, name) for name in SIDECAR_FILES}
    opened: dict[str, OpenSidecar] = {
        name: partial(SIDECAR_FILES[name], path) for name, path in given.items() if path
    }
    if "regions" in opened:
        slots, drop = _selection(options)
        more = {"min_area": options.min_area, "slots": slots, "drop": drop}
        opened["regions"] = partial(opened["regions"], **more)
    return list(opened.values())


def _view(options: argparse.Namespace) -> View:
    view = VIEWS[options.view]
    if isinstance(view, RegionView):
        view = replace(view, min_area=options.min_area)
    slots, drop = _selection(options)
    return view if slots is None else keep(view, slots, drop=drop, rest=options.rest or "black")


def _selection(options: argparse.Namespace) -> tuple[list[int] | None, bool]:
    """Return the segments that are named, if any, and whether they are to be left out."""
    return (options.keep, False) if options.drop is None else (options.drop, True)


def _frames(n: int) -> str:
    return f"{n} frame" if n == 1 else f"{n} frames"


def _benchmark(
    options: argparse.Namespace, source: Source, segmenter: Segmenter, stop: Interruption
) -> None:
    view = VIEWS[options.view]
    limits = {} if options.frames is None else {"max_frames": options.frames}
    if options.plot:
        from livekm import figures  # matplotlib takes half a second to import

        figures.check_format(Path(options.plot).suffix)
    with ExitStack() as stack:

        def opened(name: str) -> WholeFile:
            whole = WholeFile(name, overwrite=options.overwrite, source=source.info.path)
            return stack.enter_context(whole)

        json_file = opened(options.json) if options.json else None
        plot_file = opened(options.plot) if options.plot else None
        report = benchmark.run(
            source, segmenter, view, scale=options.scale or 1.0, should_stop=stop, **limits
        )
        print(report.to_text())
        if json_file is not None:
            json_file.write(json.dumps(report.to_json()).encode() + b"\n")
        if plot_file is not None:
            page = figures.benchmark_figure(report.times_ms, report.headline, report.machine_line)
            plot_file.write(figures.render(page, Path(options.plot).suffix))
