"""The live window: real windows on a private display, keys that are really pressed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import forked
import numpy as np
import pytest
import virtual_camera
from clips import make_clip
from conftest import COMMAND
from xvfb import (
    VirtualDisplay,
    requires_xvfb,
    virtual_display,
    wait_until,
    window_manager,
)

from livekm import live
from livekm.core.segmenter import Segmenter
from livekm.errors import SinkError
from livekm.frame import Frame
from livekm.live import hud
from livekm.live.commands import COMMANDS, do, press
from livekm.live.events import PointerEvent, PointerKind
from livekm.live.keys import COMMAND_OF, KEY_BINDINGS, key_groups, key_table
from livekm.live.pace import AutoScale
from livekm.live.pointer import Pointer
from livekm.live.presentation import in_size
from livekm.live.recorder import Recorder
from livekm.live.session import Session
from livekm.live.settings import LiveSettings
from livekm.live.status import Status, describe
from livekm.outputs.checks import as_image
from livekm.pipeline import with_regions
from livekm.regions import RegionSegmenter
from livekm.sources import open_source
from livekm.timing import StageTimer
from livekm.views import VIEWS

WIDTH, HEIGHT = 320, 240
N_PATCHES = 12
YELLOW, WHITE = 0xFFFF00, 0xFFFFFF
RATE = r"[\d.]+ frames a second, [\d.]+ ms a frame \(95 % below [\d.]+\)"


def patches(shift: int = 0) -> np.ndarray:
    """Twelve flat colours in a grid, and a white mark `shift` pixels from the left."""
    rng = np.random.default_rng(5)
    colors = rng.permutation(np.linspace(20, 220, 3 * N_PATCHES).astype(np.uint8))
    grid = colors.reshape(3, 4, 3).repeat(HEIGHT // 3, axis=0).repeat(WIDTH // 4, axis=1)
    grid[100:140, shift : shift + 40] = 250
    return grid


@dataclass(frozen=True)
class Program:
    """The command ``livekm``, running in a window."""

    display: VirtualDisplay
    process: subprocess.Popen[str]
    window: int

    def press(self, *keys: str) -> None:
        self.display.press(self.window, *keys)

    def screenshot(self) -> np.ndarray:
        return self.display.screenshot(self.window)

    def width(self) -> int:
        return self.display.geometry(self.window)[2]

    def colors(self) -> set[int]:
        """Give the colours that are shown, as 0xRRGGBB."""
        return set(np.unique(self.screenshot() @ np.array([1, 1 << 8, 1 << 16])).tolist())

    def wait_for_colors(self, n: int, timeout: float = 5) -> None:
        try:
            wait_until(lambda: len(self.colors()) == n, timeout)
        except TimeoutError:
            raise AssertionError(f"{len(self.colors())} colours instead of {n}") from None

    def wait_for_picture(self) -> None:
        wait_until(lambda: len(self.colors()) > 2)

    def hide_hud(self) -> None:
        """Press the key that hides it from the first picture on; with it goes the first note."""
        self.wait_for_picture()
        time.sleep(0.3)  # a key that comes while the window does is lost
        self.display.press(self.window, "h", "h", every_ms=100)

    def end(self) -> tuple[int, str, str]:
        """Wait for the end; give exit code, stdout and stderr."""
        stdout, stderr = self.process.communicate(timeout=20)
        return self.process.returncode, stdout, stderr


@pytest.fixture(scope="module")
def display() -> Iterator[VirtualDisplay]:
    with virtual_display() as display:
        yield display


@pytest.fixture
def livekm(display, tmp_path):
    """Run ``livekm`` in a window and in the folder `tmp_path` while a block lasts."""

    shared = display

    @contextmanager
    def running(
        *arguments: object, title: str, display: VirtualDisplay = shared, **environment: str
    ) -> Iterator[Program]:
        # Another cache of kernels is one for a process that has not looked into the usual one.
        start = subprocess.Popen if "NUMBA_CACHE_DIR" in environment else forked.Popen
        process = start(
            [*COMMAND, *map(str, arguments)],
            cwd=tmp_path,
            env=display.environment(**environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield Program(display, process, display.wait_for_window(title, process))
        finally:
            process.kill()
            process.communicate()

    return running


@pytest.fixture
def camera(camera_library, tmp_path):
    """Make the environment of a virtual camera that shows `patches` with a mark that moves."""
    images = [patches(8 * step) for step in range(30)]
    frames = virtual_camera.write_frames(tmp_path / "frames.yuyv", images)

    def plugged_in(**options: object) -> dict[str, str]:
        environment = virtual_camera.environment(
            camera_library, frames, size=(WIDTH, HEIGHT), fps=30, **options
        )
        names = [name for name in environment if name.startswith(("LIVEKM_", "LD_PRELOAD"))]
        return {name: environment[name] for name in names}

    return plugged_in


@pytest.mark.timed
@requires_xvfb
def test_a_camera_is_seen_within_three_seconds(livekm, camera):
    start = time.monotonic()
    with livekm("--camera", 0, title="livekm - camera 0", **camera()) as program:
        wait_until(lambda: len(program.colors()) > N_PATCHES // 2)
        assert time.monotonic() - start < 3


@requires_xvfb
def test_a_camera_obeys_the_keys(livekm, camera, tmp_path):
    (tmp_path / "livekm-1.png").write_text("before")
    arguments = ("--camera", 0, "--scale", 1)  # or a busy machine would take a smaller one
    with livekm(*arguments, title="livekm - camera 0", **camera()) as program:
        # Hidden, the display adds no colours: there are as many as clusters.
        program.hide_hud()
        program.wait_for_colors(8)
        program.press("plus")
        program.wait_for_colors(9)
        program.press("minus")
        program.wait_for_colors(8)
        program.press("minus")
        program.wait_for_colors(7)
        program.press("0")
        program.wait_for_colors(10)
        program.press("1")
        program.wait_for_colors(1)
        program.press("5")
        program.wait_for_colors(5)

        program.press("s")
        wait_until((tmp_path / "livekm-2.png").exists)
        program.press("s")
        wait_until((tmp_path / "livekm-3.png").exists)
        assert (tmp_path / "livekm-1.png").read_text() == "before"
        snapshot = cv2.imread(str(tmp_path / "livekm-2.png"))
        assert snapshot.shape == (HEIGHT, WIDTH, 3)
        assert len(np.unique(snapshot.reshape(-1, 3), axis=0)) == 5

        program.press("question")
        wait_until(lambda: WHITE in program.colors())
        program.press("question")
        program.wait_for_colors(5)

        program.press("space")
        time.sleep(1.5)  # until the note has gone
        held = program.screenshot()
        time.sleep(0.3)
        assert np.array_equal(program.screenshot(), held)
        program.press("3")
        program.wait_for_colors(3)
        program.press("space")
        wait_until(lambda: not np.array_equal(program.screenshot(), held))

        program.press("v")  # overlay
        wait_until(lambda: len(program.colors()) > N_PATCHES)
        assert YELLOW not in program.colors()
        program.press("v")
        wait_until(lambda: YELLOW in program.colors())
        assert program.width() == 2 * WIDTH  # enlarged for the text
        program.press("d")
        wait_until(lambda: program.width() == 4 * WIDTH)
        program.press("k")  # the mask
        wait_until(lambda: program.width() == 2 * WIDTH and program.colors() == {0, WHITE})
        program.press("i")
        wait_until(lambda: len(program.colors()) > N_PATCHES)
        assert YELLOW not in program.colors()
        program.press("v")
        program.wait_for_colors(3)

        before = program.colors()
        program.press("c")
        wait_until(lambda: program.colors() != before)

        program.press("h")
        wait_until(lambda: WHITE in program.colors())
        program.press("q")
        code, out, err = program.end()
    assert (code, err) == (0, "")
    assert re.fullmatch(
        rf"camera 0: \d+ frames, {RATE}(, \d+ dropped)?, "
        r"\d+ ms old on the screen\n"
        r"livekm --camera=0 --output=out\.mp4 --clusters=3 --color-space=lab --scale=1\.0 "
        r"--frames=300\n",
        out,
    )


RED = 0xA00000  # of the banner


@pytest.mark.timed
@requires_xvfb
@pytest.mark.parametrize(
    "trouble",
    [{"unplug_after": 45, "return_after_ms": 1500}, {"freeze_after": 45}],
    ids=["unplugged", "frozen"],
)
def test_a_camera_that_stops_leaves_its_last_picture_and_goes_on_when_it_is_back(
    trouble, livekm, camera
):
    with livekm("--camera", 0, title="livekm - camera 0", **camera(**trouble)) as program:
        program.hide_hud()
        wait_until(lambda: RED in program.colors())
        lost = program.screenshot()
        assert len(program.colors()) > 8  # the picture is still there
        program.press("2")  # and the keys work
        wait_until(lambda: not np.array_equal(program.screenshot(), lost), timeout=1)
        assert RED in program.colors()
        wait_until(lambda: RED not in program.colors())
        program.wait_for_colors(2)
        before = program.screenshot()
        wait_until(lambda: not np.array_equal(program.screenshot(), before))
        program.press("q")
        code, out, err = program.end()
    assert (code, err) == (0, "")
    assert out.startswith("camera 0: ")


@pytest.mark.timed
@requires_xvfb
@pytest.mark.parametrize("trouble", [{}, {"freeze_after": 10}, {"unplug_after": 10}])
def test_whatever_the_camera_does_q_ends_within_a_second(trouble, livekm, camera):
    with livekm("--camera", 0, title="livekm - camera 0", **camera(**trouble)) as program:
        time.sleep(1)
        program.press("q")
        start = time.monotonic()
        code, _, err = program.end()
        assert time.monotonic() - start < 1
    assert (code, err) == (0, "")


def output_of(program: str, environment: dict[str, str]) -> str:
    """Run a Python program to its end; it must have nothing to complain of."""
    done = forked.run([sys.executable, "-c", program], env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize(
    "options",
    [
        {"view": "nope"},
        {"scale": 0},
        {"scale": float("nan")},
        {"target_fps": -1},
        {"max_frames": 0},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_named_before_a_window_opens(options):
    (name,) = options
    with (
        open_source("demo", width=64, height=48) as demo,
        pytest.raises(ValueError, match=f"^{name} must be "),
    ):
        live.run(demo, Segmenter(2), **options)


@pytest.mark.timed
@requires_xvfb
def test_a_slow_loop_shows_the_newest_frame(display, camera):
    """At 5 frames a second, of 30: no frame that had a newer one when the loop came to it."""
    program = """
import json, time
from livekm import Segmenter, live
from livekm.sources import CameraSource

class Noted(CameraSource):
    def __iter__(self):
        for frame in super().__iter__():
            arrivals[frame.index] = self.opened_at + frame.time
            yield frame
            kept[frame.index] = time.monotonic()  # only now was it

class Slow(Segmenter):
    def update(self, image, mask=None):
        time.sleep(0.2)
        return super().update(image, mask)

arrivals, kept, shown = {}, {}, []
note = lambda frame, segmentation: shown.append((time.monotonic(), frame.index))
with Noted(0) as camera:
    summary = live.run(camera, Slow(4), on_frame=note, should_stop=lambda: len(shown) > 10)
ends = [*(at for at, _ in shown[1:]), time.monotonic()]
longest = max(end - arrivals[index] for (_, index), end in zip(shown, ends))
pictures = [
    # its age, and how long before the loop came to it a newer one was there
    [at - arrivals[index], before - kept.get(index + 1, at)]
    for (before, _), (at, index) in zip(shown, shown[1:])
]
print(json.dumps([pictures, longest, summary.n_dropped, summary.age_ms, summary.max_age_ms]))
"""
    out = output_of(program, display.environment(**camera()))
    pictures, longest, n_dropped, age_ms, max_age_ms = json.loads(out)
    assert len(pictures) == 10
    assert all(age > 0.2 for age, _ in pictures)
    assert all(outdated < 0 for _, outdated in pictures)
    assert 0 < age_ms < 1e3 * longest  # the first pictures are raw, and fast
    assert max_age_ms > 200
    assert n_dropped >= 4 * len(pictures)


@requires_xvfb
def test_the_hud_tells_rate_age_drops_scale_and_stages(display, camera):
    program = """
import time
from livekm import Segmenter, live
from livekm.live import hud
from livekm.sources import CameraSource

drawn, draw = [], hud.Hud.draw

def draw_and_note(self, picture, lines, captions):
    drawn.append(lines)
    self._settings.hud = "all"
    draw(self, picture, lines, captions)

segmented = []

def slow(frame, segmentation):
    segmented.append(frame.index)
    time.sleep(0.1)  # of three frames of the camera, two are dropped

hud.Hud.draw = draw_and_note
with CameraSource(0) as camera:
    live.run(camera, Segmenter(8), on_frame=slow, should_stop=lambda: len(segmented) > 12)
print(drawn[0][-1], *drawn[-1], sep="\\n")
"""
    first, *lines = output_of(program, display.environment(**camera())).splitlines()
    assert first == "starting, a few seconds"
    wanted = [
        r"[\d.]+ fps   age \d+ ms   [1-9]\d* dropped",
        r"k 8   segments   bgr   scale [\d.]+ auto",
        r"wait [\d.]+  segment [\d.]+  view [\d.]+  draw [\d.]+  show [\d.]+ ms",
    ]
    assert len(lines) == len(wanted)
    for pattern, line in zip(wanted, lines, strict=True):
        assert re.fullmatch(pattern, line)


@requires_xvfb
def test_the_raw_picture_is_there_long_before_the_kernels_are(display, camera):
    program = """
import time
from livekm import Segmenter, live
from livekm.live.warmup import WarmUp
from livekm.sources import CameraSource

def compile_slowly(self, color_space, compile_now=WarmUp._compile):
    time.sleep(4)
    compile_now(self, color_space)

WarmUp._compile = compile_slowly
with CameraSource(0) as camera:
    live.run(camera, Segmenter(8))
"""
    start = time.monotonic()
    with python_window(display, program, title="livekm - camera 0", **camera()) as program:
        wait_until(lambda: len(program.colors()) > N_PATCHES)
        seconds = time.monotonic() - start
        program.hide_hud()
        before = program.screenshot()
        wait_until(lambda: not np.array_equal(program.screenshot(), before))  # it moves
        program.wait_for_colors(8, timeout=60)
        assert seconds < (time.monotonic() - start) / 2
        program.press("q")
        assert program.end()[0] == 0


@requires_xvfb
def test_one_can_leave_while_kernels_are_compiled(livekm, camera, tmp_path):
    environment = {**camera(), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    with livekm("--camera", 0, title="livekm - camera 0", **environment) as program:
        wait_until(lambda: len(program.colors()) > N_PATCHES)
        program.press("q")
        code, _, err = program.end()
        assert (code, err) == (0, "")


@requires_xvfb
def test_the_mirror_exchanges_left_and_right(livekm, tmp_path):
    image = np.full((HEIGHT, WIDTH, 3), (200, 30, 30), np.uint8)
    image[:, : WIDTH // 4] = (30, 30, 200)
    cv2.imwrite(str(tmp_path / "photo.png"), image)
    with livekm("photo.png", "-k", 2, title="livekm - photo.png") as program:
        program.hide_hud()
        program.wait_for_colors(2)
        program.press("m")
        wait_until(lambda: program.screenshot()[0, -1, 2] > 150 > program.screenshot()[0, 0, 2])
        program.wait_for_colors(2)  # the note is gone
        mirrored = program.screenshot()
        program.press("m")
        wait_until(lambda: np.array_equal(program.screenshot(), mirrored[:, ::-1]))
        program.press("q")
        assert program.end()[0] == 0


@requires_xvfb
def test_a_still_image_stays_and_the_keys_work_on_it(livekm, tmp_path):
    cv2.imwrite(str(tmp_path / "photo.png"), patches())
    with livekm("photo.png", title=r"livekm - photo.png") as program:
        program.hide_hud()
        program.wait_for_colors(8)
        program.press("4")
        program.wait_for_colors(4)
        program.press("plus")
        program.wait_for_colors(5)
        time.sleep(0.5)
        held = program.screenshot()
        time.sleep(0.3)
        assert np.array_equal(program.screenshot(), held)
        program.press("Escape")
        again = "livekm photo.png --output=out.png --clusters=5\n"
        assert program.end() == (0, f"photo.png: 1 frame\n{again}", "")


@pytest.mark.timed
@requires_xvfb
def test_a_clip_plays_at_its_own_speed(livekm, tmp_path):
    make_clip(tmp_path / "two.mp4", 50, fps=25)
    with livekm("two.mp4", "--frames", 50, title="livekm - two.mp4") as program:
        code, out, err = program.end()
    assert (code, err) == (0, "")
    shown, fps, dropped = re.fullmatch(
        r"two\.mp4: (\d+) frames, ([\d.]+) frames a second, .*?(?:, (\d+) dropped)?\n", out
    ).groups()
    assert int(shown) + int(dropped or 0) == 50
    assert 1.8 < int(shown) / float(fps) < 2.2  # seconds


@requires_xvfb
def test_the_last_frame_of_a_clip_stays_and_one_can_go_back(livekm, tmp_path):
    make_clip(tmp_path / "two.mp4", 60, fps=30)
    with livekm("two.mp4", "--view", "original", title="livekm - two.mp4") as program:
        filled = (90, 180, 235)  # red, green and blue of the progress line

        def progress() -> float:
            """How long the line is, by the width of the window."""
            rows = program.screenshot()[-40:, :, ::-1].astype(int)
            return (np.abs(rows - filled).max(axis=2) < 3).sum(axis=1).max() / program.width()

        program.wait_for_picture()
        wait_until(lambda: progress() == 1)
        program.press("a")
        time.sleep(1.5)  # until its note has gone, and with it the first one
        held = program.screenshot()
        time.sleep(0.3)
        assert np.array_equal(program.screenshot(), held)
        program.display.press(program.window, "space", "Left", every_ms=100)
        wait_until(lambda: progress() < 0.1)
        y = program.display.geometry(program.window)[3] - 29
        program.display.click(program.window, program.width() // 2, y)
        wait_until(lambda: 0.4 < progress() < 0.6)
        program.display.press(program.window, "l", "space", every_ms=100)
        wait_until(lambda: progress() > 0.8)
        wait_until(lambda: progress() < 0.6)
        program.display.press(program.window, "b", "t", "q", every_ms=100)
        code, out, err = program.end()
    assert (code, err) == (0, "")
    again = "livekm two.mp4 --output=out.mp4 --view=boundaries --clusters=8"
    lines = out.splitlines()
    assert [lines[0], lines[-1]] == [again, again]


@requires_xvfb
def test_the_close_button_ends_well(livekm):
    with livekm("--demo", "-q", title="livekm - demo") as program:
        program.display.click_close_button(program.window)
        assert program.end() == (0, "", "")


@pytest.mark.timed
@requires_xvfb
def test_a_click_isolates_a_segment_and_a_recording_follows(livekm, camera, tmp_path):
    with livekm("--camera", 0, title="livekm - camera 0", **camera()) as program:

        def saturation() -> float:
            return np.ptp(program.screenshot(), axis=2).mean()

        program.hide_hud()
        program.wait_for_colors(8)
        before = saturation()
        program.display.click(program.window, 2 * WIDTH - 30, 2 * HEIGHT - 60)
        wait_until(lambda: saturation() < 0.6 * before)  # the others are grey
        shown = program.screenshot()
        program.press("w")
        start = time.monotonic()
        wait_until(lambda: (program.screenshot()[:30, -30:] == (0, 0, 230)).all(axis=2).any())
        time.sleep(1.5)
        program.press("w")
        seconds = time.monotonic() - start
        time.sleep(0.3)
        program.press("a")
        wait_until(lambda: saturation() > 0.9 * before)
        program.press("f")  # of a window manager, which is not here
        program.press("q")
        code, out, err = program.end()
    assert (code, err) == (0, "")
    assert "\nrecorded livekm-1.mp4\n" in out
    with open_source(tmp_path / "livekm-1.mp4") as clip:
        frames = list(clip)
    assert len(frames) > 10
    assert frames[-1].time == pytest.approx(seconds, abs=0.6)  # at its own speed
    corner = shown[-60:-40, -40:-20].mean(axis=(0, 1))
    assert np.abs(frames[5].image[-30:-20, -20:-10].mean(axis=(0, 1)) - corner).max() < 6
    assert not (frames[5].image == (0, 0, 230)).all(axis=2).any()


@requires_xvfb
def test_a_segment_gets_a_typed_name_and_a_dragged_part_counts(livekm, tmp_path):
    image = np.full((240, 320, 3), (200, 60, 30), np.uint8)
    image[120:] = (40, 160, 60)
    cv2.imwrite(str(tmp_path / "in.png"), image)
    words = ["in.png", "-k", 2, "--names", "names.csv"]
    with livekm(*words, title="livekm - in.png") as program:
        program.hide_hud()
        program.wait_for_colors(2)
        window, display = program.window, program.display
        x, y, _, _ = display.geometry(window)
        display.click(window, 300, 400)
        program.press("Return", "l", "a", "w", "n", "q", "BackSpace", "Return")
        wait_until(lambda: (tmp_path / "names.csv").exists())
        program.press("numbersign")
        drag = ["mousedown", 1, "mousemove", x + 500, y + 420, "sleep", 0.2, "mouseup", 1]
        display.point(window, 100, 100, *map(str, drag))
        display.put_pointer_away()  # or it would be seen in the next test's pictures
        program.press("t", "q")
        code, out, err = program.end()
    assert (code, err) == (0, "")
    assert (tmp_path / "names.csv").read_text() == "name,color,tolerance\nlawn,#3ca028,20\n"
    left, top, width, height = map(int, re.search(r"--roi=([\d,]+)", out)[1].split(","))
    scale = 480 / 240  # of the picture in the window
    np.testing.assert_allclose([left, top], np.array([100, 100]) / scale, atol=2)
    np.testing.assert_allclose([width, height], np.array([400, 320]) / scale, atol=3)


@pytest.mark.timed
@requires_xvfb
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_well_and_the_recording_is_complete(number, livekm, camera, tmp_path):
    with livekm("--camera", 0, "-q", title="livekm - camera 0", **camera()) as program:
        program.wait_for_picture()
        program.press("w")
        time.sleep(0.7)
        program.process.send_signal(number)
        start = time.monotonic()
        assert program.end() == (130, "", "")
        assert time.monotonic() - start < 1.5
    with open_source(tmp_path / "livekm-1.mp4") as clip:
        assert sum(1 for _ in clip) > 5


@pytest.mark.timed
@requires_xvfb
def test_a_closed_terminal_ends_well(display, tmp_path):
    fcntl, termios = pytest.importorskip("fcntl"), pytest.importorskip("termios")
    master, terminal = os.openpty()
    process = subprocess.Popen(
        [*COMMAND, "--demo"],
        cwd=tmp_path,
        env=display.environment(),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(terminal)
    try:
        program = Program(display, process, display.wait_for_window("livekm - demo", process))
        program.wait_for_picture()
        program.press("w")
        time.sleep(0.7)
        os.close(master)
        assert process.wait(2) == 130
    finally:
        process.kill()
        process.wait()
    with open_source(tmp_path / "livekm-1.mp4") as clip:
        assert sum(1 for _ in clip) > 5


SLOW = """
import time
from livekm import Segmenter, live, open_source

class Slow(Segmenter):
    def update(self, image, mask=None):
        time.sleep(0.3)
        return super().update(image, mask)

segmenter = Slow(3)
with open_source("demo", width=320, height=240) as source:
    live.run(source, segmenter, scale=1.0)
print(segmenter.n_clusters)
"""


@contextmanager
def python_window(
    display: VirtualDisplay, program: str, *arguments: str, title: str = "livekm - demo", **env: str
) -> Iterator[Program]:
    """Run a Python program that opens a window, on the demo if no other title is given."""
    process = forked.Popen(
        [sys.executable, "-c", program, *arguments],
        env=display.environment(**env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Program(display, process, display.wait_for_window(title, process))
    finally:
        process.kill()
        process.communicate()


@requires_xvfb
def test_no_key_is_lost_while_a_frame_takes_long(display):
    with python_window(display, SLOW) as program:
        program.wait_for_picture()
        time.sleep(2)  # in which the window has its hands full: it appears, kernels are loaded
        keys = [*["plus"] * 5, "minus", "plus", "q"]
        display.press(program.window, *keys, every_ms=80)  # a fast typist's
        assert program.end() == (0, "8\n", "")


PACED = """
import sys, time
from livekm import Segmenter, live, open_source

class Slow(Segmenter):
    def update(self, image, mask=None):
        time.sleep(0.08 * image.shape[1] ** 2 / 640**2)  # twice a period of 25 a second
        return super().update(image, mask)

widths = []
with open_source("demo", width=640, height=360) as source:
    live.run(source, Slow(3), target_fps=25, scale=float(sys.argv[2]) if sys.argv[2:] else None,
             should_stop=lambda: len(widths) == int(sys.argv[1]),
             on_frame=lambda frame, _: widths.append(frame.image.shape[1]))
print(widths[0], *sorted(set(widths[-10:])))
"""


@pytest.mark.timed
@requires_xvfb
def test_the_scale_goes_down_to_hold_the_rate_and_stays_there(display):
    with python_window(display, PACED, "32") as program:
        code, out, err = program.end()
        first, *last = map(int, out.split())
        assert (code, err, first) == (0, "", 640)
        assert last in ([320], [240])  # a busy machine may not hold it at a half


@requires_xvfb
def test_a_fixed_scale_stays(display):
    with python_window(display, PACED, "16", "1.0") as program:
        assert program.end() == (0, "640 640\n", "")


@requires_xvfb
@pytest.mark.parametrize("place", ["segmenter", "on_frame", "recorder"])
def test_an_error_in_any_thread_ends_the_program_with_it(place, display, tmp_path):
    program = """
import sys
from livekm import Segmenter, live, open_source

place, folder = sys.argv[1:]
n_frames = 0

def fail(*arguments):
    global n_frames
    n_frames += 1
    return 1 // (n_frames < 5)

class Failing(Segmenter):
    def update(self, image, mask=None):
        fail()
        return super().update(image, mask)

with open_source("demo", width=320, height=240) as source:
    live.run(
        source,
        (Failing if place == "segmenter" else Segmenter)(3),
        on_frame=fail if place == "on_frame" else None,
        folder=folder,
    )
"""
    with python_window(display, program, place, str(tmp_path / "none")) as window:
        if place == "recorder":
            window.wait_for_picture()
            window.press("w")
        code, _, err = window.end()
    assert code == 1
    error = "SinkError: cannot write" if place == "recorder" else "ZeroDivisionError"
    assert error in err.splitlines()[-1]


@pytest.mark.timed
@requires_xvfb
def test_the_window_keeps_its_size_whatever_the_scale_and_its_text_stays_legible(livekm, tmp_path):
    cv2.imwrite(str(tmp_path / "photo.png"), patches())

    def line_height() -> int:
        """The height of the first line of text: rows with nearly white in them."""
        rows = np.flatnonzero((program.screenshot()[:60, :200] > 225).all(axis=2).any(axis=1))
        return int(np.ptp(rows)) + 1 if rows.size else 0

    with livekm("photo.png", title="livekm - photo.png") as program:
        wait_until(lambda: program.width() == 2 * WIDTH and WHITE in program.colors())
        program.press("bracketleft", "bracketleft")
        for width in (480, 1200):
            program.display.resize(program.window, width, width * 3 // 4)
            wait_until(lambda: 8 <= line_height() <= 30)
            time.sleep(0.3)
            assert 8 <= line_height() <= 30
            assert program.width() == width
        program.display.resize(program.window, 960, 720)
        program.hide_hud()
        program.wait_for_colors(8)  # pixel by pixel: nothing is mixed
        program.press("q")
        assert program.end()[0] == 0


@pytest.mark.timed
@requires_xvfb
def test_full_screen_fills_the_screen_with_black_borders_whatever_is_shown(livekm, tmp_path):
    cv2.imwrite(str(tmp_path / "photo.png"), patches())
    with (
        virtual_display() as display,
        window_manager(display),
        livekm("photo.png", title="livekm - photo.png", display=display) as program,
    ):

        def fills_the_screen(width: int) -> bool:
            """Whether the picture, of a width, is all that is seen."""
            bright = display.screenshot()[450].any(axis=1)  # the pointer is in a corner
            return bright.sum() == width and program.width() == 1600

        program.wait_for_picture()
        time.sleep(1)  # a key that comes while the window does is lost
        display.press(program.window, "h", "h", "f", every_ms=200)
        wait_until(lambda: fills_the_screen(1200))  # 4:3, 900 rows
        program.press("d")  # side by side, 8:3
        wait_until(lambda: fills_the_screen(1600))
        display.click(program.window, 900, 500)
        wait_until(lambda: np.ptp(display.screenshot()[500, 700]) == 0)  # grey on both sides
        display.press(program.window, "a", "g", every_ms=200)
        wait_until(lambda: fills_the_screen(1200))
        program.press("f")
        wait_until(lambda: program.width() == 2 * WIDTH)
        program.press("q")
        assert program.end()[0] == 0


# The session behind the window


def session_of(tmp_path: Path, **options: object) -> Session:
    segmenter = Segmenter(3, random_state=0, **options)
    session = Session(segmenter, "segments", 1.0, tmp_path, key_groups())
    session.processing.take(Frame(patches(), 0, 0.0))
    return session


def press_all(session: Session, keys: str) -> None:
    for key in keys:
        do(session, COMMAND_OF[key])


def picture(session: Session, *, with_note: bool = False) -> np.ndarray:
    """What a front shows that leaves the size to the session."""
    if not with_note:
        session.hud.hide_note()
    look = session.look()
    width, height = look.wanted_size
    return session.draw(look, (width, height + session.rows_below))


def point(session: Session, kind: PointerKind, x: int, y: int, steps: int = 0) -> None:
    """Let a pointer do something, and leave."""
    pointer = Pointer(session)
    pointer.obey(PointerEvent(kind, x, y, steps))
    pointer.obey(PointerEvent("leave"))


def test_clusters_stay_between_1_and_256(tmp_path):
    session = session_of(tmp_path)
    press_all(session, "1---")
    assert session.segmenter.n_clusters == 1
    do(session, "clusters:256")
    press_all(session, "++")
    assert session.segmenter.n_clusters == 256


def test_fixed_colours_stay_whatever_is_pressed(tmp_path):
    session = session_of(tmp_path)
    colors = np.array([(0, 0, 0), (255, 255, 255)], np.uint8)
    session.segmenter.palette = colors
    for key in "+-5r1c":
        press_all(session, key)
        session.processing.take(Frame(patches(), 1, 0.1))
        picture(session)
        assert session.segmenter.n_clusters == 2
        np.testing.assert_array_equal(session.segmenter.palette, colors)


def test_re_seeding_starts_the_colours_anew(tmp_path):
    starts = []

    def seeding(points, k, rng):
        starts.append(k)
        return points[:: len(points) // k][:k]

    session = session_of(tmp_path, seeding=seeding)
    first = len(starts)
    session.processing.take(Frame(patches(8), 1, 0.1))
    assert len(starts) == first
    press_all(session, "r")
    session.processing.take(Frame(patches(16), 2, 0.2))
    assert len(starts) == 2 * first


def test_colour_spaces_come_round(tmp_path):
    session = session_of(tmp_path)
    seen = []
    for _ in range(3):
        press_all(session, "c")
        seen.append(session.segmenter.color_space)
    assert seen == ["lab", "hsv", "bgr"]


def test_a_held_picture_stands_still_until_a_key_changes_it(tmp_path):
    session = session_of(tmp_path)
    press_all(session, "hh5 ")
    held = picture(session)
    for _ in range(5):
        session.processing.settle()
        assert np.array_equal(picture(session), held)
    press_all(session, "9")
    session.processing.settle()
    assert len(np.unique(picture(session).reshape(-1, 3), axis=0)) == 9


def test_a_snapshot_that_cannot_be_written_does_not_end_the_session(tmp_path):
    session = session_of(tmp_path / "no" / "such")
    before = picture(session)
    press_all(session, "s")
    assert session.is_running
    assert session.hud.note.startswith("snapshot failed: ")
    assert not np.array_equal(picture(session, with_note=True), before)


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("nope", "command must be one of clusters, .*, got 'nope'"),
        ("view:nope", "view must be one of segments, .*, got 'nope'"),
        ("clusters:many", "many"),
    ],
)
def test_a_command_that_there_is_not_is_refused(command, why, tmp_path):
    with pytest.raises(ValueError, match=why):
        do(session_of(tmp_path), command)


def test_a_session_needs_no_window_and_no_keys(tmp_path):
    with Session(Segmenter(2, random_state=0), "original", 0.5, tmp_path, {}) as session:
        assert session.look() is None  # before the first frame
        session.processing.take(Frame(patches(), 0, 0.0))
        for command in ("view:mask", "clusters:+1", "select:0", "hud:hidden", "quit"):
            do(session, command)
        session.processing.settle()
        image = session.draw(session.look(), (90, 30))
    assert image.shape == (30, 90, 3)
    assert {0, 255} <= set(np.unique(image[:, 25:65]))
    assert not image[:, :25].any()  # a border
    assert not session.is_running


def shown_colors(session: Session) -> set[tuple[int, ...]]:
    return {tuple(color) for color in picture(session).reshape(-1, 3).tolist()}


def test_chosen_segments_stay_chosen_and_the_rest_is_pale(tmp_path):
    session = session_of(tmp_path)
    press_all(session, "hh")
    whole = picture(session)

    def colorful() -> np.ndarray:
        """The part of the picture that is not grey, where the original is not."""
        return np.ptp(picture(session), axis=2) > 20

    everything = colorful()
    point(session, "press", 3, 3)
    label = session.processing.segmentation.labels[1, 1]
    isolated = colorful()
    assert isolated[3, 3]
    assert 0 < isolated.sum() < 0.7 * everything.sum()
    session.processing.take(Frame(patches(8), 1, 0.1))
    assert session.settings.chosen == {label}
    assert colorful()[3, 3]
    point(session, "drop", 3, 3)
    session.processing.take(Frame(patches(), 2, 0.2))
    assert np.array_equal(picture(session), whole)
    point(session, "press", 3, 3)
    press_all(session, "a")
    assert np.array_equal(picture(session), whole)


@pytest.mark.parametrize("key", sorted(set(COMMAND_OF) - set("hH?/qQ\x1b")))
def test_every_action_flashes_a_note_also_when_the_hud_is_hidden(key, tmp_path):
    session = session_of(tmp_path)
    press_all(session, "hh")
    assert not session.hud.note
    press_all(session, key)
    assert session.hud.note
    session.close()


def test_notes_tell_what_came_of_an_action(tmp_path):
    session = session_of(tmp_path)
    for key, note in [
        ("9", "k 9"),
        ("+", "k 10"),
        (";", "; does nothing, ? for the keys"),
        ("o", "overlay"),
        (" ", "paused"),
        ("]", "scale 1.5"),
    ]:
        press(session, key)
        assert session.hud.note == note
    press_all(session, "1-")
    assert session.hud.note == "k is 1 to 256"
    session.processing.settle()
    (identity,) = session.processing.segmentation.ids
    do(session, f"select:{identity}")
    assert re.fullmatch(rf"{identity} · #[0-9a-f]{{6}} · 100 %", session.hud.note)
    do(session, f"select:{identity}")
    assert session.hud.note == "all segments"
    press_all(session, "s")
    saved = r"saved livekm-1\.png, -frame\.png, -labels\.png in "
    assert re.fullmatch(saved + re.escape(str(tmp_path)), session.hud.note)


def test_the_hud_has_one_line_all_of_them_or_none(tmp_path, monkeypatch):
    session = session_of(tmp_path)
    drawn = []
    monkeypatch.setattr(hud, "draw_table", lambda image, rows, *_: drawn.append(list(rows)))
    for _ in range(3):
        picture(session)
        press_all(session, "h")
    line, lines = drawn
    assert line == [("k 3   segments",)]
    assert len(lines) == 2  # and the stages' times
    assert lines[0] == ("k 3   segments   bgr   scale 1",)
    assert session.settings.hud == "line"


def test_a_paused_picture_says_so_and_not_how_fast_it_is(tmp_path):
    settings = LiveSettings("mask", is_paused=True, chosen_segments={0})
    segmenter = Segmenter(1, random_state=0)
    segmentation = segmenter.update(np.full((2, 2, 3), (3, 2, 1), np.uint8))
    status = Status(settings, segmenter, StageTimer())
    assert status.lines(segmentation, ["age 9 ms"]) == ["paused   k 1   mask   0 · #010203 · 100 %"]
    assert status.lines(None, []) == ["paused   k 1   mask", "starting, a few seconds"]
    named = replace(segmentation, names=("sky",))
    assert describe(0, named) == "0 sky · #010203 · 100 %"


def test_what_is_isolated_is_followed_and_what_is_gone_or_back_is_said(tmp_path):
    scene = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    scene[:] = np.array([(20, 30, 200), (40, 180, 60), (220, 210, 30)])[
        np.arange(WIDTH) * 3 // WIDTH
    ]
    session = session_of(tmp_path)
    session.segmenter.reset()
    session.processing.take(Frame(scene, 0, 0.0))
    picture(session)
    point(session, "press", 3, 3)
    (chosen,) = session.settings.chosen
    for key in "+ccc-r":
        press_all(session, key)
        session.processing.take(Frame(scene, 1, 0.1))
        assert session.settings.chosen == {chosen}, key
        assert chosen in session.processing.segmentation.ids, key
    before = picture(session)
    said: list[str] = []
    session.hud.say = said.append
    session.processing.take(Frame(255 - scene // 2, 2, 0.2))
    assert picture(session)[40:-60].min() > 120  # all of it is pale
    assert said == [f"{chosen} is gone"]
    session.processing.take(Frame(scene, 3, 0.3))
    np.testing.assert_array_equal(picture(session)[40:-60], before[40:-60])
    assert said == [f"{chosen} is gone", f"{chosen} is back"]


def test_what_is_isolated_and_merged_is_followed_into_the_segment_that_took_it(tmp_path):
    session = session_of(tmp_path)
    do(session, "clusters:12")
    session.processing.take(Frame(patches(), 1, 0.1))
    session.settings.chosen = set(session.segmenter.ids.tolist())
    do(session, "clusters:2")
    session.processing.take(Frame(patches(), 2, 0.2))
    assert session.settings.chosen == set(session.processing.segmentation.ids.tolist())


def test_a_locked_palette_keeps_its_colours_and_each_pixel_has_the_nearest(tmp_path):
    session = session_of(tmp_path, hysteresis=0.0)
    press_all(session, "hh")
    before = shown_colors(session)
    press_all(session, "y")
    darker = patches() // 2
    session.processing.take(Frame(darker, 1, 0.1))
    assert shown_colors(session) <= before
    found = session.processing.segmentation
    distances = np.linalg.norm(darker[:, :, None].astype(float) - found.palette, axis=3)
    np.testing.assert_array_equal(found.labels, distances.argmin(axis=2))
    press_all(session, "r5")  # say why not
    session.processing.take(Frame(darker, 2, 0.2))
    assert shown_colors(session) <= before
    press_all(session, "y")
    session.processing.take(Frame(darker, 3, 0.3))
    assert not shown_colors(session) & before


def test_a_palette_is_not_locked_where_places_count(tmp_path):
    session = session_of(tmp_path, spatial_weight=1.0)
    press_all(session, "y")
    assert session.segmenter.palette is None


def test_a_single_step_asks_for_one_frame(tmp_path):
    session = session_of(tmp_path)
    assert session.settings.wants_frame
    press_all(session, "n")
    assert session.settings.is_paused
    assert session.settings.wants_frame
    session.processing.take(Frame(patches(8), 1, 0.1))
    assert not session.settings.wants_frame


def test_scale_and_hysteresis_go_by_steps(tmp_path):
    session = session_of(tmp_path)
    press_all(session, "[[>")
    assert (session.settings.current_scale, session.segmenter.hysteresis) == (0.5, 4.0)
    press_all(session, "]<<<<<<")
    assert (session.settings.current_scale, session.segmenter.hysteresis) == (0.75, 0.0)
    session.processing.take(Frame(patches(), 1, 0.1))
    assert session.processing.frame.image.shape == (0.75 * HEIGHT, 0.75 * WIDTH, 3)


@pytest.mark.parametrize(("key", "name"), list(zip("gobedjki", VIEWS, strict=True)))
def test_every_view_has_a_key(key, name, tmp_path):
    session = session_of(tmp_path)
    press_all(session, key + "hh")
    session.processing.settle()  # as the loop does
    frame, image = session.processing.frame, picture(session)
    found = session.segmenter.update(frame.image)
    if name == "regions":
        found = with_regions(frame, found, RegionSegmenter())
    found = in_size(found, (2 * WIDTH, 2 * HEIGHT))
    large = Frame(frame.image.repeat(2, axis=0).repeat(2, axis=1), 0, 0.0)
    expected = as_image(VIEWS[name](large, found))
    if name == "side-by-side":
        expected[:, 2 * WIDTH - 1 : 2 * WIDTH + 1] = 255
    np.testing.assert_array_equal(image, expected)


def test_a_snapshot_has_the_frame_and_the_labels_and_overwrites_nothing(tmp_path):
    session = session_of(tmp_path)
    (tmp_path / "livekm-1-labels.png").write_text("mine")
    press_all(session, "s")
    assert (tmp_path / "livekm-1-labels.png").read_text() == "mine"
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [
        "livekm-1-labels.png",
        "livekm-2-frame.png",
        "livekm-2-labels.png",
        "livekm-2.png",
    ]
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "livekm-2-frame.png")), patches())
    painted = session.segmenter.update(patches()).paint()
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "livekm-2-labels.png")), painted)


# The automatic scale


def settle(pace: AutoScale, seconds_at_full_size: float, n_frames: int) -> list[float]:
    scales = []
    for _ in range(n_frames):
        pace.note(seconds_at_full_size * pace.scale**2)
        scales.append(pace.scale)
    return scales


def test_the_scale_goes_down_as_far_as_needed_and_up_again_when_it_can():
    pace = AutoScale(fps=25)
    assert settle(pace, 0.02, 100)[-1] == 1.0
    assert settle(pace, 0.06, 100)[-1] == 0.75
    assert settle(pace, 0.20, 100)[-1] == 0.375
    assert settle(pace, 0.02, 300)[-1] == 1.0


@pytest.mark.parametrize("seconds", [0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.3])
def test_the_scale_does_not_swing(seconds):
    scales = settle(AutoScale(fps=25), seconds, 1000)
    assert len(set(scales[100:])) == 1


def test_without_a_rate_the_scale_stays():
    assert settle(AutoScale(None), 10.0, 100)[-1] == 1.0


# The recorder


def test_a_recording_is_one_file_whatever_the_size(tmp_path):
    (tmp_path / "livekm-1.mp4").write_text("mine")
    with Recorder(tmp_path) as recorder:
        recorder.write(patches())  # not yet
        recorder.start()
        for size in (HEIGHT, HEIGHT, HEIGHT // 2):
            recorder.write(np.full((size, WIDTH, 3), 200, np.uint8))
            time.sleep(0.05)
    assert [path.name for path in recorder.paths] == ["livekm-2.mp4"]
    assert (tmp_path / "livekm-1.mp4").read_text() == "mine"
    with open_source(recorder.paths[0]) as clip:
        first, _, last = [frame.image for frame in clip]
    assert first.shape == last.shape == (HEIGHT, WIDTH, 3)
    assert first.min() > 190
    assert last[HEIGHT // 4 + 4 : -HEIGHT // 4 - 4].min() > 190  # between black borders
    assert last[: HEIGHT // 4 - 4].max() < 10


@pytest.mark.parametrize("key", "wx")
def test_a_recording_has_the_hud_only_where_it_is_asked_for(key, tmp_path):
    session = session_of(tmp_path)
    shown = picture(session)
    press_all(session, key)
    for index in range(3):
        session.processing.take(Frame(patches(), index, index / 10))
        do(session, "scale:-1")  # the size stays, or there would be several files
        shown = picture(session)
        time.sleep(0.02)
    session.close()
    (path,) = session.saving.recorder.paths
    with open_source(path) as clip:
        image = next(iter(clip)).image
    expected = shown.shape if key == "x" else patches().shape
    assert image.shape == expected
    has_text = image[: expected[0] // 6, : expected[1] // 4].max() > 200
    assert has_text == (key == "x")
    assert not (image[:30, -60:] == (0, 0, 230)).all(axis=2).any()


def test_a_recording_that_cannot_be_written_says_so(tmp_path):
    recorder = Recorder(tmp_path / "no" / "such")
    recorder.start()
    recorder.write(patches())
    with pytest.raises(SinkError, match="cannot write"):
        recorder.stop()
    assert not recorder.is_recording


# The table of keys


def test_every_key_has_one_meaning():
    characters = [c for binding in KEY_BINDINGS for keys in binding.commands for c in keys]
    assert len(characters) == len(set(characters)) == len(COMMAND_OF)
    assert len({label for label, _ in key_table()}) == len(KEY_BINDINGS)
    for binding in KEY_BINDINGS:
        assert binding.label
        assert binding.meaning
        assert binding.group


def test_a_letter_means_the_same_with_shift():
    """OpenCV's Qt window reports either as lower case."""
    for key, command in COMMAND_OF.items():
        assert COMMAND_OF[key.swapcase()] == command


@pytest.mark.parametrize("key", COMMAND_OF)
def test_every_key_has_a_command_that_a_session_obeys(key, tmp_path):
    session = session_of(tmp_path)
    press_all(session, key)
    session.close()


def test_every_command_has_a_key():
    """But that which follows the mouse."""
    named = {command.partition(":")[0] for command in COMMAND_OF.values()}
    assert named == set(COMMANDS) - {"wipe"}


def test_the_page_about_the_window_has_the_table_of_keys():
    page = (Path(__file__).parents[1] / "docs" / "window.md").read_text(encoding="utf-8")
    table = page.split("<!-- keys -->\n")[1].split("<!-- /keys -->")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", table, re.MULTILINE)
    _, rule, *keys = rows
    assert set("".join(rule)) == {"-"}
    assert keys == key_table()
