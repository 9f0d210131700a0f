"""The options of the command ``livekm``: a table, one row for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from functools import partial
from typing import Any, Literal

from livekm.batch.protocol import REPORT_OPTION
from livekm.benchmark import Sweep
from livekm.cli.kinds import (
    ADDRESS,
    DETAIL,
    FORMAT,
    IDS,
    IGNORED,
    INPUT,
    NAME,
    RECOLORING,
    REST,
    ROI,
    SIZE,
    SWEEP,
    TEXT,
    TIME,
    WORKERS,
    Kind,
    choice,
    number,
    whole,
    whole_or_word,
)
from livekm.core.colorspace import COLOR_SPACES
from livekm.core.seeding import SEEDINGS
from livekm.core.selection import RESTS
from livekm.live.web.address import Address
from livekm.outputs import CODECS, PIPE_FORMATS, STDOUT
from livekm.outputs.tables import SIDECARS
from livekm.views import VIEWS

DEFAULT_CLUSTERS = 8
"""k where neither it nor a palette is given."""


DEFAULT_DETAIL = 0.13
"""How fine regions are where nothing is said: as people outline things."""


class Way(Enum):
    """A way of running, named as messages name it."""

    WINDOW = "the window"
    FILE = "files"
    BENCHMARK = "--benchmark"
    BATCH = "many clips, or one whose -o is a folder"
    STILL = "still images"
    LESSON = "--explain"


ANY = frozenset(Way)
LESSON = frozenset({Way.LESSON, Way.STILL})
MOVING = ANY - {Way.STILL}
ONE_SOURCE = ANY - {Way.BATCH}
FILES = frozenset({Way.FILE, Way.BATCH, Way.STILL})

WINDOW = frozenset({Way.WINDOW, Way.STILL})
BATCH = frozenset({Way.BATCH})

_SELECTION: dict[str, Any] = {
    "needs": ("output", "regions", "masks", "virtual_camera"),
    "hint": "in the window, click on segments",
}
_BY_FRAMES = "end a camera by --frames"

GROUPS: dict[str, str | None] = {
    "source, one of": None,
    "output": None,
    "many clips": (
        "several inputs, or a folder or pattern of clips; -o names a folder then, as do\n"
        f"{', '.join(f'--{name}' for name in SIDECARS)},\n"
        "or a file for each clip by {}: out/{}-k8, stats/{}.jsonl"
    ),
    "segmentation": None,
    "frames": None,
    "messages": None,
}
"""Group of options in the help -> a text about it, where it needs one."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    Attributes
    ----------
    name : str
        A field of `Settings`, or a key of `SIDECARS`.
    flags : tuple of str
        How it is called, the short flag first; none for the inputs.
    kind : Kind or None
        How its value is read, checked and written; None for a switch.
    default : object
        Its value where it is not given.
    group : str
        One of `GROUPS`.
    help : str
        Empty for an option that only livekm itself gives.
    metavar : str
        What the help calls the value; empty for the kind's own word.
    ways : frozenset of Way
        The ways of running that take it.
    excludes : mapping
        Options that cannot be given too -> what to do instead, or "".
    needs : tuple of str
        Options of which one must be given too.
    hint : str
        What to do where none of `needs` is given.
    bare : str
        The value of the flag without one, where it may be left out.
    each : bool
        Whether the process of each of many clips gets it.
    """

    name: str
    flags: tuple[str, ...]
    kind: Kind | None
    default: object
    group: str
    help: str
    metavar: str = ""
    ways: frozenset[Way] = ANY
    excludes: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    hint: str = ""
    bare: str = ""
    each: bool = True


def _row(group: str, kind: Kind | None, text: str, **more: Any) -> Any:
    """Return a field of `Settings` that carries its `Option`, which `_table` completes.

    To mypy it is a value of any type: the field's default.
    """
    default = more.pop("default", None if kind else False)
    row = Option("", more.pop("flags", ()), kind, default, group, text, **more)
    return field(default=default, metadata={"row": row})


_source, _output, _batch = (partial(_row, group) for group in list(GROUPS)[:3])
_segments, _frames, _messages = (partial(_row, group) for group in list(GROUPS)[3:])


# fmt: off - a row is a line or two
@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the command line asks for; each field is a row of the table of options.

    Attributes
    ----------
    sidecars : mapping
        Key of `SIDECARS` -> name of the file; each key is an option, too.
    """

    inputs: tuple[str, ...] = _source(
        INPUT,
        "a clip, an image, or a folder or pattern of images; - for stdin; or many clips",
        default=(),
        metavar="SOURCE",
        each=False,
    )
    camera: str | None = _source(
        NAME,
        "a camera: its index, device path or URL; `list` lists them",
        metavar="DEVICE",
        ways=ONE_SOURCE,
        each=False,
    )
    warm_up: bool = _source(
        None, "compile the kernels into numba's cache, and end: the next start is fast", each=False
    )
    demo: bool = _source(None, "the built-in street scene", ways=ONE_SOURCE, each=False)

    output: str | None = _output(
        NAME,
        "write a clip, an image or images (out/%06d.png), or - for stdout; no window",
        flags=("-o", "--output"),
        ways=FILES,
        each=False,
    )
    codec: str | None = _output(
        choice(CODECS),
        "of a clip (default: h264, vp9 in .webm; ffv1 is lossless)",
        ways=FILES,
        needs=("output",),
    )
    crf: int | None = _output(
        whole(0), "quality of a clip: less is better and larger", ways=FILES, needs=("output",)
    )
    preset: str | None = _output(
        TEXT,
        "speed of a clip's encoder: h264 ultrafast to slow, vp9 and av1 numbers",
        metavar="NAME",
        ways=FILES,
        needs=("output",),
    )
    virtual_camera: str | None = _output(
        NAME,
        "show the picture as a camera, too, for calls (Linux, v4l2loopback); "
        "without a device, the first one",
        metavar="DEVICE",
        ways=frozenset({Way.WINDOW}),
        bare="auto",
        each=False,
    )
    format: str | None = _output(
        FORMAT,
        "of -: WIDTHxHEIGHT@FPS:PIXELS of raw video from stdin, like 640x480@25:bgr24; "
        "y4m (default), mkv or raw (BGR) of stdout; both with a comma",
        ways=ONE_SOURCE,
        each=False,
    )
    overwrite: bool = _output(None, "replace files that exist", flags=("-f", "--overwrite"))
    sidecars: Mapping[str, str] = field(default_factory=dict)
    view: str = _output(choice(VIEWS), "what is shown", default="segments")
    keep: tuple[int, ...] | None = _output(
        IDS,
        "show only these segments, of --view regions only these regions, by their ids",
        excludes={"drop": ""},
        **_SELECTION,
    )
    drop: tuple[int, ...] | None = _output(IDS, "show all but these", metavar="2", **_SELECTION)
    rest: str | None = _output(
        REST,
        "what the others become (default: black), and what does not count (default: as it is): "
        f"{', '.join(RESTS)}, '#rrggbb' or a picture",
        needs=("keep", "drop", "ignore", "roi"),
    )
    recolor: str | None = _output(
        RECOLORING,
        "show the segments in other colours, by their ids: okabe-ito (for the colour-blind), a map "
        "of matplotlib such as tab10, or a palette as of --palette",
    )
    detail: float | None = _output(
        DETAIL,
        f"how fine regions are: a scale below 1, or how many (default: {DEFAULT_DETAIL}; "
        "0: the connected pieces of each colour)",
    )
    min_area: int | None = _output(
        whole(1, 10**9),
        "leave smaller regions out of --regions and --view regions "
        "(default: a thousandth of the frame)",
        metavar="PIXELS",
    )
    serve: Address | None = _output(  # noqa: RUF009 - frozen
        ADDRESS,
        "show it in browsers, too, which can do what the window can; on this machine only "
        "unless HOST is another address (livekm[web])",
        ways=WINDOW | {Way.FILE},
        each=False,
    )
    benchmark: bool = _output(
        None,
        "measure frames a second; no window, no output",
        ways=ONE_SOURCE,
        excludes=dict.fromkeys(("output", *SIDECARS), ""),
        each=False,
    )
    json: str | None = _output(
        NAME, "write what --benchmark measures to a file", needs=("benchmark",), each=False
    )
    plot: str | None = _output(
        NAME,
        "draw what --benchmark measures, with each frame's times",
        needs=("benchmark",),
        each=False,
    )

    sweep: Sweep | None = _output(  # noqa: RUF009 - frozen
        SWEEP,
        "of --benchmark: what to try, each with each, as 'k=4,8 size=540,1080 threads=1,2'",
        needs=("benchmark",),
        each=False,
    )
    compare: str | None = _output(
        INPUT,
        "compare with what --json has written before",
        needs=("benchmark",),
        each=False,
    )
    fail_above: float | None = _output(
        number(0.01, 1000),
        "exit with 1 where a frame takes so many times as long as --compare says",
        metavar="RATIO",
        needs=("compare",),
        each=False,
    )
    explain: str | None = _output(
        NAME,
        "show how k-means finds the colours, step by step: .gif, .mp4, .html, pages/%02d.png, "
        "or all on one .png",
        ways=LESSON,
        excludes=dict.fromkeys(("benchmark", "palette", "ignore", "roi"), ""),
        each=False,
    )

    jobs: int | str | None = _batch(
        WORKERS,
        "clips in work at a time (default: 1), or the address of a Dask scheduler, "
        "whose workers process them (livekm[cluster])",
        ways=BATCH,
        each=False,
    )
    skip_existing: bool = _batch(
        None,
        "leave out clips whose output exists: go on after an interruption",
        ways=BATCH,
        each=False,
    )

    clusters: int | Literal["auto"] | None = _segments(
        whole_or_word(1, 256, "auto"),
        f"colours (default: {DEFAULT_CLUSTERS}, or those of --palette); auto: as many as there are",
        flags=("-k", "--clusters"),
        metavar="K",
    )
    palette: str | None = _segments(
        INPUT,
        "fix the colours: .gpl (GIMP), .json, or an image to take them from",
        excludes={"spatial_weight": "the colours of a palette have no place"},
    )
    ignore: tuple[str, ...] | None = _segments(
        IGNORED,
        "what does not count, one or some of: border, '#rrggbb' or '#rrggbb~tolerance', a mask "
        "(image, clip or folder), alpha (without being asked), none (not even alpha)",
    )
    roi: tuple[int, int, int, int] | None = _segments(
        ROI, "the part of the frame that counts: left, top, width and height"
    )
    names: str | None = _segments(
        INPUT,
        "name segments by their colours: a .csv of name,color,tolerance; of one that does not "
        "exist yet, write one to fill in",
    )
    color_space: str = _segments(
        choice(COLOR_SPACES), "where distances are measured", default="bgr"
    )
    hysteresis: float = _segments(
        number(0, 255),
        "how far past a border a pixel keeps its label, if that adds no more than the mse",
        default=2.0,
        metavar="LEVELS",
    )
    steadiness: float = _segments(
        number(0, 1), "from 0, each frame as good as can be, to 1, labels that last", default=0.5
    )
    spatial_weight: float = _segments(
        number(0, 4),
        "how much a pixel's place counts beside its colour",
        default=0.0,
        metavar="WEIGHT",
    )
    smoothing: int = _segments(
        whole(0, 8), "remove speckles: N passes of a majority filter", default=0
    )
    seeding: str = _segments(choice(SEEDINGS), "how centers start", default="k-means++")
    seed: int = _segments(whole(0), "of the random numbers", default=0)
    threads: int | None = _segments(
        whole(1, 256), "to decode, to segment and to encode, each (default: all processors)"
    )

    scale: float | None = _frames(
        number(0.001, 4),
        "resize frames first (default: 1; less in a window that is too slow)",
        metavar="FACTOR",
    )
    start: float | None = _frames(
        TIME,
        "leave out what is before, in seconds or [hh:]mm:ss of a clip",
        ways=MOVING,
        excludes={"camera": _BY_FRAMES},
    )
    end: float | None = _frames(
        TIME, "stop before this time of a clip", ways=MOVING, excludes={"camera": _BY_FRAMES}
    )
    frames: int | None = _frames(whole(1, 10**9), "stop after N frames")
    size: tuple[int, int] | None = _frames(
        SIZE, "ask the camera for it, or draw the demo in it", ways=ONE_SOURCE, each=False
    )
    fps: float | None = _frames(
        number(0.001, 1000),
        "ask the camera for it, or show the demo or images in a row at it",
        ways=ONE_SOURCE,
        each=False,
    )

    quiet: bool = _messages(None, "print errors only", flags=("-q", "--quiet"), each=False)
    verbose: bool = _messages(None, "print more, with tracebacks", flags=("-v", "--verbose"))
    report: bool = _messages(None, "", flags=(REPORT_OPTION,), each=False)
    # fmt: on

    @property
    def written(self) -> list[str]:
        """The names of the files that are asked for."""
        return [*([self.output] if self.output else []), *self.sidecars.values()]

    @property
    def takes_stdin(self) -> bool:
        """Whether the source is stdin."""
        return STDOUT in self.inputs

    @property
    def fills_stdout(self) -> bool:
        """Whether stdout is for data, so that all that is told goes to stderr."""
        return STDOUT in self.written

    @property
    def raw_video(self) -> str | None:
        """What ``--format`` says of stdin."""
        return self._format(is_output=False)

    @property
    def pipe_format(self) -> str | None:
        """What ``--format`` says of stdout."""
        return self._format(is_output=True)

    def _format(self, *, is_output: bool) -> str | None:
        words = (self.format or "").split(",")
        return next((w for w in words if w and (w in PIPE_FORMATS) == is_output), None)

    @property
    def asks_for_regions(self) -> bool:
        """Whether the regions of each frame are to be found for a file or a view."""
        return self.view == "regions" or self["regions"] is not None

    @property
    def selects_regions(self) -> bool:
        """Whether ``--keep`` and ``--drop`` name regions, not segments.

        They do where the view is ``regions``, and where no picture is written but regions are.
        """
        is_picture = self.output is not None or self["masks"] is not None
        return self.view == "regions" or (self["regions"] is not None and not is_picture)

    def __getitem__(self, name: str) -> Any:
        """Return the value of an option."""
        if name in SIDECARS:
            return self.sidecars.get(name)
        return getattr(self, name)

    def arguments(self) -> list[str]:
        """Return the command line that asks for the same."""
        return [*self.words(), "--", *self.inputs]

    def words(self) -> list[str]:
        """Return the options that ask for the same."""
        return self._words(OPTIONS.values())

    def arguments_of_each(self) -> list[str]:
        """Return the options of the process of each of many clips, wherever that runs."""
        rows = [row for row in OPTIONS.values() if row.each]
        absolute: dict[str, Any] = {
            row.name: row.kind.absolute(self[row.name])
            for row in rows
            if row.kind and row.kind.absolute and self[row.name]
        }
        return replace(self, **absolute)._words(rows)

    def _words(self, rows: Iterable[Option]) -> list[str]:
        given = [row for row in rows if row.flags and self[row.name] != row.default]
        return [
            row.flags[-1] + (f"={row.kind.write(self[row.name])}" if row.kind else "")
            for row in given
        ]


def _table() -> Iterator[Option]:
    for column in fields(Settings):
        row = column.metadata.get("row")
        if row is None:  # the sidecars have a table of their own
            for name, kind in SIDECARS.items():
                yield Option(
                    name,
                    (f"--{name}",),
                    NAME,
                    None,
                    "output",
                    kind.help,
                    metavar=kind.metavar,
                    ways=FILES,
                    each=False,
                )
        else:
            flag = f"--{column.name.replace('_', '-')}"
            flags = () if column.name == "inputs" else row.flags or (flag,)
            yield replace(row, name=column.name, flags=flags)


OPTIONS = {row.name: row for row in _table()}
"""Every option by its name, in the order of the help."""
