"""Kernels that compile faster, are cached more safely, and move many bytes at once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from numba import njit
from numba.core.compiler import Flags
from numba.core.registry import cpu_target

from livekm.core.kernels.compiler import plain
from livekm.core.kernels.compiler.cache import ForgivingCache
from livekm.core.kernels.compiler.parts import PartCompiler
from livekm.core.kernels.compiler.scratch import scratch
from livekm.core.kernels.compiler.vectors import (
    differences,
    fetch,
    look_up,
    move,
    part,
    trailing_zeros,
)

__all__ = [
    "differences",
    "exact_jit",
    "fetch",
    "inline_exact_jit",
    "inline_jit",
    "jit",
    "look_up",
    "move",
    "part",
    "scratch",
    "trailing_zeros",
]

# Kernels are called from Python and from kernels, never from C. They allocate nothing (see
# `scratch`): no references are counted, and numba's runtime is not needed.
_OPTIONS: dict[str, Any] = {**plain.OPTIONS, "no_cfunc_wrapper": True, "_nrt": False}
_PART: dict[str, Any] = {"no_cpython_wrapper": True, "forceinline": True}

# Numba looks at options only when it compiles; ask now whether it knows them all.
cpu_target.options.parse_as_flags(Flags(), {**_OPTIONS, **_PART})


def jit(function: Callable[..., Any], **options: Any) -> Any:
    """As `plain.jit`, with a cache that forgives damage."""
    kernel = njit(function, **_OPTIONS, **options)
    try:
        kernel._cache = ForgivingCache(function)  # what `cache=True` does, with numba's own cache
    except RuntimeError as error:  # numba: "cannot cache function: no locator available"
        logging.getLogger(__name__).info("%s is not cached: %s", function.__name__, error)
    return kernel


def exact_jit(function: Callable[..., Any]) -> Any:
    """As `plain.exact_jit`."""
    return jit(function, **plain.EXACT)


def inline_jit(function: Callable[..., Any], **options: Any) -> Any:
    """Compile a part of a kernel into each kernel that calls it; it can't be called from Python."""
    return njit(function, pipeline_class=PartCompiler, **_OPTIONS, **_PART, **options)


def inline_exact_jit(function: Callable[..., Any]) -> Any:
    """As `inline_jit`, for parts of an exact kernel."""
    return inline_jit(function, **plain.EXACT)
