"""Fixed colours: the files they come from and go to, and what is done with them."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from clips import make_clip

from livekm import Segmenter
from livekm.core.colorspace import COLOR_SPACES, to_features
from livekm.errors import SourceError
from livekm.frame import Frame, VideoInfo
from livekm.outputs.palettes import PALETTE_FILES, encode_palette, read_palette
from livekm.outputs.tables import PaletteFile
from livekm.sources import open_source

COLORS = np.array([(0, 0, 0), (30, 180, 60), (20, 40, 220), (255, 255, 255)], np.uint8)  # BGR
GPL = """GIMP Palette
Name: Traffic
Columns: 2
# comment
  0   0   0\tblack
 60 180  30 leaf green

220\t40\t20
255 255 255
"""


def noise(*, height: int = 40, width: int = 60) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("suffix", PALETTE_FILES)
def test_what_is_written_comes_back(suffix, tmp_path):
    palette = np.random.default_rng(0).integers(0, 256, (256, 3), np.uint8)
    path = tmp_path / f"p{suffix}"
    path.write_bytes(encode_palette(palette, suffix, "a name\nof two lines"))
    np.testing.assert_array_equal(read_palette(path, 256), palette)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("p.gpl", GPL),
        ("p.GPL", GPL.replace("\n", "\r\n")),
        ("old.gpl", GPL.replace("Name: Traffic\nColumns: 2\n", "")),
        ("p.json", json.dumps(["#000000", "#3CB41E", "dc2814", "#ffffff"])),
        ("q.json", json.dumps([[0, 0, 0], [60, 180, 30], [220, 40, 20], [255, 255, 255]])),
    ],
)
def test_palettes_as_other_programs_write_them(name, content, tmp_path):
    (tmp_path / name).write_bytes(content.encode())
    np.testing.assert_array_equal(read_palette(tmp_path / name), COLORS)


def test_an_image_gives_its_colours_in_the_order_in_which_they_come(tmp_path):
    image = COLORS[[0, 0, 1, 2, 1, 3, 0, 2]].reshape(2, 4, 3)
    cv2.imwrite(str(tmp_path / "p.png"), image)
    np.testing.assert_array_equal(read_palette(tmp_path / "p.png"), COLORS)


def test_an_image_of_many_colours_is_reduced_to_k(tmp_path):
    cv2.imwrite(str(tmp_path / "p.png"), noise())
    expected = Segmenter(5, random_state=0).fit(noise()).palette
    np.testing.assert_array_equal(read_palette(tmp_path / "p.png", 5), expected)
    assert len(read_palette(tmp_path / "p.png")) == 8


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("p.gpl", "JASC-PAL\n", "its first line must be 'GIMP Palette'"),
        ("p.gpl", "", "the file is empty"),
        ("p.gpl", "GIMP Palette\n0 0\n", "not three levels"),
        ("p.gpl", "GIMP Palette\n0 0 256\n", "not three levels"),
        ("p.gpl", "GIMP Palette\none two three\n", "not a palette"),
        ("p.gpl", "GIMP Palette\n# none\n", "1 to 256 colours can be fixed, it has 0"),
        ("p.gpl", "GIMP Palette\n" + "1 2 3\n" * 257, "1 to 256 colours can be fixed, it has 257"),
        ("p.json", "[", "not a palette"),
        ("p.json", "[" * 10**5, "not a palette"),
        ("p.json", f'["{"f" * 5_000_000}"]', "not a palette ('fff"),
        ("p.gpl", f"GIMP Palette\n{'x' * 5_000_000} 1 2\n", "not a palette (invalid literal"),
        ("p.json", '{"colors": []}', "must be a list"),
        ("p.json", '["red"]', "is not like '#ff8000'"),
        ("p.json", "[[0, 0, true]]", "not three levels"),
        ("p.json", "[[0, 0, -1]]", "not three levels"),
        ("p.png", "no image", "not an image"),
        ("none.gpl", None, "no such file"),
    ],
)
def test_what_is_no_palette_is_one_clear_line(name, content, why, tmp_path):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(SourceError, match=name) as raised:
        read_palette(tmp_path / name)
    assert why in str(raised.value)
    assert "\n" not in str(raised.value)


def test_another_number_of_colours_is_wrong_usage(tmp_path):
    (tmp_path / "p.gpl").write_text(GPL)
    with pytest.raises(ValueError, match=r"p\.gpl has 4 colours, not 8"):
        read_palette(tmp_path / "p.gpl", 8)


# What the segmenter does with fixed colours


@pytest.mark.parametrize("way", ["fit", "update"])
@pytest.mark.parametrize("space", COLOR_SPACES)
def test_each_pixel_gets_the_nearest_of_the_fixed_colours(space, way):
    segmenter = Segmenter(color_space=space, hysteresis=0, random_state=0)
    segmenter.palette = COLORS
    for image in (noise(), noise()[::-1], np.full((9, 9, 3), 77, np.uint8)):
        found = getattr(segmenter, way)(image)
        features = to_features(image, space).reshape(-1, 1, 3).astype(float)
        centers = to_features(COLORS[np.newaxis], space).astype(float)
        distances = ((features - centers) ** 2).sum(axis=2)
        np.testing.assert_array_equal(found.labels.ravel(), distances.argmin(axis=1))
        np.testing.assert_array_equal(found.palette, COLORS)
        assert found.mse == pytest.approx(distances.min(axis=1).mean())
        assert found.counts.sum() == image.size // 3


def test_labels_stick_where_hysteresis_is_above_zero_and_cuts_are_told():
    segmenter = Segmenter(hysteresis=8)
    segmenter.palette = np.array([(0, 0, 0), (100, 100, 100)], np.uint8)
    levels = [(45, 0), (53, 0), (57, 1), (48, 1), (45, 0)]
    for level, label in levels:
        found = segmenter.update(np.full((8, 8, 3), level, np.uint8))
        assert (found.labels == label).all()
        assert not found.scene_cut
    assert segmenter.update(noise(height=8, width=8)).scene_cut


def test_k_is_the_number_of_fixed_colours_until_they_are_freed():
    segmenter = Segmenter(6, random_state=0)
    free = segmenter.update(noise())
    segmenter.palette = COLORS
    assert segmenter.n_clusters == segmenter.update(noise()).n_clusters == 4
    with pytest.raises(ValueError, match="the palette fixes the number of clusters"):
        segmenter.set_n_clusters(5)
    segmenter.reset()
    np.testing.assert_array_equal(segmenter.update(noise()).palette, COLORS)
    segmenter.palette = None
    segmenter.set_n_clusters(6)
    assert segmenter.update(noise()).n_clusters == 6  # two were split, the others stay
    assert np.abs(segmenter.update(noise()).mse / free.mse - 1) < 0.05


def test_freed_colours_follow_the_scene_from_where_they_were_fixed():
    true = np.array([(200, 30, 30), (20, 180, 40), (10, 20, 220), (240, 240, 240)], np.uint8)
    image = true[np.random.default_rng(0).integers(0, 4, (30, 40))]
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(4)
        segmenter = Segmenter(random_state=0)
        segmenter.palette = true[order] // 4 * 3
        segmenter.update(image)
        segmenter.palette = None
        np.testing.assert_array_equal(segmenter.update(image).palette, true[order])


def test_a_change_of_k_as_soon_as_colours_are_freed_leaves_the_others():
    true = np.array([(200, 30, 30), (20, 180, 40), (10, 20, 220), (10, 20, 160)], np.uint8)
    image = true[np.random.default_rng(0).integers(0, 4, (30, 40))]
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(3)
        segmenter = Segmenter(random_state=0)
        segmenter.palette = true[order]
        segmenter.update(image)
        segmenter.palette = None
        segmenter.set_n_clusters(4)
        found = segmenter.update(image).palette
        kept = np.flatnonzero(order < 2)
        np.testing.assert_array_equal(found[kept], true[order[kept]])
        assert {tuple(color) for color in found} == {tuple(color) for color in true}


def test_what_cannot_be_fixed_is_refused():
    segmenter = Segmenter()
    for wrong in (COLORS.astype(float), COLORS[0], COLORS[:0], np.zeros((257, 3), np.uint8)):
        with pytest.raises(ValueError, match="palette"):
            segmenter.palette = wrong
    assert segmenter.palette is None
    with pytest.raises(ValueError, match="spatial_weight must be 0"):
        Segmenter(spatial_weight=0.5).palette = COLORS


def test_later_changes_of_the_callers_array_change_nothing():
    segmenter, mine = Segmenter(), COLORS.copy()
    segmenter.palette = mine
    mine[:] = 7
    found = segmenter.update(noise())
    found.palette[:] = 9
    np.testing.assert_array_equal(segmenter.update(noise()).palette, COLORS)


# The command line


def test_an_image_in_the_colours_of_a_file_and_its_own_colours_saved(run_cli, tmp_path):
    cv2.imwrite(str(tmp_path / "photo.png"), noise())
    assert run_cli("photo.png", "-k", 3, "--save-palette", "p.gpl", "-o", "a.png", "-q")[0] == 0
    assert (tmp_path / "p.gpl").read_text().startswith("GIMP Palette\nName: photo.png\n")
    first = cv2.imread(str(tmp_path / "a.png"))
    code, out, _ = run_cli("photo.png", "--palette", "p.gpl", "-o", "b.png")
    assert (code, out.partition(", mse")[0]) == (0, "b.png: 3 segments")
    again = cv2.imread(str(tmp_path / "b.png"))
    assert (first != again).any(axis=2).mean() < 0.02  # colours are rounded to levels in the file
    assert {tuple(c) for c in again.reshape(-1, 3)} == {
        tuple(c) for c in read_palette(tmp_path / "p.gpl")
    }


def test_a_clips_palette_is_that_of_its_last_frame(run_cli, tmp_path):
    path = make_clip(tmp_path / "in.mp4", images=[noise(), 255 - noise() // 2], width=60, height=40)
    assert run_cli("in.mp4", "--save-palette", "p.json", "-q") == (0, "", "")
    segmenter = Segmenter(8, random_state=0)
    with open_source(path) as source:
        palettes = [segmenter.update(frame.image).palette for frame in source]
    np.testing.assert_array_equal(read_palette(tmp_path / "p.json"), palettes[-1])
    assert not np.array_equal(palettes[0], palettes[-1])


def test_a_palette_of_a_run_that_failed_says_that_it_is_partial(tmp_path):
    def write_and_fail() -> None:
        with PaletteFile(tmp_path / "p.gpl", VideoInfo("test", 60, 40)) as file:
            file.write(Frame(noise(), 0, 0.0), Segmenter(2).fit(noise()))
            raise RuntimeError("oops")

    with pytest.raises(RuntimeError, match="oops"):
        write_and_fail()
    assert [path.name for path in tmp_path.iterdir()] == ["p.partial.gpl"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--palette", "p.gpl", "-k", 5),
        ("--palette", "p.gpl", "--keep", 4),
        ("--palette", "p.gpl", "--spatial-weight", 0.5),
        ("--save-palette", "p.txt"),
    ],
)
def test_what_does_not_go_with_a_palette_is_wrong_usage(arguments, run_cli, tmp_path):
    (tmp_path / "p.gpl").write_text(GPL)
    cv2.imwrite(str(tmp_path / "photo.png"), noise())
    code, out, errors = run_cli("photo.png", "-o", "out.png", *arguments)
    assert (code, out) == (2, "")
    assert len(errors.splitlines()) == 1
    assert not (tmp_path / "out.png").exists()


def test_the_ids_of_an_image_are_its_labels_also_with_a_palette_and_the_second_time():
    segmenter = Segmenter()
    segmenter.palette = np.array([(0, 0, 0), (90, 90, 90), (255, 255, 255)], np.uint8)
    for _ in range(2):
        assert segmenter.fit(noise()).ids.tolist() == [0, 1, 2]
