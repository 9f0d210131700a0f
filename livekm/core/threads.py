"""Row stripes on a few plain threads."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

__all__ = ["MOST_THREADS", "available_cores", "run_in_threads"]

MOST_THREADS = 256
_CHUNKS_PER_THREAD = 4  # so that a thread held up by another process does not hold up the frame


def available_cores() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_in_threads(threads: int, kernel: Callable[..., Any], total: int, *arguments: Any) -> None:
    """Call ``kernel(first, last, *arguments)`` until the ranges cover 0 up to `total`.

    The kernel must release the GIL. Plain threads rather than numba's own: they may be entered from
    several threads at once, they survive a fork, and they have no barrier that spins while another
    process has the processor.

    Parameters
    ----------
    threads : int
        How many threads work, the calling one included; up to `MOST_THREADS`.
    """
    chunks = min(total, threads * _CHUNKS_PER_THREAD)
    if threads == 1 or chunks <= 1:
        kernel(0, total, *arguments)
        return
    numbers = itertools.count()  # next() is atomic: threads share the chunks by it
    # What no thread took up waits on in the pool, on a busy machine for many frames: without them.
    shared = [*arguments]

    def work() -> None:
        while (chunk := next(numbers)) < chunks:
            kernel(total * chunk // chunks, total * (chunk + 1) // chunks, *shared)

    helpers = threads - 1
    try:
        futures = [_executor(os.getpid(), helpers).submit(work) for _ in range(helpers)]
        work()
        for future in futures:
            if not future.cancel():  # what has not begun by now has nothing left to do
                future.result()
    finally:
        shared.clear()


@cache
def _executor(process: int, helpers: int) -> ThreadPoolExecutor:
    """Return so many threads of a process; those of its parent are lost in a fork.

    A pool without that limit grows for ever: it starts a thread whenever the last one has told its
    result, but is not yet seen to be idle.
    """
    return ThreadPoolExecutor(helpers, thread_name_prefix=f"livekm helper of {helpers}")
