"""Many clips: plans, processes, failures, and going on."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from clips import make_clip

from livekm.archive import Job, is_archive, plan_jobs, run_jobs
from livekm.sources import open_source


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_folders_are_searched_and_made_again_below_the_output(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    touch(*(tmp_path / "in" / name for name in ("a.MP4", "day/b.avi", "day/c.mkv", "notes.txt")))
    touch(tmp_path / "in" / "out" / "a.mp4", tmp_path / "in" / "day" / "b.partial.mp4")
    jobs = plan_jobs(["in"], Path("in/out"), "-k8")
    assert [(job.source.as_posix(), job.target.as_posix()) for job in jobs] == [
        ("in/a.MP4", "in/out/a-k8.MP4"),
        ("in/day/b.avi", "in/out/day/b-k8.mp4"),
        ("in/day/c.mkv", "in/out/day/c-k8.mkv"),
    ]


def test_patterns_stand_for_clips(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    touch(tmp_path / "x" / "1.mp4", tmp_path / "x" / "y" / "2.mov", tmp_path / "x" / "3.jpg")
    jobs = plan_jobs(["x/**/*"], Path("out"))
    assert [job.target.as_posix() for job in jobs] == ["out/1.mp4", "out/2.mov"]


def test_two_clips_of_one_output_are_wrong_usage(tmp_path, run_cli):
    touch(tmp_path / "a" / "1.mp4", tmp_path / "b" / "1.mp4")
    code, out, err = run_cli("a/1.mp4", "b/1.mp4", "-o", "out")
    assert (code, out) == (2, "")
    assert "would both become out" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("names", "expected"),
    [(["a.mp4", "b.mp4"], True), (["clips"], True), (["images"], False), (["a.mp4"], False)],
)
def test_what_many_clips_are(names, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    touch(tmp_path / "a.mp4", tmp_path / "clips" / "deep" / "1.mp4", tmp_path / "images" / "1.png")
    assert is_archive(names) is expected


@pytest.mark.parametrize(
    "arguments",
    [("-o", "out.mp4"), (), ("-o", "out", "--stats", "s.csv"), ("-o", "out", "--benchmark")],
)
def test_what_does_not_go_with_many_clips_is_one_line(arguments, tmp_path, run_cli):
    touch(tmp_path / "a.mp4", tmp_path / "b.mp4")
    code, out, err = run_cli("a.mp4", "b.mp4", *arguments)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1


def test_a_failing_clip_is_reported_and_the_others_are_done_and_skipped_next_time(
    tmp_path, run_cli
):
    (tmp_path / "in").mkdir()
    for name in ("a.mp4", "c.mp4"):
        make_clip(tmp_path / "in" / name, 4)
    touch(tmp_path / "in" / "b.mp4")
    code, out, err = run_cli("in", "-o", "out", "--jobs", 2, "-k", 3)
    assert code == 1
    assert "in/b.mp4" in err
    assert [line.split()[-1] for line in out.splitlines()[1:4]] == ["done", "failed", "done"]
    assert out.splitlines()[4] == "2 done, 1 failed"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.mp4", "c.mp4"]
    with open_source(tmp_path / "out" / "c.mp4") as clip:
        assert sum(1 for _ in clip) == 4
    (tmp_path / "out" / "c.mp4").unlink()
    make_clip(tmp_path / "in" / "b.mp4", 3)
    code, out, err = run_cli("in", "-o", "out", "--skip-existing")
    assert code == 0
    assert [line.split()[-1] for line in out.splitlines()[1:4]] == ["skipped", "done", "done"]


def processes_of(job: Job) -> list[int]:
    numbers = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().split(b"\0")
            if str(job.source).encode() in words and b"livekm" in words:
                numbers.append(int(path.parent.name))
    return numbers


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_process_that_is_killed_is_a_failure_of_its_clip(tmp_path):
    make_clip(tmp_path / "a.mp4", 400)
    make_clip(tmp_path / "b.mp4", 2)
    jobs = [Job(tmp_path / f"{n}.mp4", tmp_path / "out" / f"{n}.mp4") for n in "ab"]
    killed = []

    def kill_first() -> bool:
        found = [] if killed else processes_of(jobs[0])
        for number in found:
            os.kill(number, signal.SIGKILL)
        killed.extend(found)
        return False

    first, second = run_jobs(jobs, ["-k=2"], should_stop=kill_first)
    assert killed
    assert first.outcome == "the process ended by signal 9"
    assert second.outcome == "done"
    assert not jobs[0].target.exists()


def test_an_interruption_keeps_what_was_done(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a.mp4", "b.mp4"):
        make_clip(tmp_path / "in" / name, 3000)
    process = subprocess.Popen(
        [sys.executable, "-m", "livekm", "in", "-o", "out", "-q"], cwd=tmp_path
    )
    deadline = time.monotonic() + 20
    while not list((tmp_path / "out").glob(".*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.0)
    process.terminate()
    assert process.wait(10) == 130
    (left,) = (tmp_path / "out").iterdir()
    assert left.name == "a.partial.mp4"
    with open_source(left) as clip:
        assert 0 < sum(1 for _ in clip) < 3000
