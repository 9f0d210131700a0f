"""Every codec in every container that takes it, GIF, and rows of images."""

from __future__ import annotations

import csv
import gc
import logging
import re
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from clips import Sound, flat_image, make_clip
from test_clips import click_time
from test_sinks import PATCHES, grey, listing, patches, put, read_images, read_times

from livekm import Segmentation, Segmenter, convert, files, open_sink, open_source
from livekm.errors import SinkError
from livekm.frame import Frame, VideoInfo
from livekm.outputs import (
    CODECS,
    CONTAINERS,
    ClipSink,
    EncoderOptions,
    choose_encoding,
    is_image_row,
)
from livekm.outputs.tables import open_labels
from livekm.outputs.video.pixel_formats import ToPalette
from livekm.views import VIEWS

INFO = VideoInfo("test", 64, 48, fps=Fraction(25))
ROWS = [(codec, suffix) for codec, row in CODECS.items() for suffix in row.containers]
every_row = pytest.mark.parametrize(("codec", "suffix"), ROWS)
every_codec = pytest.mark.parametrize("codec", CODECS)
VARYING = [Fraction(n, 1000) for n in (0, 40, 80, 310, 360, 800)]


def encode(path: Path, images, times=None, info=INFO, **options) -> Path:
    with ClipSink(path, info, encoder=EncoderOptions(**options)) as sink:
        for index, image in enumerate(images):
            put(sink, image, index, None if times is None else float(times[index]))
    return path


# Every codec in every container


@every_row
def test_every_frame_comes_back_in_its_colours_and_in_order(codec, suffix, tmp_path):
    images = [flat_image(index, 64, 48) for index in range(20)]
    found = read_images(encode(tmp_path / f"out{suffix}", images, codec=codec))
    assert [np.median(image) for image in found] == pytest.approx(
        [np.median(image) for image in images], abs=4
    )


@every_row
def test_a_varying_rate_keeps_its_times_as_exactly_as_the_container_can(codec, suffix, tmp_path):
    images = [flat_image(index, 64, 48) for index in range(len(VARYING))]
    path = encode(tmp_path / f"out{suffix}", images, VARYING, codec=codec)
    assert read_times(path) == [time if suffix != ".avi" else round(25 * time) * Fraction(1, 25)
                              for time in VARYING]  # fmt: skip


@every_row
def test_a_source_without_a_rate_can_be_recorded(codec, suffix, tmp_path):
    live = VideoInfo("camera 0", 64, 48, is_live=True)
    times = [61.5, 61.6, 61.8]
    path = encode(tmp_path / f"out{suffix}", map(grey, (0, 100, 200)), times, live, codec=codec)
    assert read_times(path) == [0, Fraction(1, 10), Fraction(3, 10)]


@every_row
def test_the_extremes_of_crf_and_preset_are_taken(codec, suffix, tmp_path):
    row = CODECS[codec]
    for end in (0, -1):
        crf = row.crf[end] if row.crf else None
        preset = row.presets[end] if row.presets else None
        path = tmp_path / f"{end}{suffix}"
        encode(path, [grey(90)] * 2, codec=codec, crf=crf, preset=preset)


@pytest.mark.parametrize("codec", [codec for codec, row in CODECS.items() if row.crf])
def test_a_smaller_crf_is_closer_to_the_image(codec, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    noise = cv2.resize(noise[::8, ::8], (64, 48))
    errors = []
    for crf in (CODECS[codec].crf[5], CODECS[codec].crf[-5]):
        (found,) = read_images(encode(tmp_path / f"{crf}.mkv", [noise], codec=codec, crf=crf))
        errors.append(np.abs(found.astype(float) - noise).mean())
    assert all(a < b for a, b in pairwise(errors))


@every_codec
@pytest.mark.parametrize(("width", "height", "tag"), [(640, 360, 6), (1280, 720, 1)])
def test_saturated_colours_of_every_codec_are_tagged_and_come_back(
    codec, width, height, tag, tmp_path
):
    image = patches(width, height)
    path = encode(tmp_path / f"out{CODECS[codec].containers[0]}", [image], codec=codec)
    found = read_images(path)[0].astype(int)
    errors = [np.abs(np.median(found[np.all(image == p, axis=2)], axis=0) - p) for p in PATCHES]
    is_exact = CODECS[codec].pixel_format != "yuv420p"
    assert np.max(errors) <= (0 if is_exact else 4)
    if not is_exact:
        with av.open(str(path)) as clip:
            context = clip.streams.video[0].codec_context
            tags = (context.colorspace, context.color_primaries, context.color_trc)
            assert (tags, context.color_range) == ((tag,) * 3, 1)


@pytest.mark.parametrize(
    ("codec", "suffix"), [(codec, suffix) for codec, suffix in ROWS if not CODECS[codec].is_even]
)
@pytest.mark.parametrize(("width", "height"), [(65, 48), (64, 49), (65, 49)])
def test_odd_sizes_are_kept_where_the_codec_has_them(codec, suffix, width, height, tmp_path):
    image = grey(20, width, height)
    image[:, 40:] = 200
    (found,) = read_images(encode(tmp_path / f"out{suffix}", [image], codec=codec))
    assert found.shape == image.shape
    np.testing.assert_allclose(found[:, -2:], 200, atol=4)


def cropping_of(path: Path) -> list[int] | None:
    """The columns and rows that players leave out, as FFmpeg reads them: left, right, top, bottom.

    PyAV gives them in FFmpeg's own description of a file only, which is part of its log.
    """
    level = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)
    try:
        with av.open(str(path)) as clip:
            found = re.search(r"[Cc]ropping: (\d+)/(\d+)/(\d+)/(\d+)", clip.dumps_format())
    finally:
        av.logging.set_level(level)
    return [int(number) for number in found.groups()] if found else None


@pytest.mark.parametrize(
    ("codec", "suffix"), [(codec, suffix) for codec, suffix in ROWS if CODECS[codec].is_even]
)
@pytest.mark.parametrize(("width", "height"), [(65, 48), (64, 49), (65, 49)])
def test_odd_sizes_are_padded_and_the_container_tells_players_to_crop_them(
    codec, suffix, width, height, tmp_path
):
    images = [flat_image(index, width, height) for index in range(len(VARYING))]
    path = encode(tmp_path / f"out{suffix}", images, VARYING, codec=codec)
    if suffix == ".avi":  # which cannot say it
        assert cropping_of(path) is None
    else:
        assert cropping_of(path) == [0, width % 2, 0, height % 2]
        assert read_times(path) == VARYING
    found = read_images(path)
    assert [image.shape for image in found] == [(48 + height % 2 * 2, 64 + width % 2 * 2, 3)] * 6
    for image, given in zip(found, images, strict=True):
        np.testing.assert_allclose(image, given[0, 0, 0], atol=4)
    assert cropping_of(encode(tmp_path / f"even{suffix}", [grey(9)], codec=codec)) is None


def n_threads() -> int:
    gc.collect()  # a codec that is closed keeps its threads until it is freed
    return len(list(Path("/proc/self/task").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts threads in /proc")
@pytest.mark.parametrize("codec", [codec for codec, row in CODECS.items() if row.presets])
def test_encoders_start_no_more_threads_than_they_are_given(codec, tmp_path):
    suffix = CODECS[codec].containers[0]
    encode(tmp_path / f"before{suffix}", [grey(9, 640, 360)], codec=codec)  # the converter's own
    counts = []
    for threads in (1, 4):
        before, encoder = n_threads(), EncoderOptions(codec, threads=threads)
        with ClipSink(tmp_path / f"{threads}{suffix}", INFO, encoder=encoder) as sink:
            for index in range(30 if codec == "vp9" else 4):  # which begins when it has 25
                put(sink, grey(90, 640, 360), index)
            counts.append(n_threads() - before)
    assert counts[0] < counts[1]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts threads in /proc")
def test_a_video_of_labels_and_a_palette_take_no_more_threads_than_they_are_given(tmp_path):
    segmentation = Segmentation(np.zeros((360, 640), np.uint8), np.zeros((1, 3), np.uint8))
    labels, palettes = [], []
    for threads in (1, 4):
        before = n_threads()
        with open_labels(tmp_path / f"{threads}.mkv", INFO, threads=threads) as sidecar:
            sidecar.write(Frame(segmentation.labels, 0, 0.0), segmentation)
            labels.append(n_threads() - before)
        before = n_threads()
        conversion = ToPalette(640, 360, threads)
        palettes.append(n_threads() - before)
        del conversion
    for alone, four in (labels, palettes):
        assert alone == 0 < four <= 4


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_hevc_has_the_name_that_players_of_apple_know(suffix, tmp_path):
    with av.open(str(encode(tmp_path / f"out{suffix}", [grey(9)], codec="hevc"))) as clip:
        assert clip.streams.video[0].codec_context.codec_tag == "hvc1"


def test_a_lossless_clip_has_the_very_colours(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (5, 48, 64, 3), np.uint8)
    found = read_images(encode(tmp_path / "out.mkv", noise, codec="ffv1"))
    np.testing.assert_array_equal(found, noise)


# What goes with what


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("out.webm", {"codec": "h264"}, r".webm does not hold h264; end .* choose vp9 or av1"),
        ("out.mp4", {"codec": "ffv1"}, r".mp4 does not hold ffv1; end .* in .mkv or .avi, or .*"),
        ("out.gif", {"codec": "h264"}, r".gif does not hold h264; .* choose gif"),
        ("out.mp4", {"codec": "divx"}, r"there is no codec divx; choose h264, .*"),
        ("out.mp4", {"crf": 52}, r"the crf of h264 is 0 to 51, got 52"),
        ("out.webm", {"crf": -1}, r"the crf of vp9 is 0 to 63, got -1"),
        ("out.gif", {"crf": 20}, r"gif has no crf, it has 256 colours; leave it out"),
        ("out.mkv", {"codec": "ffv1", "crf": 0}, r"ffv1 has no crf, it is lossless; leave it out"),
        ("out.mkv", {"codec": "ffv1", "preset": "fast"}, r"ffv1 has no presets, it is lossless.*"),
        ("out.mp4", {"threads": 0}, r"threads must be from 1 to 256, got 0"),
        ("out.mp4", {"preset": "hasty"}, r"h264 has no preset hasty; choose ultrafast, .*"),
        ("out.webm", {"preset": "fast"}, r"vp9 has no preset fast; choose 8, 7, .* or 0"),
    ],
)
def test_what_does_not_go_together_is_one_clear_line(name, options, said, run_cli):
    with pytest.raises(ValueError, match=f"^{said}$"):
        choose_encoding(name, EncoderOptions(**options))
    arguments = [f"--{option}={value}" for option, value in options.items()]
    code, out, err = run_cli("clip.mp4", "-o", name, *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize(
    "arguments",
    [
        ("in.mp4", "--codec", "hevc"),
        ("in.mp4", "-o", "out.png", "--crf", 20, "--frames", 1),
        ("in.mp4", "-o", "out/%06d.png", "--preset", "fast"),
        ("in", "-o", "out", "--codec", "ffv1", "--crf", 20),
    ],
)
def test_options_of_the_encoder_without_a_clip_are_wrong_usage(arguments, run_cli, tmp_path):
    make_clip(tmp_path / "in.mp4")
    code, _, err = run_cli(*arguments)
    assert (code, err.count("\n")) == (2, 1)


@every_codec
def test_the_command_line_encodes_by_every_codec(codec, run_cli, tmp_path):
    make_clip(tmp_path / "in.mp4", 5)
    suffix = CODECS[codec].containers[-1]
    assert run_cli("in.mp4", "-o", f"out{suffix}", "--codec", codec, "-q") == (0, "", "")
    with av.open(str(tmp_path / f"out{suffix}")) as clip:
        assert (
            clip.streams.video[0].codec_context.codec.id == av.Codec(CODECS[codec].encoder, "w").id
        )


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_every_suffix_has_a_codec_of_its_own(suffix):
    assert suffix in CODECS[CONTAINERS[suffix].codec].containers


# What containers keep


@pytest.mark.parametrize(
    ("suffix", "codec", "is_kept"),
    [(".webm", "libopus", True), (".webm", "aac", False), (".gif", "aac", False),
     (".avi", "ac3", True), (".avi", "aac", True)],
)  # fmt: skip
def test_sound_is_copied_where_the_container_takes_it(suffix, codec, is_kept, tmp_path, caplog):
    sound = Sound(click=0.2, codec=codec)
    path = make_clip(tmp_path / "in.mkv", 10, sound=sound, metadata={"title": "Night drive"})
    with caplog.at_level(logging.WARNING, "livekm"), open_source(path) as source:
        encode(tmp_path / f"out{suffix}", (frame.image for frame in source), info=source.info)
    with av.open(str(tmp_path / f"out{suffix}")) as clip:
        assert len(clip.streams.audio) == is_kept
        assert clip.metadata.get("title") == (None if suffix == ".gif" else "Night drive")
    assert len(caplog.records) == (not is_kept)
    if is_kept:
        found = click_time(tmp_path / f"out{suffix}")
        assert found == pytest.approx(click_time(path), abs=0.025 if suffix == ".avi" else 0.0011)


def test_avi_shows_each_frame_at_the_nearest_tick_of_the_rate_and_keeps_all(tmp_path):
    info = VideoInfo("t", 64, 48, fps=Fraction(30000, 1001), time_base=Fraction(1, 90000))
    times = [0.0, 0.002, 0.0334, 0.12, 1.0]
    path = encode(tmp_path / "out.avi", map(grey, range(0, 250, 50)), times, info)
    assert read_times(path) == [tick * Fraction(1001, 30000) for tick in (0, 1, 2, 4, 30)]
    capture = cv2.VideoCapture(str(path))
    shown = []
    while capture.read()[0]:
        shown.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
    capture.release()
    assert shown == pytest.approx([float(time) for time in read_times(path)], abs=1e-4)


def test_a_clip_of_varying_rate_keeps_its_times_in_avi(tmp_path):
    """Its mean rate is 15, but most frames come at 25."""
    times = [*(i / 25 for i in range(25)), *(1 + i / 5 for i in range(10)),
             *(3 + i / 25 for i in range(25))]  # fmt: skip
    make_clip(tmp_path / "in.mp4", times=times, fps=25)
    convert(tmp_path / "in.mp4", tmp_path / "out.avi", 2)
    assert [float(time) for time in read_times(tmp_path / "out.avi")] == pytest.approx(times)


# GIF


def test_a_gif_of_segments_has_the_very_colours_of_each_palette(tmp_path):
    frames = list(make_frames())
    segmenter = Segmenter(8, random_state=0)
    painted = [segmenter.update(frame.image).paint() for frame in frames]
    assert len({image.tobytes() for image in painted}) > 1
    found = read_images(encode(tmp_path / "out.gif", painted))
    np.testing.assert_array_equal(found, painted)


def make_frames(n: int = 4):
    with open_source("demo", width=64, height=48) as source:
        yield from islice(source, n)


def test_a_gif_of_many_colours_has_the_256_that_fit_best(tmp_path):
    images = [frame.image for frame in make_frames()]
    found = read_images(encode(tmp_path / "out.gif", images))
    for image, shown in zip(images, found, strict=True):
        assert len(np.unique(shown.reshape(-1, 3), axis=0)) <= 256
        assert np.abs(shown.astype(float) - image).mean() < 4


def test_frames_of_a_gif_are_two_hundredths_apart_or_more(tmp_path):
    times = [1.0, 1.005, 1.01, 1.2]
    path = encode(tmp_path / "out.gif", map(grey, (0, 50, 100, 150)), times)
    assert read_times(path) == [0, Fraction(2, 100), Fraction(4, 100), Fraction(20, 100)]


# Images in a row


def test_a_row_of_images_holds_every_frame_and_its_time(tmp_path):
    frames = list(make_frames())
    with open_sink(tmp_path / "out" / "f%03d.png", INFO) as sink:
        for frame in frames:
            sink.write(frame.image, frame.time)
        assert not (tmp_path / "out").exists()
    names = [f"f{index:03d}.png" for index in range(4)]
    assert listing(tmp_path / "out") == [".livekm", *names, "frames.csv"]
    for name, frame in zip(names, frames, strict=True):
        np.testing.assert_array_equal(cv2.imread(str(tmp_path / "out" / name)), frame.image)
    with (tmp_path / "out" / "frames.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == names
    assert [float(row["time"]) for row in rows] == [frame.time for frame in frames]
    with open_source(tmp_path / "out" / "f%03d.png") as source:
        assert sum(1 for _ in source) == 4


def write_row(folder: Path, **options) -> None:
    with open_sink(folder / "%d.png", INFO, **options) as sink:
        put(sink, grey(1))


def test_a_row_of_images_replaces_no_folder_but_an_empty_one_or_when_asked(tmp_path):
    (tmp_path / "out").mkdir()
    write_row(tmp_path / "out")
    with pytest.raises(SinkError, match=r"out exists; add --overwrite"):
        write_row(tmp_path / "out")
    write_row(tmp_path / "out", overwrite=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "0.png").touch()
    with pytest.raises(SinkError, match=r"mine is a folder that livekm did not make; name another"):
        write_row(tmp_path / "mine", overwrite=True)
    assert listing(tmp_path) == ["mine", "out"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_that_is_filled_while_images_are_written_is_never_deleted(overwrite, tmp_path):
    def fill_meanwhile():
        with open_sink(tmp_path / "late" / "%d.png", INFO, overwrite=overwrite) as sink:
            put(sink, grey(1))
            (tmp_path / "late").mkdir()
            (tmp_path / "late" / "note.txt").write_text("precious")

    fill_meanwhile()
    assert listing(tmp_path) == ["late", "late-2"]
    assert listing(tmp_path / "late") == ["note.txt"]
    assert listing(tmp_path / "late-2") == [".livekm", "0.png", "frames.csv"]


def test_images_may_be_written_to_the_empty_folder_that_one_is_in(tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    with open_sink("%d.png", INFO) as sink:
        put(sink, grey(1))
    monkeypatch.chdir(tmp_path)
    assert sink.path == tmp_path / "out"
    assert (tmp_path / "out" / "0.png").exists()


def test_images_in_the_current_folder_among_others_are_one_clear_line(tmp_path, monkeypatch):
    (tmp_path / "other.txt").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SinkError, match=r"^the files need a folder of their own; name one .*out/$"):
        open_sink("%d.png", INFO)


def test_another_runs_row_of_images_is_replaced_only_if_asked(tmp_path):
    def write_meanwhile(**options):
        with open_sink(tmp_path / "out" / "%d.png", INFO, **options) as sink:
            put(sink, grey(1))
            write_row(tmp_path / "out", **options)

    write_meanwhile()
    write_meanwhile(overwrite=True)
    assert listing(tmp_path) == ["out", "out-2"]


def test_a_partial_folder_of_somebody_else_is_never_replaced(tmp_path):
    (tmp_path / "out.partial").mkdir()
    (tmp_path / "out.partial" / "note.txt").write_text("precious")
    with open_sink(tmp_path / "out" / "%d.png", INFO, overwrite=True) as sink:
        put(sink, grey(1))
        sink.keep()
    assert sink.path == tmp_path / "out.partial-2"
    assert listing(tmp_path / "out.partial") == ["note.txt"]


def test_a_row_of_images_that_fails_leaves_nothing_and_an_interrupted_one_is_partial(tmp_path):
    with pytest.raises(SinkError, match=r"^no frame was written to .*%d.png$"):
        open_sink(tmp_path / "out" / "%d.png", INFO).close()
    assert listing(tmp_path) == []
    seen = []
    with open_source("demo", width=64, height=48) as demo:
        result = files.process_clip(
            demo, Segmenter(2), VIEWS["segments"], tmp_path / "out" / "%d.png",
            on_frame=lambda *found: seen.append(found), should_stop=lambda: bool(seen),
        )  # fmt: skip
    assert result.paths == (tmp_path / "out.partial",)
    assert (tmp_path / "out.partial" / "0.png").exists()


def test_a_row_of_images_never_replaces_its_input(tmp_path):
    write_row(tmp_path / "out")
    for name in ("out", "out/%d.png", "out/*.png", "out/0.png"):
        with (
            open_source(str(tmp_path / name)) as source,
            pytest.raises(SinkError, match="is the input itself"),
        ):
            open_sink(tmp_path / "out" / "%d.png", source.info, overwrite=True)


def test_a_name_with_two_numbers_is_refused_and_a_number_in_the_folder_is_none(tmp_path):
    with pytest.raises(ValueError, match=r"^expected a pattern of image names, .*%d-%d.png$"):
        open_sink(tmp_path / "out" / "%d-%d.png", INFO)
    assert not is_image_row("%d/out.png")


def test_the_command_line_writes_a_clip_as_images(run_cli, tmp_path):
    make_clip(tmp_path / "in.mp4", 3)
    code, out, err = run_cli("in.mp4", "-o", "out/%06d.jpg", "-q")
    assert (code, out, err) == (0, "", "")
    assert (tmp_path / "out" / "000002.jpg").is_file()
