"""The lightness of colours, and the text that can be read on them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

LUMA = np.array([0.114, 0.587, 0.299])
"""The weights of blue, green and red in the lightness that people see (BT.601)."""


def is_dark(color: npt.NDArray[np.uint8]) -> bool:
    """Tell whether text on a (3,) BGR colour should be white, not black."""
    return float(color @ LUMA) < 128
