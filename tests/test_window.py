from __future__ import annotations

import ctypes.util
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import forked
import numpy as np
import pytest
import window_program
from conftest import COMMAND
from tools import lack
from xvfb import VirtualDisplay, requires_xvfb, virtual_display, wait_until

from livekm.errors import SinkError
from livekm.live.keys import DOWN, ESCAPE, LEFT, RIGHT, UP
from livekm.live.letterbox import Place, letterboxed, place_in, resized
from livekm.live.window import Window, why_no_window
from livekm.live.window.x11 import has_display
from livekm.sources import open_source

_PATIENCE = 20  # seconds

linux_only = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="elsewhere windows are taken for granted"
)


@pytest.fixture(scope="module")
def display() -> Iterator[VirtualDisplay]:
    with virtual_display() as display:
        yield display


@dataclass(frozen=True)
class Program:
    """window_program.py, running."""

    process: subprocess.Popen[str]
    window: int

    def line(self) -> str:
        """Return the next line; "" where none comes in time: the program is ended then."""
        limit = threading.Timer(_PATIENCE, self.process.kill)
        limit.start()
        try:
            return self.process.stdout.readline().strip()
        finally:
            limit.cancel()

    def end(self) -> tuple[int, str, str]:
        """Wait for the end; give exit code, the rest of stdout, and stderr."""
        stdout, stderr = self.process.communicate(timeout=20)
        return self.process.returncode, stdout.strip(), stderr


@contextmanager
def running(display: VirtualDisplay, *sizes: str, **environment: str) -> Iterator[Program]:
    process = forked.Popen(
        [sys.executable, window_program.__file__, *sizes],
        env=display.environment(**environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Program(process, display.wait_for_window(window_program.TITLE, process))
    finally:
        process.kill()
        process.communicate()


def wait_for_size(display: VirtualDisplay, window: int, width: int, height: int) -> None:
    wait_until(lambda: display.geometry(window)[2:] == (width, height))


@requires_xvfb
def test_the_window_shows_the_image_pixel_by_pixel_and_qt_prints_nothing_until_it_is_gone(display):
    with running(display, "400x300") as program:
        wait_for_size(display, program.window, 400, 300)
        expected = window_program.gradient(400, 300)
        wait_until(lambda: np.array_equal(display.screenshot(program.window), expected))
        display.press(program.window, "q")
        assert program.end() == (0, "quit", "")


@requires_xvfb
@pytest.mark.timed  # a busy machine loses keys
def test_keys_arrive_as_characters_and_keys_without_are_left_out(display):
    with running(display, "400x300") as program:
        for name, key in [("plus", "+"), ("minus", "-"), ("5", "5"), ("s", "s"), ("space", " ")]:
            display.press(program.window, name)
            assert program.line() == repr(key)
        # OpenCV's waitKey would call these 0, Q, R and the like.
        for name, key in [("Left", LEFT), ("Right", RIGHT), ("Up", UP), ("Down", DOWN)]:
            display.press(program.window, name)
            assert program.line() == repr(key)
        display.press(program.window, "F1", "Home", "Delete", "Shift_L", "Escape")
        assert program.line() == repr(ESCAPE)
        display.press(program.window, "q")
        assert program.line() == "quit"


@requires_xvfb
def test_buttons_shift_and_wheel_of_the_mouse_arrive(display):
    with running(display, "400x300") as program:
        time.sleep(1)
        for buttons, lines in [
            (["click", "1"], ["press 30 40 0", "release 30 40 0"]),
            (["click", "3"], ["drop 30 40 0", "release 30 40 0"]),
            (["keydown", "shift", "click", "1", "keyup", "shift"],
             ["drop 30 40 0", "release 30 40 0"]),
            (["click", "5"], ["wheel 30 40 -1"]),
        ]:  # fmt: skip
            display.point(program.window, 30, 40, *buttons)
            assert [program.line() for _ in lines] == lines
        display.put_pointer_away()
        display.press(program.window, "q")
        assert program.line() == "quit"


@requires_xvfb
def test_the_close_button_is_noticed_and_no_image_opens_the_window_again(display):
    with running(display, "400x300") as program:
        display.click_close_button(program.window)
        assert program.end() == (0, "closed", "")


@linux_only
def test_qt_shares_the_events_by_the_libraries_of_one_system():
    program = (
        "import ctypes\n"
        "from livekm.live.window.x11 import quiet_qt\n"
        "quiet_qt()\n"
        "ctypes.CDLL(None).XSetEventQueueOwner"
    )
    if ctypes.util.find_library("X11-xcb") is None:
        lack("needs libX11-xcb")
    subprocess.run([sys.executable, "-c", program], check=True, timeout=20)


@requires_xvfb
@pytest.mark.parametrize("desktop", ["GNOME", "KDE"])
def test_a_wayland_session_neither_aborts_nor_prints(display, desktop):
    session = {
        "QT_QPA_PLATFORM": "wayland",
        "WAYLAND_DISPLAY": "wayland-0",
        "XDG_CURRENT_DESKTOP": desktop,
        "XDG_SESSION_TYPE": "wayland",
    }
    with running(display, "400x300", **session) as program:
        display.press(program.window, "q")
        assert program.end() == (0, "quit", "")


@requires_xvfb
def test_the_window_follows_images_of_other_sizes_and_large_ones_are_fitted(display):
    with running(display, "1920x1080", "2560x720", "400x300", "800x300") as program:
        wait_for_size(display, program.window, 1280, 720)
        for width, height in [(1280, 360), (400, 300), (800, 300)]:
            display.press(program.window, "n")
            wait_for_size(display, program.window, width, height)


@requires_xvfb
def test_a_window_resized_by_hand_keeps_its_size_and_the_proportions_between_black_borders(display):
    with running(display, "400x300", "200x300") as program:
        wait_for_size(display, program.window, 400, 300)
        time.sleep(1)
        display.resize(program.window, 1000, 300)

        def shows_between_borders(width: int) -> bool:
            expected = np.zeros((300, 1000, 3), np.uint8)
            left = (1000 - width) // 2
            expected[:, left : left + width] = window_program.gradient(width, 300)
            return np.array_equal(display.screenshot(program.window), expected)

        wait_until(lambda: shows_between_borders(400))
        display.press(program.window, "n")
        wait_until(lambda: shows_between_borders(200))


def test_an_enlarged_picture_consists_of_sharp_squares_and_one_of_its_size_is_itself():
    image = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    large = resized(image, (96, 72))
    np.testing.assert_array_equal(large, image.repeat(3, axis=0).repeat(3, axis=1))
    assert resized(image, (32, 24)) is image
    assert resized(image, (16, 12)).shape == (12, 16, 3)


def test_a_picture_fills_its_room_in_one_direction_and_lies_in_the_middle_of_the_other():
    assert place_in((32, 24), (100, 60)) == Place(10, 0, 80, 60)
    assert place_in((32, 24), (80, 100)) == Place(0, 20, 80, 60)
    assert place_in((32, 24), (100, 60), at_most=1.0) == Place(34, 18, 32, 24)
    assert place_in((5000, 2), (100, 60)) == Place(0, 29, 100, 1)
    image = np.full((24, 32, 3), 77, np.uint8)
    assert letterboxed(image, (32, 24)) is image
    canvas = letterboxed(image, (100, 60))
    assert canvas.shape == (60, 100, 3)
    assert (canvas[:, 10:90] == 77).all()
    assert canvas.sum() == 77 * 60 * 80 * 3


@pytest.fixture
def no_display(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)


@linux_only
def test_without_a_display_the_error_says_what_to_add(no_display):
    with pytest.raises(
        SinkError,
        match=r"^no display for the window: add -o FILE to write a file, or -o - for a pipe$",
    ):
        Window()


@requires_xvfb
def test_an_opencv_without_a_window_is_told_where_there_is_a_display(display, monkeypatch):
    monkeypatch.setenv("DISPLAY", display.name)
    assert why_no_window() is None
    monkeypatch.setattr("cv2.getBuildInformation", lambda: "  GUI:               NONE\n")
    assert why_no_window() == "this OpenCV has no window, which opencv-python has"


@linux_only
@pytest.mark.parametrize(
    "value",
    ["", "nonsense", ":", ":65000", "unix:65000", "localhost:59000", ":0:0", "no.invalid:0"],
)
def test_a_display_where_nothing_listens_is_none(monkeypatch, value):
    monkeypatch.setenv("DISPLAY", value)
    assert not has_display()


@requires_xvfb
@pytest.mark.parametrize("form", ["{}", "{}.0", "unix{}"])
def test_a_display_where_a_server_listens_is_one(display, monkeypatch, form):
    monkeypatch.setenv("DISPLAY", form.format(display.name))
    assert has_display()


@linux_only
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_display_over_tcp_is_one(monkeypatch, host):
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("DISPLAY", f"{host}:{server.getsockname()[1] - 6000}.0")
        assert has_display()


@linux_only
def test_a_dead_display_does_not_abort_the_process():
    done = subprocess.run(
        [sys.executable, window_program.__file__, "400x300"],
        env=VirtualDisplay(":65000", Path()).environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        "no display for the window: add -o FILE to write a file, or -o - for a pipe"
    )


@requires_xvfb
@pytest.mark.parametrize("source", ["demo", "image"])
def test_a_display_that_goes_ends_with_one_line_and_the_recording_is_kept(source, tmp_path):
    cv2.imwrite(str(tmp_path / "in.png"), np.arange(64 * 48 * 3, dtype=np.uint8).reshape(48, 64, 3))
    arguments, name = (["--demo"], "demo") if source == "demo" else (["in.png"], "in.png")
    with virtual_display() as display:
        process = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=tmp_path,
            env=display.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        window = display.wait_for_window(f"livekm - {name}", process)
        time.sleep(0.5)
        display.press(window, "w")
        wait_until(lambda: any(path.stat().st_size for path in tmp_path.glob(".*.part-*")))
        display.kill()
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (1, "")
    assert err == "livekm: the display is gone; kept livekm-1.mp4\n"
    with open_source(tmp_path / "livekm-1.mp4") as kept:
        assert next(iter(kept)).image.size


@requires_xvfb
@pytest.mark.parametrize(
    "call",
    ["resizeWindow", "imshow", "setMouseCallback", "setWindowProperty", "getWindowImageRect"],
)
def test_a_window_that_the_user_closes_before_any_call_is_closed_and_no_failure(display, call):
    program = f"""
import cv2, numpy as np
from livekm.live.window import Window

image, real = np.zeros((30, 40, 3), np.uint8), cv2.{call}

def closed_before(title, *rest):
    cv2.destroyWindow(title)
    if {call!r} == "imshow":  # which would open another window on Qt; other backends raise
        raise cv2.error("null window")
    return real(title, *rest)

cv2.{call} = closed_before
with Window("gone") as window:
    for turn in range(1000):
        window.fit(40, 30)
        window.show(image)
        window.poll(1)
        window.set_full_screen(turn > 100)
        if not window.is_open:
            print("closed", turn)
            break
"""
    done = forked.run([sys.executable, "-c", program], env=display.environment())
    assert (done.returncode, done.stdout.split()[:1], done.stderr) == (0, ["closed"], "")


@requires_xvfb
def test_a_window_that_fails_while_it_is_there_says_so(display):
    program = """
import cv2
from livekm.errors import SinkError
from livekm.live.window import Window

def fail(title, *size):
    raise cv2.error("out of memory")

cv2.resizeWindow = fail
with Window("fails") as window:
    try:
        window.fit(40, 30)
    except SinkError as error:
        print(error)
"""
    done = forked.run([sys.executable, "-c", program], env=display.environment())
    assert done.stdout.startswith("the window fails: ")
