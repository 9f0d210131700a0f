"""The OpenCV window, and the keys and clicks in it."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator

import cv2

from livekm.context import Closing
from livekm.errors import SinkError
from livekm.frame import Image
from livekm.live.events import PointerEvent
from livekm.live.keys import DOWN, LEFT, RIGHT, UP
from livekm.live.letterbox import place_in
from livekm.live.window.x11 import before_exit, has_display, quiet_qt

# FREERATIO: the borders are ours, not Qt's, which are white. GUI_NORMAL: no tool and status bar.
_STYLE = cv2.WINDOW_NORMAL | cv2.WINDOW_FREERATIO | cv2.WINDOW_GUI_NORMAL
_SLACK = 2  # pixels by which a window may differ from what was asked for,
_SETTLING = 0.5  # and seconds until it is what was asked for
# What OpenCV calls the arrow keys: on X11, on Windows, and on macOS.
_ARROWS = {
    **dict(zip((0xFF51, 0xFF52, 0xFF53, 0xFF54), (LEFT, UP, RIGHT, DOWN), strict=True)),
    **dict(zip((0x250000, 0x260000, 0x270000, 0x280000), (LEFT, UP, RIGHT, DOWN), strict=True)),
    **dict(zip((0xF702, 0xF700, 0xF703, 0xF701), (LEFT, UP, RIGHT, DOWN), strict=True)),
}
_WHEEL = 120  # OpenCV's delta of one step


def why_no_window() -> str | None:
    """Say why no window can be opened; None where one can."""
    if not has_display():
        return "no display for the window"
    if re.search(r"GUI: +NONE", cv2.getBuildInformation()):
        return "this OpenCV has no window, which opencv-python has"
    return None


class Window(Closing):
    """Show images in a window and report the keys that are pressed and what the mouse does in it.

    Call every method in the main thread, as all of OpenCV's window functions. `fit` opens the
    window, within `max_size`, and adapts it to images of another size, unless the user has given it
    a size or it fills the screen. Nothing is redrawn and no key arrives without calls of `poll`.

    Parameters
    ----------
    title : str
        The window's title; two windows need two titles.
    max_size : (int, int)
        Width and height that the window does not exceed by itself.
    on_lost : callable, optional
        Called when the display is gone, before the process ends: Qt goes no other way.

    Raises
    ------
    SinkError
        If there is no display.
    """

    def __init__(
        self,
        title: str = "livekm",
        *,
        max_size: tuple[int, int] = (1280, 720),
        on_lost: Callable[[], object] = lambda: None,
    ) -> None:
        # OpenCV does not raise without a display, it aborts the process.
        if why := why_no_window():
            raise SinkError(f"{why}: add -o FILE to write a file, or -o - for a pipe")
        self._on_lost = on_lost
        self._take_back: Callable[[], None] = lambda: None
        self._title = title
        self._max_size = max_size
        self._fitted: tuple[int, int, int] | None = None  # what `fit` was asked for last
        self._asked = self._room = (1, 1)  # its own size: as asked for, and as it is
        self._asked_at = 0.0
        self._is_full_screen = False
        self._was_visible = False
        self._is_open = True
        self._events: list[PointerEvent] = []
        self._listens = False

    @property
    def is_open(self) -> bool:
        """False once the user has closed the window or `close` was called."""
        return self._is_open

    def fit(self, width: int, height: int, below: int = 0) -> tuple[int, int]:
        """Make the window one for images of a size; return the width and height that it has.

        An image of the returned size is shown pixel by pixel.

        Parameters
        ----------
        width, height : int
        below : int
            Rows that the window has in addition, below an image that `max_size` limits.
        """
        self._look_whether_closed()
        if self._is_open:
            with self._unless_closed():
                if self._fitted != (width, height, below):
                    self._resize(width, height, below)
                elif self._listens:  # before it is seen, the window's size is not the true one
                    width, height = cv2.getWindowImageRect(self._title)[2:]
                    self._room = max(1, width), max(1, height)
        return self._room

    def show(self, image: Image) -> None:
        """Show `image`, (H, W, 3) uint8 BGR, of the size that `fit` returned.

        Nothing happens once the window is closed, or before `fit`.
        """
        self._look_whether_closed()
        # cv2.imshow would open a window that the user has closed again.
        if self._is_open and self._fitted is not None:
            with self._unless_closed():
                cv2.imshow(self._title, image)

    def poll(self, timeout_ms: int = 1) -> str | None:
        """Let the window work and wait up to `timeout_ms` milliseconds, at least 1, for a key.

        Of several keys that came since the last call OpenCV reports the last one only.

        Returns
        -------
        str or None
            The character that the key types, an ASCII one, or the arrow of an arrow key. None if no
            key came, or one without: function keys and the like have codes that differ between
            systems and collide with those of letters.
        """
        self._look_whether_closed()
        if self._fitted is None or not self._is_open:
            return None
        code = cv2.waitKeyEx(max(1, timeout_ms))
        if not self._listens and self._is_visible():  # earlier, Qt's window sometimes never appears
            with self._unless_closed():
                cv2.setMouseCallback(self._title, self._note_mouse)
                self._listens = True
        self._look_whether_closed()
        if code == -1:
            return None
        if code in _ARROWS:
            return _ARROWS[code]
        # GTK adds the state of Caps Lock and Num Lock above bit 16.
        code &= 0xFFFF
        return chr(code) if 0 < code < 128 else _ARROWS.get(code)

    def take_events(self) -> list[PointerEvent]:
        """Return what the mouse did since the last call, in pixels of the window."""
        events, self._events = self._events, []
        return events

    def set_full_screen(self, on: bool) -> None:
        """Fill the screen with the window, or no longer; nothing happens where it is so."""
        if on != self._is_full_screen and self._fitted is not None and self._is_open:
            mode = cv2.WINDOW_FULLSCREEN if on else cv2.WINDOW_NORMAL
            with self._unless_closed():
                cv2.setWindowProperty(self._title, cv2.WND_PROP_FULLSCREEN, mode)
                self._is_full_screen = on
                self._asked_at = time.monotonic()

    def close(self) -> None:
        """Close the window."""
        self._take_back()
        if self._fitted is not None:
            # Some backends raise if the user was faster.
            with contextlib.suppress(cv2.error):
                cv2.destroyWindow(self._title)
            self._fitted = None
        self._is_open = False

    @contextlib.contextmanager
    def _unless_closed(self) -> Iterator[None]:
        """Take an error of a call as the user's closing, where the window is there no longer.

        The user can close the window between any two of OpenCV's calls, the first two included.
        """
        try:
            yield
        except cv2.error as error:
            if self._is_visible():
                raise SinkError(
                    f"the window fails: {error.err}; add -o FILE to write a file instead"
                ) from error
            self._is_open = False

    def _look_whether_closed(self) -> None:
        if self._is_open and self._fitted is not None:
            is_visible = self._is_visible()
            # Some backends never report that a window is visible: only a change tells.
            self._is_open = is_visible or not self._was_visible
            self._was_visible = is_visible

    def _is_visible(self) -> bool:
        try:
            return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1
        except cv2.error:  # Qt raises where the last window is gone
            return False

    def _note_mouse(self, event: int, x: int, y: int, flags: int, parameter: object) -> None:
        if event == cv2.EVENT_MOUSEMOVE:
            if self._events and self._events[-1].kind == "move":
                self._events.pop()
            self._events.append(PointerEvent("move", x, y))
        elif event == cv2.EVENT_LBUTTONDOWN:
            drops = flags & cv2.EVENT_FLAG_SHIFTKEY
            self._events.append(PointerEvent("drop" if drops else "press", x, y))
        elif event == cv2.EVENT_RBUTTONDOWN:
            self._events.append(PointerEvent("drop", x, y))
        elif event in (cv2.EVENT_LBUTTONUP, cv2.EVENT_RBUTTONUP):
            self._events.append(PointerEvent("release", x, y))
        elif event == cv2.EVENT_MOUSEWHEEL:
            delta = (flags >> 16 & 0xFFFF ^ 0x8000) - 0x8000  # of 16 bits, with a sign
            self._events.append(PointerEvent("wheel", x, y, delta // _WHEEL))

    def _open(self) -> None:
        quiet_qt()
        try:
            cv2.namedWindow(self._title, _STYLE)
        except cv2.error as error:
            raise SinkError(
                f"cannot open a window: {error.err}; add -o FILE to write a file instead"
            ) from error

    def _resize(self, width: int, height: int, below: int) -> None:
        if self._fitted is None:
            self._open()
            self._take_back = before_exit(self._on_lost)
        keeps = self._fitted is not None and (self._is_full_screen or self._is_resized_by_hand())
        self._fitted = width, height, below
        if keeps:
            return
        place = place_in((width, height), self._max_size, at_most=1.0)
        self._asked = self._room = place.width, place.height + below
        self._asked_at = time.monotonic()
        cv2.resizeWindow(self._title, *self._asked)

    def _is_resized_by_hand(self) -> bool:
        if time.monotonic() - self._asked_at < _SETTLING:
            return False
        return max(abs(a - b) for a, b in zip(self._asked, self._room, strict=True)) > _SLACK
