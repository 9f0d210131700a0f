"""Run one command line: read it, choose the way of running, turn errors into exit codes."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext, redirect_stdout

from livekm import batch
from livekm.batch.protocol import Parent, Reporter
from livekm.channel import is_work_left
from livekm.cli import ways
from livekm.cli.checks import check
from livekm.cli.interrupt import INTERRUPTED, interruption
from livekm.cli.options import Settings, Way
from livekm.cli.output_streams import PrintableFormatter, say, set_up, tell
from livekm.cli.parser import first_page, parse
from livekm.errors import LivekmError, ReaderGoneError, UsageError, printable
from livekm.sources.discovery import find_cameras

_FAILED, _MISUSED = 1, 2
_READER_GONE = 141  # as a shell tells that SIGPIPE ended a program
_LONGEST = 300  # characters of a message that is not livekm's own


def run_all(arguments: Sequence[str]) -> int:
    """Run a command line, and those that the parent sends after it; return the last exit code."""
    parent, code = Parent(), 0
    command_line: Sequence[str] | None = arguments
    while command_line is not None:
        code = run(command_line, parent)
        if is_work_left():  # which would go on beside the next one
            break
        Reporter(say).end(code)
        command_line = parent.next_command_line()
    return code


def run(arguments: Sequence[str], parent: Parent | None = None) -> int:
    """Run a command line; return the exit code.

    Parameters
    ----------
    arguments : sequence of str
    parent : Parent, optional
        Who is obeyed by a process for one of many clips.
    """
    set_up()
    if not arguments:
        print(first_page(), file=sys.stderr)
        return _MISUSED
    settings, reporter = Settings(), None
    try:
        settings = parse(arguments)
        reporter = Reporter(say) if settings.report else None
        _set_up_logging(settings, reporter)
        with redirect_stdout(sys.stderr) if settings.fills_stdout else nullcontext():
            return _run(settings, reporter, parent)
    except KeyboardInterrupt:
        return INTERRUPTED
    except ReaderGoneError:
        return _READER_GONE
    except Exception as error:  # the last handler: one line, whatever it is
        details = traceback.format_exc() if settings.verbose else ""
        _report(_reason(error), details, reporter)
        return _MISUSED if isinstance(error, UsageError) else _FAILED


def _run(settings: Settings, reporter: Reporter | None, parent: Parent | None) -> int:
    way = _way(settings)
    if not reporter:  # whoever started this process has checked what all clips have in common
        check(settings, way)
    if settings.camera == "list":
        lines = [printable(str(camera)) for camera in find_cameras()]
        say("\n".join(lines) or "no camera is connected")
        return 0
    if settings.warm_up:
        ways.warm_up(quiet=settings.quiet)
        return 0
    with ExitStack() as ending:
        stop = ending.enter_context(interruption())
        if reporter:
            ending.enter_context((parent or Parent()).obeyed(stop.request, stop.insist))
        if way == Way.BATCH:
            code = _FAILED if ways.process_batch(settings, stop) else 0
        else:
            ways.process_source(settings, stop, reporter)
            code = 0
        return INTERRUPTED if stop.requested else code


def _way(settings: Settings) -> Way:
    """Tell how to run; whether a source is a still image shows only once it is open."""
    names = settings.sidecars.values()
    is_one = not settings.inputs or settings.report  # a process for one of many
    if not is_one and batch.is_batch(settings.inputs, settings.output, names):
        return Way.BATCH
    if settings.benchmark:
        return Way.BENCHMARK
    if settings.explain:
        return Way.LESSON
    return Way.FILE if settings.written else Way.WINDOW


def _report(reason: str, details: str, reporter: Reporter | None) -> None:
    if reporter:
        if details:
            reporter.detail(details)
        reporter.fail(reason)
    else:
        for line in details.splitlines():
            print(printable(line), file=sys.stderr)
        tell(reason)


def _reason(error: Exception) -> str:
    """Return one line about an error; what nobody foresaw is told with its kind."""
    text = " ".join(str(error).split())
    if isinstance(error, (LivekmError, UsageError)):
        return str(error)
    # What opens files raises LivekmErrors, which say more; this is from a look at a name.
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}; check its name and folder"
    if isinstance(error, MemoryError):
        return f"not enough memory{f' ({text})' if text else ''}; take a smaller --scale"
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}..."
    return f"{type(error).__name__}: {text or 'no reason given'}; -v shows where"


def _set_up_logging(settings: Settings, reporter: Reporter | None) -> None:
    handler = reporter or logging.StreamHandler()
    handler.setFormatter(PrintableFormatter("livekm: %(message)s"))
    logging.basicConfig(level=logging.ERROR, handlers=[handler])
    # Show livekm's own records only: users have no use for those of libraries.
    level = logging.WARNING
    if settings.quiet or settings.verbose:
        level = logging.ERROR if settings.quiet else logging.INFO
    logging.getLogger("livekm").setLevel(level)
