"""Timed tests have the machine for themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("fcntl")

PYTEST = [sys.executable, "-m", "pytest", "-p", "xdist.plugin"]
SAMPLE = """
import time
from pathlib import Path
import pytest

@pytest.fixture(autouse=True)
def noted(request):
    start = time.monotonic()
    yield
    Path(request.node.name).write_text(f"{start} {time.monotonic()}")

@pytest.mark.timed
@pytest.mark.parametrize("n", range(2))
def test_timed(n):
    time.sleep(0.2)

@pytest.mark.parametrize("n", range(6))
def test_any(n):
    time.sleep(0.2)
"""


def test_timed_tests_come_last_and_alone_and_the_others_beside_each_other(tmp_path):
    (tmp_path / "test_sample.py").write_text(SAMPLE)
    # A copy is another lock: this test's own would be waited for by the one that it starts.
    shutil.copy(Path(__file__).with_name("alone.py"), tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = timed: alone\n")
    done = subprocess.run(
        [*PYTEST, "-p", "alone", "-n", "2", "test_sample.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    times = {
        path.name: tuple(map(float, path.read_text().split())) for path in tmp_path.glob("test_*]")
    }
    any_time = [times[f"test_any[{n}]"] for n in range(6)]
    timed = sorted(times[f"test_timed[{n}]"] for n in range(2))
    assert max(end for _, end in any_time) < timed[0][0]
    assert timed[0][1] < timed[1][0]
    overlapping = sum(start < end for start, _ in any_time for _, end in any_time) - 6
    assert overlapping > 6 * 5 / 2  # one after the other, exactly half of the pairs would be
