"""The picture as a camera for other programs: what is written to a virtual V4L2 output."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import virtual_camera
from clips import make_clip
from conftest import COMMAND, without_display
from tools import lack
from xvfb import requires_xvfb, virtual_display

from livekm import Segmenter, live, open_source
from livekm.cli import ways
from livekm.cli.options import Settings
from livekm.core.selection import Selection
from livekm.frame import Frame, VideoInfo
from livekm.sources import Source

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="V4L2 is Linux's")

DEVICE = "/dev/video9"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if reason := virtual_camera.why_not():
        lack(reason)
    library = tmp_path_factory.mktemp("output") / "virtual_output.so"
    source = Path(__file__).with_name("virtual_output.c")
    options = ["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run(["cc", *options, "-o", str(library), str(source)], check=True)
    return library


@pytest.fixture
def run(library: Path, tmp_path: Path) -> Callable[..., tuple[int, str, str]]:
    """Run the command line where there is the device; its pictures go to out.yuv."""

    def run(*arguments: object, **options: str) -> tuple[int, str, str]:
        environment = {
            **without_display(),
            "LD_PRELOAD": str(library),
            "LIVEKM_VOUT_FILE": str(tmp_path / "out.yuv"),
            **{f"LIVEKM_VOUT_{name}": value for name, value in options.items()},
        }
        done = subprocess.run(
            [*COMMAND, *map(str, arguments)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return run


def pictures(path: Path, width: int, height: int, pixels: str) -> list[np.ndarray]:
    frame = av.VideoFrame(width, height, pixels).to_ndarray()
    data = np.frombuffer(path.read_bytes(), np.uint8).reshape(-1, *frame.shape)
    return [
        av.VideoFrame.from_ndarray(picture, pixels).to_ndarray(format="bgr24") for picture in data
    ]


def is_segmented(path: Path) -> bool:
    """Tell whether the last whole picture is more than a word on black."""
    size = 64 * 48 * 3 // 2
    content = path.read_bytes() if path.exists() else b""
    last = content[: len(content) // size * size][-size:]
    return bool(last) and last[0] > 30


def blue_and_red() -> np.ndarray:
    image = np.full((48, 64, 3), (200, 40, 40), np.uint8)
    image[:, 32:] = 40, 40, 200
    return image


@linux_only
def test_a_clip_is_shown_at_its_own_speed_and_size(run, tmp_path):
    make_clip(tmp_path / "in.mkv", images=[blue_and_red()] * 5, codec="ffv1", fps=10)
    code, out, err = run("in.mkv", "-k", 2, "--virtual-camera", DEVICE)
    shown = pictures(tmp_path / "out.yuv", 64, 48, "yuv420p")
    assert (code, out, err) == (0, f"{DEVICE}: {len(shown)} frames\n", "")
    segmented = [picture for picture in shown if picture[0].max() > 30]
    assert 1 <= len(segmented) <= 5
    assert np.abs(shown[-1].astype(int)[10, [5, 60]] - [[200, 40, 40], [40, 40, 200]]).max() < 12


@linux_only
@pytest.mark.parametrize(("option", "is_kept"), [("--keep", True), ("--drop", False)])
def test_what_is_kept_stands_before_a_green_screen(option, is_kept, run, tmp_path):
    make_clip(tmp_path / "in.mkv", images=[blue_and_red()] * 3, codec="ffv1", fps=10)
    (tmp_path / "colours.json").write_text('["#2828c8", "#c82828"]')  # blue is 0
    options = ["--palette", "colours.json", option, 0, "--rest", "#00ff00"]
    code, _, err = run("in.mkv", *options, "--virtual-camera", DEVICE)
    assert (code, err) == (0, "")
    blue, green, red = (200, 40, 40), (0, 255, 0), (40, 40, 200)
    for shown in pictures(tmp_path / "out.yuv", 64, 48, "yuv420p")[-2:]:
        seen = shown.astype(int)[10, [5, 60]]
        assert np.abs(seen - ([blue, green] if is_kept else [green, red])).max() < 16


class Kernels:
    """Kernels that are compiled once they were asked for several times."""

    def __init__(self) -> None:
        self._left = 4

    def are_ready(self, color_space: str) -> bool:
        self._left -= 1
        return self._left < 0


def test_without_a_window_a_call_sees_black_until_kernels_are_there(monkeypatch):
    monkeypatch.setattr("livekm.cli.ways.WarmUp", Kernels)
    shown: list[np.ndarray] = []
    with open_source("demo", width=64, height=48) as source:
        ways._without_window_to(
            lambda image, time: shown.append(image),
            Settings(frames=2),
            source,
            Segmenter(2),
            lambda: False,
        )
    assert [bool(picture[0].any()) for picture in shown[:5]] == [False] * 4 + [True]


def sent(monkeypatch: pytest.MonkeyPatch, **options: Any) -> list[np.ndarray]:
    """Return the pictures of a live source of blue and red that go to a virtual camera."""
    monkeypatch.setattr("livekm.live.loop.WarmUp", Kernels)
    sent: list[np.ndarray] = []
    segmenter = Segmenter(2)
    segmenter.palette = np.uint8([(200, 40, 40), (40, 40, 200)])
    live.run(
        Camera(),
        segmenter,
        scale=1.0,
        max_frames=6,
        opens_window=False,
        on_picture=lambda picture, time: sent.append(picture),
        **options,
    )
    return sent


class Camera(Source):
    """A live source of some frames, none of which is overtaken by the next."""

    def __init__(self) -> None:
        self.info = VideoInfo("made", 64, 48, fps=Fraction(20), is_live=True)

    def __iter__(self) -> Iterator[Frame]:
        for index in range(6):
            time.sleep(0.05)
            yield Frame(blue_and_red(), index, index / 20)

    def close(self) -> None: ...


def test_a_call_sees_nothing_of_the_room_until_it_is_segmented(monkeypatch):
    first, *_, last = sent(monkeypatch, selection=Selection([0]), rest="#00ff00")
    assert not first[0].any()  # black, and below it a word
    assert first.any()
    assert (first[..., 0] == first[..., 2]).sum() > 2000  # nothing blue or red but the word
    assert last[10, [5, 60]].tolist() == [[200, 40, 40], [0, 255, 0]]


@linux_only
@pytest.mark.parametrize("pixels", ["YU12", "YUYV", "BGR3"])
def test_what_the_device_has_is_filled_between_black_borders(pixels, run, tmp_path):
    make_clip(tmp_path / "in.mkv", images=[blue_and_red()] * 2, codec="ffv1", fps=10)
    code, _, err = run("in.mkv", "--virtual-camera", DEVICE, SIZE="160x60", PIXELS=pixels)
    assert (code, err) == (0, "")
    name = {"YU12": "yuv420p", "YUYV": "yuyv422", "BGR3": "bgr24"}[pixels]
    shown = pictures(tmp_path / "out.yuv", 160, 60, name)[-1].astype(int)
    assert shown[:, :36].max() < 12
    assert shown[:, 124:].max() < 12
    assert np.abs(shown[30, [50, 110]] - [[200, 40, 40], [40, 40, 200]]).max() < 16


@linux_only
@pytest.mark.parametrize(
    ("arguments", "options", "reason"),
    [
        (["--virtual-camera"], {}, "there is no virtual camera; make one: sudo apt install"),
        (["--virtual-camera", "/dev/video77"], {}, "there is no /dev/video77; make one"),
        (["--virtual-camera", DEVICE], {"CAN": "1"}, f"{DEVICE} is not a virtual camera; make"),
        (["--virtual-camera", "/dev/null"], {}, "/dev/null is not a virtual camera"),
        (["--virtual-camera", DEVICE], {"PIXELS": "MJPG"}, f"{DEVICE} takes MJPG only"),
    ],
)
def test_where_there_is_no_such_device_one_line_says_what_to_do(arguments, options, reason, run):
    code, out, err = run("--demo", "--frames", 1, *arguments, **options)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"livekm: {reason}")


@linux_only
def test_a_file_beside_it_is_no_call(run):
    code, _, err = run("--demo", "--virtual-camera", DEVICE, "-o", "out.mp4")
    assert (code, err) == (2, "livekm: --virtual-camera is for the window; leave it out\n")


@requires_xvfb
def test_what_the_window_shows_goes_to_the_camera_without_the_hud(library, tmp_path):
    make_clip(tmp_path / "in.mkv", images=[blue_and_red()] * 60, codec="ffv1", fps=10)
    with virtual_display() as display:
        environment = display.environment(
            LD_PRELOAD=str(library), LIVEKM_VOUT_FILE=str(tmp_path / "out.yuv")
        )
        process = subprocess.Popen(
            [*COMMAND, "in.mkv", "-k", "2", "--virtual-camera", DEVICE],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        window = display.wait_for_window("livekm - in.mkv", process)
        while not is_segmented(tmp_path / "out.yuv"):
            assert process.poll() is None
        display.press(window, "q")
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, b"")
    assert f"\n{DEVICE}: " in f"\n{out.decode()}"
    shown = pictures(tmp_path / "out.yuv", 64, 48, "yuv420p")[-1].astype(int)
    assert np.abs(shown[[1, 24, 46]][:, [5, 60]] - [[200, 40, 40], [40, 40, 200]]).max() < 20
