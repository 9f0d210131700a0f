"""What the README shows works as it stands there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import av
import clips
import cv2
import numpy as np
import pytest

from livekm import open_source
from livekm.cli.parser import parse
from livekm.outputs.palettes import encode_palette

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def street() -> np.ndarray:
    """A small picture with enough colours for any example: (48, 64, 3) uint8 BGR."""
    with open_source("demo", width=64, height=48) as source:
        return next(iter(source)).image


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with the files that the examples read."""
    clips.make_clip(tmp_path / "clip.mp4", 5)
    (tmp_path / "photo.jpg").write_bytes(cv2.imencode(".jpg", street())[1].tobytes())
    (tmp_path / "clips").mkdir()
    clips.make_clip(tmp_path / "clips" / "one.mp4", 3)
    colors = np.eye(3, dtype=np.uint8) * 255
    (tmp_path / "colours.gpl").write_bytes(encode_palette(colors, ".gpl"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def frame_times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(video=0)]


def test_the_streaming_example_writes_each_frame_of_the_clip(folder: Path) -> None:
    exec(blocks("python")[0], {})
    assert frame_times(folder / "out.mp4") == frame_times(folder / "clip.mp4")


ROWS = re.findall(r"^\| [a-z].* \| `(livekm .+)` \|$", README, re.MULTILINE)
IS_WRITTEN = r" (-o|--stats|--labels|--explain) "
WRITING = [row for row in ROWS if re.search(IS_WRITTEN, row) and "--start" not in row]


@pytest.mark.parametrize("line", [b.strip() for b in blocks("sh") if " -o " in b] + WRITING)
def test_the_commands_that_write_files_write_them(line: str, folder: Path, run_cli) -> None:
    program, *arguments = shlex.split(line)
    assert program == "livekm"
    assert run_cli(*arguments, "--quiet")[::2] == (0, "")
    written = re.findall(r"(?:-o|--labels|--figure|--stats|--explain) (\S+)", line)
    assert written
    assert all((folder / name).stat().st_size > 0 for name in written)


def test_every_file_that_the_readme_points_to_is_there() -> None:
    targets = [t for t in re.findall(r"\]\(([^)]+)\)", README) if "://" not in t]
    assert "docs/media/demo.webp" in targets
    assert [t for t in targets if not (ROOT / t).is_file()] == []


def test_the_moving_picture_moves_and_is_small() -> None:
    content = (ROOT / "docs" / "media" / "demo.webp").read_bytes()
    assert content[:4] == b"RIFF"
    assert content.count(b"ANMF") >= 30
    assert len(content) <= 2_500_000


def test_every_command_of_the_table_is_one() -> None:
    assert len(ROWS) > 10
    for row in ROWS:
        assert parse(shlex.split(row)[1:])


def test_the_pictures_of_window_and_page_are_those_of_the_script_and_small() -> None:
    script = (ROOT / "scripts" / "make_screenshots.py").read_text(encoding="utf-8")
    made = set(re.findall(r'"((?:window|page)[a-z-]*)": [\[(]', script))
    gallery = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"media/((?:window|page)[a-z-]*)\.webp", gallery))
    assert made == shown
    assert set(re.findall(r"docs/media/(window[a-z-]*)\.webp", README)) <= shown
    for name in shown:
        assert (ROOT / "docs" / "media" / f"{name}.webp").stat().st_size < 100_000


@pytest.mark.parametrize(
    ("name", "least"),
    [("clips.md", 26), ("window.md", 26), ("reach.md", 20), ("reliability.md", 6)],
)
def test_every_test_that_the_tables_name_exists(name: str, least: int) -> None:
    table = (ROOT / "docs" / name).read_text(encoding="utf-8")
    tests = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", table))
    assert len(named) >= least
    assert [test for test in named if f"def {test}(" not in tests] == []
