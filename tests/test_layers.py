"""Imports point down only, and what a module may import is what its floor allows."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

import livekm

PACKAGE = Path(livekm.__file__).parent

# From the ground up. Modules of one row do not import each other. `*` stands for the modules that
# no row names: a further source or sink is a file that fits into its row.
FLOORS = [
    # 0: knows nothing of livekm
    ["kernels.policy", "kernels.scratch", "kernels.vectors"],
    ["kernels.blocks"],
    ["kernels.nearest", "kernels.sticking"],
    ["errors", "streams"],
    ["frame", "closing", "workers", "buffers", "lattice", "parameters"],
    ["interrupt", "archive.reports"],
    ["kernels.*"],
    ["kernels"],
    ["painting"],
    # 1: the parts of the algorithm
    ["seeding", "colorspace", "scene", "kmeans"],
    ["trainer", "fixed"],
    # 2: the segmenter
    ["segmentation", "labeler"],
    ["segmenter", "regions"],
    # 3: what comes before and after it: bases and helpers, then the kinds, then their doors
    ["sources.base", "sources.opencv_log", "sources.street.perspective"],
    ["sources.stream", "sources.files", "sources.device", "sources.v4l2", "sources.street.theme"],
    ["sources.decoding"],
    ["sources.conversion"],
    ["sources.street.*"],
    ["sources.street.scene"],
    ["sources.street"],
    ["sinks.base", "sinks.checks", "sinks.display", "sinks.letterbox", "sinks.part_file"],
    ["sinks.timestamps"],
    ["sinks.labels", "sinks.formats", "sinks.image_file", "sinks.tracks", "sinks.verification"],
    ["sinks.pictures", "sinks.cropping"],
    ["sinks.clip_file"],
    ["sources.*", "sinks.*", "views", "sidecars.base", "palettes", "history"],
    ["figures.page", "sinks.distinct"],
    ["figures.*"],
    ["figures"],
    ["sidecars.table"],
    ["sidecars.*"],
    ["sources", "sinks", "sidecars"],
    # 4: the frame loop
    ["pipeline", "overlap"],
    [
        "live.canvas",
        "live.capture",
        "live.hud",
        "live.pace",
        "live.recorder",
        "live.snapshot",
        "live.summary",
    ],
    ["live.display", "live.feeds", "live.warmup"],
    ["live.session"],
    ["live.controls"],
    ["live.loop"],
    # 5: the ways to run it
    ["archive.job"],
    ["archive.plan", "archive.processes", "archive.progress", "archive.summary"],
    ["archive.cluster"],
    ["archive.runner"],
    ["live", "batch", "benchmark", "archive", "progress"],
    # 6: the doors of the package
    ["options"],
    ["parts"],
    ["", "cli"],
    ["__main__"],
]


def module_name(path: Path) -> str:
    """The name below `livekm`, "" for the package itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {
    module_name(path): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
}


def floor_of(module: str) -> int | None:
    """The row with the longest pattern that fits the module."""
    fitting = [(len(p), i) for i, row in enumerate(FLOORS) for p in row if fnmatch(module, p)]
    return max(fitting)[1] if fitting else None


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


def imported_modules(module: str) -> set[str]:
    """The modules of livekm that the module imports, by their names below `livekm`."""
    found = set()
    for name in imported_names(module):
        if name.split(".")[0] == "livekm":
            below = name.split(".")[1:]
            while ".".join(below) not in TREES:
                below.pop()
            found.add(".".join(below))
    return found


def importers_of(library: str) -> set[str]:
    return {
        module
        for module in TREES
        if any(name.split(".")[0] == library for name in imported_names(module))
    }


@pytest.mark.parametrize("module", TREES)
def test_every_module_has_its_floor(module):
    assert floor_of(module) is not None, f"give livekm.{module} a place in FLOORS"


def test_every_row_stands_for_a_module():
    for row in FLOORS:
        for pattern in row:
            assert any(fnmatch(module, pattern) for module in TREES), pattern


@pytest.mark.parametrize("module", TREES)
def test_imports_point_down(module):
    upward = {name for name in imported_modules(module) if floor_of(name) >= floor_of(module)}
    assert not upward, f"livekm.{module} imports {upward}"


def test_the_table_catches_an_import_that_points_up(monkeypatch):
    wrong = ast.parse("def f():\n    from livekm import pipeline\n    import livekm.cli\n")
    monkeypatch.setitem(TREES, "seeding", wrong)
    assert imported_modules("seeding") == {"pipeline", "cli"}
    with pytest.raises(AssertionError, match=r"livekm\.seeding imports"):
        test_imports_point_down("seeding")


def test_numba_is_imported_where_it_is_tamed():
    assert importers_of("numba") == {"kernels.policy", "kernels.scratch", "kernels.vectors"}


def test_kernels_know_no_opencv():
    assert not {module for module in importers_of("cv2") if module.startswith("kernels")}


def test_matplotlib_is_imported_for_figures_only_and_tqdm_for_progress_only():
    assert {name.split(".")[0] for name in importers_of("matplotlib")} == {"figures"}
    assert importers_of("tqdm") == {"progress", "archive.progress"}


@pytest.mark.parametrize("module", sorted(set(TREES) - {"cli"}))
def test_only_the_command_line_prints(module):
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("print", "input"), f"line {node.lineno}"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            stream = f"{node.value.id}.{node.attr}"
            assert stream not in ("sys.stdout", "sys.stderr"), f"line {node.lineno}"


def test_importing_the_package_and_its_command_line_loads_no_matplotlib_and_needs_no_display():
    program = (
        "import sys, threading, livekm, livekm.cli\n"
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
