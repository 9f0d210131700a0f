"""HDR clips are shown as on a screen without HDR."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange

from livekm.sources import ClipSource
from livekm.sources.hdr import HLG, PQ

WHITE = 203  # cd/m2


def pq(nits: float) -> float:
    """The inverse of SMPTE ST 2084, from 0 to 1."""
    power = (nits / 10000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def hlg(nits: float) -> float:
    """BT.2100 for grey on a screen of 1000 cd/m2."""
    scene = (nits / 1000) ** (1 / 1.2)
    if scene <= 1 / 12:
        return (3 * scene) ** 0.5
    return 0.17883277 * np.log(12 * scene - 0.28466892) + 0.55991073


def srgb(nits: float) -> float:
    light = nits / WHITE
    return 255 * (12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055)


def clip(path: Path, transfer: int, planes: tuple[np.ndarray, ...]) -> Path:
    """A clip of one picture in BT.2020, of 10 bits in limited range."""
    frame = av.VideoFrame(64, 48, "yuv420p10le")
    for plane, values in zip(frame.planes, planes, strict=True):
        rows = np.frombuffer(plane, np.uint16).reshape(plane.height, -1)
        rows[:, : plane.width] = values
    with av.open(str(path), "w") as output:
        stream = output.add_stream(
            "libx265", rate=25, options={"x265-params": "lossless=1:log-level=none"}
        )
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10le"
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc = 9, 9, transfer
        context.color_range = frame.color_range = ColorRange.MPEG
        frame.pts = 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def shown(path: Path) -> np.ndarray:
    with ClipSource(path) as source:
        return next(iter(source)).image.astype(int)


@pytest.mark.parametrize(("transfer", "encode"), [(PQ, pq), (HLG, hlg)], ids=["PQ", "HLG"])
def test_grey_below_white_has_the_brightness_that_it_states(transfer, encode, tmp_path):
    nits = np.geomspace(2, 110, 16)
    luma = np.array([round(64 + 876 * encode(value)) for value in nits]).repeat(4)
    chroma = np.full((24, 32), 512)
    image = shown(clip(tmp_path / "a.mkv", transfer, (np.tile(luma, (48, 1)), chroma, chroma)))
    assert np.ptp(image, axis=2).max() <= 2  # grey
    wanted = [srgb(value) for value in nits]
    np.testing.assert_allclose(image[24, 1::4].mean(axis=1), wanted, atol=3)


@pytest.mark.parametrize(("transfer", "encode"), [(PQ, pq), (HLG, hlg)], ids=["PQ", "HLG"])
def test_lights_keep_their_order_and_stay_below_white(transfer, encode, tmp_path):
    nits = np.geomspace(100, 950, 16)
    luma = np.array([round(64 + 876 * encode(value)) for value in nits]).repeat(4)
    chroma = np.full((24, 32), 512)
    image = shown(clip(tmp_path / "a.mkv", transfer, (np.tile(luma, (48, 1)), chroma, chroma)))
    row = image[24, 1::4].mean(axis=1)
    assert (np.diff(row) >= 0).all()
    assert len(np.unique(row)) > 8
    assert row[-1] >= 250
    assert 220 <= row[np.searchsorted(nits, WHITE)] <= 245  # white paper is not the brightest


def test_a_saturated_colour_keeps_its_hue(tmp_path):
    """Blue-green of BT.2020 at 100 cd/m2, from a picture of its linear light."""
    light = np.array([20.0, 80.0, 60.0])  # red, green, blue
    red, green, blue = (pq(value) for value in light)
    luma = 0.2627 * red + 0.6780 * green + 0.0593 * blue
    planes = (
        64 + 876 * luma,
        512 + 896 * (blue - luma) / 1.8814,
        512 + 896 * (red - luma) / 1.4746,
    )
    path = clip(tmp_path / "a.mkv", PQ, tuple(np.full((1, 1), round(value)) for value in planes))
    to_709 = np.array(
        [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
    )
    wanted = [srgb(max(value, 0)) for value in to_709 @ light]
    np.testing.assert_allclose(shown(path)[24, 32], wanted[::-1], atol=4)
