"""The command line: what goes in, what comes out, exit codes, and what is printed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from importlib import metadata
from pathlib import Path

import av
import cv2
import forked
import numpy as np
import pytest
import virtual_camera
from clips import flat_image, make_clip, make_sound, track
from conftest import COMMAND, ignoring, without_display
from PIL import Image

from livekm.cli.again import command_line
from livekm.cli.checks import check
from livekm.cli.interrupt import interruption
from livekm.cli.options import Way
from livekm.cli.parser import parse
from livekm.cli.release import commit_of
from livekm.core.colorspace import COLOR_SPACES
from livekm.core.segmenter import Segmenter
from livekm.frame import Frame
from livekm.live.choice import Choice
from livekm.live.keys import key_table
from livekm.outputs.checks import as_image
from livekm.pipeline import with_regions
from livekm.regions import RegionSegmenter
from livekm.sources import ClipSource, DemoSource
from livekm.views import VIEWS

WIDTH, HEIGHT = 64, 48

linux_only = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="elsewhere windows are taken for granted"
)
posix_only = pytest.mark.skipif(os.name != "posix", reason="Windows has no signals to send")


def street(n_frames: int, width: int = WIDTH, height: int = HEIGHT) -> list[np.ndarray]:
    with DemoSource(width, height, n_frames=n_frames) as source:
        return [frame.image for frame in source]


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def run_process(*arguments: object, cwd: Path, **environment: str) -> tuple[int, str, str]:
    """Run the command as a program without a display; give exit code, stdout and stderr."""
    done = forked.run([*COMMAND, *arguments], cwd=cwd, env={**without_display(), **environment})
    return done.returncode, done.stdout, done.stderr


def assert_one_line(error: str, *parts: str) -> None:
    """Assert that `error` is one line of livekm's, and holds `parts`."""
    assert re.fullmatch(r"livekm: [^\n]+\n", error)
    for part in parts:
        assert part in error


@pytest.fixture(scope="module")
def originals(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("originals")
    make_clip(folder / "in.mp4", fps=Fraction(30000, 1001), images=street(12))
    cv2.imwrite(str(folder / "photo.png"), street(1, 96, 72)[0])
    return folder


@pytest.fixture
def clip(originals, tmp_path) -> Path:
    return Path(shutil.copy(originals / "in.mp4", tmp_path))


@pytest.fixture
def photo(originals, tmp_path) -> Path:
    return Path(shutil.copy(originals / "photo.png", tmp_path))


# Clips


def assert_same_frames_painted(clip: Path, output: Path, k: int) -> int:
    """Compare an output with what its input must become; give the number of frames."""
    segmenter = Segmenter(k, random_state=0)
    count = 0
    with (
        ClipSource(clip) as source,
        av.open(str(clip)) as before,
        av.open(str(output)) as after,
    ):
        stream = after.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.average_rate == before.streams.video[0].average_rate
        times = (frame.time for frame in before.decode(video=0))
        for given, time, written in zip(source, times, after.decode(stream), strict=True):
            assert written.time == time
            painted = segmenter.update(given.image).paint()
            difference = cv2.absdiff(written.to_ndarray(format="bgr24"), painted)
            assert np.median(difference.reshape(-1, 3), axis=0).max() <= 4
            count += 1
    return count


def test_a_clip_keeps_its_frames_and_times_and_gets_the_colours_of_its_palette(run_cli, tmp_path):
    size = {"width": 320, "height": 180}
    rate = Fraction(30000, 1001)
    clip = make_clip(tmp_path / "in.mp4", fps=rate, images=street(12, **size), **size)
    code, out, _ = run_cli(clip, "-o", "out.mp4", "-k", "5")
    assert (code, out) == (0, "out.mp4: 12 frames\n")
    assert assert_same_frames_painted(clip, Path("out.mp4"), k=5) == 12
    assert listing(clip.parent) == ["in.mp4", "out.mp4"]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_a_clip_of_varying_rate_keeps_the_time_of_each_frame(suffix, run_cli, tmp_path):
    times = [Fraction(n, 1000) for n in (0, 40, 200, 210, 500, 1750, 1800)]
    clip = make_clip(tmp_path / "in.mp4", times=times, b_frames=2, audio=True)
    assert run_cli(clip, "-o", f"out{suffix}", "-k", "2", "-q") == (0, "", "")
    with av.open(f"out{suffix}") as written:
        stream = written.streams.video[0]
        found = [frame.pts * stream.time_base for frame in written.decode(stream)]
    assert found == times


def test_a_dashcam_clip_keeps_its_frames_times_colours_and_sound(real_clip, run_cli, tmp_path):
    code, _, _ = run_cli(real_clip, "-o", "out.mp4", "-k", "8")
    assert code == 0
    assert assert_same_frames_painted(real_clip, tmp_path / "out.mp4", k=8) == 221
    with av.open("out.mp4") as written:
        assert written.streams.video[0].average_rate == 25
    assert track(tmp_path / "out.mp4", "audio") == track(real_clip, "audio")


def test_quiet_means_that_nothing_is_printed(clip, run_cli):
    assert run_cli(clip, "-o", "out.mp4", "-q") == (0, "", "")


def test_a_clip_can_be_scaled_and_cut(clip, run_cli):
    assert run_cli(clip, "-o", "out.mkv", "--scale", "0.5", "--frames", "4")[0] == 0
    with av.open("out.mkv") as written:
        shapes = [frame.to_ndarray(format="bgr24").shape for frame in written.decode(video=0)]
    assert shapes == [(HEIGHT // 2, WIDTH // 2, 3)] * 4


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_can_be_written(name, photo, run_cli):
    assert run_cli(photo, "-o", "out.png", "--view", name, "-k", "3")[0] == 0
    image = cv2.imread(str(photo))
    segmentation = Segmenter(3, random_state=0).fit(image)
    frame = Frame(image, 0, 0.0)
    if name == "regions":
        segmentation = with_regions(frame, segmentation, RegionSegmenter())
    expected = as_image(VIEWS[name](frame, segmentation))
    assert np.array_equal(cv2.imread("out.png"), expected)


@pytest.mark.parametrize("space", COLOR_SPACES)
def test_every_colour_space_can_be_chosen(space, photo, run_cli):
    assert run_cli(photo, "-o", "out.png", "--color-space", space)[0] == 0
    expected = Segmenter(8, random_state=0, color_space=space).fit(cv2.imread(str(photo)))
    assert np.array_equal(cv2.imread("out.png"), expected.paint())


def test_the_first_frame_of_a_clip_can_be_an_image(clip, run_cli):
    assert run_cli(clip, "-o", "out.png", "--frames", "1")[0] == 0
    assert cv2.imread("out.png").shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("name", ["night", "night/*.png", "night/img%02d.png"])
def test_images_in_a_row_are_a_clip(name, run_cli, tmp_path):
    (tmp_path / "night").mkdir()
    for index in range(12):
        cv2.imwrite(str(tmp_path / f"night/img{index:02}.png"), flat_image(index, WIDTH, HEIGHT))
    assert run_cli(name, "-o", "out.mp4", "--fps", "10", "-q") == (0, "", "")
    with av.open("out.mp4") as written:
        levels = [np.median(f.to_ndarray(format="bgr24")) for f in written.decode(video=0)]
        assert written.streams.video[0].average_rate == 10
    assert np.allclose(levels, [np.median(flat_image(i, 1, 1)) for i in range(12)], atol=4)


# Still images


def test_an_image_is_segmented_by_k_means_run_to_convergence(photo, run_cli):
    expected = Segmenter(6, random_state=0).fit(cv2.imread(str(photo)))
    code, out, err = run_cli(photo, "-o", "out.png", "-k", "6")
    assert (code, out, err) == (0, f"out.png: 6 segments, mse {expected.mse:.4g}\n", "")
    assert np.array_equal(cv2.imread("out.png"), expected.paint())


def test_labels_and_figures_of_an_image(photo, run_cli):
    expected = Segmenter(4, random_state=0).fit(cv2.imread(str(photo)))
    code, out, err = run_cli(photo, "--labels", "l.png", "--figure", "f.png", "-k", "4")
    assert (code, err) == (0, "")
    assert out.startswith("l.png, f.png: 4 segments")
    with Image.open("l.png") as labels:
        assert np.array_equal(np.asarray(labels), expected.labels)
        colors = np.array(labels.getpalette()).reshape(-1, 3)[:4, ::-1]
    assert np.array_equal(colors, expected.palette)
    page = cv2.imread("f.png")
    for color in expected.palette:
        assert (page == color).all(axis=2).any()
    assert listing(photo.parent) == ["f.png", "l.png", "photo.png"]


def test_a_figure_can_be_a_pdf(photo, run_cli):
    assert run_cli(photo, "--figure", "f.pdf")[0] == 0
    content = Path("f.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    # Original, segments and eight masks.
    assert content.count(b"/Subtype /Image") == 10


def test_an_image_of_fewer_colours_than_k_says_so(run_cli, tmp_path):
    cv2.imwrite(str(tmp_path / "flat.png"), flat_image(3, 8, 8))
    _, out, _ = run_cli("flat.png", "-o", "out.png")
    assert out == "out.png: 1 segments, the image has no more colours, mse 0\n"


# Without a display


@linux_only
def test_the_demo_writes_a_clip_of_its_own_and_says_so_again_and_again(run_cli, tmp_path):
    small = ("--demo", "--size", "32x24", "-k1")
    code, out, _ = run_cli(*small)
    assert code == 0
    assert out.splitlines() == [
        "no display for the window: writing livekm-demo.mp4",
        "livekm-demo.mp4: 300 frames",
    ]
    assert run_cli(*small, "--frames", 3, "-q") == (0, "", "")
    with av.open("livekm-demo.mp4") as written:
        assert sum(1 for _ in written.decode(video=0)) == 3
    assert listing(tmp_path) == ["livekm-demo.mp4"]


@linux_only
@pytest.mark.parametrize("display", [{}, {"DISPLAY": ":987"}], ids=["none", "dead"])
def test_what_needs_a_window_says_what_to_add(display, clip):
    code, out, err = run_process(clip, cwd=clip.parent, **display)
    assert (code, out) == (1, "")
    assert_one_line(err, "no display", "-o FILE")


# Failures: one line, exit code 1, nothing left behind


def failing_inputs() -> dict[str, str]:
    return {
        "missing.mp4": "no such file",
        "missing.jpg": "no such file",
        "empty.mp4": "empty",
        "text.mp4": "not a video",
        "text.png": "",
        "sound.mp4": "only sound",
        "nothing*.png": "no image file there",
        "folder": "no image file there",
        f"{'x' * 300}.mp4": "File name too long; check its name",
    }


@pytest.mark.parametrize("name", failing_inputs())
def test_an_input_that_cannot_be_read_is_one_line(name, run_cli, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.mp4").touch()
    for text in ("text.mp4", "text.png"):
        (tmp_path / text).write_text("This is not what its name says. " * 100)
    make_sound(tmp_path / "sound.mp4")
    before = listing(tmp_path)
    code, out, err = run_cli(name, "-o", "out.png", "--frames", "1")
    assert (code, out) == (1, "")
    assert_one_line(err, name, failing_inputs()[name])
    assert listing(tmp_path) == before


def test_neither_opencv_nor_ffmpeg_nor_python_add_to_the_line(tmp_path):
    (tmp_path / "text.mp4").write_text("This is not what its name says. " * 100)
    code, out, err = run_process("text.mp4", "-o", "out.mp4", cwd=tmp_path)
    assert (code, out) == (1, "")
    assert_one_line(err, "text.mp4: not a video that can be read")
    assert listing(tmp_path) == ["text.mp4"]


@pytest.mark.parametrize(
    "arguments", [("missing.mp4", "-o", "out.mp4"), ("--demo", "-o", "out.wmv")]
)
def test_verbose_shows_the_traceback_and_ends_the_same_way(arguments, run_cli):
    code, _, err = run_cli(*arguments)
    verbose_code, _, verbose_err = run_cli(*arguments, "-v")
    assert verbose_code == code
    assert verbose_err.startswith("Traceback")
    assert verbose_err.endswith(err)


@pytest.mark.parametrize("mode", ["absent", "busy"])
def test_a_camera_that_cannot_be_read_is_one_line(mode, camera_library, tmp_path):
    environment = virtual_camera.environment(camera_library, mode=mode)
    code, out, err = run_process("--camera", 0, "-o", "out.mp4", cwd=tmp_path, **environment)
    assert (code, out) == (1, "")
    assert_one_line(err, "cannot read camera 0", mode if mode == "busy" else "does not exist")
    assert listing(tmp_path) == []


def test_a_camera_can_be_recorded(camera_library, tmp_path):
    frames = virtual_camera.write_frames(tmp_path / "frames.yuyv", street(5))
    environment = virtual_camera.environment(camera_library, frames, size=(WIDTH, HEIGHT), fps=50)
    arguments = ("--camera", 0, "-o", "out.mp4", "--frames", 8, "-q")
    assert run_process(*arguments, cwd=tmp_path, **environment) == (0, "", "")
    with av.open(str(tmp_path / "out.mp4")) as written:
        times = [frame.time for frame in written.decode(video=0)]
    assert len(times) == 8
    assert times[0] == 0
    assert times == sorted(set(times))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("in.mp4", "-o", "no/such/out.mp4"), "there is no folder"),
        (("photo.png", "--labels", "no/l.png"), "there is no folder"),
        (("photo.png", "--figure", "no/f.png"), "there is no folder"),
        (("in.mp4", "--benchmark", "--json", "no/b.json"), "there is no folder"),
        (("in.mp4", "--stats", "no/s.csv"), "there is no folder"),
        (("in.mp4", "-o", "out.mp4", "--stats", "old.csv"), "old.csv exists; add --overwrite"),
        (
            ("in.mp4", "-o", "out.mp4", "--start", "9", "-q"),
            "no frame from 9 s on; its last one is at",
        ),
        (("in.mp4", "-o", "folder.mp4"), "is a folder"),
        (("in.mp4", "-o", "in.mp4", "--overwrite"), "is the input itself"),
        (("photo.png", "-o", "photo.png", "--overwrite"), "is the input itself"),
        (("photo.png", "-o", "out.png", "--labels", "photo.png", "--overwrite"), "input itself"),
        (("in.mp4", "-o", "old.mp4"), "old.mp4 exists; add --overwrite"),
        (("photo.png", "-o", "old.png"), "old.png exists; add --overwrite"),
        (("photo.png", "-o", "new.png", "--labels", "old.png"), "old.png exists"),
        (("photo.png", "-o", "new.png", "--figure", "old.png"), "old.png exists"),
        (("in.mp4", "--benchmark", "--json", "old.json"), "old.json exists"),
    ],
)
def test_an_output_that_cannot_be_written_is_one_line(
    arguments, problem, clip, photo, run_cli, tmp_path
):
    (tmp_path / "folder.mp4").mkdir()
    for name in ("old.mp4", "old.png", "old.json", "old.csv"):
        (tmp_path / name).write_text("before")
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    before = listing(tmp_path), [path.read_bytes() for path in files]
    code, out, err = run_cli(*arguments)
    assert (code, out) == (1, "")
    assert_one_line(err, problem)
    assert (listing(tmp_path), [path.read_bytes() for path in files]) == before


needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


@needs_full
@pytest.mark.parametrize(
    ("gone", "code", "problem"),
    [(True, 0, ""), (False, 1, "livekm: cannot print to stdout: No space left on device\n")],
    ids=["closed-pipe", "full-disk"],
)
def test_what_cannot_be_printed_is_missed_or_one_line(gone, code, problem, photo, tmp_path):
    with Path("/dev/full").open("wb") as full:
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(
            [*COMMAND, str(photo), "-o", "out.png"],
            cwd=tmp_path,
            env=without_display(),
            stdout=writer if gone else full,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(writer)
    assert (done.returncode, done.stderr) == (code, problem)
    assert (tmp_path / "out.png").exists()


@needs_full
def test_a_benchmark_that_cannot_be_printed_has_failed(clip, run_cli, monkeypatch):
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        code, _, err = run_cli(clip, "--benchmark", "--frames", 2)
    assert code == 1
    assert_one_line(err, "cannot print to stdout: No space left on device")


@posix_only
@pytest.mark.parametrize(
    ("closed", "output"),
    [
        pytest.param("2>/dev/full", "out.mp4", marks=needs_full),
        (">&-", "out.mp4"),
        ("<&- >&- 2>&-", "out.mp4"),
        ("2>&-", "out/"),
    ],
)
def test_a_clip_is_written_where_nothing_can_be_printed(closed, output, clip, tmp_path):
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *COMMAND, clip, "-o", output],
        cwd=tmp_path,
        env=without_display(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert "livekm:" not in done.stderr
    assert bool(done.stdout) == closed.startswith("2>")
    with ClipSource(tmp_path / output.replace("/", "/in.mp4")) as written:
        assert sum(1 for _ in written) == 12


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere names are Unicode")
@pytest.mark.parametrize(("output", "stem"), [("out\udcff.mp4", "bad\udcff"), ("out\udcff/", "{}")])
def test_a_name_that_is_no_utf_8_is_a_name_as_any(output, stem, clip, run_cli, tmp_path):
    source = clip.rename(tmp_path / "bad\udcff.mp4")
    with ClipSource(source) as opened:
        assert (opened.info.name, opened.info.path) == ("bad\ufffd.mp4", str(source))
    is_one = output.endswith("mp4")  # what is written to a folder has a process of its own
    page = [f"--figure={stem}.svg"] if is_one else []
    code, out, err = run_cli(
        source.name, "-o", output, *page, f"--save-palette={stem}.gpl", f"--stats={stem}.csv"
    )
    assert code == 0, err
    assert "\\udcff" in out
    if is_one:
        assert "bad\ufffd.mp4" in (tmp_path / "bad\udcff.svg").read_text(encoding="utf-8")
    gpl = (tmp_path / "bad\udcff.gpl").read_text(encoding="utf-8")
    assert gpl.startswith("GIMP Palette\nName: bad\ufffd.mp4\n")
    assert (tmp_path / (output if is_one else output + source.name)).exists()
    # Its errors as well.
    code, out, err = run_process("no\udcff.mp4", "-o", output, cwd=tmp_path)
    assert (code, out) == (1, "")
    assert_one_line(err, "no\\udcff.mp4: no such file")


@posix_only
def test_wrong_usage_is_2_where_nothing_can_be_printed(tmp_path):
    command = ["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *COMMAND]
    assert subprocess.run(command, cwd=tmp_path, env=without_display()).returncode == 2


@pytest.mark.parametrize("name", ["old.mp4", "old.mkv"])
def test_an_output_that_exists_is_replaced_if_asked(name, clip, run_cli, tmp_path):
    (tmp_path / name).write_text("before")
    assert run_cli(clip, "-o", name, "--overwrite")[0] == 0
    with av.open(name) as written:
        assert sum(1 for _ in written.decode(video=0)) == 12


def test_a_folder_that_may_not_be_written_is_one_line(clip, run_cli, tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    if os.access(folder, os.W_OK):  # root may write anywhere but to where no file can be
        folder = Path("/proc")
        if not folder.is_dir():
            pytest.skip("this user may write everywhere")
    code, out, err = run_cli(clip, "-o", folder / "out.mp4")
    assert (code, out) == (1, "")
    assert_one_line(err, f"cannot write {folder / 'out.mp4'}", "choose another folder")


# Wrong usage: one line, exit code 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("--demo", "in.mp4"),
        ("in.mp4", "--camera", 0),
        ("in.mp4", "another.mp4"),
        ("in.mp4", "--nonsense"),
        *[("in.mp4", "-o", "out.mp4", "-k", k) for k in (0, -1, 300, "many", 2.5)],
        *[("in.mp4", "-o", "out.mp4", "--scale", scale) for scale in (0, -1, 5, "nan", "inf")],
        *[("in.mp4", "-o", "out.mp4", "--frames", n) for n in (0, -1, "all")],
        ("in.mp4", "-o", "out.mp4", "--view", "nonsense"),
        ("in.mp4", "-o", "out.mp4", "--color-space", "nonsense"),
        ("in.mp4", "-o", "out.mp4", "--hysteresis", -1),
        ("in.mp4", "-o", "out.mp4", "--spatial-weight", "nan"),
        ("in.mp4", "-o", "out.mp4", "--size", "640x480"),
        ("in.mp4", "-o", "out.mp4", "--fps", 10),
        ("in.mp4", "-o", "out.wmv"),
        ("in.mp4", "-o", "out"),
        ("in.mp4", "-o", "out.png"),
        ("in.mp4", "-o", "out.mp4", "--labels", "l.png"),
        ("in.mp4", "--figure", "f.xyz"),
        ("in.mp4", "-o", "out.mp4", "--benchmark"),
        ("in.mp4", "-o", "out.mp4", "--json", "b.json"),
        ("in.mp4", "-o", "out.mp4", "--stats", "table.txt"),
        ("in.mp4", "-o", "out.csv"),
        ("", "-o", "out"),
        ("in.mp4", "", "-o", "out"),
        ("in.mp4", "-o", ""),
        ("--camera", "", "-o", "out.mp4"),
        *[
            ("in.mp4", "-o", "out.mp4", f"--{option}", "")
            for option in ("labels", "figure", "stats", "regions", "save-palette", "palette")
        ],
        *[("in.mp4", "--benchmark", f"--{option}", "") for option in ("json", "plot")],
        *[("in.mp4", "-o", "out/", "--jobs", jobs) for jobs in ("", 0, -1, "two")],
        ("in.mp4", "--stats", "table.csv", "--benchmark"),
        *[("in.mp4", "-o", "out.mp4", "--start", t) for t in ("x", -1, "1:60", "1:2:3:4", "nan")],
        ("in.mp4", "-o", "out.mp4", "--start", 2, "--end", 2),
        ("in.mp4", "-o", "out.mp4", "--end", 0),
        ("photo.png", "-o", "out.png", "--start", 2),
        ("photo.png", "-o", "out.mp4"),
        ("photo.png", "--labels", "l.jpg"),
        ("photo.png", "-o", "out.png", "--figure", "f.xyz"),
        ("photo.png", "-o", "out.png", "--labels", "out.png"),
        ("--demo", "--size", "1x1", "-o", "out.mp4"),
        *[("--demo", "--size", n, "-o", "out.mp4") for n in ("", "640x", 0, -1, 10**9, "9" * 5000)],
        *[("--demo", "--fps", fps, "-o", "out.mp4") for fps in (0, -1, "1e-9", "1e99", "nan")],
        ("--demo", "--seed", -1, "-o", "out.mp4"),
    ],
    ids=lambda arguments: " ".join(map(str, arguments)) or "nothing",
)
def test_wrong_usage_is_one_line_and_leaves_nothing(arguments, clip, photo, run_cli, tmp_path):
    code, out, err = run_cli(*arguments)
    assert (code, out) == (2, "")
    assert_one_line(err)
    assert listing(tmp_path) == ["in.mp4", "photo.png"]


@pytest.mark.parametrize("arguments", [("", "-o", "out"), ("in.mp4", "-o", "")])
def test_an_empty_name_is_told_for_what_it_is(arguments, clip, run_cli):
    assert_one_line(run_cli(*arguments)[2], "the name is empty", "--help")


@pytest.mark.parametrize("more", [(), ("--overwrite",)])
@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("-o", "p/c.mkv", "--labels", "p/../p/c.mkv"), "two outputs have one place, p/"),
        (("-o", "p/c.mkv", "--labels", "link/c.mkv"), "two outputs have one place, p/"),
        (("--stats", "p/s.csv", "--regions", "./p/s.csv"), "one place, p/s.csv and ./p/s.csv;"),
        (("-o", "p/d/%06d.png", "--labels", "p/d"), "two outputs have one place, p/"),
        (("-o", "p/%06d.png", "--stats", "p/s.csv"), "p/s.csv would lie in p/%06d.png, whose"),
        (("-o", "p/%06d.png", "--labels", "link/l"), "link/l would lie in p/%06d.png, whose"),
        (("--labels", "p", "--stats", "p/s.csv"), "p/s.csv would lie in p, which is written as"),
        (("-o", "p/row/%d.png", "--labels", "p"), "p/row/%d.png would lie in p, which"),
        (("--benchmark", "--json", "p/b.svg", "--plot", "./p/b.svg"), "two outputs have one place"),
    ],
)
def test_no_output_may_take_the_place_of_another(arguments, problem, more, clip, run_cli, tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "p")
    code, out, err = run_cli(clip, *arguments, *more)
    assert (code, out) == (2, "")
    assert_one_line(err, problem)
    assert listing(tmp_path / "p") == []


def test_outputs_side_by_side_have_their_places(clip, run_cli, tmp_path):
    (tmp_path / "p").mkdir()
    files = ("--stats", "p/s.csv", "--labels", "p/l", "--figure", "p/%d.png")
    assert run_cli(clip, "-o", "p/row/%06d.png", *files, "-q") == (0, "", "")
    assert listing(tmp_path / "p") == ["%d.png", "l", "row", "s.csv"]


def test_the_process_itself_ends_with_2_and_one_line(tmp_path):
    command, env = [*COMMAND, "-q"], without_display()
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert_one_line(done.stderr, "name one source", "--help")


# Names that hold what moves a cursor, and errors that nobody foresaw

FORGED = "a\nlivekm: forged\x1b[2J\x9b.mp4"
SHOWN = r"a\nlivekm: forged\x1b[2J\x9b"


@posix_only
def test_control_characters_of_names_are_escaped(clip, run_cli, tmp_path):
    shutil.copy(clip, tmp_path / FORGED)
    code, out, err = run_cli(FORGED, "-o", "o.mp4", "--labels", "l.wrong", "-k2")
    assert (code, len(err.splitlines())) == (2, 1)
    code, _, err = run_cli(f"no{FORGED}", "-o", "o.mp4")
    assert (code, err) == (1, f"livekm: no{SHOWN}.mp4: no such file; check its name and folder\n")
    code, out, err = run_cli(FORGED, "-o", f"o{FORGED}", "-k2")
    assert (code, out, err) == (0, f"o{SHOWN}.mp4: 12 frames\n", "")
    code, out, err = run_cli(FORGED, "in.mp4", "-o", "out", "-k2")
    assert (code, len(out.splitlines()), err) == (0, 4, "")
    assert out.splitlines()[1].startswith(SHOWN)
    code, out, _ = run_cli(FORGED, "--benchmark", "--frames", "1")
    assert out.startswith(SHOWN)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (cv2.error("!buf.empty() in function\n'imdecode'\n"), "error: !buf.empty() in function"),
        (RuntimeError("can't start new thread"), "RuntimeError: can't start new thread; -v shows"),
        (RecursionError("maximum recursion depth"), "RecursionError: maximum recursion depth;"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"), "UnicodeDecodeError: 'utf-8' codec"),
        (av.error.InvalidDataError(1094995529, "Invalid data"), "InvalidDataError: "),
        (MemoryError(), "not enough memory; take a smaller --scale"),
        (AssertionError(), "AssertionError: no reason given; -v shows where"),
        (ValueError("x" * 10**6), "ValueError: xxx"),
    ],
    ids=lambda part: type(part).__name__,
)
def test_any_other_error_is_one_line_and_no_wrong_usage(error, said, run_cli, monkeypatch):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr("livekm.files.process_clip", fail)
    code, out, err = run_cli("--demo", "--size", "64x48", "-o", "out.mp4", "-q")
    assert (code, out) == (1, "")
    assert_one_line(err, said)
    assert len(err) < 400
    assert run_cli("--demo", "--size", "64x48", "-o", "out.mp4", "-q", "-v")[2].startswith(
        "Traceback (most recent call last):\n"
    )


def test_the_missing_file_is_told_before_the_missing_display(run_cli):
    code, _, err = run_cli("missing.mp4")
    assert code == 1
    assert_one_line(err, "missing.mp4: no such file")


def test_the_command_line_works_in_a_thread(clip, run_cli):
    codes = []
    thread = threading.Thread(target=lambda: codes.append(run_cli(clip, "-o", "o.mp4", "-q")))
    thread.start()
    thread.join()
    assert codes == [(0, "", "")]


# Libraries that cannot be loaded, and an interruption meanwhile


def with_module(folder: Path, name: str, content: str) -> dict[str, str]:
    """Give an environment in which a library is not what it was."""
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text(content)
    path = os.pathsep.join([str(folder), without_display()["PYTHONPATH"]])
    return {**without_display(), "PYTHONPATH": path}


NO_GL = "raise ImportError('libGL.so.1: cannot open shared object file: No such file or directory')"


@pytest.mark.parametrize("arguments", [(), ("--help",), ("--version",), ("--demo", "-v")])
def test_where_opencv_cannot_be_loaded_one_line_says_what_to_install(arguments, tmp_path):
    environment = with_module(tmp_path / "path", "cv2", NO_GL)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "apt-get").touch(0o755)
    done = subprocess.run(
        [*COMMAND, *arguments],
        env={**environment, "PATH": str(tmp_path / "bin")},
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout) == (1, "")
    *details, line = done.stderr.splitlines()
    assert line.startswith("livekm: OpenCV cannot be loaded (libGL.so.1: cannot open")
    assert "apt-get install libgl1 libglib2.0-0, or, without the window, pip uninst" in line
    assert line.endswith("pip install opencv-python-headless")
    assert bool(details) == ("-v" in arguments)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("raise ModuleNotFoundError(\"No module named 'cv2'\", name='cv2')", "pip install opencv"),
        ("from numpy import no_such_name", "a library cannot be loaded (cannot import name"),
    ],
)
def test_what_else_cannot_be_imported_is_one_line(content, said, tmp_path):
    environment = with_module(tmp_path / "path", "cv2", content)
    done = subprocess.run(
        [*COMMAND, "--version"], env=environment, capture_output=True, text=True, cwd=tmp_path
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert_one_line(done.stderr, said)


@posix_only
@pytest.mark.parametrize("command", ["from livekm.cli import main; main()", "runpy"])
def test_an_interruption_during_the_imports_ends_quietly(command, tmp_path):
    environment = with_module(tmp_path / "path", "cv2", "raise KeyboardInterrupt")
    program = "import sys; from livekm.cli import main; sys.exit(main())"
    started = COMMAND if command == "runpy" else [sys.executable, "-c", program]
    done = subprocess.run(
        [*started, "--version"], env=environment, capture_output=True, text=True, cwd=tmp_path
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


# Interruption


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory) -> Path:
    images = [flat_image(index % 25, 160, 120) for index in range(25)] * 80
    return make_clip(tmp_path_factory.mktemp("long") / "long.mp4", images=images)


@contextmanager
def on_terminal(command: list[str], folder: Path, **more) -> Iterator[tuple[subprocess.Popen, int]]:
    """Run a command whose stderr is a terminal, and give the end where its text arrives."""
    pty, fcntl, termios = map(pytest.importorskip, ("pty", "fcntl", "termios"))
    terminal, stderr = pty.openpty()
    fcntl.ioctl(stderr, termios.TIOCSWINSZ, struct.pack("4H", 24, 100, 0, 0))
    with forked.Popen(
        command,
        cwd=folder,
        env=without_display(),
        stdout=subprocess.PIPE,
        stderr=stderr,
        **more,
    ) as process:
        os.close(stderr)
        yield process, terminal
    os.close(terminal)


def wait_for(pattern: bytes, terminal: int) -> None:
    shown = b""
    while not re.search(pattern, shown):
        shown += os.read(terminal, 4096)


def test_there_is_no_progress_bar_but_on_a_terminal(clip, run_cli):
    assert run_cli(clip, "-o", "out.mp4", "-k2")[2] == ""


@posix_only
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_clip_shows_its_progress_and_interrupted_it_is_valid_and_named_as_partial(
    number, long_clip, tmp_path
):
    with on_terminal([*COMMAND, long_clip, "-o", "out.mp4", "--stats", "table.csv"], tmp_path) as (
        process,
        terminal,
    ):
        # How far it is, the time that has passed, the time that remains, the rate.
        wait_for(rb"[1-9]\d+/2000 \[\d\d:\d\d<\d\d:\d\d, +[\d.]+ frames/s\]", terminal)
        assert listing(tmp_path) != ["out.mp4"]
        process.send_signal(number)
        out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    names = rb"out\.partial\.mp4, table\.partial\.csv"
    done = int(re.fullmatch(names + rb": (\d+) frames, interrupted\n", out)[1])
    assert 0 < done < 2000
    with av.open(str(tmp_path / "out.partial.mp4")) as written:
        assert [frame.time for frame in written.decode(video=0)] == [i / 25 for i in range(done)]
    with (tmp_path / "table.partial.csv").open(encoding="utf-8") as table:
        assert sum(1 for _ in table) == 1 + 8 * done
    assert listing(tmp_path) == ["out.partial.mp4", "table.partial.csv"]


@posix_only
@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT"])
def test_a_signal_that_was_ignored_at_the_start_stays_ignored(name, long_clip, tmp_path):
    command = [*COMMAND, long_clip, "-o", "out.mp4", "--frames", "200"]
    with on_terminal(command, tmp_path, preexec_fn=ignoring(name)) as (process, terminal):
        wait_for(rb"/200 \[", terminal)
        process.send_signal(signal.Signals[name])
        process.send_signal(signal.Signals[name])
        out, _ = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, b"out.mp4: 200 frames\n")


@posix_only
def test_a_name_that_is_taken_meanwhile_is_one_line_and_costs_no_work(tmp_path):
    size = ("--size", "64x48", "--frames", "100")
    with forked.Popen(
        [*COMMAND, "--demo", *size, "-q", "-o", "out.mp4", "--stats", "table.csv"],
        cwd=tmp_path,
        env=without_display(),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not any(tmp_path.glob(".table.csv.part-*")):
            assert process.poll() is None
        process.send_signal(signal.SIGSTOP)
        (tmp_path / "table.csv").write_text("precious")
        process.send_signal(signal.SIGCONT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert_one_line(err, "cannot write table.csv: it has been made", "is table-2.csv, rename")
    assert (tmp_path / "table.csv").read_text() == "precious"
    assert (tmp_path / "table-2.csv").read_text().count("\n") == 801
    with av.open(str(tmp_path / "out.mp4")) as written:
        assert sum(1 for _ in written.decode(video=0)) == 100
    assert listing(tmp_path) == ["out.mp4", "table-2.csv", "table.csv"]


@posix_only
def test_the_first_signal_asks_and_the_second_interrupts():
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with interruption() as stop:
        assert not stop()
        signal.raise_signal(signal.SIGTERM)
        assert stop()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers


@pytest.mark.parametrize("ignored", [(), ("SIGINT",), ("SIGINT", "SIGTERM", "SIGHUP")])
def test_who_insists_in_a_thread_interrupts_now_and_again_at_the_next_question(ignored):
    with ExitStack() as stack:
        for name in ignored:
            if number := getattr(signal, name, None):
                stack.callback(signal.signal, number, signal.signal(number, signal.SIG_IGN))
        stop = stack.enter_context(interruption())
        thread = threading.Thread(target=stop.insist)
        with pytest.raises(KeyboardInterrupt):
            _start_and_join(thread)
        with pytest.raises(KeyboardInterrupt):
            stop()
        thread.join()


def _start_and_join(thread: threading.Thread) -> None:
    thread.start()
    for _ in range(100):
        thread.join(0.01)


def test_v_tells_what_went_in_how_it_came_out_and_how_long_it_took(clip, photo, run_cli, caplog):
    assert run_cli(clip, "-o", "out.mp4", "-k", 3, "-v")[:2] == (0, "out.mp4: 12 frames\n")
    told = r"in\.mp4: 64x48 at 29\.97 frames a second, to libx264, k = 3, in [\d.]+ s,"
    assert re.fullmatch(rf"{told} [\d.]+ times real time", caplog.messages[-1])
    run_cli(photo, "-o", "out.png", "-v")
    told = r"photo\.png: 96x72, k = 8, \d+ iterations, in [\d.]+ s"
    assert re.fullmatch(told, caplog.messages[-1])


# Version, help


def test_the_version_is_that_of_the_package(run_cli):
    code, out, err = run_cli("--version")
    assert (code, err) == (0, "")
    version = re.escape(metadata.version("livekm"))
    assert re.fullmatch(rf"livekm {version}( \([0-9a-f]+(-dirty)?\))?\n", out)


def test_what_is_built_from_a_checkout_tells_its_commit_and_a_copy_without_one_does_not(tmp_path):
    package = tmp_path / "livekm"
    package.mkdir()
    assert commit_of(package) == ""
    git = ["git", "-C", tmp_path, "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run([*git, *words], check=True)
    short = subprocess.check_output([*git, "rev-parse", "--short", "HEAD"], text=True).strip()
    assert commit_of(package) == short
    (package / "commit.txt").write_text("1a2b3c4\n")
    assert commit_of(package) == "1a2b3c4"


def test_the_help_fits_a_usual_terminal(run_cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    _usage, options = run_cli("--help")[1].split("keys in the window")[0].split("\n\n", 1)
    assert max(map(len, options.splitlines())) <= 80


def test_the_help_has_every_key(run_cli):
    code, out, err = run_cli("--help")
    assert (code, err) == (0, "")
    for label, meaning in key_table():
        assert re.search(rf"^ +{re.escape(label)} +{re.escape(meaning)}$", out, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "choice", "line"),
    [
        (["a b.mp4"], {"n_clusters": 5}, "livekm 'a b.mp4' --output=out.mp4 --clusters=5"),
        (["a.mp4"], {"view": "mask", "scale": 0.5, "chosen": (1, 3)},
         "livekm a.mp4 --output=out.mp4 --view=mask --keep=1,3 --rest=pale --clusters=8 "
         "--scale=0.5"),
        (["a.mp4"], {"chosen": (2,), "drops": True},
         "livekm a.mp4 --output=out.mp4 --drop=2 --rest=pale --clusters=8"),
        (["--camera", "0"], {}, "livekm --camera=0 --output=out.mp4 --clusters=8 --frames=300"),
        (["a.mp4"], {"palette": Path("p.gpl"), "is_frozen": True},
         "livekm a.mp4 --output=out.mp4 --palette=p.gpl"),
    ],
)  # fmt: skip
def test_what_was_found_in_the_window_is_a_command_line_that_is_right(arguments, choice, line):
    found = Choice(**{"n_clusters": 8, "color_space": "bgr", "hysteresis": 2.0,
                      "view": "segments", **choice})  # fmt: skip
    settings = parse(arguments)
    told, *remarks = command_line(
        settings, found, is_still=False, is_live="--camera" in arguments
    ).splitlines()
    assert sorted(told.split()) == sorted(line.split())
    check(parse(shlex.split(told)[1:]), Way.FILE)
    assert bool(remarks) == ("chosen" in choice)
    assert all(remark.startswith("# ") for remark in remarks)
