"""How many tests run at a time: all at once, but what asserts times of the clock alone.

A plugin, so that it holds for the docstrings of the package too. A whole run has a worker for each
processor, by pytest-xdist; files that are named run in one process, where a debugger can stop them.
This file is the lock that tests share, and that a timed test has for itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

TESTS = Path(__file__).parent


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Run what is named, and what cannot wait for other workers, in this process."""
    return None if is_whole(config) and fcntl else 0


@pytest.hookimpl(wrapper=True)
def pytest_sessionstart(session: pytest.Session) -> Generator[None, None, None]:
    """Compile the kernels on two processors while workers start, or each would compile all.

    The programs inherit the lock, so that no test begins before both have ended.
    """
    compiling: list[subprocess.Popen[bytes]] = []
    if is_whole(session.config) and session.config.getoption("numprocesses", 0):
        with Path(__file__).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            compiling.extend(compile_kernels(half, lock.fileno()) for half in "01")
    yield
    session.config.add_cleanup(lambda: check_compiled(compiling))


def check_compiled(compiling: list[subprocess.Popen[bytes]]) -> None:
    """Fail where a program failed: the tests would only be slower, and nobody would see why."""
    codes = [program.wait() for program in compiling]
    assert not any(codes), f"compile_kernels.py failed: exit codes {codes}"


def compile_kernels(half: str, lock: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, str(TESTS / "compile_kernels.py"), half],
        env={**os.environ, "PYTHONPATH": str(TESTS.parent)},
        pass_fds=[lock],
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the timed tests last, when the other workers end."""
    items.sort(key=is_timed)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool, bool]:
    """Share the machine with tests of other workers, or have it alone for a timed test."""
    if fcntl is None or not hasattr(item.config, "workerinput"):
        return (yield)
    with Path(__file__).open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if is_timed(item) else fcntl.LOCK_SH)
        return (yield)


def is_whole(config: pytest.Config) -> bool:
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS


def is_timed(item: pytest.Item) -> bool:
    return item.get_closest_marker("timed") is not None
