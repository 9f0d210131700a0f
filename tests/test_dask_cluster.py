"""Many clips on a Dask cluster: a real scheduler and its workers, as processes of this machine."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import forked
import pytest
from clips import make_clip
from conftest import COMMAND, without_display

from livekm.sources import open_source

pytest.importorskip("distributed")

pytestmark = pytest.mark.xdist_group("cluster")  # that all of them share


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


class Cluster:
    """A scheduler and workers of one thread each; a context manager that ends them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen] = []
        file = folder / "scheduler.json"
        self._start("dask_scheduler", "--scheduler-file", str(file), "--port=0")
        wait_for(file.exists)
        self.address = json.loads(file.read_text())["address"]

    def add_worker(self) -> subprocess.Popen:
        return self._start("dask_worker", self.address, "--nthreads=1", "--no-nanny")

    def _start(self, program: str, *arguments: str) -> subprocess.Popen:
        options = ("--host=127.0.0.1", "--no-dashboard")
        command = [sys.executable, "-m", f"distributed.cli.{program}", *arguments, *options]
        log = (self.folder / "log").open("ab")
        with log:
            process = subprocess.Popen(
                command, cwd=self.folder, env=without_display(), stdout=log, stderr=log
            )
        self.processes.append(process)
        return process

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *exception: object) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("cluster")) as started:
        started.add_worker()
        started.add_worker()
        yield started


def livekm(*arguments: object, folder: Path) -> subprocess.Popen:
    return forked.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        env=without_display(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def children_of(process: subprocess.Popen) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(path.read_text().rsplit(")", 1)[1].split()[1]) == process.pid:
                found.append(int(path.parent.name))
    return found


def n_frames(path: Path) -> int:
    with open_source(path) as clip:
        return sum(1 for _ in clip)


def test_the_files_table_and_exit_codes_are_those_of_one_machine(cluster, tmp_path, run_cli):
    (tmp_path / "in" / "day").mkdir(parents=True)
    for name in ("a.mp4", "day/c.mp4"):
        make_clip(tmp_path / "in" / name, 4)
    (tmp_path / "in" / "b.mp4").write_bytes(b"x")
    files = ["-k3", "--seed", "0", "--stats", "stats"]
    run = livekm("in", "-o", "there", *files, "--jobs", cluster.address, folder=tmp_path)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 1
    outcomes = [line.split()[-1] for line in out.splitlines()[1:4]]
    assert outcomes == ["done", "failed", "done"]
    assert f"livekm: {tmp_path / 'in' / 'b.mp4'}: not a video" in err
    assert "Traceback" not in err
    for place in ("a", "day/c"):
        names = ["-o", "here.mp4", "--stats", "here.csv", "-k3", "--overwrite"]
        names += ["--seed", "0"]
        assert run_cli(f"in/{place}.mp4", *names)[0] == 0
        for there, here in ((f"there/{place}.mp4", "here.mp4"), (f"stats/{place}.csv", "here.csv")):
            assert (tmp_path / there).read_bytes() == (tmp_path / here).read_bytes()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_clip_of_a_killed_worker_is_done_by_another(cluster, tmp_path):
    make_clip(tmp_path / "a.mp4", 300)
    make_clip(tmp_path / "b.mp4", 3)
    arguments = ("a.mp4", "b.mp4", "-o", "out", "-k2", "--jobs", cluster.address)
    run = livekm(*arguments, folder=tmp_path)
    workers = cluster.processes[1:]
    wait_for(lambda: list(tmp_path.glob("out/.a*")))
    busy = next(worker for worker in workers if children_of(worker))
    os.kill(busy.pid, signal.SIGKILL)
    out, err = run.communicate(timeout=120)
    assert (run.returncode, [line.split()[-1] for line in out.splitlines()[1:3]]) == (
        0,
        ["done", "done"],
    ), err
    wait_for(lambda: not list(tmp_path.glob("out/.*")))  # of the killed worker's process
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.mp4", "b.mp4"]
    assert n_frames(tmp_path / "out" / "a.mp4") == 300


def test_an_interruption_keeps_what_was_done(cluster, tmp_path):
    make_clip(tmp_path / "a.mp4", 3000)
    shutil.copy(tmp_path / "a.mp4", tmp_path / "b.mp4")
    arguments = ("*.mp4", "-o", "out", "--jobs", cluster.address, "-q")
    run = livekm(*arguments, folder=tmp_path)
    wait_for(lambda: list(tmp_path.glob("out/.*")))
    time.sleep(0.5)
    run.send_signal(signal.SIGINT)
    assert run.communicate(timeout=30) == ("", "")
    assert run.returncode == 130
    wait_for(lambda: not list(tmp_path.glob("out/.*")))
    left = sorted((tmp_path / "out").iterdir())
    assert left
    for path in left:
        assert ".partial" in path.suffixes
        assert 0 < n_frames(path) < 3000


def test_a_scheduler_that_does_not_answer_is_one_line(tmp_path, run_cli, monkeypatch):
    monkeypatch.setattr("livekm.batch.dask_cluster._PATIENCE", 1)
    for name in "ab":
        (tmp_path / f"{name}.mp4").write_bytes(b"x")
    code, _, err = run_cli("a.mp4", "b.mp4", "-o", "out", "-q", "--jobs", "127.0.0.1:9")
    assert code == 1
    assert err == "livekm: 127.0.0.1:9: no Dask scheduler answers there; check it runs\n"


def test_without_dask_one_line_says_what_to_install(tmp_path, run_cli, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    for name in "ab":
        (tmp_path / f"{name}.mp4").write_bytes(b"x")
    code, _, err = run_cli("a.mp4", "b.mp4", "-o", "out", "-q", "--jobs", "127.0.0.1:9")
    assert (code, err) == (1, "livekm: a Dask cluster needs Dask: pip install 'livekm[cluster]'\n")


def test_a_scheduler_is_for_many_clips(tmp_path, run_cli):
    (tmp_path / "a.mp4").write_bytes(b"x")
    code, _, err = run_cli("a.mp4", "-o", "out", "--jobs", "127.0.0.1:9")
    assert code == 2
    assert len(err.splitlines()) == 1


def test_a_scheduler_that_goes_away_is_a_failure_of_what_it_had_to_do(cluster, tmp_path):
    """The last one: no test has a cluster after it."""
    make_clip(tmp_path / "a.mp4", 3000)
    shutil.copy(tmp_path / "a.mp4", tmp_path / "b.mp4")
    run = livekm("a.mp4", "b.mp4", "-o", "out", "--jobs", cluster.address, folder=tmp_path)
    wait_for(lambda: list(tmp_path.glob("out/.*")))
    cluster.processes[0].kill()
    out, err = run.communicate(timeout=60)
    assert (run.returncode, out.splitlines()[-1].split(" in ")[0]) == (1, "2 failed"), err
    assert err.count("the scheduler has gone") == 2
    assert "Traceback" not in err
