"""Which options go together: rules of the table, and those that need a word of their own."""

from __future__ import annotations

import os
from pathlib import Path

from livekm.cli.options import OPTIONS, Option, Settings, Way
from livekm.errors import UsageError
from livekm.outputs import (
    ALPHA_SUFFIXES,
    CONTAINERS,
    DEFAULT_ENCODER,
    STDOUT,
    WRITABLE_IMAGES,
    EncoderOptions,
    alpha_codec,
    choose_encoding,
)
from livekm.outputs.tables import SIDECARS


def check(settings: Settings, way: Way) -> None:
    """Raise `UsageError` for options that do not go together, before a source is opened."""
    sources = (settings.inputs, settings.camera is not None, settings.demo, settings.warm_up)
    if sum(map(bool, sources)) != 1:
        raise UsageError("name one source: a file, --camera 0 or --demo; see livekm --help")
    for option in _given(settings):
        _check_others(settings, option)
    check_way(settings, way)
    _check_pipes(settings, way)
    if settings.end is not None and settings.end <= (settings.start or 0):
        raise UsageError("--end must come after --start")
    if settings.min_area is not None and not settings.asks_for_regions:
        raise UsageError("--min-area needs --regions or --view regions")
    is_window = not settings.written and not settings.benchmark  # whose view may change
    if settings.detail is not None and not (settings.asks_for_regions or is_window):
        raise UsageError("--detail needs --regions or --view regions")
    _check_names(settings, way)
    if way != Way.BATCH:  # whose clips each have a format
        _check_encoding(settings)


def check_way(settings: Settings, way: Way) -> None:
    """Raise `UsageError` if an option is given that a way of running does not take."""
    for option in _given(settings):
        if way not in option.ways:
            takers = [taker.value for taker in option.ways - {Way.STILL}]
            where = f"is for {takers[0]}" if len(takers) == 1 else f"is not for {way.value}"
            raise UsageError(f"{_flag(option)} {where}; leave it out")


def _given(settings: Settings) -> list[Option]:
    return [row for row in OPTIONS.values() if row.flags and settings[row.name] != row.default]


def _flag(option: Option | str) -> str:
    """Return what messages call an option."""
    return (OPTIONS[option] if isinstance(option, str) else option).flags[0]


def _check_others(settings: Settings, option: Option) -> None:
    flag = _flag(option)
    for other, remedy in option.excludes.items():
        if settings[other] != OPTIONS[other].default:
            more = f"; {remedy}" if remedy else ""
            raise UsageError(f"{flag} and {_flag(other)} exclude each other{more}")
    if option.needs and all(settings[name] == OPTIONS[name].default for name in option.needs):
        more = f"; {option.hint}" if option.hint else ""
        raise UsageError(f"{flag} needs {' or '.join(map(_flag, option.needs))}{more}")


def _check_pipes(settings: Settings, way: Way) -> None:
    """Raise `UsageError` where ``-`` or ``--format`` stands for nothing."""
    if settings.takes_stdin and len(settings.inputs) > 1:
        raise UsageError("- is stdin, which is one source: name it alone")
    if settings.fills_stdout and way == Way.BATCH:
        raise UsageError("many clips: - is one output; name a folder, or one clip")
    if settings.output == STDOUT and os.isatty(1):
        raise UsageError(
            "-o - writes what no terminal shows: pipe it into a program, or name a file"
        )
    if settings.raw_video and not settings.takes_stdin:
        raise UsageError(f"--format {settings.raw_video} is for video from stdin: livekm -")
    if settings.pipe_format and settings.output != STDOUT:
        raise UsageError(f"--format {settings.pipe_format} is for a clip to stdout: -o -")


def _check_names(settings: Settings, way: Way) -> None:
    if way != Way.BATCH:  # whose names are of folders, or stand for many
        for name, path in settings.sidecars.items():
            SIDECARS[name].check(path)
    suffix = Path(settings.output or "").suffix.lower()
    if settings.rest == "transparent" and suffix not in ALPHA_SUFFIXES:
        if suffix in WRITABLE_IMAGES:
            raise UsageError(
                f"{settings.output} cannot be transparent: end it in {', '.join(ALPHA_SUFFIXES)}, "
                "or take --rest original"
            )
        alpha_codec(settings.output or "the window", settings.codec)


def _check_encoding(settings: Settings) -> None:
    encoder = EncoderOptions(settings.codec, settings.crf, settings.preset)
    if encoder == DEFAULT_ENCODER:
        return
    output = settings.output or ""
    if output == STDOUT and settings.pipe_format == "mkv":
        output = "stdout.mkv"
    if Path(output).suffix.lower() not in CONTAINERS:
        more = " or --format mkv" if output == STDOUT else ""
        clips = ", ".join(CONTAINERS)
        raise UsageError(f"--codec, --crf and --preset are for clips: {clips}{more}")
    choose_encoding(output, encoder)
