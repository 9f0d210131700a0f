"""Show the progress bar of a clip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from livekm.errors import printable


@contextmanager
def clip_progress(total: int | None, name: str, *, hidden: bool) -> Iterator[Callable[[], object]]:
    """Show a bar of frames; give a function to call after each."""
    with (
        logging_redirect_tqdm(),
        tqdm(
            total=total,
            unit=" frames",
            desc=printable(name),
            disable=True if hidden else None,  # None: unless stderr is a terminal
            delay=0.1,  # not before the first frame: an output that fails to open is one line
        ) as bar,
    ):
        yield bar.update
