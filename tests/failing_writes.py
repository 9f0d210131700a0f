"""A program that makes each write of a clip with all sidecars fail in turn; run by test_keeping.py.

    failing_writes.py FAILURES STEP

To be started with ``bad_disk.c`` preloaded. The first run fails nowhere, the second from write 0
on, for so many FAILURES, each further one STEP writes later. Prints a line of JSON for each: the
number of the write, what was told, the name and number of frames of what is left (-1 where a file
tells none), and the threads that are.
"""

from __future__ import annotations

import ctypes
import json
import sys
import tempfile
import threading
from pathlib import Path

import cv2
import numpy as np
import test_keeping

from livekm import figures

N = 6


def run(folder: Path) -> tuple[str | None, list[tuple[str, int]]]:
    told = None
    try:
        test_keeping.convert(test_keeping.Feed(N), folder, *test_keeping.ALL)
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
    left = [(path.name, test_keeping.n_read(path)) for path in sorted(folder.iterdir())]
    return told, left


def main() -> None:
    page = cv2.imencode(".png", np.zeros((9, 9), np.uint8))[1].tobytes()
    figures.clip_figure, figures.render = lambda history, title: None, lambda figure, suffix: page
    disk = ctypes.CDLL(None)
    n_writes, fail_at, n_failures = (
        ctypes.c_int.in_dll(disk, name) for name in ("n_writes", "fail_at", "n_failures")
    )
    n_failures.value = int(sys.argv[1])
    number, has_failed = -1, True
    while has_failed:
        n_writes.value, fail_at.value = 0, number
        with tempfile.TemporaryDirectory() as folder:
            told, left = run(Path(folder))
        has_failed = number < 0 or n_writes.value > number
        names = [thread.name for thread in threading.enumerate()]
        at_work = [name for name in names if name.startswith("livekm work")]
        print(json.dumps([number, told, left, at_work]), flush=True)
        number += int(sys.argv[2]) if number >= 0 else 1


if __name__ == "__main__":
    main()
