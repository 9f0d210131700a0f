"""Row stripes on a few plain threads."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_CHUNKS_PER_THREAD = 4  # so that a thread held up by another process does not hold up the frame


def available_cores() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Workers:
    """Runs a kernel over ranges of its work, side by side; the kernel must release the GIL.

    Plain threads rather than numba's own: they may be entered from several threads at once, they
    survive a fork, and they have no barrier that spins while another process has the processor.

    Parameters
    ----------
    threads : int
        How many threads work, the calling one included.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._process = 0

    def __reduce__(self) -> tuple[type[Workers], tuple[int]]:
        """Let what holds workers be pickled and copied: the others start threads of their own."""
        return Workers, (self.threads,)

    def run(self, kernel: Callable[..., Any], total: int, *arguments: Any) -> None:
        """Call ``kernel(first, last, *arguments)`` until the ranges cover 0 up to `total`."""
        chunks = min(total, self.threads * _CHUNKS_PER_THREAD)
        if self.threads == 1 or chunks <= 1:
            kernel(0, total, *arguments)
            return
        numbers = itertools.count()  # next() is atomic: threads share the chunks by it

        def work() -> None:
            while (chunk := next(numbers)) < chunks:
                kernel(total * chunk // chunks, total * (chunk + 1) // chunks, *arguments)

        futures = [self._executor().submit(work) for _ in range(self.threads - 1)]
        work()
        for future in futures:
            future.result()

    def _executor(self) -> ThreadPoolExecutor:
        if self._pool is None or self._process != os.getpid():  # threads are lost in a fork
            self._pool = ThreadPoolExecutor(self.threads - 1, thread_name_prefix="livekm")
            self._process = os.getpid()
        return self._pool
