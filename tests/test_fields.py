"""Interlaced clips: each picture becomes a whole one, also where size or format change."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import ColorRange
from test_features import card, distance, encode, read

MPEG2 = {"qmin": "1", "qmax": "4"}


def woven(n_frames: int, *, scale: int = 1) -> list[np.ndarray]:
    """A white bar that moves 8 pixels a field, two fields a frame: its edges are combs."""

    def field(time: int) -> np.ndarray:
        image = np.full((96 * scale, 128 * scale, 3), 30, np.uint8)
        image[:, 8 * scale * time : 8 * scale * (time + 3)] = 220
        return image

    images = []
    for i in range(n_frames):
        image = field(2 * i)
        image[1::2] = field(2 * i + 1)[1::2]
        images.append(image)
    return images


def comb(image: np.ndarray) -> int:
    """The largest step from a line to the next one: teeth are 190 apart."""
    return int(np.abs(np.diff(image[16:-16].astype(int), axis=0)).max())


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mp4", "libx264", {"crf": "10", "x264-params": "tff=1"}),
        ("a.ts", "mpeg2video", MPEG2),
    ],
)
def test_interlaced_pictures_become_one_whole_picture_each(name, codec, options, tmp_path):
    path = encode(tmp_path / name, woven(6), codec, "yuv420p", options=options, is_interlaced=True)
    with av.open(str(path)) as clip:
        times = [frame.time for frame in clip.decode(video=0)]
    frames = read(path)
    assert [frame.time for frame in frames] == times
    assert [frame.index for frame in frames] == list(range(6))
    assert max(comb(frame.image) for frame in frames[1:-1]) < 60


@pytest.mark.parametrize("color_range", [ColorRange.MPEG, ColorRange.JPEG])
@pytest.mark.parametrize("matrix", [1, 6])
def test_interlaced_pictures_keep_their_colours(matrix, color_range, tmp_path):
    path = encode(tmp_path / "a.mp4", [card()] * 4, "libx264", "yuv420p", is_interlaced=True,
                  options={"crf": "1", "x264-params": "tff=1"}, matrix=matrix,
                  color_range=color_range)  # fmt: skip
    with av.open(str(path)) as clip:
        assert next(clip.decode(video=0)).interlaced_frame
    assert max(distance(frame.image, card()) for frame in read(path)[1:]) <= 4


def join(folder: Path, *make: Callable[[Path], Path]) -> Path:
    parts = [made(folder / f"{i}.ts").read_bytes() for i, made in enumerate(make)]
    (folder / "joined.ts").write_bytes(b"".join(parts))
    return folder / "joined.ts"


def part(
    pixels: str = "yuv420p", *, scale: int = 1, is_interlaced: bool = True, codec="mpeg2video"
):
    options = MPEG2 if codec == "mpeg2video" else {"crf": "10", "x264-params": "tff=1"}
    return lambda path: encode(
        path, woven(6, scale=scale), codec, pixels, options=options, is_interlaced=is_interlaced
    )


@pytest.mark.parametrize("codec", ["mpeg2video", "libx264"])
@pytest.mark.parametrize("scales", [(1, 2), (2, 1)])
def test_interlaced_pictures_of_another_size_are_scaled_whole(scales, codec, tmp_path, caplog):
    path = join(tmp_path, *(part(scale=scale, codec=codec) for scale in scales))
    with caplog.at_level(logging.WARNING):
        frames = read(path)
    assert [frame.index for frame in frames] == list(range(12))
    assert len({frame.image.shape for frame in frames}) == 1
    for before, after in zip(frames[1:5], frames[7:11], strict=True):
        assert comb(after.image) < 60
        assert cv2.absdiff(before.image, after.image).mean() < 6  # the bar is where it was
    assert not caplog.records


@pytest.mark.parametrize("codec", ["mpeg2video", "libx264"])
@pytest.mark.parametrize("pixels", [("yuv420p", "yuv422p"), ("yuv422p", "yuv420p")])
def test_interlaced_pictures_of_another_pixel_format_go_on(pixels, codec, tmp_path):
    frames = read(join(tmp_path, *(part(name, codec=codec) for name in pixels)))
    assert [frame.index for frame in frames] == list(range(12))
    assert max(comb(frame.image) for frame in (*frames[1:5], *frames[7:11])) < 60


def test_a_clip_that_begins_progressive_is_deinterlaced_from_where_it_is_not(tmp_path):
    frames = read(join(tmp_path, part(is_interlaced=False), part()))
    assert [frame.index for frame in frames] == list(range(12))
    assert min(comb(frame.image) for frame in frames[1:5]) > 150  # as they are
    assert max(comb(frame.image) for frame in frames[7:11]) < 60
