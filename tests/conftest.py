"""What tests of several files share."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import forked
import pytest
import virtual_camera
from tools import lack

import livekm
from livekm import cli

COMMAND = [sys.executable, "-m", "livekm"]

pytest_plugins = ["alone"]


@pytest.fixture(scope="session", autouse=True)
def heeded_signals() -> None:
    """Let programs under test heed signals that nohup or a script told the tests to ignore."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda number, frame: None)  # a program begins without it


def ignoring(name: str) -> partial[object]:
    """What a new process has to call first, as nohup (SIGHUP) or a script (SIGINT) starts it."""
    return partial(signal.signal, signal.Signals[name], signal.SIG_IGN)


def without_display() -> dict[str, str]:
    """Environment in which a subprocess finds the package under test, but no display."""
    environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    return {**environment, "PYTHONPATH": str(Path(livekm.__file__).parents[1])}


@pytest.fixture
def run_cli(monkeypatch, tmp_path, capfd):
    """Run the command line in this process, in `tmp_path`; give exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    if sys.platform.startswith("linux"):
        monkeypatch.delenv("DISPLAY", raising=False)

    def run(*arguments: object) -> tuple[int, str, str]:
        try:
            code = cli.main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
        return code, *capfd.readouterr()

    return run


@pytest.fixture(autouse=True)
def known_log_levels() -> None:
    """Begin each test with the levels of a fresh process, whatever came before.

    ``-q`` of a command line in this process sets them, also in a fixture of a whole module.
    """
    logging.getLogger().setLevel(logging.WARNING)
    logging.getLogger("livekm").setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def camera_library() -> Path:
    """Give the virtual camera's library, or skip where there can be none."""
    if reason := virtual_camera.why_not():
        lack(reason)
    return virtual_camera.library()


@pytest.fixture(scope="session")
def real_clip() -> Path:
    """A dashcam clip, where the environment variable LIVEKM_CLIPS names a folder that has it."""
    path = Path(os.environ.get("LIVEKM_CLIPS", ""), "solidWhiteRight.mp4")
    if not path.is_file():
        pytest.skip("needs LIVEKM_CLIPS, a folder with solidWhiteRight.mp4")
    return path


@pytest.fixture
def forked_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork the processes of many clips, which is twenty times as fast as to start them."""
    stand_in = SimpleNamespace(Popen=forked.Popen, PIPE=subprocess.PIPE)
    monkeypatch.setattr("livekm.batch.processes.subprocess", stand_in)
