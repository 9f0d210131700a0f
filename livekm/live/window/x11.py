"""Whether windows can be opened, found out without opening one."""

from __future__ import annotations

import ctypes
import os
import re
import socket
import sys
from collections.abc import Callable
from contextlib import suppress

_DISPLAY = re.compile(r"(?:[^/:]*/)?(?P<host>.*):(?P<number>\d+)(?:\.\d+)?")
_TIMEOUT = 2.0


def has_display() -> bool:
    """Tell whether OpenCV can open a window.

    OpenCV's Linux wheel speaks X11 only (on Wayland: through XWayland) and aborts the process if
    it cannot connect, so a server must be listening where ``DISPLAY`` points to. Elsewhere windows
    are taken for granted.
    """
    if sys.platform in ("darwin", "win32"):
        return True
    match = _DISPLAY.fullmatch(os.environ.get("DISPLAY", ""))
    if match is None:
        return False
    return _is_listening(match["host"], int(match["number"]))


def _is_listening(host: str, number: int) -> bool:
    """Try the addresses that Xlib tries: the local sockets, or TCP where a host is named."""
    if host not in ("", "unix"):
        try:
            socket.create_connection((host.strip("[]"), 6000 + number), _TIMEOUT).close()
        except OSError:
            return False
        return True
    path = f"/tmp/.X11-unix/X{number}"
    # Linux servers also listen in the abstract namespace, which containers may share without /tmp.
    return _accepts(path) or _accepts(f"\0{path}")


def _accepts(address: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(_TIMEOUT)
        return client.connect_ex(address) == 0


def quiet_qt() -> None:
    """Keep Qt, which draws the Linux wheel's windows, from printing, aborting and staying black.

    To be called before the first window. Qt warns on stderr about the fonts that the wheel lacks
    and about Wayland; and told to use any other platform than ``xcb``, the one the wheel contains,
    it ends the process. A user's own logging rules stay.

    The wheel brings a libX11-xcb of its own, but takes libX11 from the system. Those of different
    years do not agree where it is noted who reads the events, so that libX11 takes some that Qt
    waits for. Without the one that says that it is mapped, a window is never painted: a third of
    the starts on a busy machine with libX11 1.8. The system's libX11-xcb, loaded first, knows.
    """
    if sys.platform in ("darwin", "win32"):
        return
    os.environ["QT_QPA_PLATFORM"] = "xcb"
    os.environ.setdefault("QT_LOGGING_RULES", "default.info=false;default.warning=false")
    with suppress(OSError):  # it comes with libGL, which the wheel needs too
        ctypes.CDLL("libX11-xcb.so.1", mode=ctypes.RTLD_GLOBAL)


def before_exit(function: Callable[[], object]) -> Callable[[], None]:
    """Have a function called when C ends the process, as Qt does once the X server is gone.

    Returns
    -------
    take_back : callable
        To be called before Python ends.
    """
    if not sys.platform.startswith("linux"):
        return lambda: None
    libc, is_wanted = ctypes.CDLL(None), [True]

    def call(_: object) -> None:
        if is_wanted:
            is_wanted.clear()
            function()

    callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(call)
    owner = ctypes.create_string_buffer(1)  # its address tells this registration from others
    libc.__cxa_atexit(callback, None, owner)

    def take_back() -> None:
        is_wanted.clear()
        assert callback is not None  # it lives as long as C may call it
        libc.__cxa_finalize(owner)

    return take_back
