"""Connected regions: found exactly, drawn, and written to a table."""

from __future__ import annotations

import csv
import json
import runpy
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_clip

from livekm import Segmenter
from livekm.core.selection import Selection
from livekm.frame import Frame
from livekm.regions import find_regions
from livekm.views import original, regions

EXAMPLE = runpy.run_path(str(Path(__file__).parents[1] / "examples" / "load_regions.py"))
BLACK, WHITE, RED, YELLOW = (0, 0, 0), (255, 255, 255), (0, 0, 255), (0, 255, 255)


def islands() -> np.ndarray:
    """On black: a white ring with a black hole, a white speckle, and a red box at the border."""
    image = np.zeros((60, 90, 3), np.uint8)
    image[10:30, 20:50] = WHITE
    image[15:25, 30:40] = BLACK
    image[50, 5] = WHITE
    image[40:, 70:] = RED
    return image


@pytest.fixture
def found():
    return Segmenter(3, random_state=0).fit(islands())


def label_of(segmentation, color) -> int:
    return next(i for i, c in enumerate(segmentation.palette.tolist()) if tuple(c) == color)


def segmented_noise(shape, k: int, smooth: int):
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    return Segmenter(k, random_state=0).fit(cv2.blur(noise, (smooth, smooth)))


@pytest.mark.parametrize(
    "case",
    [
        ((1, 1), 2, 1),
        ((1, 90), 3, 1),
        ((90, 1), 3, 1),
        ((70, 90), 2, 1),
        ((70, 90), 5, 3),
        ((120, 160), 16, 5),
    ],
)
def test_regions_are_those_of_opencv(case):
    segmentation = segmented_noise(*case)
    regions = find_regions(segmentation, 1)
    for label in range(segmentation.n_clusters):
        inside = (segmentation.labels == label).astype(np.uint8)
        _, _, stats, centroids = cv2.connectedComponentsWithStats(inside)
        expected = sorted(
            (*row, *np.round(c, 6))
            for row, c in zip(stats[1:].tolist(), centroids[1:], strict=True)
        )
        mine = [r for r in regions if r.label == label]
        assert expected == sorted((*r.box, r.area, *np.round(r.centroid, 6)) for r in mine)
        assert [r.area for r in mine] == sorted((r.area for r in mine), reverse=True)
        outlined, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        starts = {tuple(o[0, 0]) for o in outlined}
        assert starts <= {tuple(r.outline[0]) for r in mine}
    assert [r.label for r in regions] == sorted(r.label for r in regions)


def test_small_regions_and_other_segments_are_left_out(found):
    white, red = label_of(found, WHITE), label_of(found, RED)
    assert [r.area for r in find_regions(found, 1, Selection([white]))] == [500, 1]
    assert [r.area for r in find_regions(found, 2, Selection([white]))] == [500]
    others = find_regions(found, 2, Selection([white], drop=True))
    assert {r.label for r in others} == {0, 1, 2} - {white}
    assert find_regions(found, 2, Selection([red]))[0].box == (70, 40, 20, 20)
    assert find_regions(found, 10_000) == []


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((-5,), "^min_area must be positive, not -5$"),
        ((0,), "^min_area must be positive, not 0$"),
        ((2, Selection([77])), "^there is no segment 77: the image has 0 to 2$"),
    ],
)
def test_regions_that_there_cannot_be_are_refused(arguments, why, found):
    with pytest.raises(ValueError, match=why):
        find_regions(found, *arguments)


def test_an_outline_filled_is_the_region_with_its_holes(found):
    (ring,) = find_regions(found, 2, Selection([label_of(found, WHITE)]))
    mask = EXAMPLE["filled"]({"outline": ring.outline.tolist()}, 90, 60)
    expected = np.zeros((60, 90), np.uint8)
    expected[10:30, 20:50] = 255
    np.testing.assert_array_equal(mask, expected)
    assert ring.centroid == (34.5, 19.5)


def test_the_view_draws_outline_box_and_number(found):
    image, frame = islands(), Frame(islands(), 0, 0.0)
    selection = Selection([label_of(found, RED)], rest="original")
    drawn = regions(frame, found, selection, min_area=2)
    np.testing.assert_array_equal(frame.image, image)
    changed = (drawn != image).any(axis=2)
    assert changed[40:, 70].all()
    assert changed[40, 70:].all()
    assert not changed[:, :60].any()
    assert not changed[42:58, 72:88].any()
    assert (drawn[31:39, 71:76] == RED).all(axis=2).any()  # the number stands on the colour


def test_without_a_selection_there_are_no_boxes_and_large_regions_alone_have_a_label(found):
    drawn = regions(Frame(islands(), 0, 0.0), found, min_area=1)
    assert (drawn[40, 82:88] == YELLOW).all()
    assert not (drawn[42:58, 72:88] != RED).any()
    tag = drawn[27:41, 70:81]
    assert (tag[[0, -1]] == 255).all()
    assert (tag[1:-1, 1:-1] == RED).all(axis=2).any()
    assert (drawn[50, 5] == YELLOW).all()  # of one pixel
    assert not drawn[36:48, 2:20].any()


def test_selected_segments_alone_have_regions(found):
    frame, white = Frame(islands(), 0, 0.0), label_of(found, WHITE)
    for rest in ("original", "pale"):
        selection = Selection([white], rest=rest)
        drawn = regions(frame, found, selection)
        assert (drawn[29, 20:50] == 255).all()
        plain = original(frame, found, selection)
        np.testing.assert_array_equal(drawn[40:, 70:], plain[40:, 70:])
    transparent = regions(frame, found, Selection([white], rest="transparent"))
    assert transparent.shape == (60, 90, 4)
    assert (transparent[10, 20:50, 3] == 255).all()
    assert transparent[59, 0, 3] == 0


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_regions_of_a_clip_as_a_table(suffix, run_cli, tmp_path):
    make_clip(tmp_path / "in.mp4", images=[islands()] * 3, width=90, height=60)
    name = f"out{suffix}"
    arguments = ("in.mp4", "--regions", name, "-k", 3, "--min-area", 50)
    assert run_cli(*arguments) == (0, f"{name}: 3 frames\n", "")
    with (tmp_path / name).open(encoding="utf-8", newline="") as file:
        if suffix == ".csv":
            rows = [{k: v if k in ("color", "name") else json.loads(v) for k, v in row.items()}
                    for row in csv.DictReader(file)]  # fmt: skip
            assert "outline" not in rows[0]
        else:
            rows = [json.loads(line) for line in file]
            loaded = list(EXAMPLE["load_regions"](tmp_path / name))
            assert [row for _, regions in loaded for row in regions] == rows
            assert [time for time, _ in loaded] == [0, 0.04, 0.08]
    assert {row["frame"] for row in rows} == {0, 1, 2}
    first = [row for row in rows if row["frame"] == 0]
    assert [row["region"] for row in first] == list(range(len(first)))
    assert all(row["area"] >= 50 for row in rows)
    boxes = {(row["box_x"], row["box_y"], row["box_width"], row["box_height"]) for row in first}
    assert any(abs(np.subtract(box, (70, 40, 20, 20))).max() <= 2 for box in boxes)


def test_regions_of_kept_segments_alone(run_cli, tmp_path):
    cv2.imwrite(str(tmp_path / "p.png"), islands())
    labels = {}
    for name, selection in (("a", ()), ("b", ("--keep", 1)), ("c", ("--drop", 1))):
        assert run_cli("p.png", "--regions", f"{name}.jsonl", "-k", 3, "-q", *selection)[0] == 0
        lines = (tmp_path / f"{name}.jsonl").read_text().splitlines()
        labels[name] = {json.loads(line)["label"] for line in lines}
    assert labels == {"a": {0, 1, 2}, "b": {1}, "c": {0, 2}}


# What becomes of the other segments


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_the_rest_is_transparent_in_formats_that_can(suffix, run_cli, tmp_path, found):
    cv2.imwrite(str(tmp_path / "p.png"), islands())
    label = label_of(found, RED)
    arguments = ("--keep", label, "--rest", "transparent", "-k", 3, "-q")
    assert run_cli("p.png", "-o", f"o{suffix}", *arguments) == (0, "", "")
    written = cv2.imread(str(tmp_path / f"o{suffix}"), cv2.IMREAD_UNCHANGED)
    inside = found.labels == label
    np.testing.assert_array_equal(written[..., 3], np.where(inside, 255, 0))
    assert (written[inside][:, :3] == RED).all()


def test_a_clips_images_can_be_transparent(run_cli, tmp_path):
    make_clip(tmp_path / "in.mp4", images=[islands()] * 2, width=90, height=60)
    code, _, errors = run_cli(
        "in.mp4", "-o", "o/%d.png", "--keep", 0, "--rest", "transparent", "-q"
    )
    assert (code, errors) == (0, "")
    assert cv2.imread(str(tmp_path / "o" / "1.png"), cv2.IMREAD_UNCHANGED).shape == (60, 90, 4)


def test_the_rest_can_be_the_picture(run_cli, tmp_path, found):
    image = islands()
    image[..., 1] //= 2
    cv2.imwrite(str(tmp_path / "p.png"), image)
    arguments = ("--view", "mask", "--keep", 0, "--rest", "original", "-k", 2, "-q")
    assert run_cli("p.png", "-o", "o.png", *arguments) == (0, "", "")
    labels = Segmenter(2, random_state=0).fit(image).labels
    written = cv2.imread(str(tmp_path / "o.png"))
    np.testing.assert_array_equal(written[labels == 1], image[labels == 1])


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("-o", "o.mp4", "--keep", 0, "--rest", "transparent"), "o.mp4 cannot be transparent"),
        (("-o", "o.jpg", "--keep", 0, "--rest", "transparent"), "o.jpg cannot be transparent"),
        (("-o", "o.png", "--rest", "original"), "--rest needs --keep or --drop"),
        (("-o", "o.png", "--min-area", 9), "--min-area needs --regions"),
        (("--regions", "r.csv", "--min-area", 0), "--min-area: must be a whole"),
        (("--regions", "r.txt"), "end it in .csv or .jsonl"),
        (("--keep", 0), "--keep needs -o or --regions"),
    ],
)
def test_selections_that_make_no_sense_are_one_line(arguments, why, run_cli, tmp_path):
    cv2.imwrite(str(tmp_path / "p.png"), islands())
    code, out, errors = run_cli("p.png", *arguments)
    assert (code, out) == (2, "")
    assert why in errors
    assert len(errors.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["p.png"]
