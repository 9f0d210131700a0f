"""What blocks can be ended: a disk or a network that does not answer, when the user leaves."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import clips
import pytest
import virtual_camera
from conftest import COMMAND, without_display
from tools import lack

from livekm.sources import open_source

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

N_FRAMES = 60


@pytest.fixture(scope="module")
def stalled_disk(tmp_path_factory) -> Path:
    """Give the library that makes reads of ``stalled.mp4`` hang."""
    if reason := virtual_camera.why_not():
        lack(reason)
    folder = tmp_path_factory.mktemp("disk")
    return virtual_camera.build_library(folder, Path(__file__).with_name("bad_disk.c"))


@pytest.fixture
def stalled_clip(tmp_path: Path) -> Path:
    """Give a clip with its index in front, whose pictures fill some 100 kB."""
    images = clips.noise_images(N_FRAMES, 64, 48)
    return clips.make_clip(tmp_path / "stalled.mp4", images=images, index_first=True)


def started(folder: Path, library: Path, stall_at: int, *more: str) -> subprocess.Popen:
    return subprocess.Popen(
        [*COMMAND, "stalled.mp4", "-o", "out.mp4", "--stats", "out.csv", *more],
        cwd=folder,
        env={
            **without_display(),
            "LD_PRELOAD": str(library),
            "LIVEKM_STALL_AT": str(stall_at),
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def wait_for_parts(folder: Path) -> None:
    """Wait until outputs are being written and all that can be read is."""
    until = time.monotonic() + 60
    while not any(path.stat().st_size > 3000 for path in folder.glob(".out.mp4.part-*")):
        assert time.monotonic() < until
        time.sleep(0.1)
    time.sleep(1)


def test_one_ctrl_c_keeps_what_was_read_of_a_disk_that_hangs(stalled_disk, stalled_clip):
    folder, size = stalled_clip.parent, stalled_clip.stat().st_size
    with started(folder, stalled_disk, size // 2) as process:
        wait_for_parts(folder)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert listing(folder) == ["out.partial.csv", "out.partial.mp4", "stalled.mp4"]
    with open_source(folder / "out.partial.mp4") as kept:
        assert 10 < len(list(kept)) < N_FRAMES


@pytest.mark.parametrize("who", ["user", "parent"])
def test_who_insists_ends_a_process_whose_disk_hangs_without_part_files(
    who, stalled_disk, stalled_clip
):
    folder, size = stalled_clip.parent, stalled_clip.stat().st_size
    options = ["--report"] if who == "parent" else []
    with started(folder, stalled_disk, size // 2, *options) as process:
        wait_for_parts(folder)
        if who == "user":
            for _ in range(2):
                process.send_signal(signal.SIGINT)
                time.sleep(0.05)
        else:
            process.stdin.close()
        assert process.wait(60) == 130
    assert listing(folder) == ["stalled.mp4"]


def test_ctrl_c_ends_the_opening_of_a_file_on_a_disk_that_hangs(stalled_disk, stalled_clip):
    with started(stalled_clip.parent, stalled_disk, 0) as process:
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stderr.read() == ""
    assert listing(stalled_clip.parent) == ["stalled.mp4"]


@pytest.mark.timed
def test_ctrl_c_ends_the_opening_of_a_stream_that_does_not_answer(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/live"
        with subprocess.Popen(
            [*COMMAND, "--camera", url, "-o", "out.mp4"],
            cwd=tmp_path,
            env={**os.environ, **without_display()},
            stderr=subprocess.PIPE,
        ) as process:
            connection, _ = server.accept()
            time.sleep(0.5)
            before = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
            assert time.monotonic() - before < 1
            assert process.stderr.read() == b""
            connection.close()
    assert listing(tmp_path) == []
