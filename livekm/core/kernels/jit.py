"""The one way in which every kernel is compiled, and what happens when its cache is broken."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler

_log = logging.getLogger(__name__)

# Kernels are called from Python and from kernels, never from C. They allocate nothing (see
# `livekm.core.kernels.scratch`): no references are counted, and numba's runtime is not needed.
_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "no_cfunc_wrapper": True,
    "_nrt": False,
}
_EXACT: dict[str, Any] = {"fastmath": {"contract"}}


def jit(function: Callable[..., Any], **options: Any) -> Any:
    """Compile `function` without the GIL, without Python errors, and with a cache on disk.

    Kernels release the GIL so that row stripes run side by side on plain threads. There is no
    `fastmath`: the same input gives the same bytes on every machine and any number of threads.
    Where no cache folder can be written, the kernel is compiled anew in each process.
    """
    kernel = njit(function, **_OPTIONS, **options)
    try:
        kernel._cache = _ForgivingCache(function)  # what `cache=True` does, with numba's own cache
    except RuntimeError as error:  # numba: "cannot cache function: no locator available"
        _log.info("kernel %s is not cached: %s", function.__name__, error)
    return kernel


def exact_jit(function: Callable[..., Any]) -> Any:
    """As `jit`, for kernels whose every result is exact: integers, also where they are floats.

    A product and a sum then may be done as one: where nothing is rounded, it makes no difference.
    """
    return jit(function, **_EXACT)


def inline_jit(function: Callable[..., Any], **options: Any) -> Any:
    """Compile a part of a kernel into each kernel that calls it; it can't be called from Python."""
    part: dict[str, Any] = {"no_cpython_wrapper": True, "pipeline_class": _PartCompiler}
    return njit(function, forceinline=True, **_OPTIONS, **part, **options)


def inline_exact_jit(function: Callable[..., Any]) -> Any:
    """As `inline_jit`, for parts of an exact kernel."""
    return inline_jit(function, **_EXACT)


class _PartCompiler(Compiler):
    """Compiles a part of a kernel as far as LLVM's raw code.

    Numba would optimize each part, and turn it into machine code, by itself, only to do the same
    with the kernel that it was inlined into. Without that kernels compile in 0.6 times the time.
    """

    def define_pipelines(self) -> Any:
        state = self.state
        state.library = _PartLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        return super().define_pipelines()


class _PartLibrary(JITCodeLibrary):
    """The raw code of a part, to be linked into kernels."""

    def _optimize_final_module(self) -> None: ...

    def _finalize_final_module(self) -> None:
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        self._ensure_finalized()
        return 0  # there is no machine code

    @property
    def codegen(self) -> Any:
        return self

    def set_env(self, name: str, environment: Any) -> None:
        """Leave the environment out: only machine code has one."""


@cache
def _source_stamp() -> tuple[tuple[str, float, int], ...]:
    """Return name, time and size of each file that kernels come from."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return tuple((path.name, path.stat().st_mtime, path.stat().st_size) for path in files)


class _ForgivingCache(FunctionCache):
    """A cache whose damage costs a compilation, not the program.

    A process that was killed, or a full disk, can leave files that numba then fails to read, with
    errors of many kinds (numba#10434).
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        # Numba compiles anew when the kernel's own file changes; its parts may be in others.
        stamp = self._impl.locator.get_source_stamp(), _source_stamp()
        self._cache_file = IndexDataCacheFile(self._cache_path, self._impl.filename_base, stamp)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            # Numba's own way first gathers all that a compilation could need, linear algebra and
            # SciPy included, for 0.3 s. What is compiled needs nothing of it.
            return self._load_overload(sig, target_context)
        except Exception as error:
            _log.info("the cache in %s is damaged: %r", self.cache_path, error)
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except Exception:
            try:
                self.flush()
                super().save_overload(sig, data)
            except Exception as error:
                _log.info("the cache in %s cannot be written: %r", self.cache_path, error)
