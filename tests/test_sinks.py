from __future__ import annotations

import os
import stat
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import forked
import numpy as np
import pytest

from livekm.context import GiveUp
from livekm.errors import SinkError
from livekm.frame import VideoInfo
from livekm.outputs import (
    ALPHA_SUFFIXES,
    FILE_SINKS,
    ClipSink,
    EncoderOptions,
    ImageSink,
    NullSink,
    Sink,
    open_sink,
)
from livekm.outputs.base import OutputGroup
from livekm.outputs.whole_file import WholeFile
from livekm.sources import open_source

WIDTH, HEIGHT = 64, 48
INFO = VideoInfo("test", WIDTH, HEIGHT, fps=Fraction(25))
SUFFIXES = sorted(FILE_SINKS)
CLIP_SUFFIXES = [suffix for suffix, sink in FILE_SINKS.items() if sink is ClipSink]
IMAGE_SUFFIXES = [suffix for suffix, sink in FILE_SINKS.items() if sink is ImageSink]
LOSSLESS = [suffix for suffix in IMAGE_SUFFIXES if suffix not in (".jpg", ".jpeg")]
PRIMARIES = [(0, 0, 255), (0, 255, 0), (255, 0, 0), (0, 255, 255), (255, 0, 255), (255, 255, 0)]
GREYS = [(0, 0, 0), (128, 128, 128), (255, 255, 255)]
ORANGE, VIOLET, OLIVE = (30, 140, 220), (200, 60, 90), (10, 90, 40)
PATCHES = np.array([*PRIMARIES, *GREYS, ORANGE, VIOLET, OLIVE], np.uint8)


def grey(level: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


def put(sink: Sink, image: np.ndarray, index: int = 0, time: float | None = None) -> None:
    sink.write(image, index / 25 if time is None else time, index)


def write_clip(path: Path, times: list[float], info: VideoInfo = INFO) -> None:
    with ClipSink(path, info) as sink:
        for index, time in enumerate(times):
            put(sink, grey(10 * index % 250), index, time)


def read_times(path: Path) -> list[Fraction]:
    with av.open(str(path)) as clip:
        stream = clip.streams.video[0]
        if path.suffix == ".avi":  # has stamps of decoding only; FFmpeg 8 guesses others for H.264
            return [p.dts * stream.time_base for p in clip.demux(stream) if p.size]
        return [frame.pts * stream.time_base for frame in clip.decode(stream)]


def read_images(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as clip:
        return [frame.to_ndarray(format="bgr24") for frame in clip.decode(video=0)]


# Every sink


@pytest.fixture(params=[None, *SUFFIXES], ids=lambda suffix: suffix or "nothing")
def any_sink(request, tmp_path):
    target = None if request.param is None else tmp_path / f"out{request.param}"
    sink = open_sink(target, INFO)
    yield sink
    sink.abort()


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((HEIGHT, WIDTH), np.uint8),
        np.zeros((HEIGHT, WIDTH, 5), np.uint8),
        np.zeros((HEIGHT, WIDTH, 3), np.float32),
        np.zeros((0, WIDTH, 3), np.uint8),
        None,
    ],
    ids=["grey", "five channels", "float", "empty", "None"],
)
def test_an_image_that_does_not_fit_is_refused(any_sink, image):
    with pytest.raises(ValueError, match=r"^expected an image .*, got "):
        any_sink.write(image, 0.0)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_transparency_is_taken_where_the_format_has_it_and_refused_elsewhere(suffix, tmp_path):
    image = np.full((HEIGHT, WIDTH, 4), 90, np.uint8)
    target = tmp_path / f"out{suffix}"
    if suffix == ".webm":  # whose usual codec holds it; test_rests.py opens such clips again
        with open_sink(target, INFO) as sink:
            put(sink, image)
    elif suffix in ALPHA_SUFFIXES:
        with open_sink(target, INFO) as sink:
            put(sink, image)
        assert (cv2.imread(str(target), cv2.IMREAD_UNCHANGED)[:, :, 3] == 90).all()
    else:
        sink = open_sink(target, INFO)
        with pytest.raises(ValueError, match=r"^expected an image .*, got "):
            put(sink, image)
        sink.abort()


def test_read_only_and_strided_images_are_taken(any_sink):
    image = np.zeros((HEIGHT, 2 * WIDTH, 3), np.uint8)[:, ::2, ::-1]
    image.setflags(write=False)
    put(any_sink, image)
    any_sink.close()


def test_closing_and_aborting_again_does_nothing(any_sink):
    put(any_sink, grey(100))
    any_sink.close()
    any_sink.close()
    any_sink.abort()


def test_nothing_is_written_without_a_path():
    with open_sink(None, INFO) as sink:
        assert isinstance(sink, NullSink)
        put(sink, grey(0))
        put(sink, grey(0), 1)
    assert sink.n_frames == 2


def test_images_without_times_follow_each_other_at_the_rate_that_is_given(tmp_path):
    with open_sink(tmp_path / "out.mkv", fps=10) as sink:
        for level in (0, 100, 200):
            sink.write(grey(level))
    assert read_times(tmp_path / "out.mkv") == [0, Fraction(1, 10), Fraction(2, 10)]
    with open_sink(tmp_path / "row" / "%d.png", fps=4) as sink:
        sink.write(grey(0))
        sink.write(grey(0), index=6)
        sink.write(grey(0), 2.5, 7)
    table = (tmp_path / "row" / "frames.csv").read_text()
    assert table == "file,frame,time,schema\n0.png,0,0.0,1\n1.png,6,1.5,1\n2.png,7,2.5,1\n"


def test_a_rate_beside_that_of_the_source_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"^test has its own rate and times; leave fps out$"):
        open_sink(tmp_path / "out.mp4", INFO, fps=30)


# Every sink that writes a file


@pytest.fixture(params=SUFFIXES)
def target(request, tmp_path):
    return tmp_path / f"out{request.param}"


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_final_name_appears_only_when_the_file_is_complete(target):
    sink = open_sink(target, INFO)
    put(sink, grey(100))
    assert not target.exists()
    sink.close()
    assert listing(target.parent) == [target.name]
    assert target.stat().st_size > 0


def write_and_fail(target: Path, error: BaseException, n_frames: int = 1) -> None:
    def write() -> None:
        with open_sink(target, INFO) as sink:
            for index in range(n_frames):
                put(sink, grey(100), index)
            raise error

    with pytest.raises(type(error)):
        write()


@pytest.mark.parametrize("error", [RuntimeError("oops"), KeyboardInterrupt(), SystemExit()])
def test_an_exception_keeps_what_there_is_as_a_partial_file(error, target):
    """Also a script's own Ctrl-C."""
    write_and_fail(target, error)
    is_image = target.suffix in IMAGE_SUFFIXES  # which is complete
    kept = target if is_image else target.with_stem(f"{target.stem}.partial")
    assert listing(target.parent) == [kept.name]
    with open_source(kept) as source:
        assert len(list(source)) == 1


@pytest.mark.parametrize(
    ("error", "n_frames"), [(RuntimeError("oops"), 0), (KeyboardInterrupt(), 0), (GiveUp(), 1)]
)
def test_what_has_no_frame_or_is_given_up_leaves_nothing(error, n_frames, target):
    write_and_fail(target, error, n_frames)
    assert listing(target.parent) == []


@pytest.mark.parametrize("letter", ["x", "ü", "京"])
def test_a_name_may_be_as_long_as_the_disk_allows(letter, tmp_path):
    size = len(letter.encode())
    name = letter * (251 // size) + ".mp4"
    with ClipSink(tmp_path / name, INFO) as sink:
        put(sink, grey(0))
        sink.keep()
    (partial,) = tmp_path.iterdir()
    assert partial.name.endswith(f"{letter}.partial.mp4")
    with ClipSink(tmp_path / name, INFO) as sink:
        put(sink, grey(0))
    assert sorted(listing(tmp_path)) == sorted([name, partial.name])
    with pytest.raises(SinkError, match=r"name too long; choose a shorter name$"):
        ClipSink(tmp_path / f"{letter}{name}", INFO)


@pytest.mark.parametrize("name", ["out.mp4", "out.png"])
def test_a_killed_process_leaves_nothing_under_the_final_name(tmp_path, name):
    target = tmp_path / name
    code = (
        "import os, sys, numpy as np\n"
        "from livekm.frame import VideoInfo\n"
        "from livekm.outputs import open_sink\n"
        f"image = np.zeros(({HEIGHT}, {WIDTH}, 3), np.uint8)\n"
        f"sink = open_sink(sys.argv[1], VideoInfo('test', {WIDTH}, {HEIGHT}))\n"
        "sink.write(image, 0.0)\n"
        "os._exit(9)"
    )
    assert forked.run([sys.executable, "-c", code, target]).returncode == 9
    assert not target.exists()


def test_no_frame_is_an_error_and_leaves_nothing(target):
    with pytest.raises(SinkError, match=f"^no frame was written to .*{target.name}$"):
        open_sink(target, INFO).close()
    assert listing(target.parent) == []


def test_an_existing_file_is_kept_without_overwrite(target):
    target.write_bytes(b"precious")
    with pytest.raises(SinkError, match=f"{target.name} exists; add --overwrite or"):
        open_sink(target, INFO)
    assert target.read_bytes() == b"precious"
    assert listing(target.parent) == [target.name]


def test_a_file_that_appears_meanwhile_is_kept_and_the_output_gets_another_name(target):
    with open_sink(target, INFO) as sink:
        put(sink, grey(100))
        target.write_bytes(b"precious")
    kept = target.with_stem(f"{target.stem}-2")
    assert (sink.target, sink.path, sink.name_was_taken) == (target, kept, True)
    assert target.read_bytes() == b"precious"
    assert listing(target.parent) == sorted([target.name, kept.name])
    assert kept.stat().st_size > 20


def test_all_names_that_are_taken_meanwhile_are_told(tmp_path):
    names = ["a.json", "b.svg", "c.csv"]
    with OutputGroup() as outputs:
        for name in names:
            outputs.add(WholeFile(tmp_path / name)).write(b"new")
        for name in names[1:]:
            (tmp_path / name).write_bytes(b"precious")
    assert outputs.paths == tuple(tmp_path / name for name in ("a.json", "b-2.svg", "c-2.csv"))
    assert outputs.renamed == (
        (tmp_path / "b.svg", tmp_path / "b-2.svg"),
        (tmp_path / "c.csv", tmp_path / "c-2.csv"),
    )
    assert listing(tmp_path) == sorted([*names, "b-2.svg", "c-2.csv"])
    assert {(tmp_path / name).read_bytes() for name in ("a.json", "b-2.svg", "c-2.csv")} == {b"new"}


def test_an_existing_file_is_replaced_with_overwrite_when_the_new_one_is_complete(target):
    target.write_bytes(b"old")
    with open_sink(target, INFO, overwrite=True) as sink:
        put(sink, grey(100))
        assert target.read_bytes() == b"old"
    assert target.read_bytes() != b"old"
    assert listing(target.parent) == [target.name]


def test_the_input_is_never_replaced(target):
    target.write_bytes(b"input")
    roundabout = target.parent / ".." / target.parent.name / target.name
    info = VideoInfo("test", WIDTH, HEIGHT, path=str(roundabout))
    with pytest.raises(SinkError, match="is the input itself; choose another name"):
        open_sink(target, info, overwrite=True)
    assert target.read_bytes() == b"input"


def test_a_missing_folder_is_an_error_at_the_door(target):
    path = target.parent / "nowhere" / target.name
    with pytest.raises(SinkError, match=r"^cannot write .*: there is no folder .*nowhere; create"):
        open_sink(path, INFO)


def test_a_folder_that_is_a_file_is_an_error_at_the_door(target):
    (target.parent / "file").touch()
    with pytest.raises(SinkError, match=r"there is no folder .*file; create"):
        open_sink(target.parent / "file" / target.name, INFO)


def test_a_target_that_is_a_folder_is_an_error_at_the_door(target):
    target.mkdir()
    with pytest.raises(SinkError, match=r"is a folder; name a file in it$"):
        open_sink(target, INFO, overwrite=True)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_folder_without_write_permission_is_an_error_at_the_door(tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    if os.access(folder, os.W_OK):
        pytest.skip("this user may write everywhere")
    with pytest.raises(SinkError, match=r"Permission denied; choose another folder$"):
        open_sink(folder / "out.mp4", INFO)


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege there")
def test_a_symbolic_link_is_followed(target):
    disk = target.parent / "disk"
    disk.mkdir()
    target.symlink_to(disk / target.name)
    with open_sink(target, INFO) as sink:
        put(sink, grey(100))
    assert target.is_symlink()
    assert listing(disk) == [target.name]


def test_names_outside_ascii_work(target):
    path = target.with_stem("Straße 猫")
    with open_sink(path, INFO) as sink:
        put(sink, grey(100))
    assert path.stat().st_size > 0


def test_the_suffix_may_be_upper_case(target):
    path = target.with_suffix(target.suffix.upper())
    with open_sink(path, INFO) as sink:
        put(sink, grey(100))
    assert path.stat().st_size > 0


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits are POSIX")
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".bmp"])
def test_a_full_disk_is_one_clear_line_and_leaves_nothing(tmp_path, suffix):
    import resource

    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    sink = open_sink(tmp_path / f"out{suffix}", INFO)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with (
            pytest.raises(SinkError, match=f"^cannot write .*out{suffix}: File too large; choose"),
            sink,
        ):
            put(sink, noise)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert listing(tmp_path) == []


@pytest.mark.parametrize("name", ["out.wmv", "out", ".mp4", "out.mp4.part"])
def test_an_unknown_suffix_is_refused_with_the_known_ones(tmp_path, name):
    with pytest.raises(ValueError, match=r"cannot tell the format of .*; end it in .mp4, .*.webp$"):
        open_sink(tmp_path / name, INFO)


@pytest.mark.parametrize("sink", [ClipSink, ImageSink])
def test_a_sink_refuses_the_suffix_of_another(tmp_path, sink):
    name = "out.png" if sink is ClipSink else "out.mp4"
    with pytest.raises(ValueError, match=rf"^expected a name that ends in .*, got .*{name}$"):
        sink(tmp_path / name, INFO)


# The still image


@pytest.mark.parametrize("suffix", LOSSLESS)
def test_a_lossless_image_comes_back_the_same(tmp_path, suffix):
    image = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    with open_sink(tmp_path / f"out{suffix}", INFO) as sink:
        put(sink, image)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / f"out{suffix}")), image)


def test_a_jpeg_is_close_to_the_image(tmp_path):
    with open_sink(tmp_path / "out.jpg", INFO) as sink:
        put(sink, np.broadcast_to(np.uint8(ORANGE), (HEIGHT, WIDTH, 3)))
    np.testing.assert_allclose(
        cv2.imread(str(tmp_path / "out.jpg")), grey(0) + np.uint8(ORANGE), atol=2
    )


def test_a_second_image_is_refused(tmp_path):
    with open_sink(tmp_path / "out.png", INFO) as sink:
        put(sink, grey(1))
        with pytest.raises(ValueError, match=r"out.png holds one image, a second one came$"):
            put(sink, grey(2), 1)
    assert cv2.imread(str(tmp_path / "out.png"))[0, 0, 0] == 1


def test_an_image_too_large_for_its_format_is_one_clear_line(tmp_path):
    with (
        pytest.raises(SinkError, match=r"out.jpg: .jpg does not hold 70000x1$"),
        open_sink(tmp_path / "out.jpg", INFO) as sink,
    ):
        put(sink, grey(0, 70000, 1))


# The clip: time


def test_a_clip_of_constant_rate_keeps_rate_count_and_duration(tmp_path):
    info = VideoInfo("test", WIDTH, HEIGHT, fps=Fraction(25), time_base=Fraction(1, 25))
    write_clip(tmp_path / "out.mp4", [i / 25 for i in range(221)], info)
    with av.open(str(tmp_path / "out.mp4")) as clip:
        stream = clip.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert stream.average_rate == 25
        assert stream.frames == 221
        assert stream.duration * stream.time_base == Fraction(221, 25)
    assert read_times(tmp_path / "out.mp4") == [Fraction(i, 25) for i in range(221)]


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize(
    ("time_base", "ticks"),
    [
        (Fraction(1, 30000), [1001 * i for i in range(12)]),
        (Fraction(1, 1000), [0, 33, 67, 100, 250, 251, 700, 733, 2000]),
        (Fraction(1, 90000), [0, 3003, 6006, 12000, 12500, 30000, 33003, 90000]),
        (Fraction(1001, 24000), [0, 1, 2, 5, 6]),
        (Fraction(1, 12800), [512 * i for i in range(3, 9)]),
        (None, [Fraction(90000, 30) * i for i in range(9)]),
    ],
    ids=["29.97", "vfr ms", "vfr 90k", "whole frames", "late start", "no time base"],
)
def test_frame_times_come_back_exactly(tmp_path, suffix, time_base, ticks):
    times = [tick * (time_base or Fraction(1, 90000)) for tick in ticks]
    path = tmp_path / f"out{suffix}"
    write_clip(path, [float(t) for t in times], VideoInfo("t", WIDTH, HEIGHT, time_base=time_base))
    assert read_times(path) == times
    with av.open(str(path)) as clip:
        stream = clip.streams.video[0]
        last = times[-1] - times[-2]
        assert stream.duration * stream.time_base == times[-1] - times[0] + last


def test_matroska_rounds_times_to_milliseconds(tmp_path):
    times = [Fraction(1001 * i, 30000) for i in range(12)]
    info = VideoInfo("t", WIDTH, HEIGHT, fps=Fraction(30000, 1001), time_base=Fraction(1, 30000))
    write_clip(tmp_path / "out.mkv", [float(t) for t in times], info)
    assert read_times(tmp_path / "out.mkv") == [Fraction(round(t * 1000), 1000) for t in times]
    with av.open(str(tmp_path / "out.mkv")) as clip:
        assert clip.streams.video[0].average_rate == Fraction(30000, 1001)
        assert clip.duration / 1e6 == pytest.approx(12 * 1001 / 30000, abs=0.002)


@pytest.mark.skipif(int(av.__version__.split(".")[0]) < 18, reason="PyAV before 18 writes 24")
def test_no_rate_is_invented_where_none_is_known(tmp_path):
    write_clip(tmp_path / "out.mkv", [0.0, 0.5, 0.6, 1.3], VideoInfo("t", WIDTH, HEIGHT))
    with av.open(str(tmp_path / "out.mkv")) as clip:
        assert clip.streams.video[0].average_rate != 24


def test_a_negative_start_becomes_zero_and_loses_no_frame(tmp_path):
    write_clip(tmp_path / "out.mp4", [-0.4, -0.3, 0.1, 0.2])
    assert read_times(tmp_path / "out.mp4") == [0, Fraction(1, 10), Fraction(1, 2), Fraction(3, 5)]


def test_a_live_clip_starts_at_zero(tmp_path):
    info = VideoInfo("camera 0", WIDTH, HEIGHT, fps=Fraction(30), is_live=True)
    write_clip(tmp_path / "out.mp4", [61.5, 61.6, 61.8], info)
    assert read_times(tmp_path / "out.mp4") == [0, Fraction(1, 10), Fraction(3, 10)]
    with av.open(str(tmp_path / "out.mp4")) as clip:
        assert clip.duration == 500_000


@pytest.mark.parametrize("suffix", CLIP_SUFFIXES)
def test_a_clip_of_one_frame_lasts_one_period(tmp_path, suffix):
    write_clip(tmp_path / f"out{suffix}", [0.0])
    with av.open(str(tmp_path / f"out{suffix}")) as clip:
        assert clip.duration == 40_000
    assert read_times(tmp_path / f"out{suffix}") == [0]


@pytest.mark.parametrize("time", [0.04, 0.0, float("nan"), float("inf")])
def test_times_that_do_not_increase_are_refused(tmp_path, time):
    with ClipSink(tmp_path / "out.mp4", INFO) as sink:
        put(sink, grey(0), time=0.04)
        with pytest.raises(ValueError, match="frame time"):
            put(sink, grey(0), time=time)
        put(sink, grey(0), time=0.08)
    assert len(read_times(tmp_path / "out.mp4")) == 2


def test_what_was_written_before_an_interruption_is_a_valid_clip(tmp_path):
    sink = ClipSink(tmp_path / "out.mp4", INFO)
    for index in range(7):
        put(sink, grey(20 * index), index)
    sink.close()
    images = read_images(tmp_path / "out.mp4")
    assert [round(float(np.median(image)) / 20) for image in images] == list(range(7))


def test_a_closed_sink_takes_no_more(target):
    sink = open_sink(target, INFO)
    put(sink, grey(0))
    sink.close()
    with pytest.raises(ValueError, match=r"is closed$"):
        put(sink, grey(0), 1)


def test_the_index_is_at_the_front(tmp_path):
    write_clip(tmp_path / "out.mp4", [0.0, 0.04])
    content = (tmp_path / "out.mp4").read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")


# The clip: pixels


def patches(width: int, height: int) -> np.ndarray:
    columns = np.arange(width) * len(PATCHES) // width
    return np.broadcast_to(PATCHES[columns], (height, width, 3))


def decode_with_opencv(path: Path) -> np.ndarray:
    capture = cv2.VideoCapture(str(path))
    try:
        return capture.read()[1]
    finally:
        capture.release()


@pytest.mark.parametrize("decode", [lambda path: read_images(path)[0], decode_with_opencv])
@pytest.mark.parametrize(
    ("width", "height", "tag"), [(640, 360, 6), (1280, 720, 1), (641, 719, 1), (720, 576, 6)]
)
def test_saturated_colours_come_back_within_four_levels(tmp_path, width, height, tag, decode):
    image = patches(width, height)
    with ClipSink(tmp_path / "out.mp4", INFO) as sink:
        put(sink, image)
    decoded = decode(tmp_path / "out.mp4")[:height, :width].astype(int)
    errors = [
        np.abs(np.median(decoded[np.all(image == patch, axis=2)], axis=0) - patch).max()
        for patch in PATCHES
    ]
    assert max(errors) <= 4
    with av.open(str(tmp_path / "out.mp4")) as clip:
        codec = clip.streams.video[0].codec_context
        tags = (codec.colorspace, codec.color_primaries, codec.color_trc, codec.color_range)
        assert tags == (tag, tag, tag, 1)


def test_odd_sizes_are_padded_by_the_edge(tmp_path):
    image = np.zeros((47, 63, 3), np.uint8)
    image[:, 40:] = 200
    with ClipSink(tmp_path / "out.mp4", INFO) as sink:
        put(sink, image)
    (decoded,) = read_images(tmp_path / "out.mp4")
    assert decoded.shape == (48, 64, 3)
    np.testing.assert_allclose(decoded[:, -2:], 200, atol=3)
    np.testing.assert_allclose(decoded[-2:, :30], 0, atol=3)


def test_the_first_image_decides_the_size(tmp_path):
    with ClipSink(tmp_path / "out.mp4", INFO) as sink:
        put(sink, grey(0, 2 * WIDTH))
        with pytest.raises(ValueError, match="64x48 pixels, unlike the 128x48 of the first image"):
            put(sink, grey(0), 1)
    assert read_images(tmp_path / "out.mp4")[0].shape == (HEIGHT, 2 * WIDTH, 3)


def test_a_codec_that_refuses_is_one_clear_line(tmp_path):
    with (
        pytest.raises(SinkError, match=r"out.mp4: libsvtav1 does not take pictures of 2x2; choose"),
        ClipSink(tmp_path / "out.mp4", INFO, encoder=EncoderOptions("av1")) as sink,
    ):
        put(sink, grey(0, 2, 2))
    assert listing(tmp_path) == []


def test_a_smaller_crf_is_closer_to_the_image(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    errors = []
    for crf in (5, 45):
        with ClipSink(tmp_path / f"{crf}.mp4", INFO, encoder=EncoderOptions(crf=crf)) as sink:
            put(sink, image)
        errors.append(np.abs(read_images(tmp_path / f"{crf}.mp4")[0] - image.astype(float)).mean())
    assert all(a < b for a, b in pairwise(errors))
