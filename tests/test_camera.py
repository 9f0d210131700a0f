"""The camera source on a real cv2.VideoCapture: a virtual V4L2 camera and an HTTP stream."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import forked
import numpy as np
import pytest
import virtual_camera
from clips import make_clip
from conftest import COMMAND

import livekm
from livekm.errors import SourceError, UsageError
from livekm.sources import open_source, v4l2
from livekm.sources.camera import CameraSource
from livekm.sources.opencv_log import quiet_opencv
from livekm.sources.v4l2 import list_cameras

COLORS = [(40, 60, 200), (200, 80, 40), (60, 180, 70), (128, 128, 128)]  # BGR, one a frame
SIZE = (160, 120)
FPS = 20

PROLOGUE = """
import json, sys, time
import numpy as np
from livekm.errors import SourceError, UsageError
from livekm.sources.camera import CameraSource

def failure(act):
    try:
        act()
    except SourceError as error:
        return str(error)

def show(value):
    json.dump(value, sys.stdout)
"""

Run = Callable[..., Any]


def run_python(program: str, env: dict[str, str]) -> Any:
    """What `program` shows; it must end well and write nothing to stderr, from Python or C."""
    command = [sys.executable, "-c", PROLOGUE + program]
    done = forked.run(command, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def run_with_camera(tmp_path_factory: pytest.TempPathFactory, camera_library: Path) -> Run:
    """Run a program that sees the virtual camera; options are those of `environment`."""
    folder = tmp_path_factory.mktemp("frames")
    images = [np.full((SIZE[1], SIZE[0], 3), color, np.uint8) for color in COLORS]
    frames = virtual_camera.write_frames(folder / "frames.yuyv", images)

    def run(program: str, **options: Any) -> Any:
        env = virtual_camera.environment(camera_library, frames, size=SIZE, fps=FPS, **options)
        return run_python(program, env)

    return run


def nearest_color(color: tuple[float, ...]) -> int:
    """Which of COLORS it is, to within what YUV loses."""
    distances = np.abs(np.array(COLORS) - color).max(axis=1)
    assert distances.min() <= 4
    return int(distances.argmin())


@pytest.mark.timed
def test_frames_come_in_their_colours_at_the_cameras_pace(run_with_camera: Run) -> None:
    n = 12
    seen = run_with_camera(f"""
with CameraSource(0) as camera:
    frames = [frame for frame, _ in zip(camera, range({n}))]
info = camera.info
show({{
    "info": [info.name, info.width, info.height, str(info.fps), info.n_frames, info.is_live],
    "indices": [frame.index for frame in frames],
    "times": [frame.time for frame in frames],
    "shapes": [frame.image.shape for frame in frames],
    "colors": [np.median(frame.image, axis=(0, 1)).tolist() for frame in frames],
}})
""")
    assert seen["info"] == ["camera 0", *SIZE, str(FPS), None, True]
    assert seen["indices"] == list(range(n))
    assert seen["shapes"] == [[SIZE[1], SIZE[0], 3]] * n
    # A camera that loses every second frame would never show two of the four colours.
    assert {nearest_color(color) for color in seen["colors"]} == {0, 1, 2, 3}
    assert seen["times"] == sorted(seen["times"])
    assert seen["times"][0] > 0
    rate = (n - 1) / (seen["times"][-1] - seen["times"][0])
    assert 0.6 * FPS < rate < 1.2 * FPS


def test_info_has_the_size_that_comes_not_the_size_asked_for(run_with_camera: Run) -> None:
    seen = run_with_camera("""
with CameraSource("/dev/video0", width=1280, height=720, fps=60) as camera:
    frame = next(iter(camera))
    show([camera.info.name, camera.info.width, camera.info.height, *frame.image.shape])
""")
    assert seen == ["camera /dev/video0", *SIZE, SIZE[1], SIZE[0], 3]


def test_a_camera_is_opened_by_a_link(run_with_camera: Run, tmp_path: Path) -> None:
    link = tmp_path / "usb-Maker_Webcam-video-index0"
    link.symlink_to("/dev/video0")
    seen = run_with_camera(f"""
from livekm import open_source
with open_source({str(link)!r}) as camera:
    show([type(camera).__name__, camera.info.name, next(iter(camera)).image.shape])
""")
    assert seen == ["CameraSource", f"camera {link}", [SIZE[1], SIZE[0], 3]]


def test_empty_and_broken_buffers_of_an_mjpg_camera_are_skipped(
    camera_library: Path, tmp_path: Path
) -> None:
    images = [np.full((SIZE[1], SIZE[0], 3), color, np.uint8) for color in COLORS]
    loop = [*images, None, *images, None, None]
    frames = virtual_camera.write_jpegs(tmp_path / "frames.mjpg", loop, SIZE)
    env = virtual_camera.environment(camera_library, frames, size=SIZE, fps=FPS, mjpg=True)
    seen = run_python(
        """
with CameraSource(0) as camera:
    frames = [frame for frame, _ in zip(camera, range(20))]
show([[frame.index, np.median(frame.image, axis=(0, 1)).tolist()] for frame in frames])
""",
        env,
    )
    assert len(seen) == 20
    indices = [index for index, _ in seen]
    assert indices == sorted(set(indices))
    assert indices[-1] > 20  # what was skipped leaves gaps
    assert {nearest_color(color) for _, color in seen} == {0, 1, 2, 3}


def test_compressed_frames_are_asked_for_before_the_size(
    run_with_camera: Run, tmp_path: Path
) -> None:
    wishes = tmp_path / "wishes.txt"
    run_with_camera(
        """
with CameraSource(0, width=1280, height=720) as camera:
    show(None)
""",
        wishes=wishes,
    )
    asked = [line.split() for line in wishes.read_text().splitlines()]
    first_of_size = next(i for i, (_, size) in enumerate(asked) if size.startswith("1280x"))
    assert "MJPG" in [kind for kind, _ in asked[:first_of_size]]


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("busy", "/dev/video0 is busy; close the other program"),
        ("denied", "no permission for /dev/video0; join its group"),
        ("absent", "/dev/video0 does not exist; "),
    ],
)
def test_a_camera_that_cannot_be_read_is_one_clear_line(
    mode: str, reason: str, run_with_camera: Run
) -> None:
    message = run_with_camera("show(failure(lambda: CameraSource(0)))", mode=mode)
    assert message.startswith(f"cannot read camera 0: {reason}")
    assert "\n" not in message
    if mode == "absent":
        assert message.endswith(", ".join(list_cameras()) or "no camera is connected")


def test_a_second_reader_of_a_camera_hears_that_it_is_busy(run_with_camera: Run) -> None:
    message, frames_after = run_with_camera("""
with CameraSource(0) as first:
    message = failure(lambda: CameraSource("0"))
    show([message, [frame.index for frame, _ in zip(first, range(3))]])
""")
    assert message == (
        "cannot read camera 0: /dev/video0 is busy; close the other program that uses it"
    )
    assert frames_after == [0, 1, 2]


def test_a_busy_camera_is_told_with_the_others_that_there_are(monkeypatch) -> None:
    devices = ["/dev/video0", "/dev/video2"]
    monkeypatch.setattr(v4l2, "list_cameras", lambda: devices)
    busy = v4l2._explain("/dev/video0", OSError(errno.EBUSY, ""))
    assert busy.endswith("the other program that uses it, or use another camera: /dev/video2")


def test_an_unplugged_camera_says_so_and_can_be_opened_when_it_is_back(
    run_with_camera: Run,
) -> None:
    seen = run_with_camera(
        """
indices = []

def watch():
    with CameraSource(0) as camera:
        for frame in camera:
            indices.append(frame.index)

unplugged = failure(watch)
while_away = failure(watch)
time.sleep(1.7)
show([unplugged, while_away, failure(watch), indices])
""",
        unplug_after=4,  # OpenCV drops the first
        return_after_ms=1500,
    )
    unplugged, while_away, unplugged_again, indices = seen
    assert unplugged.startswith("camera 0 stopped delivering frames after 3 frames; ")
    assert "does not exist" in while_away
    assert unplugged_again == unplugged
    assert indices == [0, 1, 2, 0, 1, 2]


@pytest.mark.timed
def test_a_frozen_camera_says_so_and_goes_on_when_it_is_opened_again(run_with_camera: Run) -> None:
    seen = run_with_camera(
        """
with CameraSource(0) as camera:
    frames, before = [], time.monotonic()
    message = failure(lambda: frames.extend(camera))
    waited = time.monotonic() - before
    camera.reopen()
    frames.extend(frame for _, frame in zip(range(3), camera))
    show([message, waited, [frame.index for frame in frames], [frame.time for frame in frames]])
""",
        freeze_after=4,
    )
    message, waited, indices, times = seen
    assert message.startswith("camera 0 stopped delivering frames after 3 frames; ")
    assert 2 < waited < 3.5
    assert indices == [0, 1, 2, 3, 4, 5]
    assert times == sorted(times)


@pytest.mark.timed
def test_closing_from_another_thread_ends_a_read_that_waits(run_with_camera: Run) -> None:
    seconds = run_with_camera(
        """
import threading

camera = CameraSource(0)
reader = threading.Thread(target=lambda: list(camera))
reader.start()
time.sleep(0.5)
before = time.monotonic()
camera.close()
reader.join()
show(time.monotonic() - before)
""",
        freeze_after=4,
    )
    assert seconds < 0.5


def test_cameras_are_found_with_names_and_sizes_while_one_is_read(run_with_camera: Run) -> None:
    found, indices = run_with_camera("""
from livekm.sources.discovery import find_cameras

with CameraSource(0) as camera:
    found = [str(camera) for camera in find_cameras()]
    show([found, [frame.index for frame, _ in zip(camera, range(3))]])
""")
    assert found[0] == f"0  Virtual camera  {SIZE[0]}x{SIZE[1]}"
    assert indices == [0, 1, 2]


def test_where_the_system_does_not_tell_cameras_are_found_by_opening_them(
    run_with_camera: Run,
) -> None:
    found = run_with_camera("""
from livekm.sources.discovery import find_cameras
sys.platform = "darwin"
show(list(map(str, find_cameras())))
""")
    assert found[0] == f"0  camera  {SIZE[0]}x{SIZE[1]}"


def test_a_camera_that_is_not_permitted_is_listed_with_what_to_do(run_with_camera: Run) -> None:
    found = run_with_camera(
        """
from livekm.sources.discovery import find_cameras
show(list(map(str, find_cameras())))
""",
        mode="denied",
    )
    assert found[0] == "0  no permission; join its group: sudo usermod -aG video $USER"


def test_the_command_lists_the_cameras_or_says_that_there_are_none(
    camera_library: Path, run_cli: Callable[..., tuple[int, str, str]]
) -> None:
    env = virtual_camera.environment(camera_library, size=SIZE)
    env["PYTHONPATH"] = str(Path(livekm.__file__).parents[1])
    done = subprocess.run(
        [*COMMAND, "--camera", "list"], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"0  Virtual camera  {SIZE[0]}x{SIZE[1]}\n")
    assert done.stderr == ""
    code, out, err = run_cli("--camera", "list")
    assert (code, err) == (0, "")
    assert out == "no camera is connected\n" or re.match(r"\d+  ", out)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="devices are files on Linux")
def test_a_file_that_is_not_a_camera_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "holiday.mp4"
    path.write_bytes(b"not a camera")
    with pytest.raises(SourceError, match=r"^cannot read camera .*mp4 is not a camera; [^\n]*$"):
        CameraSource(str(path))


def test_cameras_are_listed_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("video10", "video2", "video-codec", "null"):
        (tmp_path / name).touch()
    assert list_cameras(str(tmp_path)) == [str(tmp_path / "video2"), str(tmp_path / "video10")]


class MotionJpeg(BaseHTTPRequestHandler):
    """What a network camera sends: pictures one after the other; this one ends with the colours."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for color in COLORS:
            jpeg = cv2.imencode(".jpg", np.full((SIZE[1], SIZE[0], 3), color, np.uint8))[
                1
            ].tobytes()
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep the test's output clean."""


@pytest.fixture
def stream_url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), MotionJpeg) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://user:secret@127.0.0.1:{server.server_port}/live"
        server.shutdown()
        thread.join()


def test_a_network_stream_is_a_camera_too(stream_url: str) -> None:
    colors = []
    with CameraSource(stream_url) as camera:
        with pytest.raises(SourceError, match=f"stopped delivering frames after {len(COLORS)} fr"):
            colors.extend(nearest_color(np.median(f.image, axis=(0, 1))) for f in camera)
        assert (camera.info.width, camera.info.height) == SIZE
        assert camera.info.is_live
        assert camera.info.fps is None or isinstance(camera.info.fps, Fraction)
        assert "secret" not in camera.info.name
    assert colors == [0, 1, 2, 3]


class StallingJpeg(MotionJpeg):
    """Sends pictures, and then nothing, without an end."""

    def do_GET(self) -> None:
        super().do_GET()
        self.server.stalls.set()
        self.server.is_over.wait(60)


@pytest.mark.timed
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_ends_the_recording_of_a_stream_that_stalls(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), StallingJpeg) as server:
        server.stalls, server.is_over = threading.Event(), threading.Event()
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/live"
        with subprocess.Popen(
            [*COMMAND, "--camera", url, "-o", "rec.mp4", "--stats", "rec.csv", "-q"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(livekm.__file__).parents[1])},
        ) as process:
            assert server.stalls.wait(60)
            time.sleep(3)  # kernels are loaded, what came is segmented
            before = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
            assert time.monotonic() - before < 1
        server.is_over.set()
        server.shutdown()
        thread.join()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rec.csv", "rec.mp4"]
    with open_source(tmp_path / "rec.mp4") as recorded:
        assert len(list(recorded)) == len(COLORS)


@pytest.mark.parametrize(("name", "codec"), [("in.mp4", "libx264"), ("in.ts", "mpeg2video")])
def test_a_recording_behind_a_url_has_an_end(name: str, codec: str, tmp_path: Path) -> None:
    """Also one that states no number of frames."""
    make_clip(tmp_path / name, 30, codec=codec)
    handler = partial(QuietFiles, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        with CameraSource(f"http://127.0.0.1:{server.server_port}/{name}") as camera:
            assert len(list(camera)) == 30
        server.shutdown()
        thread.join()


class QuietFiles(SimpleHTTPRequestHandler):
    """Serves files."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep the test's output clean."""


def test_a_stream_that_does_not_answer_is_one_clear_line_without_its_password() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # not listening: connections are refused
        port = unused.getsockname()[1]
        program = f"show(failure(lambda: CameraSource('http://user:secret@127.0.0.1:{port}/live')))"
        message = run_python(program, dict(os.environ))
    assert message == (
        f"cannot read http://127.0.0.1:{port}/live: "
        "no video there; check the address and the network"
    )


@pytest.mark.parametrize(
    "wish",
    [
        {"device": -1},
        {"device": 0, "width": 640},
        {"device": 0, "width": 640, "height": 0},
        {"device": 0, "fps": float("nan")},
        {"device": "http://["},
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_before_a_camera_is_touched(
    wish: dict[str, Any],
) -> None:
    with pytest.raises(UsageError, match=r"must be|is no address"):
        CameraSource(**wish)


def test_opencv_is_silent_inside_the_block_only(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_opencv():
        with quiet_opencv():
            cv2.imread("no-such-picture.png")
        cv2.imread("no-such-picture.png")
    assert capfd.readouterr().err == ""
    cv2.imread("no-such-picture.png")
    assert capfd.readouterr().err != ""
