"""A live session: what the keys change, and the picture that follows from it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from pathlib import Path

import cv2

from livekm.colorspace import COLOR_SPACES
from livekm.frame import Frame, Image
from livekm.hud import draw_help, draw_hud, enlarge
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
    """

    def __init__(
        self,
        segmenter: Segmenter,
        view: str,
        scale: float,
        folder: Path,
        help_rows: Sequence[tuple[str, str]],
    ) -> None:
        self.segmenter = segmenter
        self.timer = StageTimer(memory=30)
        self.running = True
        self.paused = False
        self._view = view
        self._scale = scale
        self._folder = folder
        self._help_rows = help_rows
        self._hud = True
        self._help = False
        self._notice = ("press ? for the keys", time.monotonic() + 2 * _NOTICE_SECONDS)
        self._frame: Frame | None = None
        self._segmentation: Segmentation | None = None
        self._unsettled = _SETTLING

    @property
    def patience(self) -> float:
        """Seconds for which a held picture need not be drawn again."""
        return 0.0 if self._unsettled else _HELD_SECONDS

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
        with self.timer.stage("segment"):
            self._frame = scaled(frame, self._scale)
            self._segmentation = self.segmenter.update(self._frame.image)

    def settle(self) -> None:
        """Segment the held frame again after a change that shows in it."""
        if self._unsettled and self._frame is not None:
            self._unsettled -= 1
            with self.timer.stage("segment"):
                self._segmentation = self.segmenter.update(self._frame.image)

    def picture(self) -> tuple[Frame, Image]:
        """Return the frame, and what is to be seen of it."""
        assert self._frame is not None
        assert self._segmentation is not None
        with self.timer.stage("view"):
            image = enlarge(VIEWS[self._view](self._frame, self._segmentation), _LEAST_HEIGHT)
            if self._hud:
                found = self._segmentation
                draw_hud(image, self._lines(found), found.palette, found.shares)
            if self._help:
                draw_help(image, self._help_rows)
        return self._frame, image

    def _lines(self, segmentation: Segmentation) -> list[str]:
        fps = self.timer.fps
        rate = "paused" if self.paused else "" if fps is None else f"{fps:.1f} fps"
        stages = [
            f"{name} {times.median_ms:.1f}"
            for name, times in self.timer.summary().items()
            if name != "frame"
        ]
        lines = [
            f"k {segmentation.n_clusters}   {rate}",
            f"{self._view}, {self.segmenter.color_space}",
            "  ".join(stages) + " ms",
        ]
        text, until = self._notice
        return [*lines, text] if time.monotonic() < until else lines

    def _say(self, text: str) -> None:
        self._notice = (text, time.monotonic() + _NOTICE_SECONDS)


def _after(current: str, names: list[str]) -> str:
    return names[(names.index(current) + 1) % len(names)]


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
