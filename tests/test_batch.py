"""Many clips: plans, processes, failures, and going on."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import av
import forked
import pytest
from clips import damage, make_clip, noise_images
from conftest import COMMAND, ignoring

from livekm.batch import is_batch, plan_jobs
from livekm.batch.job import Job, JobEvent, JobProgress, JobResult
from livekm.batch.processes import run_jobs
from livekm.outputs import EncoderOptions
from livekm.sources import open_source

forked_clips = pytest.mark.usefixtures("forked_commands")


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_folders_are_searched_and_made_again_below_the_output(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    touch(*(tmp_path / "in" / name for name in ("a.MP4", "day/b.avi", "day/c.mkv", "notes.txt")))
    touch(tmp_path / "in" / "out" / "a.mp4", tmp_path / "in" / "day" / "b.partial-2.mp4")
    jobs = plan_jobs(["in"], "in/out/{}-k8")
    assert [(job.source.as_posix(), job.output.as_posix()) for job in jobs] == [
        ("in/a.MP4", "in/out/a-k8.MP4"),
        ("in/day/b.avi", "in/out/day/b-k8.avi"),
        ("in/day/c.mkv", "in/out/day/c-k8.mkv"),
    ]


@pytest.mark.parametrize("name", ["in", "in/**/*.mp4"])
def test_one_clip_is_enough_to_tell_that_there_are_many(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    touch(tmp_path / "in" / "a.mp4", *(tmp_path / "in" / str(day) / "b.mp4" for day in range(30)))
    listed, scandir = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: listed.append(folder) or scandir(folder))
    assert is_batch([name])
    assert len(listed) < 5


def test_patterns_stand_for_clips(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    touch(tmp_path / "x" / "1.mp4", tmp_path / "x" / "y" / "1.mp4", tmp_path / "x" / "3.jpg")
    for pattern in ("x/**/*", "x/**/*.mp4", "?/**/?.mp4"):
        found = [job.output.as_posix() for job in plan_jobs([pattern], "out")]
        below = "out/x" if pattern.startswith("?") else "out"
        assert found == [f"{below}/1.mp4", f"{below}/y/1.mp4"]


def test_brackets_in_a_pattern_stand_for_themselves(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    touch(tmp_path / "br[1]" / "day" / "a.mp4", tmp_path / "br1" / "day" / "b.mp4")
    assert is_batch(["br[1]/**/*.mp4"])
    (job,) = plan_jobs(["br[1]/**/*.mp4"], "out")
    assert (job.source, job.output) == (Path("br[1]/day/a.mp4"), Path("out/day/a.mp4"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("in", "-o", "in"), "in lies in the output folder in; name another one"),
        (("in/day", "-o", "in/{}-k2"), "in/day lies in the output folder in"),
        (("in/a.mp4", "in/b.mp4", "-o", "in"), "in/a.mp4 would become itself"),
        (("in", "--labels", "in/{}.mkv"), "in/day/c.mkv would become itself"),
        (("empty", "in", "-o", "out"), "empty: there is no clip"),
    ],
)
@pytest.mark.parametrize("more", [(), ("--skip-existing",), ("--overwrite",)])
def test_no_clip_takes_the_place_of_an_input(more, arguments, said, tmp_path, run_cli):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "empty").mkdir()
    touch(
        *(tmp_path / name for name in ("in/a.mp4", "in/b.mp4", "in/day/c.mkv", "elsewhere/d.mp4"))
    )
    (tmp_path / "in" / "d.mp4").symlink_to(tmp_path / "elsewhere" / "d.mp4")
    code, out, err = run_cli(*arguments, *more)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert said in err


@forked_clips
def test_outputs_beside_the_inputs_need_another_name(tmp_path, run_cli):
    for name in "ab":
        make_clip(tmp_path / f"{name}.mp4", 2)
    options = ("-k2", "-q", "--jobs", 2)
    assert run_cli("a.mp4", "b.mp4", "-o", "{}-k2", *options) == (0, "", "")
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["a", "a-k2", "b", "b-k2"]


def test_a_folder_that_cannot_be_made_is_one_line_before_the_first_clip(tmp_path, run_cli):
    touch(tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path / "file")
    code, out, err = run_cli("a.mp4", "b.mp4", "-o", "file/out")
    assert (code, out) == (1, "")
    assert err == "livekm: cannot make the folder file/out: Not a directory; choose another\n"


@forked_clips
def test_quiet_prints_the_failures_alone(tmp_path, run_cli):
    make_clip(tmp_path / "a.mp4", 2)
    touch(tmp_path / "b.mp4")
    code, out, err = run_cli("a.mp4", "b.mp4", "-o", "out", "-k2", "-q", "--jobs", 2)
    assert (code, out) == (1, "")
    assert re.fullmatch(r"livekm: b\.mp4: not a video [^\n]+\n", err)


@pytest.mark.skipif(os.name != "posix", reason="Windows asks for rights to make links")
def test_a_clip_that_a_pattern_finds_again_through_links_is_taken_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    touch(tmp_path / "x" / "z.mp4", tmp_path / "x" / "day" / "y.mp4")
    (tmp_path / "x" / "loop").symlink_to(tmp_path / "x")
    (tmp_path / "x" / "again.mp4").symlink_to(tmp_path / "x" / "day" / "y.mp4")
    jobs = plan_jobs(["x/**/*.mp4", "x/day"], None, sidecars={"stats": "t"})
    assert [str(job.sidecars["stats"]) for job in jobs] == ["t/again.csv", "t/z.csv"]


def test_a_process_that_writes_nothing_is_a_failure_of_its_clip(tmp_path, monkeypatch):
    make_clip(tmp_path / "a.mp4", 2)
    job = Job(tmp_path / "a.mp4", tmp_path / "out.mp4")
    monkeypatch.setattr("livekm.batch.processes._start", lambda: "pass")
    (result,) = results_of(run_jobs([job], [])).values()
    assert (result.outcome, result.reason) == (
        "failed",
        f"{job.source}: the process ended without writing {job.output}",
    )


def test_python_files_of_the_current_folder_are_not_run(tmp_path, run_cli):
    make_clip(tmp_path / "a.mp4", 2)
    for name in ("json.py", "av.py", "numpy/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"import pathlib; pathlib.Path({name!r}).rename('was-run')")
    code, _, err = run_cli("*.mp4", "-o", "out", "-k2", "-q")
    assert (code, err) == (0, "")
    assert not (tmp_path / "was-run").exists()


@forked_clips
@pytest.mark.parametrize("more", [(), ("-v",)])
def test_verbose_shows_the_traceback_of_a_clip_that_fails(more, tmp_path, run_cli):
    touch(tmp_path / "a.mp4", tmp_path / "b.mp4")
    code, _, err = run_cli("a.mp4", "b.mp4", "-o", "out", *more)
    assert code == 1
    assert err.count("livekm: Traceback (most recent call last):") == (4 if more else 0)
    assert err.count(".mp4: not a video") == (4 if more else 2)
    assert "warning" not in err


@forked_clips
@pytest.mark.parametrize("output", ["new/", "there", "new/{}", "new/{}.mp4"])
def test_one_clip_goes_into_a_folder_as_many_do(output, tmp_path, run_cli):
    (tmp_path / "there").mkdir()
    make_clip(tmp_path / "a.mp4", 2)
    assert run_cli("a.mp4", "-o", output, "-k2", "-q") == (0, "", "")
    assert (tmp_path / output.split("/")[0] / "a.mp4").stat().st_size > 0


@forked_clips
def test_one_clip_has_its_name_in_those_of_its_sidecars(tmp_path, run_cli):
    make_clip(tmp_path / "a.mp4", 2)
    assert run_cli("a.mp4", "--stats", "tables/{}.csv", "-k2", "-q") == (0, "", "")
    assert (tmp_path / "tables" / "a.csv").stat().st_size > 0


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such names")
def test_clips_may_have_any_name(tmp_path, run_cli):
    (tmp_path / "in").mkdir()
    clip = make_clip(tmp_path / "in" / "{}.mp4", 2)
    shutil.copy(clip, tmp_path / "in" / "-o a:b 京 100% *?[a].mp4")
    code, _, err = run_cli("in", "-o", "out", "--stats", "tables/{}.csv", "-k2", "--jobs", 2)
    assert code == 0, err
    made = {path.stem for path in (tmp_path / "in").iterdir()}
    assert {path.stem for path in (tmp_path / "out").iterdir()} == made
    assert {path.stem for path in (tmp_path / "tables").iterdir()} == made


@pytest.mark.parametrize("option", [("--jobs", 2), ("--skip-existing",)])
def test_options_of_many_clips_are_wrong_usage_for_one(option, tmp_path, run_cli):
    make_clip(tmp_path / "a.mp4", 2)
    code, out, err = run_cli("a.mp4", "-o", "b.mp4", *option)
    assert (code, out) == (2, "")
    assert err.startswith(f"livekm: {option[0]} is for many clips, or one whose -o is a folder;")


def test_two_clips_of_one_output_are_wrong_usage(tmp_path, run_cli):
    touch(tmp_path / "a" / "1.mp4", tmp_path / "b" / "1.mp4")
    code, out, err = run_cli("a/1.mp4", "b/1.mp4", "-o", "out")
    assert (code, out) == (2, "")
    assert "would both become out" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--stats", "t", "--regions", "t"), "two outputs have one place, t/a/b.csv;"),
        (("--stats", "t", "--regions", "x/../t/{}.csv"), "t/a/b.csv and x/../t/a/b.csv;"),
        (("--labels", "t/{}-l", "--stats", "t/{}-l/s.csv"), "t/a/b-l/s.csv would lie in t/a/b-l, "),
        (("--labels", "t"), "t/a/b would lie in t/a, which is written as a whole"),
    ],
)
def test_no_output_of_many_clips_takes_the_place_of_another(arguments, said, tmp_path, run_cli):
    touch(tmp_path / "in" / "a.mp4", tmp_path / "in" / "a" / "b.mp4")
    code, out, err = run_cli("in", "-o", "out", *arguments)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert said in err
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@forked_clips
def test_outputs_of_many_clips_may_share_a_folder(tmp_path, run_cli):
    (tmp_path / "in" / "a").mkdir(parents=True)
    for name in ("a.mp4", "a/b.mp4"):
        make_clip(tmp_path / "in" / name, 2)
    files = ["--stats", "out", "--labels", "out/{}-labels", "--save-palette", "out/palettes"]
    assert run_cli("in", "-o", "out", *files, "-k2", "-q", "--jobs", 2) == (0, "", "")
    for place in ("a", "a/b"):
        for kind in ("{}.mp4", "{}.csv", "{}-labels/000001.png", "palettes/{}.gpl"):
            assert (tmp_path / "out" / kind.format(place)).is_file()


@pytest.mark.parametrize(
    ("names", "expected"),
    [(["a.mp4", "b.mp4"], True), (["clips"], True), (["images"], False), (["a.mp4"], False)],
)
def test_what_many_clips_are(names, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    touch(tmp_path / "a.mp4", tmp_path / "clips" / "deep" / "1.mp4", tmp_path / "images" / "1.png")
    assert is_batch(names) is expected


@pytest.mark.parametrize(
    "arguments",
    [
        ("-o", "out.mp4"),
        (),
        ("-o", "out", "--benchmark"),
        *[("-o", "out", f"--{name}", "one.csv") for name in ("stats", "regions", "save-palette")],
        *[("-o", "out", f"--{name}", "x/{}.txt") for name in ("stats", "regions", "save-palette")],
        *[("-o", "out", f"--{name}", "x/{}.txt") for name in ("labels", "figure")],
        ("-o", "out", "--labels", "x/{}.png"),
        ("-o", "out", "--preset", "veryfast"),  # which VP9 has not
        ("-o", "out", "--codec", "h264", "--crf", "60"),
        ("-o", "out/{}.png"),
        ("-o", "out/{}.webm", "--codec", "h264"),
    ],
)
def test_what_does_not_go_with_many_clips_is_one_line_before_the_first(
    arguments, tmp_path, run_cli
):
    touch(tmp_path / "a.mp4", tmp_path / "b.webm")
    code, out, err = run_cli("a.mp4", "b.webm", *arguments)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.webm"]


@forked_clips
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
    assert out.splitlines()[4].startswith("2 done, 1 failed in ")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.mp4", "c.mp4"]
    with open_source(tmp_path / "out" / "c.mp4") as clip:
        assert sum(1 for _ in clip) == 4
    (tmp_path / "out" / "c.mp4").unlink()
    make_clip(tmp_path / "in" / "b.mp4", 3)
    code, out, err = run_cli("in", "-o", "out", "--skip-existing", "--jobs", 2)
    assert code == 0
    assert [line.split()[-1] for line in out.splitlines()[1:4]] == ["skipped", "done", "done"]


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def run_in_terminal(command: list[str], folder: Path) -> str:
    """Run a command on a pseudo-terminal of its own; give all that it showed."""
    pty, fcntl, termios = map(pytest.importorskip, ("pty", "fcntl", "termios"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 100, 0, 0))
    with forked.Popen(command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs):
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # Linux says so where the last writer has gone
            while content := os.read(ours, 65536):
                shown += content
    os.close(ours)
    return shown.decode()


def results_of(events: Iterable[JobEvent]) -> dict[Job, JobResult]:
    return {event.job: event for event in events if isinstance(event, JobResult)}


def processes_of(job: Job) -> list[int]:
    """Return the processes of a clip, whose name no other test that runs meanwhile may have."""
    numbers = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().split(b"\0")
            if str(job.source).encode() in words and b"--report" in words:
                numbers.append(int(path.parent.name))
    return numbers


def test_one_process_takes_clip_after_clip_also_behind_one_that_fails(tmp_path, monkeypatch):
    starts = []

    class Counted(subprocess.Popen):
        def __init__(self, *arguments, **options):
            starts.append(self)
            super().__init__(*arguments, **options)

    for name, n in (("a", 3), ("c", 5)):
        make_clip(tmp_path / f"{name}.mp4", n)
    touch(tmp_path / "b.mp4")
    jobs = [
        Job(tmp_path / f"{name}.mp4", tmp_path / f"{name}.mkv", {"stats": tmp_path / f"{name}.csv"})
        for name in "abc"
    ]
    monkeypatch.setattr("livekm.batch.processes.subprocess.Popen", Counted)
    results = results_of(run_jobs(jobs, ["-k=2"]))
    assert [results[job].outcome for job in jobs] == ["done", "failed", "done"]
    assert "b.mp4: not a video" in results[jobs[1]].reason
    assert results[jobs[2]].n_frames == 5
    assert len(starts) == 1
    assert starts[0].returncode == 0  # it has ended with the run
    first = (tmp_path / "c.csv").read_bytes()
    alone = Job(jobs[2].source, None, {"stats": tmp_path / "alone.csv"})
    assert results_of(run_jobs([alone], ["-k=2"]))[alone].outcome == "done"
    assert (tmp_path / "alone.csv").read_bytes() == first


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

    results = results_of(run_jobs(jobs, ["-k=2"], should_stop=kill_first))
    assert killed
    assert results[jobs[0]].outcome == "failed"
    assert results[jobs[0]].reason.endswith("a.mp4: the process ended by signal 9")
    assert results[jobs[1]].outcome == "done"
    assert not jobs[0].output.exists()


def test_an_interruption_keeps_what_was_done(tmp_path):
    (tmp_path / "in").mkdir()
    make_clip(tmp_path / "in" / "a.mp4", 3000)
    make_clip(tmp_path / "in" / "b.mp4", 2)
    command = [sys.executable, "-m", "livekm", "in", "-o", "out"]
    process = forked.Popen(
        command, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    wait_for(lambda: list((tmp_path / "out").glob(".*")))
    time.sleep(1.0)
    process.terminate()
    out, _ = process.communicate(timeout=10)
    assert process.returncode == 130
    assert out.splitlines()[-1].startswith("1 interrupted, 1 not begun in ")
    (left,) = (tmp_path / "out").iterdir()
    assert left.name == "a.partial.mp4"
    with open_source(left) as clip:
        assert 0 < sum(1 for _ in clip) < 3000


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_clips_in_work_ignore_what_the_run_was_told_to_ignore(tmp_path):
    make_clip(tmp_path / "ignoring.mp4", 400)
    run = forked.Popen(
        [*COMMAND, "*.mp4", "-o", "out", "-k2", "-q"], cwd=tmp_path, preexec_fn=ignoring("SIGHUP")
    )
    wait_for(lambda: list(tmp_path.glob("out/.*")))
    workers = processes_of(Job(Path("ignoring.mp4")))
    assert workers
    for process in [run.pid, *workers]:
        os.kill(process, signal.SIGHUP)
    assert run.wait(30) == 0
    with open_source(tmp_path / "out" / "ignoring.mp4") as clip:
        assert sum(1 for _ in clip) == 400


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_killed_run_and_its_clips_in_work_leave_nothing_and_are_done_again(tmp_path, run_cli):
    """Also where SIGINT, by which a clip in work would interrupt itself, is ignored."""
    make_clip(tmp_path / "killed.mp4", 1000)
    arguments = ("*.mp4", "-o", "out", "-q")
    run = forked.Popen([*COMMAND, *arguments], cwd=tmp_path, preexec_fn=ignoring("SIGINT"))
    job = Job(Path("killed.mp4"), tmp_path / "out" / "killed.mp4")
    wait_for(lambda: list(tmp_path.glob("out/.*")))
    run.kill()
    run.wait()
    wait_for(lambda: not processes_of(job))
    assert not list(job.output.parent.iterdir())
    assert run_cli(*arguments, "--skip-existing", "--frames", 3) == (0, "", "")
    with open_source(job.output) as clip:
        assert sum(1 for _ in clip) == 3


@forked_clips
def test_each_clip_tells_how_far_it_is_and_what_it_lacks(tmp_path):
    path = make_clip(tmp_path / "a.mp4", images=noise_images(400))
    damage(path, 0.5, 20000)
    events = list(run_jobs([Job(path, tmp_path / "out" / "a.mp4")], ["--seed=1"]))
    progress = [event for event in events if isinstance(event, JobProgress)]
    counts = [event.n_frames for event in progress]
    assert counts == sorted(counts)
    assert progress[-1].total == 400
    assert isinstance(events[-1], JobResult)
    assert events[-1].n_frames == counts[-1] < 400
    assert events[-1].warnings[0].startswith("a.mp4: left out")


@forked_clips
def test_sidecars_mirror_the_tree_and_only_what_lacks_is_written_again(tmp_path, run_cli):
    (tmp_path / "in" / "day").mkdir(parents=True)
    make_clip(tmp_path / "in" / "a.mp4", 2)
    make_clip(tmp_path / "in" / "day" / "b.mp4", 2)
    files = ["--stats", "stats", "--labels", "labels/{}.npz", "--save-palette", "palettes"]
    files += ["--regions", "regions/{}.jsonl", "--keep=0,1", "--figure=pages", "--crf=20"]
    code, out, _ = run_cli("in", "-o", "out/{}-k2", *files, "-k2", "--jobs", 2)
    assert code == 0
    kinds = ["out/{}-k2.mp4", "stats/{}.csv", "labels/{}.npz", "palettes/{}.gpl"]
    kinds += ["regions/{}.jsonl", "pages/{}.png"]
    made = [kind.format(place) for place in ("a", "day/b") for kind in kinds]
    assert all((tmp_path / name).stat().st_size > 0 for name in made)
    before = (tmp_path / made[0]).stat().st_mtime_ns
    (tmp_path / made[1]).unlink()
    code, out, _ = run_cli("in", "-o", "out/{}-k2", *files, "-k2", "--skip-existing")
    assert code == 0
    assert out.splitlines()[-1].startswith("1 done, 1 skipped in ")
    assert (tmp_path / made[1]).exists()
    assert (tmp_path / made[0]).stat().st_mtime_ns == before


@forked_clips
def test_labels_of_a_clip_whose_name_has_dots_are_a_folder(tmp_path, run_cli):
    (tmp_path / "in").mkdir()
    make_clip(tmp_path / "in" / "2024.11.02.mp4", 2)
    files = ["-o", "out", "--labels", "labels", "--stats", "stats", "-k2"]
    assert run_cli("in", *files)[0] == 0
    assert len(list((tmp_path / "labels" / "2024.11.02").glob("*.png"))) == 2
    assert (tmp_path / "stats" / "2024.11.02.csv").exists()
    assert run_cli("in/2024.11.02.mp4", "--labels", "of.it/", "-k2")[0] == 0
    assert (tmp_path / "of.it").is_dir()


@forked_clips
def test_tables_alone_can_be_written_of_many_clips(tmp_path, run_cli):
    for name in "ab":
        make_clip(tmp_path / f"{name}.mp4", 2)
    assert run_cli("*.mp4", "--stats", "{}.jsonl", "-k2")[0] == 0
    assert (tmp_path / "a.jsonl").read_text().count("\n") == 4
    assert (tmp_path / "b.jsonl").exists()


@pytest.mark.parametrize(
    ("codec", "endings"),
    [
        (None, [".mov", ".webm", ".MKV", ".avi", ".mp4"]),
        ("h264", [".mov", ".mp4", ".MKV", ".avi", ".mp4"]),
        ("vp9", [".mp4", ".webm", ".MKV", ".mp4", ".mp4"]),
        ("ffv1", [".mkv", ".mkv", ".MKV", ".avi", ".mkv"]),
        ("gif", [".gif"] * 5),
    ],
)
def test_outputs_keep_the_format_that_holds_the_codec(codec, endings, tmp_path):
    sources = [tmp_path / name for name in ("a.mov", "b.webm", "c.MKV", "d.avi", "e.mts")]
    touch(*sources)
    jobs = plan_jobs(
        [str(path) for path in sources], str(tmp_path / "out"), encoder=EncoderOptions(codec)
    )
    assert [job.output.suffix for job in jobs] == endings


@forked_clips
def test_clips_of_all_containers_come_out_as_what_they_were(tmp_path, run_cli):
    (tmp_path / "in").mkdir()
    codecs = {"a.webm": "libvpx-vp9", "b.avi": "mpeg4", "c.mov": "libx264", "d.flv": "libx264"}
    for name, codec in codecs.items():
        make_clip(tmp_path / "in" / name, 3, codec=codec)
    code, _, err = run_cli("in", "-o", "out", "-k2", "--jobs", 2)
    assert code == 0, err
    written = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in written] == ["a.webm", "b.avi", "c.mov", "d.mp4"]
    found = []
    for path in written:
        with av.open(str(path)) as clip:
            found.append((clip.streams.video[0].codec_context.name, clip.format.name.split(",")[0]))
            assert sum(1 for _ in clip.decode(video=0)) == 3
    names = [("vp9", "matroska"), ("h264", "avi"), ("h264", "mov"), ("h264", "mov")]
    assert found == names


def test_an_earlier_runs_videos_of_labels_are_no_inputs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    touch(tmp_path / "a.mp4", tmp_path / "labels" / "a.mkv")
    (job,) = plan_jobs(["."], "out", sidecars={"labels": "labels/{}.mkv"})
    assert job.sidecars == {"labels": Path("labels/a.mkv")}


def test_on_a_terminal_each_clip_in_work_has_a_line(tmp_path):
    """Through a real pseudo-terminal, since lines are shown there only."""
    for name in "ab":
        make_clip(tmp_path / f"{name}.mp4", 300)
    command = [sys.executable, "-m", "livekm", "a.mp4", "b.mp4", "-o", "out", "--jobs", "2"]
    shown = run_in_terminal(command, tmp_path)
    assert "2 of 2 clips" in shown
    for name in ("a.mp4", "b.mp4"):
        assert re.search(rf"{re.escape(name)} *: +\d+%\|", shown), shown
