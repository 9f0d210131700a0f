"""The lightness of colours, and the text that can be read on them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

LUMA = np.array([0.114, 0.587, 0.299])
"""The weights of blue, green and red in the lightness that people see (BT.601)."""


_LINEAR_LUMA = np.array([0.0722, 0.7152, 0.2126])
_EQUAL = 0.1791  # relative luminance on which black and white have the same contrast, 4.58 to 1


def is_dark(color: npt.NDArray[np.uint8]) -> bool:
    """Tell whether text on a (3,) BGR colour should be white, not black.

    The contrast is then at least 4.5 to 1 as the Web Content Accessibility Guidelines 2.2 count it.
    """
    levels = np.asarray(color) / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    return float(linear @ _LINEAR_LUMA) < _EQUAL
