"""Every source keeps one contract; then what each of them promises on its own."""

from __future__ import annotations

import gc
import itertools
import logging
import os
import re
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import clips
import cv2
import forked
import numpy as np
import pytest
from virtual_camera import environment as camera_environment
from virtual_camera import write_frames

from livekm.batch import plan_jobs
from livekm.errors import SourceError
from livekm.sources import (
    ClipSource,
    DemoSource,
    ImageSource,
    SequenceSource,
    Source,
    open_source,
)

# A device index or URL; with a camera there, it has to keep the contract as well.
CAMERA = os.environ.get("LIVEKM_TEST_CAMERA")
# A folder of recorded clips to read in addition.
CLIPS = os.environ.get("LIVEKM_CLIPS")
RECORDED = [job.source for job in plan_jobs([CLIPS], "out")] if CLIPS else []

VFR = [0, 0.040, 0.080, 0.100, 0.500, 0.533, 1.7, 1.701, 3, 3.3]
NTSC = Fraction(30000, 1001)


def picture(width: int = 40, height: int = 24) -> np.ndarray:
    """A white upper left corner on blue, so that turns and swapped channels show."""
    image = np.full((height, width, 3), (200, 30, 10), np.uint8)
    image[: height // 2, : width // 2] = 255
    return image


def pyav_times(path: Path) -> list[float]:
    """What another reader says about the frames' times."""
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(video=0)]


# --- the contract --------------------------------------------------------------------------


def open_clip(folder: Path) -> Source:
    return ClipSource(clips.make_clip(folder / "clip.mp4", 8))


def open_image(folder: Path) -> Source:
    cv2.imwrite(str(folder / "image.png"), picture())
    return ImageSource(folder / "image.png")


def open_sequence(folder: Path) -> Source:
    for i in range(6):
        cv2.imwrite(str(folder / f"image{i}.png"), clips.flat_image(i, 40, 24))
    return SequenceSource(folder / "image%d.png")


def open_demo(_: Path) -> Source:
    return DemoSource(64, 48)


def open_camera(_: Path) -> Source:
    assert CAMERA is not None
    return open_source(int(CAMERA) if CAMERA.isdecimal() else CAMERA)


SOURCES = [open_clip, open_image, open_sequence, open_demo]
ALL = [*SOURCES, pytest.param(open_camera, marks=pytest.mark.skipif(not CAMERA, reason="camera"))]
every_source = pytest.mark.parametrize("open_it", ALL, ids=lambda f: f.__name__[5:])
every_stored_source = pytest.mark.parametrize("open_it", SOURCES, ids=lambda f: f.__name__[5:])
Opener = Callable[[Path], Source]


def first_frames(source: Source, n: int = 8) -> list:
    return list(itertools.islice(source, n))


@every_source
def test_info_is_known_before_the_first_frame_and_fits_the_frames(
    open_it: Opener, tmp_path: Path
) -> None:
    with open_it(tmp_path) as source:
        info = source.info
        assert info.name
        assert info.fps is None or (isinstance(info.fps, Fraction) and info.fps > 0)
        assert info.n_frames is None or info.n_frames > 0
        assert info.time_base is None or info.time_base > 0
        frames = first_frames(source)
        assert {frame.image.shape for frame in frames} == {(info.height, info.width, 3)}
        assert len(frames) == (8 if info.n_frames is None else info.n_frames)


@every_source
def test_frames_count_from_zero_and_times_increase(open_it: Opener, tmp_path: Path) -> None:
    with open_it(tmp_path) as source:
        frames = first_frames(source)
    assert [frame.index for frame in frames] == list(range(len(frames)))
    times = [frame.time for frame in frames]
    assert times[0] >= 0
    assert all(a < b for a, b in itertools.pairwise(times))


@every_source
def test_images_are_contiguous_bgr_bytes(open_it: Opener, tmp_path: Path) -> None:
    with open_it(tmp_path) as source:
        for frame in first_frames(source):
            assert frame.image.dtype == np.uint8
            assert frame.image.ndim == 3
            assert frame.image.flags.c_contiguous
            assert frame.image.flags.writeable


@every_source
def test_no_two_frames_share_memory(open_it: Opener, tmp_path: Path) -> None:
    with open_it(tmp_path) as source:
        frames = first_frames(source)
    for a, b in itertools.combinations(frames, 2):
        assert not np.shares_memory(a.image, b.image)


@every_source
def test_a_second_loop_goes_on_where_the_first_stopped(open_it: Opener, tmp_path: Path) -> None:
    with open_it(tmp_path) as source:
        first = first_frames(source, 1)
        assert [frame.index for frame in first + first_frames(source, 2)] == list(
            range(min(3, source.info.n_frames or 3))
        )


@every_source
def test_a_source_may_be_closed_twice(open_it: Opener, tmp_path: Path) -> None:
    with open_it(tmp_path) as source:
        first_frames(source, 1)
    source.close()


@every_source
def test_reading_a_closed_source_is_a_mistake_with_a_name(open_it: Opener, tmp_path: Path) -> None:
    source = open_it(tmp_path)
    source.close()
    with pytest.raises(ValueError, match=r"is closed$"):
        next(iter(source))


@every_stored_source
def test_a_loop_over_a_source_that_is_closed_meanwhile_raises(
    open_it: Opener, tmp_path: Path
) -> None:
    source = open_it(tmp_path)
    begun = iter(source)
    next(begun)
    source.close()
    with pytest.raises(ValueError, match=r"is closed$"):
        next(begun)


@every_stored_source
def test_the_same_source_gives_the_same_frames_again(open_it: Opener, tmp_path: Path) -> None:
    with open_it(tmp_path) as once, open_it(tmp_path) as again:
        for a, b in zip(first_frames(once), first_frames(again), strict=True):
            assert (a.index, a.time) == (b.index, b.time)
            np.testing.assert_array_equal(a.image, b.image)


# --- what is not there or cannot be read ---------------------------------------------------


def nothing(path: Path) -> None:
    """The file is missing."""


BROKEN: dict[str, Callable[[Path], object]] = {
    "missing.mp4": nothing,
    "missing.png": nothing,
    "empty.mp4": Path.touch,
    "empty.jpg": Path.touch,
    "text.mp4": lambda path: path.write_text("not a video\n" * 99),
    "text.txt": lambda path: path.write_text("a text that FFmpeg would show as a film\n" * 99),
    "text.png": lambda path: path.write_text("not an image"),
    "zeros.avi": lambda path: path.write_bytes(bytes(9999)),
    "sound.m4a": clips.make_sound,
    "headless.mp4": lambda path: clips.damage(clips.make_clip(path), 0.4, 99999),
    "blank.mp4": lambda path: blank_pictures(clips.make_clip(path)),
    "missing%03d.png": nothing,
    "missing*.png": nothing,
    "folder": Path.mkdir,
}


def blank_pictures(path: Path) -> None:
    """Zero every picture and leave the index whole."""
    data = bytearray(path.read_bytes())
    start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    data[start:end] = bytes(end - start)
    path.write_bytes(data)


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_read_is_one_clear_line(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    BROKEN[name](path)
    with pytest.raises(SourceError) as caught:
        open_source(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert ";" in message  # what to do about it
    assert "\n" not in message


def test_what_cannot_be_read_leaves_nothing_on_stderr(tmp_path: Path) -> None:
    for name, make in BROKEN.items():
        make(tmp_path / name)
    clips.damage(clips.make_clip(tmp_path / "bad.mp4", images=clips.noise_images(30)), 0.5, 9999)
    (tmp_path / "cut.jpg").write_bytes(cv2.imencode(".jpg", picture(200, 200))[1].tobytes()[:700])
    (tmp_path / "cut.png").write_bytes(cv2.imencode(".png", picture(200, 200))[1].tobytes()[:200])
    program = (
        "import logging, pathlib, sys\n"
        "from livekm.sources import open_source\n"
        "logging.disable()\n"
        "for path in pathlib.Path(sys.argv[1]).iterdir():\n"
        "    try:\n"
        "        list(open_source(path))\n"
        "    except OSError:\n"
        "        pass\n"
    )
    run = forked.run([sys.executable, "-c", program, tmp_path])
    assert (run.stdout, run.stderr, run.returncode) == ("", "", 0)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    path = clips.make_clip(tmp_path / "clip.mp4")
    path.chmod(0)
    with pytest.raises(SourceError, match="Permission denied"):
        open_source(path)


# --- open_source ---------------------------------------------------------------------------


def test_open_source_tells_sources_apart(tmp_path: Path) -> None:
    open_image(tmp_path).close()
    open_clip(tmp_path).close()
    for source, kind in (
        ("demo", DemoSource),
        (tmp_path / "clip.mp4", ClipSource),
        (str(tmp_path / "clip.mp4"), ClipSource),
        (tmp_path / "image.png", ImageSource),
        (tmp_path, SequenceSource),
        (tmp_path / "*.png", SequenceSource),
        (str(tmp_path / "imag?.png"), SequenceSource),
    ):
        with open_source(source) as opened:
            assert type(opened) is kind


def test_open_source_hands_size_rate_and_seed_to_the_demo() -> None:
    with open_source("demo", width=32, height=24, fps=29.97003, seed=5) as source:
        info, frame = source.info, next(iter(source))
    assert (info.width, info.height, info.fps) == (32, 24, NTSC)
    with DemoSource(32, 24, NTSC, seed=5) as same:
        np.testing.assert_array_equal(next(iter(same)).image, frame.image)


def test_options_that_a_source_does_not_have_are_refused(tmp_path: Path) -> None:
    open_image(tmp_path).close()
    open_clip(tmp_path).close()
    for name, options in (
        ("clip.mp4", {"width": 320, "height": 240}),
        ("clip.mp4", {"fps": 30}),
        ("image.png", {"fps": 30}),
    ):
        with pytest.raises(ValueError, match="leave"):
            open_source(tmp_path / name, **options)
    with open_source(tmp_path, fps=10) as source:
        assert source.info.fps == 10


def test_names_with_signs_that_mean_something_elsewhere_are_just_names(tmp_path: Path) -> None:
    folder = tmp_path / "trip [1] äöü 漢字"
    folder.mkdir()
    open_image(folder).close()
    clip = clips.make_clip(folder / "50%d [a].mp4")
    for path, n_frames in ((clip, 10), (folder / "image.png", 1), (folder / "*.png", 1)):
        with open_source(path) as source:
            assert len(list(source)) == n_frames


# --- clips ---------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts threads in /proc")
def test_a_decoder_starts_no_more_threads_than_it_is_given(tmp_path):
    path = clips.make_clip(tmp_path / "in.mp4")
    counts = []
    for threads in (1, 4):
        gc.collect()  # a decoder that is closed keeps its threads until it is freed
        before = len(list(Path("/proc/self/task").iterdir()))
        with ClipSource(path, threads=threads):
            counts.append(len(list(Path("/proc/self/task").iterdir())) - before)
    assert counts[0] == 0
    assert counts[1] >= 3


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("cfr.mp4", {}),
        ("ntsc.mp4", {"fps": NTSC}),
        ("b_frames.mp4", {"fps": NTSC, "b_frames": 2}),
        ("b_frames.mkv", {"fps": NTSC, "b_frames": 2}),
        ("vfr.mp4", {"times": VFR}),
        ("vfr.mkv", {"times": VFR}),
        ("late.mp4", {"times": [time + 2.5 for time in VFR]}),
        ("late.mkv", {"times": [time + 2.5 for time in VFR]}),
        ("late.ts", {"times": [time + 2.5 for time in VFR], "b_frames": 2}),
        ("mpeg4.avi", {"codec": "mpeg4"}),
        ("with_sound.mp4", {"audio": True}),
    ],
)
def test_a_clip_gives_every_frame_at_its_own_time(name: str, options: dict, tmp_path: Path) -> None:
    path = clips.make_clip(tmp_path / name, **options)
    with ClipSource(path) as source:
        frames = list(source)
    assert [clips.index_of(frame.image) for frame in frames] == list(range(10))
    assert [frame.time for frame in frames] == pyav_times(path)


def test_frames_without_a_time_stamp_follow_each_other_at_the_frame_rate(tmp_path: Path) -> None:
    with ClipSource(clips.make_clip(tmp_path / "raw.h264")) as source:
        times = [frame.time for frame in source]
        assert source.info.n_frames is None
    np.testing.assert_allclose(np.diff(times), 1 / float(source.info.fps), rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "fps"),
    [("a.mp4", 25), ("b.mp4", NTSC), ("c.mkv", NTSC), ("d.avi", Fraction(24000, 1001))],
)
def test_a_frame_rate_is_exact(name: str, fps: Fraction, tmp_path: Path) -> None:
    codec = "mpeg4" if name.endswith("avi") else "libx264"
    with ClipSource(clips.make_clip(tmp_path / name, fps=fps, codec=codec)) as source:
        assert source.info.fps == fps
        assert source.info.n_frames == 10


@pytest.mark.parametrize("times", [None, VFR])
def test_the_frames_of_all_fragments_are_counted(times: list | None, tmp_path: Path) -> None:
    path = clips.make_clip(tmp_path / "a.mp4", 10, times=times, gop=2, fragmented=True)
    with av.open(str(path)) as container:
        assert container.streams.video[0].frames == 2  # those of the first fragment
    with ClipSource(path) as source:
        assert source.info.n_frames == 10


def test_a_frame_rate_that_nobody_knows_is_none(tmp_path: Path) -> None:
    path = clips.make_clip(tmp_path / "vfr.ts", times=VFR)
    with ClipSource(path) as source:
        assert source.info.fps is None
        assert source.info.n_frames is None


def test_the_time_base_is_the_containers(tmp_path: Path) -> None:
    with ClipSource(clips.make_clip(tmp_path / "a.mkv")) as source:
        assert source.info.time_base == Fraction(1, 1000)


@pytest.mark.parametrize(
    ("rotation", "corner"), [(0, (0, 0)), (90, (-1, 0)), (180, (-1, -1)), (270, (0, -1))]
)
def test_a_clip_is_turned_upright(rotation: int, corner: tuple[int, int], tmp_path: Path) -> None:
    path = clips.make_clip(tmp_path / "turned.mp4", images=[picture(64, 48)] * 3, rotation=rotation)
    with ClipSource(path) as source:
        image = next(iter(source)).image
    upright = (64, 48) if rotation % 180 == 0 else (48, 64)
    assert (source.info.width, source.info.height) == upright
    assert image.shape == (*upright[::-1], 3)
    bright = {at: image[at].min() > 150 for at in itertools.product((0, -1), repeat=2)}
    assert [at for at in bright if bright[at]] == [corner]


def test_a_damaged_middle_is_skipped_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = clips.make_clip(tmp_path / "clip.mp4", images=clips.noise_images(60))
    clips.damage(path, 0.5, 30000)
    with caplog.at_level(logging.WARNING), ClipSource(path) as source:
        frames = list(source)
    indices = [frame.index for frame in frames]
    missing = sorted(set(range(60)) - set(indices))
    assert 0 < len(missing) < 30
    assert indices[-1] == 59
    assert [frame.time for frame in frames] == [index / 25 for index in indices]
    assert f"clip.mp4: left out {len(missing)} damaged frame(s)" in caplog.text


def test_a_cut_off_clip_gives_what_it_has_and_tells_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = clips.make_clip(tmp_path / "clip.mp4", images=clips.noise_images(75), index_first=True)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with caplog.at_level(logging.WARNING), ClipSource(path) as source:
        assert 20 < len(list(source)) < 60
    assert "of 3.0 s" in caplog.text


def test_a_whole_clip_warns_of_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = clips.make_clip(tmp_path / "vfr.mp4", times=VFR, audio=True)
    with caplog.at_level(logging.WARNING), ClipSource(path) as source:
        list(source)
    assert not caplog.records


def test_a_clip_whose_size_changes_comes_in_one_size(tmp_path: Path) -> None:
    small = clips.make_clip(tmp_path / "small.h264", 20)
    large = clips.make_clip(tmp_path / "large.h264", 20, width=96, height=64)
    joined = tmp_path / "joined.h264"
    joined.write_bytes(small.read_bytes() + large.read_bytes())
    with ClipSource(joined) as source:
        shapes = [frame.image.shape for frame in source]
    assert set(shapes) == {(source.info.height, source.info.width, 3)}
    assert len(shapes) >= 20


@pytest.mark.skipif(not RECORDED, reason="LIVEKM_CLIPS names no folder of clips")
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_recorded_clips_are_read_whole_and_at_their_times(path: Path) -> None:
    with ClipSource(path) as source:
        times = [frame.time for frame in source]
    # In the order of a damaged AVI's packets PyAV gives two frames the wrong way round.
    np.testing.assert_allclose(times, sorted(pyav_times(path)), atol=1e-9)


# --- still images --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (np.full((4, 6), 90, np.uint8), (90, 90, 90)),
        (np.full((4, 6, 4), (10, 20, 30, 128), np.uint8), (10, 20, 30)),
        (np.full((4, 6, 3), (2560, 5120, 65535), np.uint16), (10, 20, 255)),
    ],
    ids=["grey", "alpha", "16 bits"],
)
def test_any_png_becomes_bgr_bytes(
    image: np.ndarray, expected: tuple[int, ...], tmp_path: Path
) -> None:
    cv2.imwrite(str(tmp_path / "image.png"), image)
    with ImageSource(tmp_path / "image.png") as source:
        frame = next(iter(source))
    assert frame.image.shape == (4, 6, 3)
    assert frame.image[0, 0].tolist() == list(expected)


def test_a_photograph_is_turned_upright(tmp_path: Path) -> None:
    jpeg = cv2.imencode(".jpg", picture(40, 24))[1].tobytes()
    # An EXIF block with one entry: Orientation (0x0112) = 6, turn right by a quarter.
    entry = b"\x01\x00" + b"\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00" + bytes(4)
    block = b"Exif\0\0" + b"II*\0\x08\0\0\0" + entry
    exif = b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block
    path = tmp_path / "photo.JPG"
    path.write_bytes(jpeg[:2] + exif + jpeg[2:])
    with open_source(path) as source:
        image = next(iter(source)).image
    assert (source.info.width, source.info.height) == (24, 40)
    assert image[0, -1].min() > 200
    assert image[0, 0].min() < 60


def test_a_still_image_is_one_frame_at_time_zero(tmp_path: Path) -> None:
    with open_image(tmp_path) as source:
        (frame,) = source
    assert (frame.index, frame.time, source.info.n_frames) == (0, 0.0, 1)
    np.testing.assert_array_equal(frame.image, picture())


# --- sequences -----------------------------------------------------------------------------


@pytest.fixture
def numbered(tmp_path: Path) -> Path:
    """Images 1, 2, 9, 10, 11 and a file that is none."""
    for i in (1, 2, 9, 10, 11):
        cv2.imwrite(str(tmp_path / f"img{i}.png"), clips.flat_image(i, 16, 16))
    (tmp_path / "notes.txt").write_text("not an image")
    return tmp_path


@pytest.mark.parametrize("pattern", ["", "*.png", "img*", "img%d.png"])
def test_a_sequence_is_in_the_order_that_people_count_in(pattern: str, numbered: Path) -> None:
    with SequenceSource(numbered / pattern, fps=10) as source:
        frames = list(source)
    assert [clips.index_of(frame.image) for frame in frames] == [1, 2, 9, 10, 11]
    assert [frame.time for frame in frames] == [0, 0.1, 0.2, 0.3, 0.4]


def test_a_printf_width_is_the_least_number_of_digits(numbered: Path) -> None:
    with SequenceSource(numbered / "img%02d.png") as source:
        assert [clips.index_of(frame.image) for frame in source] == [10, 11]


def test_a_damaged_image_is_left_out_and_told(
    numbered: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (numbered / "img9.png").write_text("damaged")
    with caplog.at_level(logging.WARNING), SequenceSource(numbered) as source:
        assert [frame.index for frame in source] == [0, 1, 3, 4]
    assert "img9.png" in caplog.text


@pytest.mark.parametrize("place", [2, 4])
def test_an_image_of_another_size_is_named_where_the_output_holds_one(
    place: int, run_cli: Callable[..., tuple], tmp_path: Path
) -> None:
    for i in range(5):
        size = (20, 24) if i == place else (16, 16)
        cv2.imwrite(str(tmp_path / f"img{i}.png"), picture(*size))
    code, out, err = run_cli("img%d.png", "-o", "out.mp4", "-k", "2", "-q")
    assert (code, out) == (1, "")
    assert err.startswith(f"livekm: img{place}.png: 20x24 pixels, unlike the 16x16 of the first ")
    assert err.count("\n") == 1
    assert not (tmp_path / "out.mp4").exists()
    assert run_cli("img%d.png", "-o", "out/%d.png", "-k", "2", "-q") == (0, "", "")


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf")])
def test_a_frame_rate_must_be_a_positive_number(fps: float, numbered: Path) -> None:
    with pytest.raises(ValueError, match="fps"):
        SequenceSource(numbered, fps=fps)


@pytest.mark.skipif(CAMERA is not None, reason="a camera is being tested already")
def test_a_virtual_camera_keeps_the_contract_as_well(camera_library: Path, tmp_path: Path) -> None:
    """In a process of its own, since the camera is preloaded."""
    frames = write_frames(tmp_path / "frames.yuyv", [picture(320, 240)])
    environment = camera_environment(camera_library, frames, fps=120)
    environment["LIVEKM_TEST_CAMERA"] = "0"
    command = [sys.executable, "-m", "pytest", __file__, "-k", "camera", "-p", "no:cacheprovider"]
    done = forked.run(command, env=environment)
    assert done.returncode == 0, done.stdout
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 7, done.stdout
