"""The command ``livekm``: calls and exit codes. The only place that prints."""

from __future__ import annotations

import argparse
import errno
import io
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO, cast

from livekm import batch, benchmark, figures, files, live
from livekm.batch.protocol import Reporter, follow_parent
from livekm.cli import build
from livekm.cli.interrupt import Interruption, interruption
from livekm.cli.options import MISUSED, parse_options, shared_arguments, written_files
from livekm.cli.progress import clip_progress
from livekm.cli.streams import LenientStream
from livekm.core.segmentation import Segmentation
from livekm.core.segmenter import Segmenter
from livekm.errors import LivekmError, SinkError
from livekm.frame import Frame
from livekm.live.window import has_display
from livekm.outputs import IMAGE_SUFFIXES, check_distinct, is_image_row
from livekm.outputs.atomic import WholeFile
from livekm.sources import SectionSource, Source
from livekm.sources.discovery import find_cameras

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
    _set_up_standard_streams()
    options = parse_options(arguments)
    reporter = Reporter(_say) if options.report else None
    _set_up_logging(options, reporter)
    try:
        if options.list_cameras:
            _say("\n".join(map(str, find_cameras())) or "no camera is connected")
            return 0
        with interruption() as stop:
            if reporter:
                follow_parent(stop.request, stop.insist)
            code = _batch(options, stop) if _is_batch(options) else _run(options, stop, reporter)
            return _INTERRUPTED if stop.requested else code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except (ValueError, LivekmError, MemoryError, OSError) as error:
        if options.verbose:
            traceback.print_exc()
        text = _reason(error)
        if reporter:
            reporter.fail(text)
        else:
            print(f"livekm: {text}", file=sys.stderr)
        return MISUSED if isinstance(error, ValueError) else _FAILED


def _reason(error: Exception) -> str:
    # Of a look at a name: what opens a file raises a LivekmError, which says more.
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}; check its name and folder"
    return str(error) or "not enough memory"


def _say(text: str) -> None:
    """Print, as far as somebody listens: a pipe or a terminal may be gone."""
    try:
        print(text, flush=True)
    except OSError as error:
        # Or Python would try to write the rest at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno not in (errno.EPIPE, errno.EIO, errno.EINVAL):
            raise LivekmError(f"cannot print to stdout: {error.strerror}") from error


def _set_up_standard_streams() -> None:
    """Have a stdout and a stderr where the process was started without (``2>&-``, pythonw).

    Else the next file that is opened would take the place of one, and what libraries print. What
    stderr does not take, as on a full disk, is missed: no message and no progress bar costs a clip.
    """
    if sys.stdout is None or sys.stderr is None:
        null = os.open(os.devnull, os.O_RDWR)
        while null < 2:
            null = os.dup(null)  # the first one that is free
        nowhere = os.fdopen(null, "w", encoding="utf-8")
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
    if isinstance(sys.stdout, io.TextIOWrapper):
        # As stderr has it: names of files may hold what stdout's encoding has not.
        sys.stdout.reconfigure(errors="backslashreplace")
    if not isinstance(sys.stderr, LenientStream):
        sys.stderr = cast(TextIO, LenientStream(sys.stderr))


def _set_up_logging(options: argparse.Namespace, reporter: Reporter | None) -> None:
    handlers = [reporter] if reporter else None
    logging.basicConfig(level=logging.ERROR, format="livekm: %(message)s", handlers=handlers)
    # Only livekm's own: a user has no use for what the libraries tell each other.
    level = logging.ERROR if options.quiet else logging.INFO if options.verbose else logging.WARNING
    logging.getLogger("livekm").setLevel(level)


def _is_batch(options: argparse.Namespace) -> bool:
    if options.report or not options.inputs:  # a process for one of many has just that one
        return False
    sidecars = [getattr(options, name) or "" for name in batch.SIDECARS]
    return batch.is_batch(options.inputs, options.output, sidecars)


def _batch(options: argparse.Namespace, stop: Interruption) -> int:
    """Process many clips; return the exit code."""
    start = time.perf_counter()
    build.segmenter(options)  # what is wrong with it is said here, not once for each clip
    if options.benchmark:
        raise ValueError("--benchmark is for one clip; name one")
    _check_labels(options, is_single=options.frames == 1)
    given = {option: getattr(options, option) for option in batch.SIDECARS}
    jobs = batch.plan_jobs(
        options.inputs,
        Path(options.output) if options.output else None,
        suffix=options.suffix,
        encoder=build.encoder(options),
        sidecars={option: name for option, name in given.items() if name},
    )
    results = batch.run(
        jobs,
        shared_arguments(options),
        workers=options.jobs or 1,
        scheduler=options.scheduler,
        skip_existing=options.skip_existing,
        quiet=options.quiet,
        should_stop=stop,
    )
    failures = [result.reason for result in results if result.outcome == "failed"]
    if options.quiet:
        for reason in failures:
            print(f"livekm: {reason}", file=sys.stderr)
    else:
        _say(batch.summary(results, time.perf_counter() - start))
    return _FAILED if failures else 0


def _run(options: argparse.Namespace, stop: Interruption, reporter: Reporter | None) -> int:
    """Process one source; return the exit code."""
    if options.scheduler or options.jobs or options.suffix or options.skip_existing:
        raise ValueError(
            "--suffix, --jobs, --scheduler and --skip-existing are for many clips, "
            "or for one whose -o is a folder"
        )
    figures = [name for name in (options.json, options.plot) if name]
    check_distinct([*written_files(options), *figures], picture=options.output)
    segmenter = build.segmenter(options)
    to_file = bool(written_files(options) or options.benchmark)
    if not to_file and not has_display():
        if not options.demo:
            raise SinkError("no display for the window: add -o FILE to write a file instead")
        options.output, options.overwrite = _DEMO_FILE, True
        if not options.quiet:
            _say(f"no display for the window: writing {_DEMO_FILE}")
        to_file = True
    if options.demo and written_files(options) and options.frames is None:
        options.frames = _DEMO_FRAMES  # the demo itself has no end
    with build.opened_source(options) as opened:
        source = build.section(options, opened)
        if options.benchmark:
            _benchmark(options, source, segmenter, stop)
        elif not to_file:
            _live(options, source, segmenter, stop)
        elif source.info.is_still:
            _image(options, source, segmenter)
        else:
            _clip(options, source, segmenter, stop, reporter)
    return 0


def _check_labels(options: argparse.Namespace, *, is_single: bool) -> None:
    if options.labels and Path(options.labels).suffix.lower() == ".png" and not is_single:
        raise ValueError(f"{options.labels} holds one image: name a folder, .npz or .mkv")


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
        _say(summary.to_text(source.info.name))


def _image(options: argparse.Namespace, source: Source, segmenter: Segmenter) -> None:
    if options.output and Path(options.output).suffix.lower() not in IMAGE_SUFFIXES:
        raise ValueError(
            f"{source.info.name} is an image: end {options.output} in {', '.join(IMAGE_SUFFIXES)}"
        )
    segmentation = files.process_image(
        source,
        segmenter,
        build.view(options),
        options.output,
        sidecars=build.sidecars(options),
        scale=options.scale or 1.0,
        overwrite=options.overwrite,
    )
    if not options.quiet:
        found = segmentation.n_segments
        fewer = "" if found == segmentation.n_clusters else ", the image has no more colours"
        written = ", ".join(written_files(options))
        _say(f"{written}: {found} segments{fewer}, mse {segmentation.mse:.4g}")


def _clip(
    options: argparse.Namespace,
    source: Source,
    segmenter: Segmenter,
    stop: Interruption,
    reporter: Reporter | None,
) -> None:
    is_single = 1 in (options.frames, source.info.n_frames)
    _check_labels(options, is_single=is_single)
    output = Path(options.output) if options.output else None
    is_image = output and output.suffix.lower() in IMAGE_SUFFIXES and not is_image_row(output)
    if is_image and not is_single:
        raise ValueError(
            f"{output} holds one image: end it in .mp4, name images %06d.png, or add --frames 1"
        )
    totals = [n for n in (source.info.n_frames, options.frames) if n is not None]
    total, name = min(totals, default=None), Path(written_files(options)[0]).name
    bar = clip_progress(total, name, hidden=options.quiet)
    with reporter.progress(total) if reporter else bar as advance:

        def count(frame: Frame, segmentation: Segmentation) -> None:
            advance()

        result = files.process_clip(
            source,
            segmenter,
            build.view(options),
            output,
            sidecars=build.sidecars(options),
            scale=options.scale or 1.0,
            max_frames=options.frames,
            from_zero=isinstance(source, SectionSource),
            overwrite=options.overwrite,
            verify=not options.no_verify,
            encoder=build.encoder(options),
            on_frame=count,
            should_stop=stop,
        )
    if not options.quiet and not reporter:
        written = ", ".join(map(str, result.paths))
        _say(f"{written}: {_frames(result.n_frames)}{', interrupted' if stop.requested else ''}")


def _frames(n: int) -> str:
    return f"{n} frame" if n == 1 else f"{n} frames"


def _benchmark(
    options: argparse.Namespace, source: Source, segmenter: Segmenter, stop: Interruption
) -> None:
    view = build.view(options)
    limits = {} if options.frames is None else {"max_frames": options.frames}
    if options.plot:
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
        _say(report.to_text())
        if json_file is not None:
            json_file.write(json.dumps(report.to_json()).encode() + b"\n")
        if plot_file is not None:
            page = figures.benchmark_figure(report.times_ms, report.headline, report.machine_line)
            plot_file.write(figures.render(page, Path(options.plot).suffix))
