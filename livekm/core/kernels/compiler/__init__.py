"""How kernels are compiled: everything that is private to numba and llvmlite.

`tuned` compiles faster, caches more safely and moves more bytes at once than numba does by itself,
by means that any release of numba may change. `plain` has the same names and needs nothing but
``njit(cache=True)``; it also works where nothing is compiled (``NUMBA_DISABLE_JIT=1``). It is taken
where the means are missing, or where the environment says ``LIVEKM_NUMBA=plain``. The results are
the same.
"""

from __future__ import annotations

import logging
import os
from types import ModuleType
from typing import Any

from livekm.core.kernels.compiler import plain
from livekm.core.kernels.compiler.plain import IS_COMPILED, LOOKED_UP, MOVED, WORD

__all__ = [
    "IS_COMPILED",
    "LOOKED_UP",
    "MOVED",
    "WORD",
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

_chosen: ModuleType = plain
if IS_COMPILED and os.environ.get("LIVEKM_NUMBA") != "plain":
    try:
        from livekm.core.kernels.compiler import tuned

        _chosen = tuned
    except (ImportError, AttributeError, KeyError, TypeError) as _error:  # as a new numba may cause
        logging.getLogger(__name__).info("kernels are compiled plainly: %r", _error)

jit: Any = _chosen.jit
exact_jit: Any = _chosen.exact_jit
inline_jit: Any = _chosen.inline_jit
inline_exact_jit: Any = _chosen.inline_exact_jit
scratch: Any = _chosen.scratch
move: Any = _chosen.move
part: Any = _chosen.part
fetch: Any = _chosen.fetch
look_up: Any = _chosen.look_up
differences: Any = _chosen.differences
trailing_zeros: Any = _chosen.trailing_zeros
