"""A live session: what the keys change, and the picture that follows from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from livekm.core.colorspace import COLOR_SPACES
from livekm.core.segmentation import Segmentation
from livekm.core.segmenter import Segmenter
from livekm.frame import Frame, Image
from livekm.live.canvas import Canvas, Fit, at_full_size
from livekm.live.letterbox import resized
from livekm.live.overlay import Display
from livekm.live.pace import AutoScale
from livekm.live.recorder import Recorder
from livekm.live.snapshot import save_snapshot
from livekm.pipeline import scaled
from livekm.timing import StageTimer
from livekm.views import VIEWS

_SETTLING = 10  # a still image is segmented so often, and again after a change, to converge
_HELD_SECONDS = 0.1  # between two drawings of a picture that is held
_SCALES = (0.125, 0.25, 0.375, 0.5, 0.75, 1.0, 1.5, 2.0)
_HYSTERESES = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)


class Session:
    """What the keys change, and the picture that follows from it.

    Parameters
    ----------
    segmenter : Segmenter
    view : str
        A key of `livekm.views.VIEWS`.
    scale : float or AutoScale
        Frames are resized by this factor first.
    folder : Path
        Where snapshots and recordings go.
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
        scale: float | AutoScale,
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
        self.full_screen = False
        self.recorder = Recorder(folder)
        self.display = Display(help_rows)
        self._step = False
        self._records_display = False
        self._canvas = Canvas(view)
        self._scale = scale
        self._folder = folder
        self._mirror = mirror
        self._are_ready = are_ready
        self._frame: Frame | None = None
        self._segmentation: Segmentation | None = None
        self._source: Frame | None = None  # the last frame, before it was scaled and mirrored
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

    @property
    def scale(self) -> float:
        """The factor by which frames are resized."""
        return self._scale.scale if isinstance(self._scale, AutoScale) else self._scale

    @property
    def wants_frame(self) -> bool:
        """Whether the picture is to move on: it is not paused, or a single step is asked for."""
        return not self.paused or self._step

    def quit(self) -> None:
        """End the session."""
        self.running = False

    def change_clusters(self, by: int) -> None:
        """Add `by` clusters."""
        self.set_clusters(self.segmenter.n_clusters + by)

    def set_clusters(self, n_clusters: int) -> None:
        """Have that many clusters, as far as 1 to 256 and a fixed palette allow."""
        if self._refuses_to_change():
            return
        slots = self.segmenter.set_n_clusters(min(max(n_clusters, 1), 256))
        self._canvas.chosen = {int(slots[slot]) for slot in self._canvas.chosen}
        self._unsettled = _SETTLING

    def next_view(self) -> None:
        """Show the next view."""
        self._canvas.view = _after(self._canvas.view, list(VIEWS))

    def set_view(self, name: str) -> None:
        """Show one view of `livekm.views.VIEWS`."""
        self._canvas.view = name

    def next_color_space(self) -> None:
        """Measure distances in the next colour space."""
        self.segmenter.set_color_space(_after(self.segmenter.color_space, list(COLOR_SPACES)))
        self.show_all()
        self._unsettled = _SETTLING

    def toggle_pause(self) -> None:
        """Hold the picture, or go on."""
        self.paused = not self.paused
        self._unsettled = 0  # what is held stands still, until a key changes it

    def step(self) -> None:
        """Pause, and show the next frame."""
        self.paused = self._step = True
        self._unsettled = 0

    def change_hysteresis(self, by: int) -> None:
        """Let labels stick more or less, by so many steps."""
        self.segmenter.hysteresis = _stepped(_HYSTERESES, self.segmenter.hysteresis, by)
        self.display.say(f"hysteresis {self.segmenter.hysteresis:g}")
        self._unsettled = _SETTLING

    def change_scale(self, by: int) -> None:
        """Fix the scale some steps above or below what it is."""
        self._scale = _stepped(_SCALES, self.scale, by)
        self._unsettled = _SETTLING

    def toggle_lock(self) -> None:
        """Keep the colours that there are now, whatever comes; or let them follow the scene."""
        if self.segmenter.palette is not None:
            self.segmenter.set_palette(None)
            self.display.say("palette free")
        elif self._segmentation is not None:
            try:
                self.segmenter.set_palette(self._segmentation.palette)
            except ValueError as error:  # places count
                self.display.say(str(error))
        self._unsettled = _SETTLING

    def _refuses_to_change(self) -> bool:
        is_locked = self.segmenter.palette is not None
        if is_locked:
            self.display.say("the palette is locked: l frees it")
        return is_locked

    def toggle_full_screen(self) -> None:
        """Fill the screen, or no longer."""
        self.full_screen = not self.full_screen

    def toggle_recording(self, *, with_display: bool = False) -> None:
        """Record the view, or it with the display over it; or complete the recording."""
        if self.recorder.is_recording:
            self.stop_recording()
        else:
            self._records_display = with_display
            self.recorder.start()

    def stop_recording(self) -> None:
        """Complete the recording, if there is one."""
        if not self.recorder.is_recording:
            return
        before = len(self.recorder.paths)
        self.recorder.stop()
        for path in self.recorder.paths[before:]:
            self.display.say(f"recorded {path}", always=True)

    def show_all(self) -> None:
        """Show every segment again."""
        self._canvas.chosen.clear()

    def click(self, x: int, y: int) -> None:
        """Isolate the segment at a pixel of the window, or of the strip; undo a second time.

        Several segments can be chosen one by one.
        """
        if self._segmentation is None:
            return
        slot = self.display.slot_at(x, y, self._segmentation)
        if slot is None:
            pixel = self._canvas.pixel_at(x, y)
            if pixel is None:
                return
            labels = self._segmentation.labels
            slot = int(labels[pixel[1], pixel[0] % labels.shape[1]])  # side by side: twice
        self._canvas.chosen ^= {slot}

    def toggle_mirror(self) -> None:
        """Exchange left and right, or no longer."""
        self._mirror = not self._mirror
        self._unsettled = _SETTLING

    def set_banner(self, text: str | None) -> None:
        """Say across the picture why it stands still; None when it moves."""
        if text and not self.display.banner:
            self._unsettled = 0
        self.display.banner = text

    def reseed(self) -> None:
        """Start the colours anew, unless the palette is locked."""
        if self._refuses_to_change():
            return
        self.segmenter.reset()
        self.show_all()
        self._unsettled = _SETTLING

    def save_snapshot(self) -> None:
        """Write the view without the display, the frame and the labels as files."""
        if self._frame is None or self._segmentation is None:
            return
        view = self._canvas.see(self._frame, self._segmentation)
        try:
            path = save_snapshot(self._folder, view, self._frame, self._segmentation)
        except OSError as error:
            self.display.say(f"snapshot failed: {error.strerror or error}", always=True)
        else:
            self.display.say(f"saved {path}", always=True)

    @property
    def found(self) -> tuple[Frame, Segmentation] | None:
        """The frame, as it was segmented, and its segmentation; None while kernels are compiled."""
        if self._frame is None or self._segmentation is None:
            return None
        return self._frame, self._segmentation

    def segment(self, frame: Frame) -> None:
        """Take the next frame."""
        self._step = False
        self._source = frame
        self._update(frame)

    def note_load(self, seconds: float) -> None:
        """Take what the last frame took without waiting, for the automatic scale."""
        if isinstance(self._scale, AutoScale) and self._segmentation is not None:
            self._scale.note(seconds)

    def settle(self) -> None:
        """Segment the held frame again after a change that shows in it."""
        if self._source is None or not self.can_segment:
            return
        if self._unsettled or self._segmentation is None:
            self._unsettled = max(0, self._unsettled - 1)
            self._update(self._source)

    def _update(self, source: Frame) -> None:
        self._frame = scaled(source, self.scale)
        if self._mirror:
            self._frame = _mirrored(self._frame)
        if not self.can_segment:
            self._segmentation = None
            return
        with self.timer.stage("segment"):
            self._segmentation = self.segmenter.update(self._frame.image)

    def picture(self, status: Sequence[str] = (), fit: Fit | None = None) -> tuple[Frame, Image]:
        """Return the frame, and what the window shows of it; record it.

        Parameters
        ----------
        status : sequence of str
            Is added to the first line of the display.
        fit : callable, optional
            Tells the window's size, see `Canvas.lay`.
        """
        assert self._frame is not None
        assert self._source is not None
        found = self._segmentation
        with self.timer.stage("view"):
            seen = self._canvas.see(self._frame, found)
            full_size = at_full_size(seen, self._frame, self._source)
            image = self._canvas.lay(seen, full_size, fit)
            image = image.copy() if image is seen else image
            self.display.draw(image, self._lines(status), found, chosen=self._canvas.chosen)
            if self.recorder.is_recording:
                self.recorder.write(image if self._records_display else resized(seen, full_size))
            self.display.draw_aids(image, self.recorder.seconds)
        return self._frame, image

    def _lines(self, status: Sequence[str]) -> list[str]:
        fps = self.timer.fps
        stands = fps is None or self.display.banner
        rate = "paused" if self.paused else "" if stands else f"{fps:.1f} fps"
        times = self.timer.summary()
        stages = [
            f"{name} {times[name].median_ms:.1f}"
            for name in ("wait", "read", "segment", "view", "show")
            if name in times
        ]
        auto = " auto" if isinstance(self._scale, AutoScale) else ""
        lines = [
            [rate, *status],
            [
                f"k {self.segmenter.n_clusters}",
                self._canvas.view,
                self.segmenter.color_space,
                f"scale {self.scale:g}{auto}",
                *["mirrored"] * self._mirror,
                *["palette locked"] * (self.segmenter.palette is not None),
            ],
            ["  ".join(stages) + " ms" if stages else ""],
            ["compiling kernels"] * (self._segmentation is None),
        ]
        return ["   ".join(filter(None, line)) for line in lines]


def _after(current: str, names: list[str]) -> str:
    return names[(names.index(current) + 1) % len(names)]


def _stepped(values: Sequence[float], current: float, by: int) -> float:
    """Return the value `by` places from the one that is nearest to the current one."""
    nearest = min(range(len(values)), key=lambda place: abs(values[place] - current))
    return values[min(max(nearest + by, 0), len(values) - 1)]


def _mirrored(frame: Frame) -> Frame:
    image = np.asarray(cv2.flip(frame.image, 1), np.uint8)
    return Frame(image, frame.index, frame.time)
