"""Regions in the formats of other tools: rasterised back, they are the very labels."""

from __future__ import annotations

import contextlib
import json
import re

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw
from pycocotools.coco import COCO

import livekm
from livekm import RegionSegmenter, Segmenter
from livekm.outputs.tables.polygons import pixel_polygons

WIDTH, HEIGHT = 70, 50


def picture(step: int = 0) -> np.ndarray:
    """Blobs of four colours, with holes and thin lines."""
    rng = np.random.default_rng(3)
    noise = np.stack([cv2.GaussianBlur(rng.normal(size=(HEIGHT, WIDTH)), (0, 0), 2)
                      for _ in range(4)])  # fmt: skip
    colors = np.array([(30, 30, 30), (220, 40, 40), (40, 200, 60), (230, 230, 230)], np.uint8)
    image = colors[noise.argmax(axis=0)]
    return np.ascontiguousarray(np.roll(image, step, axis=1))


@pytest.fixture
def clip(tmp_path):
    """The labels of each frame: which connected piece of a colour each pixel belongs to."""
    (tmp_path / "in").mkdir()
    segmenter, regions = Segmenter(4, random_state=0), RegionSegmenter(0, random_state=0)
    found = []
    for number in range(2):
        image = picture(number)
        cv2.imwrite(str(tmp_path / "in" / f"{number}.png"), image)
        found.append(regions.update(image, segmenter.update(image)))
    return found


GIVEN = ("-k", 4, "--detail", 0, "--min-area", 1, "-q")


@pytest.mark.filterwarnings("ignore::DeprecationWarning:pycocotools")  # of NumPy 2.5
@pytest.mark.parametrize("name", ["r.json", "r.rle.json"])
def test_coco_holds_the_very_labels(name, run_cli, tmp_path, clip):
    assert run_cli("in", "--regions", name, *GIVEN) == (0, "", "")
    with contextlib.redirect_stdout(None):
        coco = COCO(str(tmp_path / name))
    images = coco.loadImgs(coco.getImgIds())
    assert [(i["file_name"], i["width"], i["height"]) for i in images] == [
        ("000000.png", WIDTH, HEIGHT),
        ("000001.png", WIDTH, HEIGHT),
    ]
    for number, found in enumerate(clip):
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=[number]))
        assert [a["track_id"] for a in annotations] == found.ids.tolist()
        for label, annotation in enumerate(annotations):
            mask = found.mask(label)
            np.testing.assert_array_equal(coco.annToMask(annotation) == 1, mask)
            assert annotation["area"] == mask.sum()
            assert annotation["bbox"] == list(cv2.boundingRect(mask.view(np.uint8)))
            assert isinstance(annotation["segmentation"], dict) == (name == "r.rle.json")


def test_a_yolo_data_set_holds_the_very_labels(run_cli, tmp_path, clip):
    assert run_cli("in", "--regions", "out-yolo", *GIVEN) == (0, "", "")
    folder = tmp_path / "out-yolo"
    assert "train: images" in (folder / "data.yaml").read_text()
    for number, found in enumerate(clip):
        assert cv2.imread(str(folder / "images" / f"{number:06d}.jpg")).shape == (50, 70, 3)
        lines = (folder / "labels" / f"{number:06d}.txt").read_text().splitlines()
        for label, line in enumerate(lines):
            kind, *places = map(float, line.split())
            assert kind == 0
            # As Ultralytics does: polygons2masks casts to whole pixels and fills.
            path = (np.reshape(places, (-1, 2)) * (WIDTH, HEIGHT)).astype(np.int32)
            mask = cv2.fillPoly(np.zeros((HEIGHT, WIDTH), np.uint8), [path], 1)
            np.testing.assert_array_equal(mask == 1, found.mask(label))
        assert len(lines) == found.n_regions


def test_labelme_files_hold_the_very_labels(run_cli, tmp_path, clip):
    assert run_cli("in", "--regions", "labelme", *GIVEN) == (0, "", "")
    for number, found in enumerate(clip):
        content = json.loads((tmp_path / "labelme" / f"{number:06d}.json").read_text())
        assert (content["imageWidth"], content["imageHeight"]) == (WIDTH, HEIGHT)
        assert (tmp_path / "labelme" / content["imagePath"]).exists()
        for label, shape in enumerate(content["shapes"]):
            assert (shape["group_id"], shape["shape_type"]) == (found.ids[label], "polygon")
            assert len(shape["points"]) > 2
            mask = Image.new("L", (WIDTH, HEIGHT), 0)  # as labelme.utils.shape_to_mask does
            points = [tuple(point) for point in shape["points"]]
            ImageDraw.Draw(mask).polygon(xy=points, outline=1, fill=1)
            np.testing.assert_array_equal(np.asarray(mask) == 1, found.mask(label))
        assert len(content["shapes"]) == found.n_regions


def drawn(svg: str) -> np.ndarray:
    """(H, W) int64, the number of the path at each pixel, by the even-odd rule."""
    labels = np.full((HEIGHT, WIDTH), -1)
    for number, path in enumerate(re.findall(r' d="([^"]*)"', svg)):
        turns = np.zeros((HEIGHT, WIDTH + 1), np.int64)
        for ring in path.split("z")[:-1]:
            x, y = start = tuple(map(int, re.match(r"M(\d+) (\d+)", ring).groups()))
            points = [start]
            for way, by in re.findall(r"([hv])(-?\d+)", ring):
                x, y = (x + int(by), y) if way == "h" else (x, y + int(by))
                points.append((x, y))
            for (x, y), (_, below) in zip(points, [*points[1:], start], strict=True):
                turns[min(y, below) : max(y, below), x] += 1
        inside = np.cumsum(turns, axis=1)[:, :-1] % 2 == 1
        assert (labels[inside] == -1).all()  # nothing is covered twice
        labels[inside] = number
    return labels


def test_an_svg_holds_the_very_labels_and_borders_are_shared(run_cli, tmp_path, clip):
    assert run_cli("in", "--regions", "svg", *GIVEN) == (0, "", "")
    for number, found in enumerate(clip):
        svg = (tmp_path / "svg" / f"{number:06d}.svg").read_text()
        np.testing.assert_array_equal(drawn(svg), found.labels)
    assert run_cli("in/0.png", "--regions", "one.svg", *GIVEN) == (0, "", "")
    still = livekm.segment(picture(), 4)
    labels = RegionSegmenter(0).update(picture(), still).labels
    np.testing.assert_array_equal(drawn((tmp_path / "one.svg").read_text()), labels)
    code, _, err = run_cli("in", "--regions", "one-frame.svg")
    assert (code, err.count("\n")) == (2, 1)
    assert "holds one image: name a folder that says svg" in err


def test_polygons_are_exact_for_any_piece():
    rng = np.random.default_rng(0)
    for _ in range(40):
        size = tuple(rng.integers(1, 25, 2))
        noise = cv2.GaussianBlur(rng.normal(size=size), (0, 0), rng.uniform(0.3, 2))
        n, pieces = cv2.connectedComponents((noise > 0).view(np.uint8), connectivity=4)
        for piece in range(1, n):
            mask = np.zeros(size, np.uint8)
            for path in pixel_polygons(pieces == piece):
                cv2.fillPoly(mask, [path], 1)
            np.testing.assert_array_equal(mask == 1, pieces == piece)


def test_masks_of_segments_and_of_regions(run_cli, tmp_path, clip):
    assert run_cli("in", "--masks", "m", "-k", 4, "--keep", "0,2", "-q") == (0, "", "")
    segmentation = Segmenter(4, random_state=0).update(picture())
    names = sorted(path.name for path in (tmp_path / "m").glob("*.png"))
    assert names == ["000000-0.png", "000000-2.png", "000001-0.png", "000001-2.png"]
    mask = cv2.imread(str(tmp_path / "m" / "000000-2.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(mask, np.where(segmentation.labels == 2, 255, 0))
    assert (tmp_path / "m" / "masks.csv").read_text().splitlines()[1] == "000000-0.png,0,0.0,0,1"
    assert run_cli("in", "--masks", "r", "--view", "regions", *GIVEN) == (0, "", "")
    for label, identity in enumerate(clip[0].ids.tolist()):
        mask = cv2.imread(str(tmp_path / "r" / f"000000-{identity}.png"), 0)
        np.testing.assert_array_equal(mask == 255, clip[0].mask(label))
    assert run_cli("in/0.png", "--masks", "still", "-k", 4, "-q") == (0, "", "")
    assert sorted(path.name for path in (tmp_path / "still").glob("*.png")) == [
        f"{i}.png" for i in range(4)
    ]
    code, _, err = run_cli("in", "--masks", "m.png")
    assert (code, err.count("\n")) == (2, 1)
    assert "masks are several images, m.png is one: name a folder" in err
