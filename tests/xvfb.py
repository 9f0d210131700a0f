"""A private X server for tests: its own display, keys that are really pressed, screenshots.

    with virtual_display() as display:
        process = subprocess.Popen(command, env=display.environment())
        window = display.wait_for_window("livekm", process)
        display.press(window, "plus", "q")

Needs the programs Xvfb and xdotool (Debian: ``apt-get install xvfb xdotool``), and openbox for a
window manager.
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from tools import ALL_REQUIRED, lack

import livekm

MISSING = [program for program in ("Xvfb", "xdotool") if shutil.which(program) is None]

requires_xvfb = pytest.mark.skipif(
    bool(MISSING and not ALL_REQUIRED) or not sys.platform.startswith("linux"),
    reason=f"needs Linux with Xvfb and xdotool, missing: {', '.join(MISSING) or 'Linux'}",
)
"""Marks a test that needs `virtual_display`."""


class VirtualDisplay:
    """A running Xvfb.

    Attributes
    ----------
    name : str
        The value of ``DISPLAY``: ``:1``.
    """

    def __init__(
        self, name: str, framebuffer: Path, server: subprocess.Popen[bytes] | None = None
    ) -> None:
        self.name = name
        self._server = server
        self._framebuffer = framebuffer

    def environment(self, **changes: str) -> dict[str, str]:
        """Give this process' environment, pointed to this display and livekm, with `changes`."""
        package = Path(livekm.__file__).parents[1]
        return {**os.environ, "DISPLAY": self.name, "PYTHONPATH": str(package), **changes}

    def wait_for_window(
        self, title: str, process: subprocess.Popen[str], timeout: float = 20.0
    ) -> int:
        """Wait until `process` shows a window with `title` and give the window's id."""

        def find() -> int | None:
            if process.poll() is not None:
                raise RuntimeError(f"ended without a window: {process.communicate()}")
            found = self._xdotool("search", "--onlyvisible", "--name", f"^{title}$", check=False)
            return int(found.split()[0]) if found else None

        return wait_until(find, timeout)

    def press(self, window: int, *keys: str, every_ms: int = 30) -> None:
        """Press `keys`, named as in X11 (``plus``, ``Escape``, ``q``), with the window focused.

        By default they come as fast as those of a key that is held down.
        """
        delay = ["--delay", str(every_ms)]
        self._xdotool("windowfocus", "--sync", str(window), "key", *delay, *keys)

    def click(self, window: int, x: int, y: int) -> None:
        """Click with the left button at a pixel of `window`, and leave it for a corner."""
        self.point(window, x, y, "click", "1")
        time.sleep(0.2)
        self.put_pointer_away()

    def kill(self) -> None:
        """Kill the server, as a crash or the end of a session does."""
        assert self._server is not None
        self._server.kill()

    def point(self, window: int, x: int, y: int, *actions: str) -> None:
        """Move the pointer to a pixel of `window`, and do what xdotool's words say."""
        self._xdotool("mousemove", "--window", str(window), str(x), str(y), *actions)

    def put_pointer_away(self) -> None:
        """Move the pointer, which screenshots show too, to a corner."""
        self._xdotool("mousemove", "10000", "10000")

    def click_close_button(self, window: int) -> None:
        """Ask `window` to close, as a window manager does when its close button is clicked."""
        with _XClient(self.name) as client:
            client.send_delete_window(window)

    def resize(self, window: int, width: int, height: int) -> None:
        """Resize `window`, as a user does by hand."""
        self._xdotool("windowsize", "--sync", str(window), str(width), str(height))

    def geometry(self, window: int) -> tuple[int, int, int, int]:
        """Give x, y, width and height of `window` on the screen."""
        output = self._xdotool("getwindowgeometry", "--shell", str(window))
        values = dict(line.split("=") for line in output.split())
        return int(values["X"]), int(values["Y"]), int(values["WIDTH"]), int(values["HEIGHT"])

    def screenshot(self, window: int | None = None) -> npt.NDArray[np.uint8]:
        """Give what the screen shows, or the part of it under `window`: (H, W, 3) uint8 BGR."""
        screen = _read_xwd(self._framebuffer)
        if window is None:
            return screen
        x, y, width, height = self.geometry(window)
        return screen[y : y + height, x : x + width]

    def _xdotool(self, *arguments: str, check: bool = True) -> str:
        return subprocess.run(
            ["xdotool", *arguments],
            env=self.environment(),
            check=check,
            stdout=subprocess.PIPE,
            text=True,
            timeout=20,
        ).stdout


@contextmanager
def window_manager(display: VirtualDisplay) -> Iterator[None]:
    """Run a window manager on `display`, without which no window fills the screen."""
    if shutil.which("openbox") is None:
        lack("needs openbox")
    process = subprocess.Popen(
        ["openbox", "--sm-disable"], env=display.environment(), stderr=subprocess.DEVNULL
    )
    try:
        # Until then it could miss a window that opens.
        wait_until(lambda: display._xdotool("get_num_desktops", check=False))
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def virtual_display(width: int = 1600, height: int = 900) -> Iterator[VirtualDisplay]:
    """Run a private Xvfb on a free display while the block lasts."""
    read_end, write_end = os.pipe()
    with tempfile.TemporaryDirectory() as folder:
        # Without -noreset the server starts anew, deaf for a moment, when its last client leaves.
        command = ["Xvfb", "-displayfd", str(write_end), "-fbdir", folder, "-noreset"]
        server = subprocess.Popen(
            [*command, "-screen", "0", f"{width}x{height}x24"],
            pass_fds=[write_end],
            stderr=subprocess.DEVNULL,
        )
        os.close(write_end)
        try:
            with os.fdopen(read_end) as pipe:
                number = pipe.readline().strip()
            if not number:
                raise RuntimeError("Xvfb did not start")
            display = VirtualDisplay(f":{number}", Path(folder) / "Xvfb_screen0", server)
            display.put_pointer_away()
            yield display
        finally:
            server.terminate()
            server.wait(10)


def wait_until(condition: Callable[[], object], timeout: float = 10.0):
    """Wait until `condition` gives something true, and give that; or raise `TimeoutError`."""
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not true after {timeout:g} s: {condition}")
        time.sleep(0.05)
    return result


def _read_xwd(path: Path) -> npt.NDArray[np.uint8]:
    """Read the X window dump that Xvfb keeps of its 24-bit screen (XWDFile.h, 25 words)."""
    content = path.read_bytes()
    header = struct.unpack(">25I", content[:100])
    header_size, width, height, row_size, n_colours = (header[i] for i in (0, 4, 5, 12, 19))
    pixels = np.frombuffer(content, np.uint8, height * row_size, header_size + 12 * n_colours)
    return pixels.reshape(height, row_size // 4, 4)[:, :width, :3]


class _XClient:
    """As much of the X11 protocol as it takes to send one message: no tool does that everywhere."""

    def __init__(self, display: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(10)
        self._socket.connect(f"/tmp/.X11-unix/X{display[1:]}")
        self._socket.sendall(struct.pack("<BxHHHHxx", ord("l"), 11, 0, 0, 0))
        accepted, words = struct.unpack("<BxxxxxH", self._receive(8))
        self._receive(4 * words)
        if accepted != 1:
            raise ConnectionRefusedError(display)

    def __enter__(self) -> _XClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send_delete_window(self, window: int) -> None:
        """Send WM_DELETE_WINDOW, as ICCCM 4.2.8.1 describes it."""
        message = struct.pack(
            "<BBHIIII12x",
            *(33, 32, 0, window, self._atom("WM_PROTOCOLS")),
            *(self._atom("WM_DELETE_WINDOW"), 0),
        )
        self._socket.sendall(struct.pack("<BBHII", 25, 0, 11, window, 0) + message)
        self._atom("WM_PROTOCOLS")  # its answer tells that the server has read the message

    def _atom(self, name: str) -> int:
        padded = name.encode() + b"\0" * (-len(name) % 4)
        self._socket.sendall(
            struct.pack("<BBHHxx", 16, 0, 2 + len(padded) // 4, len(name)) + padded
        )
        return struct.unpack("<8xI20x", self._receive(32))[0]

    def _receive(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            if not part:
                raise ConnectionResetError("the X server closed the connection")
            data += part
        return data
