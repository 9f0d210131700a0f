"""The command ``livekm``: calls and exit codes. The only place that prints."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import traceback
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from livekm import batch, benchmark, live
from livekm.archive import JobResult, is_archive, plan_jobs, run_jobs
from livekm.errors import LivekmError, SinkError
from livekm.frame import Frame
from livekm.interrupt import Interruption, interruption
from livekm.options import MISUSED, parse_options, shared_arguments, written_files
from livekm.segmentation import Segmentation
from livekm.segmenter import Segmenter
from livekm.sinks import FILE_SINKS, IMAGE_SUFFIXES, has_display, is_image_row
from livekm.sinks.part_file import WholeFile
from livekm.sources import SectionSource, Source, open_source
from livekm.sources.discovery import find_cameras
from livekm.views import VIEWS, View, keep
from livekm.workers import available_cores

_DEMO_FILE = "livekm-demo.mp4"
_DEMO_FRAMES = 300
_FAILED, _INTERRUPTED = 1, 130


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
        print(f"livekm: {error or 'not enough memory'}", file=sys.stderr)
        return MISUSED if isinstance(error, ValueError) else _FAILED


def _set_up_logging(options: argparse.Namespace) -> None:
    logging.basicConfig(level=logging.ERROR, format="livekm: %(message)s")
    # Only livekm's own: a user has no use for what the libraries tell each other.
    level = logging.ERROR if options.quiet else logging.INFO if options.verbose else logging.WARNING
    logging.getLogger("livekm").setLevel(level)


def _archive(options: argparse.Namespace, stop: Interruption) -> int:
    """Process many clips; return the exit code."""
    if options.benchmark or not options.output:
        raise ValueError("many clips: add -o FOLDER, or name one clip")
    if options.labels or options.figure or options.stats:
        raise ValueError("--labels, --figure and --stats are for one clip; leave them out")
    folder = Path(options.output)
    if folder.is_file() or folder.suffix.lower() in FILE_SINKS:
        raise ValueError(f"many clips: {folder} is a name of one; name a folder")
    jobs = plan_jobs(options.inputs, folder, options.suffix)
    threads = options.threads or max(1, available_cores() // options.jobs)
    arguments = [*shared_arguments(options), f"--threads={threads}"]
    with tqdm(total=len(jobs), unit=" clips", disable=options.quiet) as progress:

        def note(result: JobResult) -> None:
            progress.update()
            if result.has_failed:
                progress.write(f"livekm: {result.outcome}", file=sys.stderr)

        results = run_jobs(
            jobs,
            arguments,
            workers=options.jobs,
            skip_existing=options.skip_existing,
            on_result=note,
            should_stop=stop,
        )
    if not options.quiet:
        print(_table(results))
    return _FAILED if any(result.has_failed for result in results) else 0


def _table(results: Sequence[JobResult]) -> str:
    """Return a line for each clip, and one for all."""
    lines = [f"{'clip':40s} {'frames':>7s} {'seconds':>8s} {'fps':>6s} {'MB':>7s}  result"]
    for result in results:
        target, frames = result.job.target, result.n_frames
        fps = f"{frames / result.seconds:.0f}" if frames and result.seconds else ""
        size = f"{target.stat().st_size / 1e6:.1f}" if target.exists() else ""
        outcome = "failed" if result.has_failed else result.outcome
        lines.append(
            f"{result.job.source!s:40s} {'' if frames is None else frames:>7} "
            f"{result.seconds:8.1f} {fps:>6s} {size:>7s}  {outcome}"
        )
    counts = Counter("failed" if r.has_failed else r.outcome for r in results)
    return "\n".join([*lines, ", ".join(f"{n} {outcome}" for outcome, n in counts.items())])


def _run(options: argparse.Namespace, stop: Interruption) -> int:
    """Process one source; return the exit code."""
    segmenter = Segmenter(
        options.clusters,
        color_space=options.color_space,
        hysteresis=options.hysteresis,
        spatial_weight=options.spatial_weight,
        smoothing=options.smoothing,
        seeding=options.seeding,
        random_state=options.seed,
        threads=options.threads,
    )
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
        labels=options.labels,
        figure=options.figure,
        statistics=options.stats,
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
    if options.figure:
        raise ValueError("--figure is for still images; leave it out for a clip")
    if options.labels and Path(options.labels).suffix.lower() == ".png" and options.frames != 1:
        raise ValueError(f"{options.labels} holds one image: name a folder, .npz or .mkv")
    output = Path(options.output) if options.output else None
    is_image = output and output.suffix.lower() in IMAGE_SUFFIXES and not is_image_row(output)
    if is_image and options.frames != 1:
        raise ValueError(
            f"{output} holds one image: end it in .mp4, name images %06d.png, or add --frames 1"
        )
    totals = [n for n in (source.info.n_frames, options.frames) if n is not None]
    with (
        logging_redirect_tqdm(),
        tqdm(
            total=min(totals, default=None),
            unit=" frames",
            desc=Path(written_files(options)[0]).name,
            disable=options.quiet,
            delay=0.1,  # not before the first frame: an output that fails to open is one line
        ) as progress,
    ):

        def count(frame: Frame, segmentation: Segmentation) -> None:
            progress.update()

        result = batch.process_clip(
            source,
            segmenter,
            _view(options),
            output,
            labels=options.labels,
            statistics=options.stats,
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
    if not options.quiet:
        written = ", ".join(map(str, result.paths))
        print(f"{written}: {_frames(result.n_frames)}{', interrupted' if stop.requested else ''}")


def _view(options: argparse.Namespace) -> View:
    view = VIEWS[options.view]
    if options.keep is not None:
        return keep(view, options.keep)
    return view if options.drop is None else keep(view, options.drop, drop=True)


def _frames(n: int) -> str:
    return f"{n} frame" if n == 1 else f"{n} frames"


def _benchmark(
    options: argparse.Namespace, source: Source, segmenter: Segmenter, stop: Interruption
) -> None:
    view = VIEWS[options.view]
    limits = {} if options.frames is None else {"max_frames": options.frames}
    with ExitStack() as stack:
        if options.json:
            whole = WholeFile(options.json, overwrite=options.overwrite, source=source.info.path)
            file = stack.enter_context(whole)
        report = benchmark.run(
            source, segmenter, view, scale=options.scale or 1.0, should_stop=stop, **limits
        )
        print(report.to_text())
        if options.json:
            file.write(json.dumps(report.to_json(), indent=1).encode() + b"\n")
