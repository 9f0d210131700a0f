"""Paintings: labels and a palette that become an image, or an encoder's planes, where needed."""

from __future__ import annotations

from fractions import Fraction
from functools import partial

import av
import naive
import numpy as np
import pytest
from test_sinks import PATCHES, decode_with_opencv, read_images

from livekm import Segmenter, files, open_sink, open_source
from livekm.core.painting import Painting
from livekm.core.selection import Selection
from livekm.frame import VideoInfo
from livekm.outputs import CODECS, CONTAINERS, FILE_SINKS, EncoderOptions
from livekm.outputs.video.pixel_formats import CONVERSIONS
from livekm.views import VIEWS

INFO = VideoInfo("test", 64, 48, fps=Fraction(25))
MATRICES = {"BT.601": (0.299, 0.114), "BT.709": (0.2126, 0.0722)}


def random_painting(height: int, width: int, k: int = 256, seed: int = 0) -> Painting:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, k, (height, width), np.uint8)
    return Painting(labels, rng.integers(0, 256, (k, 3), np.uint8))


def striped(height: int, width: int) -> Painting:
    """One stripe for each of the saturated colours."""
    columns = (np.arange(width) * len(PATCHES) // width).astype(np.uint8)
    return Painting(np.tile(columns, (height, 1)), PATCHES)


def write(path, picture):
    with open_sink(path, INFO) as sink:
        sink.write(picture)
    return path


def test_an_image_has_the_colour_of_each_label():
    painting = random_painting(47, 63)
    np.testing.assert_array_equal(painting.paint(), naive.paint(painting.labels, painting.palette))


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("k", [1, 8, 256])
def test_planes_are_those_of_the_painted_image(name, k):
    red, blue = MATRICES[name]
    painting = random_painting(46, 62, k)
    # As in a frame of FFmpeg: planes are wider than what is written.
    y, u, v = (np.full(s, 7, np.uint8) for s in ((46, 80), (23, 48), (23, 48)))
    painting.paint_yuv(y[:, :62], u[:, :31], v[:, :31], red=red, blue=blue)
    wanted = naive.yuv(painting.paint(), red, blue)
    for plane, exact in zip((y[:, :62], u[:, :31], v[:, :31]), wanted, strict=True):
        assert np.abs(plane - exact).max() < 0.501
    for plane, width in ((y, 62), (u, 31), (v, 31)):
        assert (plane[:, width:] == 7).all()


@pytest.mark.parametrize("pixel_format", CONVERSIONS)
@pytest.mark.parametrize("size", [(720, 960), (360, 640), (361, 641)])
def test_pictures_of_a_painting_are_those_of_its_image(pixel_format, size):
    painting = striped(*size)
    even = tuple(length + length % 2 for length in size[::-1])
    sizes = {even, size[::-1]} if pixel_format == "yuv420p" else {size[::-1]}
    for width, height in sizes:
        painted = CONVERSIONS[pixel_format](width, height)(painting)
        image = CONVERSIONS[pixel_format](width, height)(painting.paint())
        if pixel_format == "yuv420p":  # chroma of an image is filtered over more than two columns
            y, wanted = (np.array(p.planes[0]).reshape(height, -1) for p in (painted, image))
            assert np.abs(y.astype(int) - wanted)[:, :width].max() <= 1
        else:
            found, wanted = (p.to_ndarray(format="bgr24") for p in (painted, image))
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("decode", [lambda path: read_images(path)[0], decode_with_opencv])
@pytest.mark.parametrize("size", [(360, 640), (720, 1280), (719, 641)])
def test_the_colours_of_a_painted_clip_come_back_within_four_levels(size, decode, tmp_path):
    painting = striped(*size)
    found = decode(write(tmp_path / "out.mp4", painting))[: size[0], : size[1]].astype(int)
    for label, color in enumerate(PATCHES):
        seen = np.median(found[painting.labels == label], axis=0)
        assert np.abs(seen - color).max() <= 4


@pytest.mark.parametrize("suffix", [*FILE_SINKS, "/%d.png"])
def test_every_sink_takes_a_painting_and_writes_what_its_image_would_be(suffix, tmp_path):
    painting = striped(48, 96)
    written = [write(tmp_path / f"{name}{suffix}", picture)
               for name, picture in (("a", painting), ("b", painting.paint()))]  # fmt: skip
    a, b = (read(path if suffix != "/%d.png" else path.with_name("0.png")) for path in written)
    assert np.median(np.abs(a - b)) <= (2 if suffix in CONTAINERS else 0)


def read(path) -> np.ndarray:
    with av.open(str(path)) as file:
        return next(file.decode(video=0)).to_ndarray(format="bgr24").astype(float)


def test_a_gif_of_256_segments_has_the_very_colours(tmp_path):
    painting = random_painting(64, 64)
    (found,) = read_images(write(tmp_path / "out.gif", painting))
    np.testing.assert_array_equal(found, painting.paint())


@pytest.mark.parametrize(
    ("labels", "palette"),
    [
        (np.zeros((2, 2, 3), np.uint8), np.zeros((1, 3), np.uint8)),
        (np.zeros((2, 2), np.int64), np.zeros((1, 3), np.uint8)),
        (np.zeros((0, 2), np.uint8), np.zeros((1, 3), np.uint8)),
        (np.zeros((2, 2), np.uint8), np.zeros((3,), np.uint8)),
        (np.zeros((2, 2), np.uint8), np.zeros((257, 3), np.uint8)),
        (np.zeros((2, 2), np.uint8), np.zeros((1, 3), np.float32)),
    ],
)
def test_arrays_that_do_not_fit_are_refused(labels, palette):
    with pytest.raises(ValueError, match=r"^(labels|palette) must be "):
        Painting(labels, palette)


def test_a_label_without_a_colour_is_black():
    painting = Painting(np.full((2, 4), 255, np.uint8), np.full((1, 3), 9, np.uint8))
    assert not painting.paint().any()


def test_later_frames_do_not_change_a_painting():
    rng = np.random.default_rng(0)
    segmenter = Segmenter(4, random_state=0)
    painting = segmenter.update(rng.integers(0, 256, (48, 64, 3), np.uint8)).painting()
    before = painting.paint()
    for _ in range(3):
        segmenter.update(rng.integers(0, 256, (48, 64, 3), np.uint8)).paint()
    np.testing.assert_array_equal(painting.paint(), before)


PAINTED = {
    "segments": VIEWS["segments"],
    "mask": VIEWS["mask"],
    "segments, some kept": partial(VIEWS["segments"], selection=Selection([0, 2])),
    "mask, one dropped": partial(VIEWS["mask"], selection=Selection([1], drop=True)),
}


@pytest.mark.parametrize("name", PAINTED)
@pytest.mark.parametrize("suffix", [".mkv", ".gif"])
def test_a_clip_of_a_view_of_palettes_shows_exactly_what_the_view_does(name, suffix, tmp_path):
    view = PAINTED[name]
    seen = []

    def note(frame, segmentation):
        painting = view(frame, segmentation)
        assert isinstance(painting, Painting)  # so that the encoder need not be given an image
        seen.append(painting.paint())

    with open_source("demo", width=64, height=48) as demo:
        files.process_clip(
            demo, Segmenter(4, random_state=0), view, tmp_path / f"out{suffix}",
            encoder=EncoderOptions("ffv1" if suffix == ".mkv" else None),
            max_frames=3, on_frame=note,
        )  # fmt: skip
    np.testing.assert_array_equal(read_images(tmp_path / f"out{suffix}"), seen)


def test_every_codec_has_a_conversion_and_the_reverse():
    formats = {name for row in CODECS.values() for name in (row.pixel_format, row.alpha_format)}
    raw = {"bgr24"}  # of what goes to stdout
    assert (formats | raw) - {""} == set(CONVERSIONS)
