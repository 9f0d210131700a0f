"""The one way in which every kernel is compiled."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from numba import njit

_log = logging.getLogger(__name__)


def jit(function: Callable[..., Any]) -> Any:
    """Compile `function` without the GIL, without Python errors, and with a cache on disk.

    Kernels release the GIL so that row stripes run side by side on plain threads. There is no
    `fastmath`: the same input gives the same bytes on every machine and any number of threads.
    Where no cache folder can be written, the kernel is compiled anew in each process.
    """
    try:
        return njit(function, nogil=True, error_model="numpy", cache=True)
    except RuntimeError as error:  # numba: "cannot cache function: no locator available"
        _log.info("kernel %s is not cached: %s", function.__name__, error)
        return njit(function, nogil=True, error_model="numpy")
