"""The table of segments: what its rows say, its two formats, when it appears."""

from __future__ import annotations

import csv
import json
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_clip

from livekm import Segmenter, files
from livekm.context import GiveUp
from livekm.core.segmentation import Segmentation
from livekm.errors import SinkError
from livekm.frame import Frame, VideoInfo
from livekm.outputs.tables.statistics import SegmentRow, StatisticsFile, measure
from livekm.outputs.tables.table import TABLE_SUFFIXES
from livekm.sources import ClipSource, DemoSource
from livekm.views import VIEWS

every_format = pytest.mark.parametrize("suffix", TABLE_SUFFIXES)
INFO = VideoInfo("flag", 60, 40)
COLORS = np.array([(200, 30, 40), (30, 180, 60), (20, 40, 220)], np.uint8)  # BGR


def flag() -> np.ndarray:
    """A green box from (10, 4) to (30, 20) and a red one below, on blue."""
    image = np.empty((40, 60, 3), np.uint8)
    image[:] = COLORS[0]
    image[4:20, 10:30] = COLORS[1]
    image[30:, 50:] = COLORS[2]
    return image


def segmented(image: np.ndarray, k: int = 3) -> Segmentation:
    return Segmenter(k, random_state=0).fit(image)


def without_schema(row: dict[str, object]) -> SegmentRow:
    assert row.pop("schema") == 1
    return SegmentRow(**row)


def read(path: Path) -> list[SegmentRow]:
    """Read a table with nothing but Python's own parsers."""
    if path.suffix == ".jsonl":
        lines = path.read_text(encoding="utf-8").splitlines()
        return [without_schema(json.loads(line)) for line in lines]
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        assert tuple(rows.fieldnames) == (*SegmentRow._fields, "schema")
        return [
            without_schema({
                key: value if key in ("color", "name") else json.loads(value) if value else None
                for key, value in row.items()
            })
            for row in rows
        ]  # fmt: skip


def test_each_segment_has_its_place_size_and_colour():
    rows = {row.color: row for row in measure(Frame(flag(), 7, 0.28), segmented(flag()))}
    assert set(rows) == {"#281ec8", "#3cb41e", "#dc2814"}
    assert sum(row.share for row in rows.values()) == pytest.approx(1, abs=1e-5)
    green = rows["#3cb41e"]
    assert (green.frame, green.time, green.pixels) == (7, 0.28, 20 * 16)
    assert green.share == pytest.approx(320 / 2400, abs=1e-6)
    assert (green.x, green.y) == (19.5, 11.5)
    assert (green.box_x, green.box_y, green.box_width, green.box_height) == (10, 4, 20, 16)
    assert (green.mse, green.scene_cut) == (0, False)


def test_rows_are_in_the_order_of_the_labels_and_agree_with_the_segmentation():
    image = np.random.default_rng(0).integers(0, 256, (30, 50, 3), np.uint8)
    segmentation = segmented(image, 9)
    rows = measure(Frame(image, 0, 0.0), segmentation)
    assert [row.label for row in rows] == list(range(9))
    assert [row.pixels for row in rows] == segmentation.counts.tolist()
    assert rows[0].mse == pytest.approx(segmentation.mse, abs=1e-3)


def test_a_segment_without_pixels_has_no_place():
    rows = measure(Frame(flag(), 0, 0.0), segmented(flag(), 5))
    empty = [row for row in rows if row.pixels == 0]
    assert len(empty) == 2
    for row in empty:
        assert (row.share, row.x, row.y, row.box_x, row.box_height) == (0, None, None, None, None)


@every_format
def test_what_is_written_comes_back(suffix, tmp_path):
    segmentation = segmented(flag(), 5)
    frames = [Frame(flag(), index, index / 30) for index in range(3)]
    with StatisticsFile(tmp_path / f"out{suffix}", INFO) as table:
        for frame in frames:
            table.write(frame, segmentation)
        assert table.path is None
        assert not (tmp_path / f"out{suffix}").exists()
    expected = [row for frame in frames for row in measure(frame, segmentation)]
    assert read(table.path) == expected
    assert [path.name for path in tmp_path.iterdir()] == [f"out{suffix}"]


@every_format
def test_a_table_that_is_given_up_leaves_nothing(suffix, tmp_path):
    def write_and_fail() -> None:
        with StatisticsFile(tmp_path / f"out{suffix}", INFO) as table:
            table.write(Frame(flag(), 0, 0.0), segmented(flag()))
            raise GiveUp

    with pytest.raises(GiveUp):
        write_and_fail()
    assert list(tmp_path.iterdir()) == []


def test_another_suffix_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(ValueError, match=r"out.xlsx; end it in .csv or .jsonl$"):
        StatisticsFile(tmp_path / "out.xlsx", INFO)


def test_an_existing_table_is_kept_without_overwrite(tmp_path):
    (tmp_path / "out.csv").write_text("precious")
    with pytest.raises(SinkError, match=r"out\.csv exists; add --overwrite"):
        StatisticsFile(tmp_path / "out.csv", INFO)
    assert (tmp_path / "out.csv").read_text() == "precious"


@every_format
def test_a_clips_table_needs_no_other_output(suffix, run_cli, tmp_path):
    make_clip(tmp_path / "in.mp4", 6)
    code, out, _ = run_cli("in.mp4", "--stats", f"out{suffix}", "-k", 3)
    assert (code, out) == (0, f"out{suffix}: 6 frames\n")
    rows = read(tmp_path / f"out{suffix}")
    assert [(row.frame, row.label) for row in rows] == [(i, j) for i in range(6) for j in range(3)]
    assert [row.time for row in rows[::3]] == [i / 25 for i in range(6)]
    segmenter = Segmenter(3, random_state=0)
    with ClipSource(tmp_path / "in.mp4") as source:
        expected = [row for f in source for row in measure(f, segmenter.update(f.image))]
    assert rows == expected


def test_a_clip_and_its_table_are_made_in_one_run(run_cli, tmp_path):
    make_clip(tmp_path / "in.mp4", 6)
    code, out, _ = run_cli("in.mp4", "-o", "out.mp4", "--stats", "out.csv")
    assert (code, out) == (0, "out.mp4, out.csv: 6 frames\n")
    assert len(read(tmp_path / "out.csv")) == 6 * 8


def test_an_images_table(run_cli, tmp_path):
    cv2.imwrite(str(tmp_path / "photo.png"), flag())
    code, out, _ = run_cli("photo.png", "--stats", "out.csv", "-k", 3)
    assert (code, out) == (0, "out.csv: 3 segments, mse 0\n")
    assert read(tmp_path / "out.csv") == measure(Frame(flag(), 0, 0.0), segmented(flag()))


def test_the_demos_table_ends(run_cli, tmp_path, monkeypatch):
    monkeypatch.setattr("livekm.cli.ways._DEMO_FRAMES", 20)
    assert run_cli("--demo", "--size", "64x48", "--stats", "out.csv", "-q")[0] == 0
    assert len(read(tmp_path / "out.csv")) == 20 * 8


def test_an_interrupted_table_is_valid_and_named_as_partial(tmp_path):
    seen = []
    with DemoSource(64, 48) as source:
        result = files.process_clip(
            source, Segmenter(2, random_state=0), VIEWS["segments"], None,
            sidecars=[partial(StatisticsFile, tmp_path / "out.jsonl")],
            on_frame=lambda *found: seen.append(found), should_stop=lambda: bool(seen),
        )  # fmt: skip
    assert result.paths == (tmp_path / "out.partial.jsonl",)
    assert len(read(result.paths[0])) == 2
    assert list(tmp_path.iterdir()) == list(result.paths)
