"""Kernels give the same however they are compiled, and whatever numba keeps private."""

from __future__ import annotations

import hashlib
import importlib
import os
import subprocess
import sys
from pathlib import Path

import numba.core.caching
import numba.core.codegen
import numba.extending
import pytest
from numba.core.registry import cpu_target

from livekm.core import kernels

TESTS = Path(__file__).parent
PROGRAM = TESTS / "every_kernel.py"
COMPILER = "livekm.core.kernels.compiler"


def run_every_kernel(**changes: str) -> str:
    path = os.pathsep.join([str(TESTS.parent), str(TESTS)])
    done = subprocess.run(
        [sys.executable, str(PROGRAM)],
        env={**os.environ, "PYTHONPATH": path, **changes},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_every_kernel_is_right_as_python_that_is_not_compiled() -> None:
    assert run_every_kernel(NUMBA_DISABLE_JIT="1") == "plain False"


def test_every_stand_in_is_right_when_it_is_compiled(pytestconfig) -> None:
    """In two kernels that need them; CI runs all tests of kernels so, which takes a minute."""
    sources = sorted(Path(kernels.__file__).parent.rglob("*.py"))
    stamp = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    cache = pytestconfig.cache.mkdir(f"plain-kernels-{stamp}")  # compiling takes some seconds
    assert run_every_kernel(LIVEKM_NUMBA="plain", NUMBA_CACHE_DIR=str(cache)) == "plain True"


def compiler_anew(monkeypatch):
    """The compiler as a process has it in which numba is as it is now."""
    for name in [name for name in sys.modules if name.startswith(COMPILER)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(kernels, "compiler", kernels.compiler)
    return importlib.import_module(COMPILER)


def test_kernels_are_tuned_where_numba_has_what_that_takes(monkeypatch) -> None:
    monkeypatch.delenv("LIVEKM_NUMBA", raising=False)
    assert compiler_anew(monkeypatch).jit.__module__ == f"{COMPILER}.tuned"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (numba.core.caching, "FunctionCache"),
        (numba.core.codegen, "JITCodeLibrary"),
        (numba.extending, "intrinsic"),
    ],
)
def test_where_numba_lacks_a_part_kernels_are_compiled_plainly(module, name, monkeypatch) -> None:
    monkeypatch.delattr(module, name)
    anew = compiler_anew(monkeypatch)
    assert {getattr(anew, piece).__module__ for piece in ("jit", "move")} == {f"{COMPILER}.plain"}


def test_where_numba_lacks_an_option_kernels_are_compiled_plainly(monkeypatch) -> None:
    def refuse(flags: object, options: dict[str, object]) -> None:
        assert "_nrt" in options
        raise KeyError("Unrecognized options")

    monkeypatch.setattr(cpu_target.options, "parse_as_flags", refuse)
    assert compiler_anew(monkeypatch).jit.__module__ == f"{COMPILER}.plain"
