"""`livekm --warm-up`: afterwards nothing is compiled any more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from conftest import without_display

PROGRAM = """
import sys
from livekm import cli
from livekm.core import kernels

def known():
    found = {name: getattr(kernels, name) for name in kernels.__all__}
    return {name: list(k.signatures) for name, k in found.items() if hasattr(k, "signatures")}

assert cli.main(["--warm-up"]) == 0
before = known()
assert all(before.values()), before
demo = ["--demo", "-q", "--frames", "3", "--size", "96x64", "--overwrite"]
for options in (
    ["-o", "out.mp4", "--stats", "stats.csv", "--regions", "regions.csv", "--smoothing", "1"],
    ["-o", "out.mkv", "--codec", "ffv1", "--color-space", "lab", "--view", "overlay"],
    ["-o", "out.mp4", "--color-space", "hsv", "--spatial-weight", "1", "--view", "boundaries"],
    ["-o", "out.mp4", "--hysteresis", "0", "-k", "40", "--ignore", "#102030", "--view", "regions"],
    ["-o", "row/%03d.png", "--steadiness", "1", "--view", "mask", "--keep", "1"],
):
    assert cli.main(demo + options) == 0, options
assert known() == before
"""


def test_after_the_warm_up_no_option_compiles_anything(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env=without_display(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    line, folder = done.stdout.strip().split(" s, kept in ")
    assert line.startswith("kernels ready in ")
    assert list(Path(folder).glob("*.nbi"))


def test_where_there_is_no_folder_for_kernels_that_is_said(run_cli, monkeypatch, caplog):
    monkeypatch.setattr("livekm.cli.ways.compile_all", lambda: None)
    code, out, _ = run_cli("--warm-up")
    assert (code, out) == (0, "")
    assert "compiled at each start: set NUMBA_CACHE_DIR" in caplog.text


def test_a_warm_up_needs_no_source_and_takes_none(run_cli):
    assert run_cli("--warm-up", "--demo")[0] == 2
