from __future__ import annotations

import ctypes.util
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import window_program
from xvfb import VirtualDisplay, requires_xvfb, virtual_display, wait_until

from livekm.errors import SinkError
from livekm.sinks import WindowSink, has_display

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
        return self.process.stdout.readline().strip()

    def end(self) -> tuple[int, str, str]:
        """Wait for the end; give exit code, the rest of stdout, and stderr."""
        stdout, stderr = self.process.communicate(timeout=20)
        return self.process.returncode, stdout.strip(), stderr


@contextmanager
def running(display: VirtualDisplay, *sizes: str, **environment: str) -> Iterator[Program]:
    process = subprocess.Popen(
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
def test_the_window_shows_the_image_pixel_by_pixel(display):
    with running(display, "400x300") as program:
        wait_for_size(display, program.window, 400, 300)
        expected = window_program.gradient(400, 300)
        wait_until(lambda: np.array_equal(display.screenshot(program.window), expected))


@requires_xvfb
def test_keys_arrive_as_ascii_and_keys_without_are_left_out(display):
    with running(display, "400x300") as program:
        for name, code in [("plus", "+"), ("minus", "-"), ("5", "5"), ("s", "s"), ("space", " ")]:
            display.press(program.window, name)
            assert program.line() == str(ord(code))
        # OpenCV's waitKey would call these 0, Q, R and the like.
        display.press(program.window, "F1", "Left", "Up", "Delete", "Shift_L", "Escape")
        assert program.line() == "27"
        display.press(program.window, "q")
        assert program.line() == "quit"


@requires_xvfb
def test_the_window_is_gone_at_the_end_and_nothing_was_printed_by_qt(display):
    with running(display, "400x300") as program:
        display.press(program.window, "q")
        assert program.end() == (0, "quit", "")


@requires_xvfb
def test_the_close_button_is_noticed_and_no_image_opens_the_window_again(display):
    with running(display, "400x300") as program:
        display.click_close_button(program.window)
        assert program.end() == (0, "closed", "")


@linux_only
def test_qt_shares_the_events_by_the_libraries_of_one_system():
    program = (
        "import ctypes\n"
        "from livekm.sinks.display import quiet_qt\n"
        "quiet_qt()\n"
        "ctypes.CDLL(None).XSetEventQueueOwner"
    )
    if ctypes.util.find_library("X11-xcb") is None:
        pytest.skip("needs libX11-xcb")
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
@pytest.mark.parametrize(
    ("size", "width", "height"), [("1920x1080", 1280, 720), ("2560x720", 1280, 360)]
)
def test_a_large_image_is_fitted(display, size, width, height):
    with running(display, size) as program:
        wait_for_size(display, program.window, width, height)


@requires_xvfb
def test_the_window_follows_an_image_of_another_size(display):
    with running(display, "400x300", "800x300") as program:
        wait_for_size(display, program.window, 400, 300)
        display.press(program.window, "n")
        wait_for_size(display, program.window, 800, 300)


@requires_xvfb
def test_the_window_may_be_resized_by_hand_and_keeps_the_proportions(display):
    with running(display, "400x300") as program:
        wait_for_size(display, program.window, 400, 300)
        display.resize(program.window, 1000, 300)
        wait_for_size(display, program.window, 1000, 300)

        def letterboxed() -> bool:
            shown = display.screenshot(program.window)
            image = np.flatnonzero(np.all(shown[..., 2] == 77, axis=0))
            return 395 <= len(image) <= 405 and 290 <= image[0] <= 310

        wait_until(letterboxed)


@pytest.fixture
def no_display(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)


@linux_only
def test_without_a_display_the_error_says_what_to_add(no_display):
    with pytest.raises(SinkError, match=r"^no display: add -o FILE to write a file instead$"):
        WindowSink()


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
    assert done.stderr.splitlines()[-1].endswith("no display: add -o FILE to write a file instead")
