"""HEIC images are read whole: a picture or a grid of tiles, upright, in their colours."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import heif
import numpy as np
import pytest

from livekm import open_source
from livekm.errors import SourceError
from livekm.sources import ClipSource


def card(height: int = 256, width: int = 384) -> np.ndarray:
    colours = np.random.default_rng(4).integers(30, 220, (4, 6, 3), np.uint8)
    return cv2.resize(colours, (width, height), interpolation=cv2.INTER_NEAREST)


def tiles_of(image: np.ndarray, size: int = 128) -> list[np.ndarray]:
    return [
        np.ascontiguousarray(image[y : y + size, x : x + size])
        for y in range(0, image.shape[0], size)
        for x in range(0, image.shape[1], size)
    ]


def read(path: Path) -> np.ndarray:
    with open_source(path) as source:
        assert source.info.is_still
        return next(iter(source)).image


def assert_alike(found: np.ndarray, wanted: np.ndarray) -> None:
    assert found.shape == wanted.shape
    difference = cv2.absdiff(found, np.ascontiguousarray(wanted))
    assert np.percentile(difference, 90) <= 6


@pytest.mark.parametrize("turn", [None, 1, 2, 3])
@pytest.mark.parametrize("mirror", [None, 0, 1])
@pytest.mark.parametrize("is_grid", [False, True])
def test_a_picture_and_a_grid_are_read_whole_and_upright(is_grid, mirror, turn, tmp_path):
    image = card()
    options = {"columns": 3, "size": (370, 250)} if is_grid else {}
    path = heif.write(tmp_path / "a.heic", tiles_of(image) if is_grid else [image],
                      turn=turn, mirror=mirror, **options)  # fmt: skip
    wanted = np.rot90(image[:250, :370] if is_grid else image, turn or 0)
    if mirror is not None:
        wanted = wanted[:, ::-1] if mirror else wanted[::-1]
    assert_alike(read(path), wanted)


@pytest.mark.parametrize("name", ["a.jpg", "a.mp4", "a"])
def test_a_heic_under_another_name_is_read_as_well(name, tmp_path):
    heif.write(tmp_path / name, tiles_of(card()), columns=3)
    assert_alike(read(tmp_path / name), card())


def test_a_tile_is_no_clip(tmp_path):
    path = heif.write(tmp_path / "a.mp4", tiles_of(card()), columns=3)
    with pytest.raises(SourceError, match="no picture in it"):
        ClipSource(path)


@pytest.mark.parametrize("columns", [None, 3])
def test_a_still_image_is_written_as_an_image(columns, run_cli, tmp_path):
    heif.write(tmp_path / "a.heic", tiles_of(card()) if columns else [card()], columns=columns)
    assert run_cli("a.heic", "-o", "out.png", "-k", "4", "-q") == (0, "", "")
    assert cv2.imread(str(tmp_path / "out.png")).shape == (256, 384, 3)
    code, _, err = run_cli("a.heic", "-o", "out.mp4", "-q")
    assert (code, err.startswith("livekm: a.heic is an image: end out.mp4 in")) == (2, True)


def test_a_grid_that_lacks_a_tile_is_one_line(tmp_path):
    path = heif.write(tmp_path / "a.heic", tiles_of(card()), columns=3)
    data = path.read_bytes()
    for content in (
        data.replace(b"grid", b"iovl"),  # an overlay
        data.replace(b"dimg", b"none"),
        data[: len(data) // 4],
        data[:40],
    ):
        path.write_bytes(content)
        with pytest.raises(SourceError, match=r"a\.heic: not an image that can be read; convert"):
            open_source(path)


def test_an_avif_is_a_still_image(tmp_path):
    with av.open(str(tmp_path / "a.avif"), "w", format="avif") as output:
        stream = output.add_stream("libsvtav1", rate=1, options={"svtav1-params": "lookahead=0"})
        stream.width, stream.height, stream.pix_fmt = 384, 256, "yuv420p"
        output.mux(stream.encode(av.VideoFrame.from_ndarray(card(), format="bgr24")))
        output.mux(stream.encode())
    assert_alike(read(tmp_path / "a.avif"), card())
