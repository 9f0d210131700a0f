"""The command line, read by the table of options."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Any, NoReturn

from livekm.cli.kinds import Kind
from livekm.cli.options import GROUPS, OPTIONS, Option, Settings
from livekm.errors import UsageError
from livekm.live.keys import key_table
from livekm.outputs.tables import SIDECARS


def parse(arguments: Sequence[str] | None) -> Settings:
    """Read a command line; end the program after ``--help`` and ``--version``.

    Parameters
    ----------
    arguments : sequence of str or None
        Without the program's name; None takes those of the process.

    Raises
    ------
    UsageError
        If an option is unknown, or its value is not of its kind.
    """
    given = vars(_parser().parse_args(arguments))
    sidecars = {name: given.pop(name) for name in SIDECARS if name in given}
    return Settings(**{**given, "inputs": tuple(given["inputs"])}, sidecars=sidecars)


class _Parser(argparse.ArgumentParser):
    """Raise what is wrong, without the page of usage that hides it."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message.removeprefix('argument ')}; see {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    keys = "\n".join(f"  {label:<14}{meaning}" for label, meaning in key_table())
    parser = _Parser(
        prog="livekm",
        description="Segment video by colour, live.",
        epilog=f"keys in the window:\n{keys}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        add_help=False,
    )
    groups = {
        title: parser.add_argument_group(title, about or None) for title, about in GROUPS.items()
    }
    for option in OPTIONS.values():
        _add(groups[option.group], option)
    last = groups[option.group]
    version = f"livekm {metadata.version('livekm')}"
    last.add_argument("--version", action="version", version=version, help="print it, and end")
    last.add_argument("-h", "--help", action="help", help="print this, and end")
    return parser


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
        "help": text,
    }
    if option.flags:
        group.add_argument(*option.flags, dest=option.name, **takes)
    else:
        group.add_argument(option.name, nargs="*", default=option.default, **takes)


def _reader(kind: Kind) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return kind.read(text)
        except ValueError as error:
            # Of a ValueError, argparse would tell that it came, but not what it says.
            raise argparse.ArgumentTypeError(str(error)) from error

    return read
