"""A livekm process without the second that Python takes to start and to import what livekm needs.

For tests of what livekm processes do for each other, rather than of a process itself: what ends it,
its signals, its name in a list of processes.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO

import livekm.cli.command  # noqa: F401 - the server imports it once for all
from livekm.cli import main

CAN_FORK = sys.platform.startswith("linux")


class ForkedCommand:
    """Stands in for `subprocess.Popen` of livekm, as `livekm.batch` starts it.

    The process is forked off a server that has livekm imported, and is as any other from there on.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        stdin: int,
        stdout: int,
        stderr: IO[str],
        encoding: str,
        errors: str,
        start_new_session: bool,
    ) -> None:
        assert command[:2] == [sys.executable, "-c"]
        assert command[2].endswith("from livekm.cli import main; sys.exit(main())")
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        read_end, self.stdin = _pipe_to_child(encoding, errors)
        self.stdout, write_end = _pipe_from_child(encoding, errors)
        streams = [read_end, write_end, Connection(os.dup(stderr.fileno()))]
        self._process = context.Process(
            target=_run, args=(command[3:], str(Path.cwd()), dict(os.environ), streams)
        )
        self._process.start()
        for stream in streams:
            stream.close()

    def wait(self) -> int:
        self._process.join()
        return self._process.exitcode


def _pipe_to_child(encoding: str, errors: str) -> tuple[Connection, IO[str]]:
    theirs, ours = os.pipe()
    return Connection(theirs), os.fdopen(ours, "w", encoding=encoding, errors=errors)


def _pipe_from_child(encoding: str, errors: str) -> tuple[IO[str], Connection]:
    ours, theirs = os.pipe()
    return os.fdopen(ours, encoding=encoding, errors=errors), Connection(theirs)


def _run(
    arguments: Sequence[str],
    folder: str,
    environment: Mapping[str, str],
    streams: Sequence[Connection],
) -> None:
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, stream in enumerate(streams):
        os.dup2(stream.fileno(), number)
        stream.close()
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(n, mode) for n, mode in enumerate("rww"))
    sys.exit(main(arguments))
