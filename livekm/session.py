"""A live session: what the keys change, and the picture that follows from it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from livekm.colorspace import COLOR_SPACES
from livekm.frame import Frame, Image
from livekm.hud import draw_banner, draw_help, draw_hud, enlarge
from livekm.pipeline import StageTimer, scaled
from livekm.segmentation import Segmentation
from livekm.segmenter import Segmenter
from livekm.views import VIEWS

_LEAST_HEIGHT = 360  # pictures below this are enlarged, or the display would cover them
_SETTLING = 10  # a still image is segmented so often, and again after a change, to converge
_HELD_SECONDS = 0.1  # between two drawings of a picture that is held
_NOTICE_SECONDS = 2.0


class Session:
    """What the keys change, and the picture that follows from it.

    Parameters
    ----------
    segmenter : Segmenter
    view : str
        A key of `livekm.views.VIEWS`.
    scale : float
        Frames are resized by this factor first.
    folder : Path
        Where snapshots go.
    help_rows : sequence of (str, str)
        Each key and what it does, for the help.
    mirror : bool, default False
        Whether to begin with left and right exchanged.
    are_ready : callable, optional
        Tells whether the kernels for a colour space are compiled; as long as they are not, the
        picture is shown as it is.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        view: str,
        scale: float,
        folder: Path,
        help_rows: Sequence[tuple[str, str]],
        *,
        mirror: bool = False,
        are_ready: Callable[[str], bool] = lambda color_space: True,
    ) -> None:
        self.segmenter = segmenter
        self.timer = StageTimer(memory=30)
        self.running = True
        self.paused = False
        self._view = view
        self._scale = scale
        self._folder = folder
        self._help_rows = help_rows
        self._mirror = mirror
        self._are_ready = are_ready
        self._banner: str | None = None
        self._hud = True
        self._help = False
        self._notice = ("press ? for the keys", time.monotonic() + 2 * _NOTICE_SECONDS)
        self._frame: Frame | None = None
        self._segmentation: Segmentation | None = None
        self._unsettled = _SETTLING

    @property
    def patience(self) -> float:
        """Seconds for which a held picture need not be drawn again."""
        return 0.0 if self._unsettled and self.can_segment else _HELD_SECONDS

    @property
    def can_segment(self) -> bool:
        """Whether the kernels are compiled."""
        return self._are_ready(self.segmenter.color_space)

    @property
    def has_picture(self) -> bool:
        """Whether there was a frame."""
        return self._frame is not None

    def quit(self) -> None:
        """End the session."""
        self.running = False

    def change_clusters(self, by: int) -> None:
        """Add `by` clusters."""
        self.set_clusters(self.segmenter.n_clusters + by)

    def set_clusters(self, n_clusters: int) -> None:
        """Have that many clusters, as far as 1 to 256 allows."""
        self.segmenter.set_n_clusters(min(max(n_clusters, 1), 256))
        self._unsettled = _SETTLING

    def next_view(self) -> None:
        """Show the next view."""
        self._view = _after(self._view, list(VIEWS))

    def next_color_space(self) -> None:
        """Measure distances in the next colour space."""
        self.segmenter.set_color_space(_after(self.segmenter.color_space, list(COLOR_SPACES)))
        self._unsettled = _SETTLING

    def toggle_pause(self) -> None:
        """Hold the picture, or go on."""
        self.paused = not self.paused
        self._unsettled = 0  # what is held stands still, until a key changes it

    def toggle_mirror(self) -> None:
        """Exchange left and right, or no longer."""
        self._mirror = not self._mirror
        if self._frame is not None:
            self._frame = _mirrored(self._frame)
        self._unsettled = _SETTLING

    def set_banner(self, text: str | None) -> None:
        """Say across the picture why it stands still; None when it moves."""
        if text and not self._banner:
            self._unsettled = 0
        self._banner = text

    def reseed(self) -> None:
        """Start the colours anew."""
        self.segmenter.reset()
        self._unsettled = _SETTLING

    def toggle_hud(self) -> None:
        """Hide or show the display."""
        self._hud = not self._hud

    def toggle_help(self) -> None:
        """Show or hide the table of keys."""
        self._help = not self._help

    def save_snapshot(self) -> None:
        """Write the view without the display to ``livekm-1.png``, -2 and so on."""
        if self._frame is None or self._segmentation is None:
            return
        image = VIEWS[self._view](self._frame, self._segmentation)
        try:
            path = _write_new_png(self._folder, image)
        except OSError as error:
            self._say(f"snapshot failed: {error.strerror or error}")
        else:
            self._say(f"saved {path}")

    def segment(self, frame: Frame) -> None:
        """Take the next frame."""
        self._frame = scaled(frame, self._scale)
        if self._mirror:
            self._frame = _mirrored(self._frame)
        self._update(self._frame)

    def settle(self) -> None:
        """Segment the held frame again after a change that shows in it."""
        if self._frame is None or not self.can_segment:
            return
        if self._unsettled or self._segmentation is None:
            self._unsettled = max(0, self._unsettled - 1)
            self._update(self._frame)

    def _update(self, frame: Frame) -> None:
        if not self.can_segment:
            self._segmentation = None
            return
        with self.timer.stage("segment"):
            self._segmentation = self.segmenter.update(frame.image)

    def picture(self, status: str = "") -> tuple[Frame, Image]:
        """Return the frame, and what is to be seen of it; `status` is a line of the display."""
        assert self._frame is not None
        found = self._segmentation
        with self.timer.stage("view"):
            seen = self._frame.image if found is None else VIEWS[self._view](self._frame, found)
            image = enlarge(seen, _LEAST_HEIGHT)
            if self._hud and found is None:
                draw_hud(image, [*self._lines(status), "compiling kernels"])
            elif self._hud and found is not None:
                draw_hud(image, self._lines(status), found.palette, found.shares)
            if self._banner:
                draw_banner(image, self._banner)
            if self._help:
                draw_help(image, self._help_rows)
        return self._frame, image

    def _lines(self, status: str) -> list[str]:
        fps = self.timer.fps
        rate = "paused" if self.paused else "" if fps is None else f"{fps:.1f} fps"
        times = self.timer.summary()
        stages = [
            f"{name} {times[name].median_ms:.1f}"
            for name in ("read", "segment", "view", "show")
            if name in times
        ]
        lines = [
            f"k {self.segmenter.n_clusters}   {rate}",
            f"{self._view}, {self.segmenter.color_space}{', mirrored' if self._mirror else ''}",
            "  ".join(stages) + " ms" if stages else "",
            status,
        ]
        lines = [line for line in lines if line]
        text, until = self._notice
        return [*lines, text] if time.monotonic() < until else lines

    def _say(self, text: str) -> None:
        self._notice = (text, time.monotonic() + _NOTICE_SECONDS)


def _after(current: str, names: list[str]) -> str:
    return names[(names.index(current) + 1) % len(names)]


def _mirrored(frame: Frame) -> Frame:
    image = np.asarray(cv2.flip(frame.image, 1), np.uint8)
    return Frame(image, frame.index, frame.time)


def _write_new_png(folder: Path, image: Image) -> Path:
    """Write `image` under the first name that is free; raises OSError."""
    _, data = cv2.imencode(".png", image)
    for number in itertools.count(1):
        path = folder / f"livekm-{number}.png"
        try:
            with path.open("xb") as file:
                file.write(data.tobytes())
        except FileExistsError:
            continue
        return path
    raise AssertionError
