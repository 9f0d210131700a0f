"""The options of the command ``livekm``, and which of them go together."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import NoReturn

from livekm.batch.protocol import REPORT_OPTION
from livekm.core.colorspace import COLOR_SPACES
from livekm.core.seeding import SEEDINGS
from livekm.core.selection import RESTS
from livekm.live.keys import key_table
from livekm.outputs import (
    ALPHA_SUFFIXES,
    CODECS,
    CONTAINERS,
    DEFAULT_ENCODER,
    EncoderOptions,
    choose_encoding,
)
from livekm.outputs.tables import SIDECAR_FILES, check_name
from livekm.sources.section import seconds
from livekm.views import VIEWS

MISUSED = 2
"""The exit code of wrong usage."""

DEFAULT_CLUSTERS = 8
"""k where neither it nor a palette is given."""


def parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options; end the program with `MISUSED` and one line if they make no sense.

    Parameters
    ----------
    arguments : sequence of str or None
        Without the program's name; None takes those of the process.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    # A process for one of many clips gets what was checked for all, and may have little to write.
    if not options.report:
        _check(parser, options)
    return options


_SHARED = (
    "view", "clusters", "color_space", "hysteresis", "spatial_weight", "smoothing",
    "seeding", "seed", "scale", "rest", "min_area", "start", "end", "frames", "threads", "codec",
    "crf", "preset",
)  # fmt: skip
_SHARED_FLAGS = ("overwrite", "no_verify")


def shared_arguments(options: argparse.Namespace) -> list[str]:
    """Return the arguments that hold for each of many clips, as a command line has them."""
    given = [(name.replace("_", "-"), getattr(options, name)) for name in _SHARED]
    if options.palette:
        given.append(("palette", Path(options.palette).absolute()))  # workers have other folders
    lists = [(name, getattr(options, name)) for name in ("keep", "drop")]
    return [
        *(f"--{name}={value}" for name, value in given if value is not None),
        *(f"--{name}={','.join(map(str, slots))}" for name, slots in lists if slots is not None),
        *(f"--{name.replace('_', '-')}" for name in _SHARED_FLAGS if getattr(options, name)),
    ]


def written_files(options: argparse.Namespace) -> list[str]:
    """Return the names of the files that are asked for."""
    names = (getattr(options, name) for name in ("output", *SIDECAR_FILES))
    return [name for name in names if name]


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the page of usage that hides it."""

    def error(self, message: str) -> NoReturn:
        self.exit(MISUSED, f"{self.prog}: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    keys = "\n".join(f"  {label:<14}{meaning}" for label, meaning in key_table())
    parser = _Parser(
        prog="livekm",
        description="Segment video by colour, live.",
        epilog=f"keys in the window:\n{keys}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument_group("source, one of").add_argument
    add("inputs", nargs="*", type=_name, metavar="input",
        help="a clip, an image, or a folder or pattern of images; or many clips")  # fmt: skip
    add("--camera", type=_name, metavar="DEVICE",
        help="a camera: its index, device path or URL")  # fmt: skip
    add("--list-cameras", action="store_true", help="say which cameras there are, and end")
    add("--demo", action="store_true", help="the built-in street scene")

    add = parser.add_argument_group("output").add_argument
    add("-o", "--output", type=_name, metavar="FILE",
        help="write a clip, an image or images (out/%%06d.png); no window")  # fmt: skip
    add("--codec", choices=CODECS,
        help="of a clip (default: h264, vp9 in .webm; ffv1 is lossless)")  # fmt: skip
    add("--crf", type=int, metavar="N", help="of a clip: its quality, less is better and larger")
    add(
        "--preset",
        metavar="NAME",
        help="of a clip: speed, h264 ultrafast to slow, vp9 and av1 numbers",
    )
    add("--overwrite", action="store_true", help="replace files that exist")
    add("--labels", type=_name, metavar="PATH",
        help="labels: .png of an image; a folder of PNGs, .npz or .mkv of a clip")  # fmt: skip
    add("--figure", type=_name, metavar="FILE",
        help="a page about the segments, as .png or .pdf")  # fmt: skip
    add("--stats", type=_name, metavar="FILE",
        help="each segment of each frame as a .csv or .jsonl table")  # fmt: skip
    add("--regions", type=_name, metavar="FILE",
        help="boxes and outlines of connected regions as .csv or .jsonl")  # fmt: skip
    add("--save-palette", type=_name, metavar="FILE",
        help="the segments' colours as .gpl (GIMP) or .json")  # fmt: skip
    add("--no-verify", action="store_true", help="do not read a written clip again to check it")
    add("--view", choices=VIEWS, default="segments", help="what is shown (default: %(default)s)")
    add("--keep", type=_slots, metavar="0,3", help="only these segments")
    add("--drop", type=_slots, metavar="2", help="all segments but these")
    add("--rest", choices=RESTS,
        help="what the others become (default: black; transparent in images only)")  # fmt: skip
    add("--min-area", type=int, metavar="PIXELS",
        help="of --regions and --view regions: leave out what is smaller "
        "(default: a thousandth of the frame)")  # fmt: skip
    add("--benchmark", action="store_true", help="measure frames a second; no window, no output")
    add("--json", type=_name, metavar="FILE",
        help="with --benchmark: write the figures to a file")  # fmt: skip
    add("--plot", type=_name, metavar="FILE",
        help="with --benchmark: draw them, each frame's times as well")  # fmt: skip

    add = parser.add_argument_group(
        "many clips",
        "several inputs, or a folder or pattern of clips; -o names a folder then, as do\n"
        "--labels, --stats, --regions, --figure and --save-palette, or a file for each\n"
        "clip by {}: stats/{}.jsonl",
    ).add_argument
    add("--suffix", default="", metavar="TEXT", help="add this to the names of the clips")
    add("--jobs", type=int, metavar="N", help="clips at a time (default: 1)")
    add("--scheduler", type=_name, metavar="ADDRESS",
        help="run them on a Dask cluster (livekm[cluster])")  # fmt: skip
    add("--skip-existing", action="store_true",
        help="leave out clips whose output is there: go on after an interruption")  # fmt: skip

    add = parser.add_argument_group("segmentation").add_argument
    add("-k", "--clusters", type=int, metavar="K",
        help=f"colours (default: {DEFAULT_CLUSTERS}, or those of --palette)")  # fmt: skip
    add("--palette", type=_name, metavar="FILE",
        help="fix the colours: .gpl (GIMP), .json, or an image to take them from")  # fmt: skip
    add("--color-space", choices=COLOR_SPACES, default="bgr", help="(default: %(default)s)")
    add("--hysteresis", type=float, default=2.0, metavar="LEVELS",
        help="how far past a border a pixel keeps its label (default: 2)")  # fmt: skip
    add("--spatial-weight", type=float, default=0.0, metavar="WEIGHT",
        help="how much a pixel's place counts beside its colour (default: 0)")  # fmt: skip
    add("--smoothing", type=int, default=0, metavar="N",
        help="take speckles away: N passes of a majority filter (default: 0)")  # fmt: skip
    add("--seeding", choices=SEEDINGS, default="k-means++", help="(default: %(default)s)")
    add("--seed", type=int, default=0, help="of the random numbers (default: 0)")
    add("--threads", type=int, metavar="N",
        help="to decode, to segment and to encode, each (default: all processors)")  # fmt: skip

    add = parser.add_argument_group("frames").add_argument
    add("--scale", type=float,
        help="resize frames first (default: 1; less in a window that is too slow)")  # fmt: skip
    add("--target-fps", type=float, metavar="N",
        help="of the window: hold this rate by a smaller scale (default: its own)")  # fmt: skip
    add("--start", type=seconds, metavar="TIME",
        help="of a clip: leave out what is before, in seconds or [hh:]mm:ss")  # fmt: skip
    add("--end", type=seconds, metavar="TIME", help="of a clip: stop before this time")
    add("--frames", type=int, metavar="N", help="stop after N frames")
    add("--width", type=int, help="to ask of the camera, or of the demo")
    add("--height", type=int, help="to ask of the camera, or of the demo")
    add("--fps", type=float, help="to ask of the camera, or of the demo")
    add("--mirror", action="store_true", help="of the window: exchange left and right")
    add("--no-reconnect", dest="reconnect", action="store_false",
        help="end when the camera fails; without it, the window waits for it")  # fmt: skip

    version = metadata.version("livekm")
    parser.add_argument("--version", action="version", version=f"livekm {version}")
    parser.add_argument(REPORT_OPTION, action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    parser.add_argument("-v", "--verbose", action="store_true", help="print more, with tracebacks")
    return parser


def _name(text: str) -> str:
    """Return a name that is not empty; an empty one was meant to be another."""
    if not text:
        raise argparse.ArgumentTypeError("the name is empty (a variable that is not set?)")
    return text


def _slots(text: str) -> list[int]:
    """Return the labels of ``0,3``."""
    slots = [int(part) for part in text.split(",")]
    if not all(0 <= slot < 256 for slot in slots):
        raise ValueError
    return slots


_slots.__name__ = "list of segments"  # as argparse calls it


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """End with wrong usage for what no source has to be opened for."""
    named = [bool(options.inputs), options.camera is not None, options.demo]
    if sum([*named, options.list_cameras]) != 1:
        parser.error("name one source: a file, --camera 0 or --demo")
    if options.scale is not None and not 0 < options.scale <= 4:
        parser.error(f"--scale must be above 0 and at most 4, got {options.scale:g}")
    if options.target_fps is not None and options.target_fps <= 0:
        parser.error(f"--target-fps must be above 0, got {options.target_fps:g}")
    if options.target_fps is not None and options.scale is not None:
        parser.error("--scale fixes the scale that --target-fps would choose: give one of them")
    if options.target_fps is not None and (options.benchmark or written_files(options)):
        parser.error("--target-fps is for the window; leave it out")
    if options.frames is not None and options.frames < 1:
        parser.error(f"--frames must be at least 1, got {options.frames}")
    if options.end is not None and options.end <= (options.start or 0):
        parser.error("--end must come after --start")
    if options.camera is not None and (options.start is not None or options.end is not None):
        parser.error("--start and --end are for clips; end a camera by --frames")
    _check_selection(parser, options)
    _check_encoding(parser, options)
    if options.jobs is not None and options.jobs < 1:
        parser.error(f"--jobs must be at least 1, got {options.jobs}")
    if options.jobs and options.scheduler:
        parser.error("--jobs is of this machine: start the workers with --nthreads instead")
    if options.threads is not None and options.threads < 1:
        parser.error(f"--threads must be at least 1, got {options.threads}")
    if options.mirror and (options.benchmark or written_files(options)):
        parser.error("--mirror is for the window; leave it out")
    if (options.json or options.plot) and not options.benchmark:
        parser.error("--json and --plot go with --benchmark")
    if options.benchmark and written_files(options):
        parser.error("--benchmark writes no output; leave -o and the files beside it out")
    if options.labels:
        try:
            check_name("labels", options.labels)
        except ValueError as error:
            parser.error(f"--labels: {error}")


def _check_selection(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    if options.keep is not None and options.drop is not None:
        parser.error("--keep and --drop say the same: give one of them")
    is_selected = options.keep is not None or options.drop is not None
    if is_selected and not (options.output or options.regions):
        parser.error("--keep and --drop go with -o or --regions; in the window, click on segments")
    if options.rest and not is_selected:
        parser.error("--rest goes with --keep or --drop")
    suffix = Path(options.output or "").suffix.lower()
    if options.rest == "transparent" and suffix not in ALPHA_SUFFIXES:
        parser.error(
            f"{options.output} cannot be transparent: end it in {', '.join(ALPHA_SUFFIXES)}, "
            "of a clip as images out/%06d.png, or take --rest original"
        )
    if options.min_area is not None and options.min_area < 1:
        parser.error(f"--min-area must be at least 1, got {options.min_area}")
    if options.min_area is not None and not (options.regions or options.view == "regions"):
        parser.error("--min-area goes with --regions or --view regions")


def _check_encoding(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    encoder = EncoderOptions(options.codec, options.crf, options.preset)
    if encoder == DEFAULT_ENCODER:
        return
    suffix = Path(options.output or "").suffix.lower()
    if not options.output or (suffix and suffix not in CONTAINERS):
        parser.error(f"--codec, --crf and --preset go with -o and a clip: {', '.join(CONTAINERS)}")
    try:
        # Of many clips, each has a suffix of its own.
        any_clip = f"clip{CODECS[options.codec].containers[0]}" if options.codec else "clip.mkv"
        choose_encoding(options.output if suffix else any_clip, encoder)
    except ValueError as error:
        parser.error(str(error))
