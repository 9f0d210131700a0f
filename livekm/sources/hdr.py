"""Clips for HDR screens (PQ and HLG) to the colours of others."""

from __future__ import annotations

from functools import cache

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.video.reformatter import VideoReformatter

from livekm.frame import Image

# H.273's numbers of the transfer functions.
PQ, HLG = 16, 18

_WHITE = 203.0  # cd/m2 of white paper, BT.2408
_PEAK = 1000.0  # of the screen for which HLG is shown
_KNEE = 0.6  # of white: what is darker stays as it is
_BRIGHTEST, _STEPS = 60, 1000  # whites: 10,000 cd/m2 are 49; steps for each

# BT.2020 to BT.709, BT.2087; of rows and columns blue, green, red.
_TO_709 = np.array(
    [[1.1187, -0.1006, -0.0182], [-0.0083, 1.1329, -0.1246], [-0.0728, -0.5876, 1.6605]],
    np.float32,
)
_LUMA_2020 = np.array([[0.0593, 0.6780, 0.2627]], np.float32)


def is_hdr(picture: av.VideoFrame) -> bool:
    """Tell whether a picture's values are those of PQ or HLG."""
    return _transfer(picture) in (PQ, HLG)


def tone_mapped(
    picture: av.VideoFrame, reformatter: VideoReformatter, threads: int | None = None
) -> Image:
    """Return (H, W, 3) uint8 BGR as it would look on a screen without HDR.

    Light up to 0.6 of white stays what it is; what is brighter is compressed below white, by the
    brightest channel, which keeps the hue.
    """
    deep = reformatter.reformat(picture, format="bgr48le", threads=threads)
    codes = np.asarray(deep.to_ndarray(), np.uint16) >> 4
    light = np.take(_to_light(_transfer(picture)), codes)
    if _transfer(picture) == HLG:  # its values are of the scene, BT.2100's gamma is the screen's
        scene = cv2.transform(light, _LUMA_2020)
        light *= (_PEAK / _WHITE * np.maximum(scene, 1e-6) ** np.float32(0.2))[:, :, None]
    light = np.asarray(cv2.transform(light, _TO_709), np.float32)
    blue, green, red = cv2.split(light)
    peak = np.asarray(cv2.max(cv2.max(blue, green), red), np.float32)
    np.clip(peak, 0, _BRIGHTEST, out=peak)
    light *= np.take(_gains(), (peak * _STEPS).astype(np.uint16))[:, :, None]
    np.clip(light, 0, 1, out=light)
    image: Image = np.take(_to_srgb(), (light * 65535).astype(np.uint16))
    return image


@cache
def _gains() -> npt.NDArray[np.float32]:
    """Return by what light is multiplied, for each brightness of the brightest channel."""
    peak = np.maximum(np.arange(_BRIGHTEST * _STEPS + 1) / _STEPS, 1e-6)
    excess = np.maximum(peak - _KNEE, 0)
    shown = np.minimum(peak, _KNEE) + (1 - _KNEE) * (1 - np.exp(-excess / (1 - _KNEE)))
    return np.asarray(shown / peak, np.float32)


def _transfer(picture: av.VideoFrame) -> int:
    return int(getattr(picture, "color_trc", 0))


@cache
def _to_light(transfer: int) -> npt.NDArray[np.float32]:
    """Return the light, of the scene or in whites, of each value of 12 bits."""
    value = np.linspace(0, 1, 4096)
    if transfer == PQ:  # SMPTE ST 2084
        power = value ** (1 / 78.84375)
        base = np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
        light = 10000 / _WHITE * base ** (1 / 0.1593017578125)
    else:  # BT.2100
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(value <= 0.5, value**2 / 3, (np.exp((value - c) / a) + b) / 12)
    return np.asarray(light, np.float32)


@cache
def _to_srgb() -> npt.NDArray[np.uint8]:
    light = np.linspace(0, 1, 65536)
    value = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(255 * value), np.uint8)
