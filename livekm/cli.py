"""The command ``livekm``: options, calls, exit codes. The only place that prints."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from importlib import metadata
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from livekm import batch, benchmark, live
from livekm.colorspace import COLOR_SPACES
from livekm.controls import key_table
from livekm.errors import LivekmError, SinkError
from livekm.frame import Frame
from livekm.interrupt import Interruption, interruption
from livekm.seeding import SEEDINGS
from livekm.segmentation import Segmentation
from livekm.segmenter import Segmenter
from livekm.sinks import IMAGE_SUFFIXES, has_display
from livekm.sinks.part_file import WholeFile
from livekm.sources import Source, open_source
from livekm.views import VIEWS

_DEMO_FILE = "livekm-demo.mp4"
_DEMO_FRAMES = 300
_FAILED, _MISUSED, _INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; those of the process by default.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    _check(parser, options)
    _set_up_logging(options)
    try:
        with interruption() as stop:
            _run(options, stop)
            return _INTERRUPTED if stop.requested else 0
    except KeyboardInterrupt:
        return _INTERRUPTED
    except (ValueError, LivekmError, MemoryError) as error:
        if options.verbose:
            traceback.print_exc()
        print(f"livekm: {error or 'not enough memory'}", file=sys.stderr)
        return _MISUSED if isinstance(error, ValueError) else _FAILED


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the page of usage that hides it."""

    def error(self, message: str) -> NoReturn:
        self.exit(_MISUSED, f"{self.prog}: {message}; see {self.prog} --help\n")


def _set_up_logging(options: argparse.Namespace) -> None:
    logging.basicConfig(level=logging.ERROR, format="livekm: %(message)s")
    # Only livekm's own: a user has no use for what the libraries tell each other.
    level = logging.ERROR if options.quiet else logging.INFO if options.verbose else logging.WARNING
    logging.getLogger("livekm").setLevel(level)


def _parser() -> argparse.ArgumentParser:
    keys = "\n".join(f"  {label:<10}{meaning}" for label, meaning in key_table())
    parser = _Parser(
        prog="livekm",
        description="Segment video by colour, live.",
        epilog=f"keys in the window:\n{keys}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument_group("source, one of").add_argument
    add("input", nargs="?", help="a clip, an image, or a folder or pattern of images")
    add("--camera", metavar="DEVICE", help="a camera: its index, device path or URL")
    add("--demo", action="store_true", help="the built-in street scene")

    add = parser.add_argument_group("output").add_argument
    add("-o", "--output", metavar="FILE", help="write a clip or an image; no window")
    add("--overwrite", action="store_true", help="replace files that exist")
    add("--labels", metavar="FILE.png", help="of an image: the label of each pixel, as a PNG")
    add("--figure", metavar="FILE", help="of an image: a page of segments, shares and masks")
    add("--view", choices=VIEWS, default="segments", help="what is shown (default: %(default)s)")
    add("--benchmark", action="store_true", help="measure frames a second; no window, no output")
    add("--json", metavar="FILE", help="with --benchmark: write the figures to a file")

    add = parser.add_argument_group("segmentation").add_argument
    add("-k", "--clusters", type=int, default=8, metavar="K", help="colours (default: 8)")
    add("--color-space", choices=COLOR_SPACES, default="bgr", help="(default: %(default)s)")
    add("--hysteresis", type=float, default=2.0, metavar="LEVELS",
        help="how far past a border a pixel keeps its label (default: 2)")  # fmt: skip
    add("--spatial-weight", type=float, default=0.0, metavar="WEIGHT",
        help="how much a pixel's place counts beside its colour (default: 0)")  # fmt: skip
    add("--seeding", choices=SEEDINGS, default="k-means++", help="(default: %(default)s)")
    add("--seed", type=int, default=0, help="of the random numbers (default: 0)")
    add("--scale", type=float, default=1.0, help="resize frames first (default: 1)")
    add("--frames", type=int, metavar="N", help="stop after N frames")
    add("--width", type=int, help="to ask of the camera, or of the demo")
    add("--height", type=int, help="to ask of the camera, or of the demo")
    add("--fps", type=float, help="to ask of the camera, or of the demo")

    version = metadata.version("livekm")
    parser.add_argument("--version", action="version", version=f"livekm {version}")
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    parser.add_argument("-v", "--verbose", action="store_true", help="print more, with tracebacks")
    return parser


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """End with wrong usage for what no source has to be opened for."""
    named = [options.input is not None, options.camera is not None, options.demo]
    if sum(named) != 1:
        parser.error("name one source: a file, --camera 0 or --demo")
    if not 0 < options.scale <= 4:
        parser.error(f"--scale must be above 0 and at most 4, got {options.scale:g}")
    if options.frames is not None and options.frames < 1:
        parser.error(f"--frames must be at least 1, got {options.frames}")
    if options.json and not options.benchmark:
        parser.error("--json goes with --benchmark")
    if options.benchmark and (options.output or options.labels or options.figure):
        parser.error("--benchmark writes no output; leave -o, --labels and --figure out")
    if options.labels and Path(options.labels).suffix.lower() != ".png":
        parser.error(f"--labels is a PNG; {options.labels} must end in .png")
    written = [Path(f) for f in (options.output, options.labels, options.figure) if f]
    if len(set(written)) < len(written):
        parser.error("-o, --labels and --figure name the same file; choose another for each")


def _run(options: argparse.Namespace, stop: Interruption) -> None:
    segmenter = Segmenter(
        options.clusters,
        color_space=options.color_space,
        hysteresis=options.hysteresis,
        spatial_weight=options.spatial_weight,
        seeding=options.seeding,
        random_state=options.seed,
    )
    to_file = options.output or options.labels or options.figure or options.benchmark
    if not to_file and not has_display():
        if not options.demo:
            raise SinkError("no display for the window: add -o FILE to write a file instead")
        options.output, options.overwrite = _DEMO_FILE, True
        options.frames = options.frames or _DEMO_FRAMES
        if not options.quiet:
            print(f"no display for the window: writing {_DEMO_FILE}")
        to_file = True
    with open_source(
        _source_name(options),
        width=options.width,
        height=options.height,
        fps=options.fps,
        seed=options.seed,
    ) as source:
        if options.benchmark:
            _benchmark(options, source, segmenter, stop)
        elif not to_file:
            _live(options, source, segmenter, stop)
        elif source.info.n_frames == 1:
            _image(options, source, segmenter)
        else:
            _clip(options, source, segmenter, stop)


def _source_name(options: argparse.Namespace) -> int | str:
    if options.demo:
        return "demo"
    if options.camera is not None:
        return int(options.camera) if options.camera.isdecimal() else str(options.camera)
    return str(options.input)


def _live(
    options: argparse.Namespace, source: Source, segmenter: Segmenter, stop: Interruption
) -> None:
    summary = live.run(
        source,
        segmenter,
        view=options.view,
        scale=options.scale,
        max_frames=options.frames,
        should_stop=stop,
    )
    if not options.quiet:
        rate = "" if summary.fps is None else f", {summary.fps:.1f} frames a second"
        dropped = f", {summary.n_dropped} dropped" if summary.n_dropped else ""
        print(f"{source.info.name}: {_frames(summary.n_frames)}{rate}{dropped}")


def _image(options: argparse.Namespace, source: Source, segmenter: Segmenter) -> None:
    if options.output and Path(options.output).suffix.lower() not in IMAGE_SUFFIXES:
        raise ValueError(
            f"{source.info.name} is an image: end {options.output} in {', '.join(IMAGE_SUFFIXES)}"
        )
    segmentation = batch.process_image(
        source,
        segmenter,
        VIEWS[options.view],
        options.output,
        labels=options.labels,
        figure=options.figure,
        scale=options.scale,
        overwrite=options.overwrite,
    )
    if not options.quiet:
        written = [name for name in (options.output, options.labels, options.figure) if name]
        found = int((segmentation.counts > 0).sum())
        fewer = "" if found == segmentation.n_clusters else ", the image has no more colours"
        print(f"{', '.join(written)}: {found} segments{fewer}, mse {segmentation.mse:.4g}")


def _clip(
    options: argparse.Namespace, source: Source, segmenter: Segmenter, stop: Interruption
) -> None:
    if options.labels or options.figure:
        raise ValueError("--labels and --figure are for still images; leave them out for a clip")
    output = Path(options.output)
    if output.suffix.lower() in IMAGE_SUFFIXES and options.frames != 1:
        raise ValueError(f"{output} holds one image: end it in .mp4, or add --frames 1")
    totals = [n for n in (source.info.n_frames, options.frames) if n is not None]
    with (
        logging_redirect_tqdm(),
        tqdm(
            total=min(totals, default=None),
            unit=" frames",
            desc=output.name,
            disable=options.quiet,
            delay=0.1,  # not before the first frame: an output that fails to open is one line
        ) as progress,
    ):

        def count(frame: Frame, segmentation: Segmentation) -> None:
            progress.update()

        done = batch.process_clip(
            source,
            segmenter,
            VIEWS[options.view],
            output,
            scale=options.scale,
            max_frames=options.frames,
            overwrite=options.overwrite,
            on_frame=count,
            should_stop=stop,
        )
    if not options.quiet:
        print(f"{output}: {_frames(done)}{', interrupted' if stop.requested else ''}")


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
            source, segmenter, view, scale=options.scale, should_stop=stop, **limits
        )
        print(report.to_text())
        if options.json:
            file.write(json.dumps(report.to_json(), indent=1).encode() + b"\n")
