"""Short versions of scripts/fuzz.py and scripts/soak.py; docs/reliability.md has the long ones."""

from __future__ import annotations

import os
import random
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = ROOT / "scripts"

linux_only = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="forks, and asks /proc"
)


@linux_only
def test_no_mutant_of_a_file_brings_a_fault():
    """One of each kind of file and some more; a process of its own, which has no threads yet."""
    done = subprocess.run(
        [sys.executable, SCRIPTS / "fuzz.py", "--count", "48", "--seed", "7"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("48 mutants, seed 7: ")


@pytest.fixture(scope="module")
def fuzz():
    return runpy.run_path(str(SCRIPTS / "fuzz.py"))


@linux_only
@pytest.mark.parametrize(
    ("code", "out", "err", "files", "found"),
    [
        (0, "out.mkv: 12 frames\n", "", ["out.mkv"], []),
        (0, "out.mkv: 12 frames\n", "livekm: in.mp4: 2 frames left out\n", ["out.mkv"], []),
        (1, "", "livekm: in.mp4: no frame\n", [], []),
        (1, "", "livekm: KeyError: 3; -v shows where\n", [], ["traceback"]),
        (1, "", "Traceback (most recent call last):\n", [], ["traceback", "print"]),
        (-11, "", "", [], ["signal"]),
        (2, "", "livekm: -k: must be\n", [], ["code"]),
        (1, "", "", [], ["silent"]),
        (1, "", "livekm: full\n", [".out.mkv.part-1"], ["leftover"]),
        (0, "", "", [], ["code"]),
        (1, "", "livekm: full\n", ["out.mkv"], ["code"]),
    ],
)
def test_each_kind_of_fault_is_found(code, out, err, files, found, fuzz, tmp_path):
    for name in files:
        (tmp_path / name).touch()
    assert fuzz["faults"](fuzz["End"](code, out, err), tmp_path, "in.mp4", "image") == found


@linux_only
def test_frames_that_lack_without_a_word_are_found(fuzz, tmp_path):
    fuzz["make_clip"](tmp_path / "in.mp4", "libx264", preset="ultrafast")
    (tmp_path / "out.mkv").touch()
    for n_frames, found in ((12, []), (11, ["frames"])):
        end = fuzz["End"](0, f"out.mkv: {n_frames} frames\n", "")
        assert fuzz["faults"](end, tmp_path, "in.mp4", "clip") == found


@linux_only
def test_a_session_in_which_everything_changes_leaves_no_files_or_threads():
    """Memory needs the long run: it grows while caches fill."""
    soak = runpy.run_path(str(SCRIPTS / "soak.py"))
    grown = soak["soak_session"](300, random.Random(0))
    assert "handles" not in grown
