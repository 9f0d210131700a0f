"""The cache of compiled kernels on disk."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba.core.caching import FunctionCache, IndexDataCacheFile

_log = logging.getLogger(__name__)


@cache
def _source_stamp() -> tuple[tuple[str, float, int], ...]:
    """Return name, time and size of each file that kernels come from."""
    files = sorted(Path(__file__).parents[1].rglob("*.py"))
    return tuple((path.name, path.stat().st_mtime, path.stat().st_size) for path in files)


class ForgivingCache(FunctionCache):
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
        """Load compiled code, or return None where there is none that can be read."""
        try:
            # Numba's own way first gathers all that a compilation could need, linear algebra and
            # SciPy included, for 0.3 s. What is compiled needs nothing of it.
            return self._load_overload(sig, target_context)
        except Exception as error:
            _log.info("the cache in %s is damaged: %r", self.cache_path, error)
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Write compiled code, in the place of files that cannot be read."""
        try:
            super().save_overload(sig, data)
        except Exception:
            try:
                self.flush()
                super().save_overload(sig, data)
            except Exception as error:
                _log.info("the cache in %s cannot be written: %r", self.cache_path, error)
