"""Python programs without the second that Python takes to start and to import what livekm needs.

`Popen` and `run` stand in for those of `subprocess`: the program is forked off a server that has
livekm imported, and is as any other from there on. For tests of what programs do, rather than of
how they start: where a test asks for that, for the program's name in a list of processes, or for
another cache of kernels, it starts a real one.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any
from unittest import mock

import virtual_camera

import livekm.cli.command  # the server imports it once for all
import livekm.live.loop  # noqa: F401

CAN_FORK = sys.platform.startswith("linux")


class ForkedProgram:
    """Run ``[sys.executable, "-m", "livekm", ...]``, or ``-c`` or a file, as `subprocess.Popen`."""

    def __init__(
        self,
        command: Sequence[object],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: int | IO[Any] | None = None,
        stdout: int | IO[Any] | None = None,
        stderr: int | IO[Any] | None = None,
        text: bool = False,
        encoding: str | None = None,
        errors: str | None = None,
        start_new_session: bool = False,
        preexec_fn: Callable[[], object] | None = None,
    ) -> None:
        assert command[0] == sys.executable
        self.args = command
        self.returncode: int | None = None
        theirs: list[Connection] = []
        self._form = {"encoding": encoding or "utf-8", "errors": errors}
        self._is_text = text or encoding is not None
        self.stdin = self._connect(0, stdin, theirs)
        self.stdout = self._connect(1, stdout, theirs)
        self.stderr = self._connect(2, stderr, theirs)
        self._readers: list[_Reader] = []
        self._process = context().Process(
            target=_run,
            args=([*map(str, command[1:])], str(cwd or Path.cwd())),
            kwargs={
                "environment": dict(os.environ if env is None else env),
                "streams": theirs,
                "is_new_session": start_new_session,
                "first": preexec_fn,
            },
        )
        self._process.start()
        self.pid = self._process.pid
        for stream in theirs:
            stream.close()

    def _connect(
        self, number: int, given: int | IO[Any] | None, theirs: list[Connection]
    ) -> IO[Any] | None:
        """Append the program's end of a stream to `theirs`; return this end, if it is a pipe."""
        ours, mode = None, "w" if number == 0 else "r"
        if given == subprocess.PIPE:
            read_end, write_end = os.pipe()
            end, ours = (read_end, write_end) if number == 0 else (write_end, read_end)
        elif given == subprocess.DEVNULL:
            end = os.open(os.devnull, os.O_RDWR)
        elif given is None:
            end = os.dup(number)
        else:
            end = os.dup(given if isinstance(given, int) else given.fileno())
        theirs.append(Connection(end))
        if ours is None:
            return None
        return os.fdopen(ours, mode, **self._form) if self._is_text else os.fdopen(ours, mode + "b")

    def poll(self) -> int | None:
        self.returncode = self._process.exitcode
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self.poll() is None:
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[Any, Any]:
        if self.stdin:
            self.stdin.close()
        if not self._readers:
            self._readers = [_Reader(stream) for stream in (self.stdout, self.stderr)]
        for reader in self._readers:
            reader.thread.join(timeout)
            if reader.thread.is_alive():
                raise subprocess.TimeoutExpired(self.args, timeout)
        self.wait(timeout)
        return tuple(reader.content for reader in self._readers)

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> ForkedProgram:
        return self

    def __exit__(self, *exception: object) -> None:
        self.wait()
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream:
                stream.close()


class _Reader:
    """Reads a stream to its end in a thread of its own."""

    def __init__(self, stream: IO[Any] | None) -> None:
        self.content: Any = None
        self._stream = stream
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        if self._stream:
            with self._stream:
                self.content = self._stream.read()


Popen: Any = ForkedProgram if CAN_FORK else subprocess.Popen


def run(command: Sequence[object], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, as `subprocess.run` with ``text=True`` and without ``check``."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = Popen(command, **{**streams, **options})
    try:
        out, err = process.communicate(60)
    finally:
        process.kill()
    return subprocess.CompletedProcess(command, process.returncode, out, err)


@cache
def context() -> Any:
    """Start the server that programs are forked off; return the context that asks it for one."""
    chosen = multiprocessing.get_context("forkserver")
    chosen.set_forkserver_preload([__name__])
    changes = {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
    if virtual_camera.why_not() is None:  # a library can be preloaded only into the server
        changes["LD_PRELOAD"] = virtual_camera.environment(virtual_camera.library())["LD_PRELOAD"]
    with mock.patch.dict(os.environ, changes):
        forkserver.ensure_running()
    return chosen


def _run(
    command: Sequence[str],
    folder: str,
    *,
    environment: Mapping[str, str],
    streams: Sequence[Connection],
    is_new_session: bool,
    first: Callable[[], object] | None,
) -> None:
    if is_new_session:
        os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, stream in enumerate(streams):
        os.dup2(stream.fileno(), number)
        stream.close()
    sys.stdin, sys.stdout = os.fdopen(0), os.fdopen(1, "w")
    sys.stderr = os.fdopen(2, "w", errors="backslashreplace")
    if first:
        first()
    kind, *rest = command
    if kind == "-c":
        sys.argv = ["-c", *rest[1:]]
        exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__"})
    elif kind == "-m":
        sys.argv = ["-m", *rest[1:]]
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = list(command)
        runpy.run_path(kind, run_name="__main__")
