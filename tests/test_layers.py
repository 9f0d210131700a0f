"""What each room may import and do.

That imports point down the floors is a contract of import-linter, in pyproject.toml; `lint-imports`
checks it.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import livekm

PACKAGE = Path(livekm.__file__).parent


def module_name(path: Path) -> str:
    """The name below `livekm`, "" for the package itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {
    module_name(path): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
}


def imported_names(module: str) -> set[str]:
    """Everything that the module imports, anywhere in it, by its absolute dotted name."""
    names = set()
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"livekm.{module} imports relatively"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def importers_of(library: str) -> set[str]:
    return {
        module
        for module in TREES
        if any(name.split(".")[0] == library for name in imported_names(module))
    }


def test_imports_point_down_the_floors():
    if not (PACKAGE.parent / "pyproject.toml").exists():
        pytest.skip("needs the source tree, whose pyproject.toml holds the contract")
    # In a process of its own: import-linter switches all loggers off that there are.
    program = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_numba_and_llvmlite_stand_in_one_room():
    importers = importers_of("numba") | importers_of("llvmlite")
    assert {name.rpartition(".")[0] for name in importers} == {"core.kernels.compiler"}


def test_matplotlib_is_imported_for_figures_only_and_tqdm_for_progress_only():
    others = {name for name in importers_of("matplotlib") if name.split(".")[0] != "figures"}
    assert others == {"outputs.palettes"}  # which knows matplotlib's maps by name
    assert importers_of("tqdm") == {"cli.progress", "batch.progress"}


HIGHGUI = ("Window", "imshow", "pollKey", "setMouseCallback", "waitKey")


def test_only_the_window_uses_opencvs_windows():
    users = {
        module
        for module in TREES
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Attribute)
        and ast.unparse(node).startswith("cv2.")
        and any(name in node.attr for name in HIGHGUI)
    }
    assert users == {"live.window.window"}


def test_only_the_command_line_prints():
    prints = []
    for module, tree in TREES.items():
        if module.split(".")[0] == "cli":
            continue
        for node in ast.walk(tree):
            text = ast.unparse(node) if isinstance(node, ast.Call | ast.Attribute) else ""
            if text.startswith(("print(", "input(")) or text in ("sys.stdout", "sys.stderr"):
                prints.append(f"{module}:{node.lineno}")
    assert not prints


def test_the_map_lists_every_room():
    path = PACKAGE.parent / "docs" / "development.md"
    if not path.exists():
        pytest.skip("needs the source tree, which has the map")
    table = re.findall(r"^\| \d \| (.+?) \|", path.read_text(encoding="utf-8"), re.MULTILINE)
    listed = {name.strip("/") for row in table for name in re.findall(r"`([\w./]+)`", row)}
    rooms = {entry.name for entry in PACKAGE.iterdir() if not entry.name.startswith(("_", "."))}
    assert listed == rooms - {"py.typed"}


@pytest.mark.parametrize(
    "module", ["livekm.cli.command", "livekm.outputs.atomic", "livekm.sources.decoding"]
)
def test_opencv_is_loaded_before_pyav_or_its_window_would_hang(module):
    program = (
        f"import sys, {module}\n"
        "loaded = list(sys.modules)\n"
        "assert loaded.index('cv2') < loaded.index('av')"
    )
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    subprocess.run([sys.executable, "-c", program], env=environment, timeout=60, check=True)


def test_importing_the_package_and_its_command_line_loads_no_matplotlib_and_needs_no_display():
    program = (
        "import sys, threading, livekm, livekm.cli.command\n"
        "assert threading.active_count() == 1\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'matplotlib', 'tkinter'}))"
    )
    environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    environment["PYTHONPATH"] = str(PACKAGE.parent)
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "[]", "")
