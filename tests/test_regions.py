"""Regions: listed exactly, shown, selected, and written to a table."""

from __future__ import annotations

import csv
import json
import runpy
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_clip

import livekm
from livekm import Segmenter
from livekm.core.selection import Selection
from livekm.frame import Frame
from livekm.outputs.checks import as_image
from livekm.regions import find_regions
from livekm.views import regions

EXAMPLE = runpy.run_path(str(Path(__file__).parents[1] / "examples" / "load_regions.py"))
BLACK, WHITE, RED = (0, 0, 0), (255, 255, 255), (0, 0, 255)


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


def id_of(segmentation, color) -> int:
    """The id of the largest region in a colour."""
    return next(r.id for r in find_regions(segmentation, 1) if r.color == color)


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
def test_connected_pieces_are_those_of_opencv(case):
    segmentation = segmented_noise(*case)
    regions = find_regions(segmentation, 1)
    assert [r.id for r in regions] == list(range(len(regions)))
    assert [r.area for r in regions] == sorted((r.area for r in regions), reverse=True)
    expected = []
    for label in range(segmentation.n_clusters):
        inside = (segmentation.labels == label).astype(np.uint8)
        _, _, stats, centroids = cv2.connectedComponentsWithStats(inside, connectivity=4)
        expected += zip(map(tuple, stats[1:].tolist()), centroids[1:].tolist(), strict=True)
    mine = {(*r.box, r.area, *np.round(r.centroid, 6)) for r in regions}
    assert mine == {(*row, *np.round(centroid, 6)) for row, centroid in expected}
    assert len(regions) == len(expected)
    for region in regions:
        x, y, width, height = region.box
        labels = segmentation.labels[y : y + height, x : x + width][region.mask]
        assert region.mask.sum() == region.area
        assert (segmentation.palette[labels] == region.color).all()
    assert sum(r.share for r in regions) == pytest.approx(1)


def test_small_regions_and_others_than_the_selected_are_left_out(found):
    ids = {color: id_of(found, color) for color in (BLACK, WHITE, RED)}
    assert [r.area for r in find_regions(found, 1)] == [4399, 500, 400, 100, 1]
    assert [r.area for r in find_regions(found)] == [4399, 500, 400, 100]
    kept = find_regions(found, 2, Selection([ids[RED]]))
    assert [(r.area, r.box, r.color) for r in kept] == [(400, (70, 40, 20, 20), RED)]
    others = find_regions(found, 2, Selection([ids[RED]], drop=True))
    assert [r.area for r in others] == [4399, 500, 100]
    assert find_regions(found, 10_000) == []


def test_neighbours_are_the_listed_regions_beside(found):
    ids = {color: id_of(found, color) for color in (BLACK, WHITE, RED)}
    beside = {r.id: r.neighbors for r in find_regions(found, 2)}
    hole = find_regions(found, 2)[-1].id
    assert beside[ids[BLACK]] == tuple(sorted([ids[WHITE], ids[RED]]))
    assert beside[ids[WHITE]] == tuple(sorted([ids[BLACK], hole]))
    assert beside[hole] == (ids[WHITE],)
    speckle = find_regions(found, 1)[-1]
    assert speckle.neighbors == (ids[BLACK],)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((-5,), "^min_area must be positive, not -5$"),
        ((0,), "^min_area must be positive, not 0$"),
        ((2, Selection([77])), "^there is no region 77: the image has 0 to 4$"),
    ],
)
def test_regions_that_there_cannot_be_are_refused(arguments, why, found):
    with pytest.raises(ValueError, match=why):
        find_regions(found, *arguments)


def test_an_outline_filled_is_the_region_with_its_holes(found):
    (ring,) = find_regions(found, 2, Selection([id_of(found, WHITE)]))
    mask = EXAMPLE["filled"]({"outline": ring.outline.tolist()}, 90, 60)
    expected = np.zeros((60, 90), np.uint8)
    expected[10:30, 20:50] = 255
    np.testing.assert_array_equal(mask, expected)
    assert ring.centroid == (34.5, 19.5)
    outer, hole = ring.rings
    assert outer.tolist() == [[50, 10], [50, 30], [20, 30], [20, 10]]
    assert hole.tolist() == [[40, 25], [40, 15], [30, 15], [30, 25]]


# The view


def shown(found, *arguments, **options):
    return as_image(regions(Frame(islands(), 0, 0.0), found, *arguments, **options), alpha=True)


def test_the_view_shows_mean_colours_with_thin_borders(found):
    drawn = shown(found)
    lines = (drawn == 90).all(axis=2)  # grey, on black
    assert (drawn[20, [25, 45]] == WHITE).all()
    assert (drawn[50, 80] == RED).all()
    assert lines[9, 20:50].all()  # one pixel, above and to the left of what begins
    assert lines[41:59, 69].all()
    assert (drawn[15:25, 29] == 0).all()  # the last column of the white before the hole
    assert not lines[48:53, 3:8].any()  # a speckle is too small to have a border
    assert (drawn[50, 5] == WHITE).all()
    assert (drawn[14, 30:40] == 0).all()
    changed = (drawn != islands()).any(axis=2) & (islands() > 0).any(axis=2)
    assert changed.sum() == 10 + 10 + 20 + 29  # lines in the white: around the hole, and outside


def test_more_regions_than_a_byte_holds_are_shown_too():
    tiles = np.random.default_rng(0).integers(0, 2, (50, 50), np.uint8) * 255
    image = np.repeat(np.repeat(np.dstack([tiles] * 3), 3, axis=0), 3, axis=1)
    segmentation = Segmenter(2, random_state=0).fit(image)
    assert len(find_regions(segmentation, 1)) > 256
    picture = as_image(regions(Frame(image, 0, 0.0), segmentation, min_area=10**6))
    np.testing.assert_array_equal(picture, image)


def test_selected_regions_alone_are_shown(found):
    white = id_of(found, WHITE)
    image = islands()
    for selection in (Selection([white]), Selection([white], rest="black")):
        drawn = shown(found, selection)
        assert (drawn[20, [25, 45]] == WHITE).all()
        assert not drawn[40:].any()
    drawn = shown(found, Selection([white], rest="original"))
    np.testing.assert_array_equal(drawn[40:], image[40:])
    pale = shown(found, Selection([white], rest="pale"))
    np.testing.assert_array_equal(pale[20, 22:28], image[20, 22:28])
    assert (pale[40:50, 75] > 100).all()
    transparent = shown(found, Selection([white], rest="transparent"))
    assert transparent.shape == (60, 90, 4)
    inside = (image == WHITE).all(axis=2)
    inside[50, 5] = False
    np.testing.assert_array_equal(transparent[..., 3], np.where(inside, 255, 0))


# Clips and images


DRIFT = [
    np.where(np.roll(islands(), 2 * i, axis=1).any(axis=2, keepdims=True),
             np.roll(islands(), 2 * i, axis=1), 60).astype(np.uint8)
    for i in range(3)
]  # fmt: skip


def make_row(folder, images):
    """Write the frames of a clip without loss."""
    (folder / "in").mkdir()
    for number, image in enumerate(images):
        cv2.imwrite(str(folder / "in" / f"{number}.png"), image)


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        if path.suffix == ".jsonl":
            return [json.loads(line) for line in file]
        texts = ("color", "name", "neighbors")
        return [
            {k: v if k in texts else json.loads(v) for k, v in row.items()}
            for row in csv.DictReader(file)
        ]


@pytest.mark.parametrize("detail", [None, 0, 3])
@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_regions_of_a_clip_as_a_table(suffix, detail, run_cli, tmp_path):
    make_row(tmp_path, DRIFT)
    name = f"out{suffix}"
    options = () if detail is None else ("--detail", detail)
    arguments = ("in", "--regions", name, "-k", 3, "--min-area", 50, *options)
    assert run_cli(*arguments) == (0, f"{name}: 3 frames\n", "")
    rows = rows_of(tmp_path / name)
    if suffix == ".jsonl":
        loaded = list(EXAMPLE["load_regions"](tmp_path / name))
        assert [row for _, regions in loaded for row in regions] == rows
        assert [time for time, _ in loaded] == [0, 0.04, 0.08]
    else:
        assert "outline" not in rows[0]
    assert {row["frame"] for row in rows} == {0, 1, 2}
    assert all(row["area"] >= 50 for row in rows)
    for row in rows:
        same = [other["frame"] for other in rows if other["id"] == row["id"]]
        assert (row["first_frame"], row["last_frame"]) == (min(same), max(same))
        assert row["share"] == pytest.approx(row["area"] / 5400, abs=1e-6)
    red = [row for row in rows if row["color"] == "#ff0000"]
    boxes = [tuple(row[f"box_{n}"] for n in ("x", "y", "width", "height")) for row in red]
    assert (70, 40, 20, 20) in boxes
    assert sum(row["frame"] == 0 for row in rows) == {None: 5, 0: 4, 3: 3}[detail]


def test_a_region_keeps_its_id_and_is_kept_by_it(run_cli, tmp_path, caplog):
    images = [np.full((60, 90, 3), 60, np.uint8) for _ in range(4)]
    for number, image in enumerate(images):
        image[10:40, 5 + 6 * number : 30 + 6 * number] = RED
        image[45:55, 60:80] = WHITE
    make_row(tmp_path, images)
    for detail in (3, 0):
        given = ("--view", "regions", "--detail", detail, "-k", 3, "-f")
        table = ("in", "--regions", "t.csv", "-q", *given)
        assert run_cli(*table) == (0, "", "")
        rows = rows_of(tmp_path / "t.csv")
        assert [row["id"] for row in rows] == [0, 1, 2] * 4
        red = next(row["id"] for row in rows if row["color"] == "#ff0000")
        output = ("-o", "o/%d.png", "--regions", "k.jsonl")
        assert run_cli("in", *output, "--keep", red, *given, "-q") == (0, "", "")
        assert {row["id"] for row in rows_of(tmp_path / "k.jsonl")} == {red}
        for number, image in enumerate(images):
            drawn = cv2.imread(str(tmp_path / "o" / f"{number}.png"))
            is_red = (image == RED).all(axis=2)
            assert not drawn[~is_red].any()
            assert (drawn[is_red] == RED).all(axis=1).mean() > 0.9  # all but a line
    assert run_cli("in", "-o", "x.mp4", "--view", "regions", "--keep", 77)[0] == 0
    assert caplog.messages == ["--keep: no frame of in had a region 77"]


def test_regions_of_an_image_are_told_shown_and_kept(run_cli, tmp_path):
    cv2.imwrite(str(tmp_path / "p.png"), islands())
    given = ("p.png", "--detail", 0, "-k", 3)
    code, told, _ = run_cli(*given, "--regions", "a.jsonl")
    assert (code, told) == (0, "a.jsonl: 3 segments, 5 regions, mse 0\n")
    ids = [row["id"] for row in rows_of(tmp_path / "a.jsonl")]
    assert ids == [0, 1, 2, 3]
    assert run_cli(*given, "--regions", "b.jsonl", "--drop", 1, "-q")[0] == 0
    assert [row["id"] for row in rows_of(tmp_path / "b.jsonl")] == [0, 2, 3]
    assert run_cli(*given, "-o", "o.png", "--view", "regions", "--keep", 2, "-q")[0] == 0
    drawn = cv2.imread(str(tmp_path / "o.png"))
    assert (drawn[41:, 71:] == RED).all()
    assert not drawn[:39].any()
    code, _, errors = run_cli(*given, "--regions", "c.jsonl", "--keep", 9)
    assert (code, errors) == (2, "livekm: there is no region 9: the image has 0 to 4\n")


def test_segments_are_kept_where_the_view_is_another(run_cli, tmp_path, found):
    cv2.imwrite(str(tmp_path / "p.png"), islands())
    arguments = ("-k", 3, "--view", "mask", "--keep", 2, "--regions", "r.jsonl", "-q")
    assert run_cli("p.png", "-o", "o.png", *arguments) == (0, "", "")
    mask = cv2.imread(str(tmp_path / "o.png"), 0)
    np.testing.assert_array_equal(mask == 255, found.labels == 2)
    assert len(rows_of(tmp_path / "r.jsonl")) > 1


def test_a_clip_is_converted_to_its_regions(tmp_path):
    make_row(tmp_path, DRIFT)
    for detail, n_colors in ((0.13, 5), (2, 3)):
        name = tmp_path / f"{detail}" / "%d.png"
        name.parent.mkdir()
        livekm.convert(tmp_path / "in", name, view="regions", detail=detail)
        first = cv2.imread(str(tmp_path / f"{detail}" / "0.png")).reshape(-1, 3)
        assert len(np.unique(first, axis=0)) == n_colors


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
        (("-o", "o.png", "--detail", 0.1), "--detail needs --regions or --view regions"),
        (("--regions", "r.csv", "--detail", 2.5), "--detail: must be a scale from 0 to 1, or a"),
        (("--regions", "r.csv", "--detail", -1), "or a whole number of regions, got -1"),
        (("--regions", "r.txt"), "end it in .csv, .jsonl, .json, .svg, or name a folder that says"),
        (("--keep", 0), "--keep needs -o or --regions or --masks"),
    ],
)
def test_selections_that_make_no_sense_are_one_line(arguments, why, run_cli, tmp_path):
    cv2.imwrite(str(tmp_path / "p.png"), islands())
    code, out, errors = run_cli("p.png", *arguments)
    assert (code, out) == (2, "")
    assert why in errors
    assert len(errors.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["p.png"]
