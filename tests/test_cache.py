"""A broken cache of compiled kernels costs a compilation, never the program."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import livekm

PACKAGE = Path(livekm.__file__).parent

# Runs the smallest kernel, and tells whether it came from the cache.
PROGRAM = """
import numpy as np
from livekm.kernels import paint_labels

words, tail = np.zeros(3, np.uint32), np.zeros((0, 3), np.uint8)
paint_labels(0, 1, np.zeros(4, np.uint8), np.full(1, 0x010203, np.uint32), words, tail)
assert words.view(np.uint8).tolist() == 4 * [3, 2, 1]
print(sum(paint_labels.stats.cache_hits.values()))
"""


def cache_hits(root: Path, **changes: str) -> int:
    environment = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
    environment |= {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", **changes}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, cwd=root, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    return int(done.stdout)


def test_kernels_run_where_no_cache_can_be_written(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "livekm", ignore=shutil.ignore_patterns("__pycache__"))
    # A file in the place of the folder keeps even root from writing there.
    (tmp_path / "livekm" / "kernels" / "__pycache__").write_text("")
    nowhere = {"HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null/cache"}
    nowhere |= {"LOCALAPPDATA": str(tmp_path / "livekm" / "__init__.py"), "IPYTHONDIR": "/dev/null"}
    assert [cache_hits(tmp_path, **nowhere) for _ in range(2)] == [0, 0]


def test_a_truncated_cache_is_written_anew(tmp_path):
    cache = {"NUMBA_CACHE_DIR": str(tmp_path)}
    assert [cache_hits(PACKAGE.parent, **cache) for _ in range(2)] == [0, 1]
    for pattern in ("*.nbi", "*.nbc"):
        files = list(tmp_path.rglob(pattern))
        assert files
        for file in files:
            os.truncate(file, 10)
        assert [cache_hits(PACKAGE.parent, **cache) for _ in range(2)] == [0, 1]
