"""The command line, read by the table of options."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from livekm.cli.kinds import INPUT, NAME, Kind, meant
from livekm.cli.options import GROUPS, OPTIONS, Option, Settings
from livekm.cli.release import release
from livekm.errors import UsageError
from livekm.live.keys import key_table
from livekm.outputs.tables import SIDECARS

_USAGE = "livekm [SOURCE ...] [-o FILE] [options]"

_FILES = {"bash": "_shtab_compgen_files", "zsh": "_files", "tcsh": "f"}

EXAMPLES = {
    "livekm --demo": "the built-in street scene, in a window",
    "livekm 0": "a camera",
    "livekm clip.mp4 -o out.mp4 -k 6": "a clip to a clip, in six colours",
    "livekm photo.jpg -o out.png": "a still image",
    "livekm clips/ -o segmented/ --jobs 2": "many clips",
    "livekm --demo --benchmark": "frames a second of this machine",
}
"""What the first page shows: a command line -> what it does."""

EVERYDAY = {
    "inputs": "clips, images, folders or patterns",
    "camera": "a camera: index, device path or URL",
    "demo": "the built-in street scene",
    "output": "write a clip, an image or images (out/%06d.png)",
    "overwrite": "replace files that exist",
    "labels": "the label of each pixel",
    "stats": "a table of each segment in each frame: .csv, .jsonl",
    "view": "segments, overlay, boundaries, regions, ...",
    "keep": "show only these segments, by their ids",
    "benchmark": "measure frames a second",
    "clusters": "number of colours (default: 8)",
    "start": "leave out what is before, in seconds or mm:ss",
    "end": "stop before this time",
}
"""The options of the first page: a name -> a line about it."""


def parse(arguments: Sequence[str] | None) -> Settings:
    """Read a command line; end the program after ``-h``, ``--help`` and ``--version``.

    Parameters
    ----------
    arguments : sequence of str or None
        Without the program's name; None takes those of the process.

    Raises
    ------
    UsageError
        If an option is unknown, or its value is not of its kind.
    """
    given = vars(make_parser().parse_args(arguments))
    inputs = [*given.pop("inputs"), *given.pop("more_inputs", ())]
    if len(inputs) == 1 and inputs[0].isdecimal() and not Path(inputs[0]).exists():
        given["camera"] = inputs.pop()
    sidecars = {name: given.pop(name) for name in SIDECARS if name in given}
    return Settings(**{**given, "inputs": tuple(inputs)}, sidecars=sidecars)


def first_page() -> str:
    """Return what ``-h`` prints: examples, and the everyday options on one screen."""
    examples = [f"  {line:<38} {meaning}" for line, meaning in EXAMPLES.items()]
    options = [f"  {_call(OPTIONS[name]):<24} {about}" for name, about in EVERYDAY.items()]
    return "\n".join(
        [
            f"usage: {_USAGE}",
            "",
            *examples,
            "",
            *options,
            "",
            "livekm --help tells all options, and the keys of the window",
        ]
    )


def _call(option: Option) -> str:
    metavar = f" {option.metavar or option.kind.metavar}" if option.kind else ""
    is_list = metavar.startswith(" {")
    return (", ".join(option.flags) + (" NAME" if is_list else metavar)).strip()


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line; shell completions are made of it, too."""
    keys = "\n".join(f"  {label:<14}{meaning}" for label, meaning in key_table())
    parser = _Parser(
        description="Segment video by colour, live.",
        epilog=f"keys in the window:\n{keys}",
        prog="livekm",
        usage=_USAGE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        argument_default=argparse.SUPPRESS,
    )
    groups = {
        title: parser.add_argument_group(title, about or None) for title, about in GROUPS.items()
    }
    for option in OPTIONS.values():
        _add(groups[option.group], option)
    last = groups[option.group]
    last.add_argument("-V", "--version", action=_Version, nargs=0, help="print it, and end")
    last.add_argument("-h", action=_FirstPage, nargs=0, help="print the everyday options, and end")
    last.add_argument("--help", action="help", help="print this, and end")
    parser.add_argument(
        "-i", "--source", action="append", dest="more_inputs", type=_reader(INPUT),
        help=argparse.SUPPRESS,
    )  # fmt: skip
    return parser


class _Parser(argparse.ArgumentParser):
    """Raise what is wrong, without the page of usage that hides it."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        found, unknown = self.parse_known_args(args, namespace)
        if unknown:
            flags = [flag for action in self._actions for flag in action.option_strings]
            what = f"{unknown[0]}{meant(unknown[0].split('=')[0], flags)}"
            self.error(f"there is no option {what}")
        return found

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message.removeprefix('argument ')}; see {self.prog} --help")


class _FirstPage(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        print(first_page())
        parser.exit()


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        print(f"livekm {release()}")
        parser.exit()


def _add(group: argparse._ArgumentGroup, option: Option) -> None:
    text: str = argparse.SUPPRESS
    if option.help:
        has_default = option.kind and option.default not in (None, "", ())
        default = f" (default: {option.default})".replace(".0)", ")") if has_default else ""
        text = f"{option.help}{default}".replace("%", "%%")
    if option.kind is None:
        group.add_argument(*option.flags, dest=option.name, action="store_true", help=text)
        return
    takes: dict[str, Any] = {
        "type": _reader(option.kind),
        "metavar": option.metavar or option.kind.metavar,
        "choices": option.kind.choices or None,
        "help": text,
    }
    if option.bare:
        takes |= {"nargs": "?", "const": option.bare}
    if option.flags:
        added = group.add_argument(*option.flags, dest=option.name, **takes)
    else:
        added = group.add_argument(option.name, nargs="*", default=option.default, **takes)
    if option.kind is NAME or option.kind.absolute:
        added.complete = _FILES  # type: ignore[attr-defined] # read by shtab


def _reader(kind: Kind) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return kind.read(text)
        except ValueError as error:
            # Of a ValueError, argparse would tell that it came, but not what it says.
            raise argparse.ArgumentTypeError(str(error)) from error

    return read
