"""Still images: upright, in sRGB, of any depth, and as far as a damaged file goes."""

from __future__ import annotations

import contextlib
import io
import logging
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

from livekm import open_source
from livekm.errors import SourceError

SUFFIXES = [".jpg", ".png", ".webp", ".tif", ".avif"]
every_format = pytest.mark.parametrize("suffix", SUFFIXES)


def read(path: Path) -> np.ndarray:
    with open_source(path) as source:
        assert source.info.is_still
        (frame,) = source
        assert frame.image.shape == (source.info.height, source.info.width, 3)
        return frame.image


def save(path: Path, image: np.ndarray, **options) -> Path:
    """Write BGR, BGRA or grey by Pillow."""
    channels = [0] if image.ndim == 2 else [2, 1, 0, 3][: image.shape[2]]
    picture = PIL.Image.fromarray(image if image.ndim == 2 else image[:, :, channels])
    best = {".webp": {"lossless": True}, ".jpg": {"quality": 95, "subsampling": 0},
            ".avif": {"quality": 98, "subsampling": "4:4:4"}}  # fmt: skip
    picture.save(path, **best.get(path.suffix, {}), **options)
    return path


def corner_image() -> np.ndarray:
    """White in the upper left quarter, 40x24."""
    image = np.full((24, 40, 3), (60, 40, 30), np.uint8)
    image[:12, :20] = 255
    return image


@every_format
@pytest.mark.parametrize(
    ("orientation", "corner"),
    [(1, (0, 0)), (2, (0, -1)), (3, (-1, -1)), (4, (-1, 0)),
     (5, (0, 0)), (6, (0, -1)), (7, (-1, -1)), (8, (-1, 0))],
)  # fmt: skip
def test_all_eight_orientations_are_seen_upright(orientation, corner, suffix, tmp_path):
    exif = PIL.Image.Exif()
    exif[0x112] = orientation
    image = read(save(tmp_path / f"a{suffix}", corner_image(), exif=exif))
    assert image.shape == ((24, 40, 3) if orientation < 5 else (40, 24, 3))
    bright = [at for at in [(0, 0), (0, -1), (-1, 0), (-1, -1)] if image[at].min() > 200]
    assert bright == [corner]


# Colours

ADOBE = (  # to XYZ, adapted to D50
    (0.60974, 0.20528, 0.14919), (0.31111, 0.62567, 0.06322), (0.01947, 0.06087, 0.74457),
)  # fmt: skip
DISPLAY_P3 = (
    (0.51512, 0.29198, 0.15710), (0.24120, 0.69225, 0.06657), (-0.00105, 0.04189, 0.78407),
)  # fmt: skip
SRGB = ((0.43607, 0.38515, 0.14307), (0.22249, 0.71687, 0.06061), (0.01392, 0.09708, 0.71410))


def profile(matrix: tuple[tuple[float, ...], ...], gamma: float, name: str) -> bytes:
    """An ICC profile of version 2: three primaries and a gamma."""

    def fixed(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    text = name.encode()
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + bytes(80),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": b"XYZ \0\0\0\0" + fixed(0.9642) + fixed(1.0) + fixed(0.8249),
    }
    for i, letter in enumerate(b"rgb"):
        tags[bytes([letter]) + b"XYZ"] = b"XYZ \0\0\0\0" + b"".join(fixed(row[i]) for row in matrix)
        tags[bytes([letter]) + b"TRC"] = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
    offset, table, content = 132 + 12 * len(tags), b"", b""
    for key, data in tags.items():
        data += bytes(-len(data) % 4)
        table += struct.pack(">4sII", key, offset + len(content), len(data))
        content += data
    size = offset + len(content)
    head = struct.pack(">I4sI4s4s4s", size, b"\0\0\0\0", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + fixed(0.9642) + fixed(1.0) + fixed(0.8249)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + content


def in_srgb(image: np.ndarray, matrix: tuple, gamma: float) -> np.ndarray:
    """What a BGR image of a profile looks like in sRGB, by the books."""
    xyz = (image[..., ::-1] / 255.0) ** gamma @ np.array(matrix).T
    linear = np.clip(xyz @ np.linalg.inv(np.array(SRGB)).T, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(255 * encoded[..., ::-1])


def squares(top: int = 200) -> np.ndarray:
    colours = np.random.default_rng(3).integers(60, top, (4, 5, 3), np.uint8)
    return colours.repeat(8, axis=0).repeat(8, axis=1)


@pytest.mark.parametrize("suffix", [*SUFFIXES, "16.png"])
@pytest.mark.parametrize(("matrix", "gamma"), [(ADOBE, 563 / 256), (DISPLAY_P3, 2.2)])
def test_a_colour_profile_is_applied(matrix, gamma, suffix, tmp_path):
    icc, image, path = profile(matrix, gamma, "wide"), squares(), tmp_path / f"a{suffix}"
    if suffix == "16.png":  # Pillow writes none
        path.write_bytes(cv2.imencode(".png", image.astype(np.uint16) * 257)[1].tobytes())
        with_chunk(path, b"iCCP", b"wide\0\0" + zlib.compress(icc))
    else:
        save(path, image, icc_profile=icc)
    found, wanted = read(path)[4::8, 4::8], in_srgb(image, matrix, gamma)[4::8, 4::8]
    assert np.abs(found - wanted).max() <= 3
    assert np.abs(image[4::8, 4::8] - wanted).max() > 10


def with_chunk(path: Path, kind: bytes, content: bytes) -> Path:
    """Put a chunk behind a PNG's header."""
    data = path.read_bytes()
    check = struct.pack(">I", zlib.crc32(kind + content))
    chunk = struct.pack(">I", len(content)) + kind + content + check
    path.write_bytes(data[:33] + chunk + data[33:])
    return path


def test_a_profile_that_is_none_is_one_warning(tmp_path, caplog):
    path = save(tmp_path / "a.png", squares(), icc_profile=b"no profile" * 20)
    np.testing.assert_array_equal(read(path), squares())
    (record,) = caplog.records
    assert record.getMessage() == (
        "a.png: its colour profile cannot be used, it is taken for sRGB"
    )  # fmt: skip


def test_grey_and_alpha_of_a_file_with_a_profile_are_read(tmp_path):
    icc = profile(SRGB, 2.2, "near")
    grey = squares()[:, :, 0]
    alpha = np.dstack([squares(), grey])
    assert read(save(tmp_path / "grey.png", grey, icc_profile=icc)).shape == (32, 40, 3)
    assert read(save(tmp_path / "alpha.png", alpha, icc_profile=icc)).shape == (32, 40, 3)


# Depth


def ramp(n: int, dtype: type = np.uint16) -> np.ndarray:
    return np.arange(n).reshape(64, -1).astype(dtype)


def write(path: Path, image: np.ndarray) -> Path:
    path.write_bytes(cv2.imencode(path.suffix, image)[1].tobytes())
    return path


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bits_are_taken_whole(suffix, tmp_path, caplog):
    image = ramp(65536)
    found = read(write(tmp_path / f"a{suffix}", image))
    np.testing.assert_array_equal(found[:, :, 0], image >> 8)
    assert not caplog.records


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize(("n", "offset"), [(4096, 0), (1024, 0), (640, 29000)])
def test_16_bits_of_which_few_levels_would_be_left_are_stretched(
    n, offset, suffix, tmp_path, caplog
):
    found = read(write(tmp_path / f"a{suffix}", ramp(n) + np.uint16(offset)))
    assert len(np.unique(found)) > 200
    (record,) = caplog.records
    assert f"a{suffix}: its values from " in record.getMessage()
    assert "are shown from black to white" in record.getMessage()


def test_a_mask_of_two_values_is_not_stretched(tmp_path, caplog):
    image = np.where(ramp(4096) % 3 == 0, 65535, 0).astype(np.uint16)
    found = read(write(tmp_path / "a.png", image))
    assert set(np.unique(found)) == {0, 255}
    assert not caplog.records


def test_the_significant_bits_of_a_png_are_its_range(tmp_path, caplog):
    path = write(tmp_path / "a.png", ramp(4096))
    found = read(with_chunk(path, b"sBIT", bytes([12])))
    np.testing.assert_array_equal(found[:, :, 0], np.rint(ramp(4096) * (255 / 4095)))
    whole = write(tmp_path / "b.png", ramp(4096) << 4)  # as PNG itself has them
    np.testing.assert_array_equal(
        read(with_chunk(whole, b"sBIT", bytes([12])))[:, :, 0], ramp(4096) >> 4
    )
    assert not caplog.records


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_the_sample_values_of_a_tiff_are_its_range(dtype, tmp_path, caplog):
    picture = PIL.Image.fromarray(ramp(4096, dtype))
    tags = {280: 0, 281: 16383} if dtype == np.uint16 else {340: 0.0, 341: 16383.0}
    picture.save(tmp_path / "a.tif", tiffinfo=tags)
    found = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(found[:, :, 0], np.rint(ramp(4096) * (255 / 16383)))
    assert not caplog.records


def test_floats_from_0_to_1_are_taken_whole(tmp_path, caplog):
    image = np.linspace(0, 1, 4096, dtype=np.float32).reshape(64, 64)
    for name, floats in (("a.tif", image), ("c.tif", np.dstack([image] * 3))):
        found = read(write(tmp_path / name, floats))
        np.testing.assert_array_equal(found[:, :, 0], np.rint(image * 255))
    assert not caplog.records


@pytest.mark.parametrize(
    "image",
    [
        np.linspace(-40, 120, 4096).reshape(64, 64).astype(np.float32),
        np.linspace(280, 310, 4096).reshape(64, 64),
        (np.arange(4096) * 100000).reshape(64, 64).astype(np.int32),
    ],
    ids=["float32", "float64", "int32"],
)
def test_floats_and_integers_of_any_range_are_shown_with_one_warning(image, tmp_path, caplog):
    image[0, 0] = image[-1, -1]
    found = read(write(tmp_path / "a.tif", image))
    assert len(np.unique(found)) > 200
    assert (np.diff(found[1:, :, 0].reshape(-1).astype(int)) >= 0).all()
    (record,) = caplog.records
    assert "a.tif: its values from" in record.getMessage()


def test_floats_that_are_no_numbers_are_black(tmp_path):
    image = np.linspace(0, 1, 4096, dtype=np.float32).reshape(64, 64)
    image[0, :4] = np.nan, np.inf, -np.inf, 0.5
    found = read(write(tmp_path / "a.tif", image))
    assert found[0, 0, 0] == 0
    assert found[0, 1, 0] == 255
    assert len(np.unique(found)) > 200


# Damage and pages


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp"])
@pytest.mark.parametrize("lacks", [2, 0.1, 0.5])
def test_an_image_that_lacks_its_end_is_read_as_far_as_it_goes(suffix, lacks, tmp_path, caplog):
    image = cv2.resize(squares(), (320, 256), interpolation=cv2.INTER_LINEAR)
    path = save(tmp_path / f"a{suffix}", image)
    whole = read(path)
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[: -lacks if lacks > 1 else -int(lacks * size)])
    if suffix == ".png" and lacks == 2:  # of a checksum at the end, which nobody needs
        np.testing.assert_array_equal(read(path), whole)
        return
    found = read(path)
    assert found.shape == whole.shape
    rows = slice(160, None) if suffix == ".bmp" else slice(0, 96)  # BMP begins at the bottom
    np.testing.assert_array_equal(found[rows], whole[rows])
    (record,) = caplog.records
    assert record.getMessage() == f"a{suffix}: damaged or cut off, it is read as far as it goes"


@pytest.mark.parametrize("is_grey", [True, False])
def test_16_bits_that_lack_their_end_are_read_as_far_as_they_go(is_grey, tmp_path, caplog, capfd):
    image = np.random.default_rng(0).integers(0, 65536, (64, 48, 3), np.uint16)
    path = write(tmp_path / "a.png", image[:, :, 0] if is_grey else image)
    whole = read(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = read(path)
    assert np.abs(found[:24].astype(int) - whole[:24]).max() <= 1
    (record,) = caplog.records
    assert record.getMessage() == "a.png: damaged or cut off, it is read as far as it goes"
    assert capfd.readouterr() == ("", "")


def test_whatever_is_damaged_nothing_but_livekm_speaks(tmp_path, capfd):
    rng = np.random.default_rng(0)
    for suffix in SUFFIXES:
        data = bytearray(save(tmp_path / f"a{suffix}", squares()).read_bytes())
        for i in range(30):
            broken = data.copy()
            for _ in range(3):
                broken[rng.integers(len(data))] = rng.integers(256)
            path = tmp_path / f"{i}{suffix}"
            path.write_bytes(broken)
            with contextlib.suppress(SourceError):
                read(path)
    assert capfd.readouterr() == ("", "")


def test_of_several_pictures_the_first_is_taken_and_that_is_said(tmp_path, caplog):
    pictures = [PIL.Image.new("RGB", (16, 12), (50 * i, 10, 200)) for i in range(1, 4)]
    for suffix in (".png", ".webp", ".avif", ".tif"):
        caplog.clear()
        path = tmp_path / f"a{suffix}"
        pictures[0].save(path, save_all=True, append_images=pictures[1:])
        assert np.abs(read(path)[6, 8].astype(int) - (200, 10, 50)).max() < 8
        (record,) = caplog.records
        assert record.getMessage() == f"a{suffix}: only the first of its 3 pictures is taken"


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n" + bytes(99), b"\xff\xd8\xff" + bytes(9)])
def test_what_has_no_picture_is_one_line(content, tmp_path, capfd):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(SourceError, match=r"a\.png: not an image that can be read; convert it"):
        open_source(tmp_path / "a.png")
    assert capfd.readouterr() == ("", "")


def test_a_damaged_exif_block_costs_nothing_but_itself(tmp_path):
    data = io.BytesIO()
    PIL.Image.fromarray(squares()).save(data, "png", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" * 3)
    (tmp_path / "a.png").write_bytes(data.getvalue())
    np.testing.assert_array_equal(read(tmp_path / "a.png"), squares()[:, :, ::-1])


@pytest.fixture(autouse=True)
def warnings_only(caplog):
    caplog.set_level(logging.WARNING, "livekm")
