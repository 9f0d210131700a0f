"""Check the arguments of callers; messages name the parameter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from livekm.errors import UsageError

_Entry = TypeVar("_Entry")


def check_range(name: str, value: int, least: int, most: int) -> None:
    """Raise TypeError unless `value` is an integer, ValueError unless it is in the range.

    Examples
    --------
    >>> check_range("threads", 0, 1, 256)
    Traceback (most recent call last):
        ...
    livekm.errors.UsageError: threads must be from 1 to 256, got 0
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if not least <= value <= most:
        raise UsageError(f"{name} must be from {least} to {most}, got {value}")


def check_number(name: str, value: float, most: float) -> float:
    """Return `value`, a number from 0 to `most`, or raise TypeError or ValueError."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if not 0 <= value <= most:
        raise UsageError(f"{name} must be from 0 to {most:g}, got {value}")
    return float(value)


def check_positive(name: str, value: float | None) -> None:
    """Raise ValueError unless `value` is positive and finite, or None."""
    if value is not None and not 0 < value < math.inf:
        raise UsageError(f"{name} must be positive, not {value}")


def check_image(image: np.ndarray[Any, Any]) -> None:
    """Raise TypeError unless `image` is an array of uint8, ValueError unless it is (H, W, 3)."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        kind = getattr(image, "dtype", type(image).__name__)
        raise TypeError(f"image must be an array of uint8, got {kind}")
    if image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(f"image must be (H, W, 3) with H, W >= 1, got {image.shape}")


def named(name: str, value: str, entries: Mapping[str, _Entry]) -> _Entry:
    """Return the entry of that name, or raise ValueError with the names there are."""
    if value not in entries:
        raise UsageError(f"{name} must be one of {', '.join(entries)}, got {value!r}")
    return entries[value]
