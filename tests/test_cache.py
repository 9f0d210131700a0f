"""A broken cache of compiled kernels costs a compilation, never the program."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import livekm

PACKAGE = Path(livekm.__file__).parent

# Runs the smallest kernel, and tells whether it came from the cache.
PROGRAM = """
import numpy as np
from livekm.core.kernels import paint_labels

words, tail = np.zeros(3, np.uint32), np.zeros((0, 3), np.uint8)
paint_labels(0, 1, np.zeros(4, np.uint8), np.full(1, 0x010203, np.uint32), words, tail)
assert words.view(np.uint8).tolist() == 4 * [3, 2, 1]
print(sum(paint_labels.stats.cache_hits.values()))
"""


def cache_hits(root: Path, program: str = PROGRAM, **changes: str) -> int:
    environment = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
    environment |= {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", **changes}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=root, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    return int(done.stdout)


def copy_package(root: Path) -> Path:
    """Copy the package without what was compiled, and return the folder of its kernels."""
    shutil.copytree(PACKAGE, root / "livekm", ignore=shutil.ignore_patterns("__pycache__"))
    return root / "livekm" / "core" / "kernels"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory) -> Path:
    """A cache that has the kernel, for tests to copy."""
    folder = tmp_path_factory.mktemp("compiled")
    assert cache_hits(PACKAGE.parent, NUMBA_CACHE_DIR=str(folder)) == 0
    return folder


@pytest.fixture
def warm(compiled, tmp_path) -> Path:
    """A warm cache of one's own."""
    return shutil.copytree(compiled, tmp_path / "cache")


def test_kernels_run_where_no_cache_can_be_written(tmp_path):
    kernels = copy_package(tmp_path)
    # A file in the place of the folder keeps even root from writing there.
    (kernels / "__pycache__").write_text("")
    nowhere = {"HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null/cache"}
    nowhere |= {"LOCALAPPDATA": str(tmp_path / "livekm" / "__init__.py"), "IPYTHONDIR": "/dev/null"}
    assert cache_hits(tmp_path, **nowhere) == 0


def test_a_truncated_cache_is_written_anew(warm):
    cache = {"NUMBA_CACHE_DIR": str(warm)}
    for pattern in ("*.nbi", "*.nbc"):  # the index, and the code
        files = list(warm.rglob(pattern))
        assert files
        for file in files:
            os.truncate(file, 10)
        assert cache_hits(PACKAGE.parent, **cache) == 0
    assert cache_hits(PACKAGE.parent, **cache) == 1


def test_a_kernel_is_compiled_anew_when_a_file_of_its_parts_changed(tmp_path):
    kernels = copy_package(tmp_path)
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    assert cache_hits(tmp_path, **cache) == 0
    with (kernels / "compiler" / "plain.py").open("a") as file:
        file.write("# another way to compile\n")
    assert [cache_hits(tmp_path, **cache) for _ in range(2)] == [0, 1]


def test_what_comes_from_the_cache_works_beside_what_is_compiled(warm):
    program = (
        PROGRAM
        + """
from livekm import Segmentation, find_regions

labels, palette = np.eye(9, dtype=np.uint8), np.zeros((2, 3), np.uint8)
assert len(find_regions(Segmentation(labels, palette), 1)) == 11
"""
    )
    assert cache_hits(PACKAGE.parent, program, NUMBA_CACHE_DIR=str(warm)) == 1
