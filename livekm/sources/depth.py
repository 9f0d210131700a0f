"""Sixteen bits and floats to eight bits."""

from __future__ import annotations

import logging
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import PIL.Image

from livekm.frame import Image

_log = logging.getLogger(__name__)

Samples: TypeAlias = npt.NDArray[Any]
"""(H, W) or (H, W, C) of any depth, BGR."""

_FEWEST_LEVELS = 32  # of 256: where fewer would be left, a picture is stretched
_PERCENTILES = (0.1, 99.9)


def stated_range(header: PIL.Image.Image, data: bytes) -> tuple[float, float] | None:
    """Return the values of black and white as a file states them, or None.

    These are a TIFF's MinSampleValue and MaxSampleValue, or their kind for signed and float
    samples, and of a PNG the significant bits (sBIT) where all values are below their limit, as
    cameras write them. PNG itself would have such values in the upper bits.
    """
    tags = getattr(header, "tag_v2", {})
    for low, high in ((340, 341), (280, 281)):
        if high in tags:
            black, white = (_number(tags.get(tag, 0)) for tag in (low, high))
            if white > black:
                return black, white
    start = data.find(b"sBIT", 0, 4096) if header.format == "PNG" else -1
    if start > 0:
        length = int.from_bytes(data[start - 4 : start], "big")
        bits = max(data[start + 4 : start + 4 + length], default=0)
        if 0 < bits < 16:
            return 0, (1 << bits) - 1
    return None


def _number(value: Any) -> float:
    """Return a tag's value; of several channels' the greatest."""
    return float(max(value)) if isinstance(value, tuple) else float(value)


def to_8_bits(samples: Samples, name: str, stated: tuple[float, float] | None = None) -> Image:
    """Return (H, W, 3) uint8 BGR of samples of any depth.

    Black and white are where the file states them, else at the ends of the whole range of the
    type, of floats at 0 and 1. Where that would leave fewer than 32 of more levels, or where
    floats lie outside, they are the 0.1th and the 99.9th percentile, and a warning says so.

    Examples
    --------
    >>> to_8_bits(np.array([[0, 256, 65535]], np.uint16), "a.png")[0, :, 0].tolist()
    [0, 1, 255]
    """
    samples = _colors(samples)
    if samples.dtype == np.uint8:
        return samples
    if samples.dtype.kind == "f":
        samples = np.nan_to_num(samples.astype(np.float32), nan=0.0)
    low, high = _whole_range(samples.dtype)
    if stated is not None and samples.max() <= stated[1]:
        return _scaled(samples, *stated)
    is_16 = samples.dtype == np.uint16  # of which the upper byte is kept
    image = (samples >> 8).astype(np.uint8) if is_16 else _scaled(samples, low, high)
    is_outside = samples.dtype.kind == "f" and (samples.min() < low or samples.max() > high)
    if not is_outside and not _is_poor(image, samples):
        return image
    low, high = np.percentile(samples[np.isfinite(samples)], _PERCENTILES).tolist()
    if low >= high:
        low, high = float(samples.min()), float(samples.max())
    _log.warning("%s: its values from %g to %g are shown from black to white", name, low, high)
    return _scaled(samples, low, high)


def _is_poor(image: Image, samples: Samples) -> bool:
    """Tell whether few levels are left of more."""
    n_levels = np.count_nonzero(np.bincount(image.reshape(-1), minlength=256))
    return bool(n_levels < _FEWEST_LEVELS and len(np.unique(samples)) > n_levels)


def _colors(samples: Samples) -> Samples:
    """Return three channels: grey three times, alpha dropped."""
    if samples.ndim == 2:
        samples = samples[:, :, None]
    if samples.shape[2] in (1, 2):
        return np.repeat(samples[:, :, :1], 3, axis=2)
    return samples[:, :, :3]


def _whole_range(dtype: np.dtype[Any]) -> tuple[float, float]:
    if dtype.kind == "f":
        return 0.0, 1.0
    limits = np.iinfo(dtype)
    return float(limits.min), float(limits.max)


def _scaled(samples: Samples, low: float, high: float) -> Image:
    """Return the samples with `low` at 0 and `high` at 255."""
    scale = 255 / (high - low) if high > low else 0.0
    values = np.clip((samples.astype(np.float64) - low) * scale, 0, 255)
    return np.asarray(np.rint(values), np.uint8)
