"""What a still image is written to: figures, labels, files that come in one piece."""

from __future__ import annotations

import errno
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_clip
from matplotlib.figure import Figure
from PIL import Image

from livekm import figures
from livekm.core.segmenter import Segmenter
from livekm.errors import SinkError
from livekm.figures.image import choose_grid
from livekm.outputs.images.label_png import encode_label_png
from livekm.outputs.whole_file import WholeFile
from livekm.sources import open_source

COLORS = np.array([(200, 30, 40), (30, 180, 60), (20, 40, 220)], np.uint8)  # BGR
SHARES = (0.5, 0.3, 0.2)


def striped(height: int = 60, width: int = 100) -> np.ndarray:
    """Stripes of COLORS, as wide as SHARES."""
    ends = np.rint(np.cumsum((0, *SHARES)) * width).astype(int)
    image = np.empty((height, width, 3), np.uint8)
    for color, start, end in zip(COLORS, ends[:-1], ends[1:], strict=True):
        image[:, start:end] = color
    return image


# Labels


@pytest.mark.parametrize("k", [1, 2, 17, 256])
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (48, 64), (31, 1000)])
def test_a_label_png_holds_the_labels_as_values_and_the_palette_as_colours(k, size):
    rng = np.random.default_rng(k)
    labels = rng.integers(0, k, size, dtype=np.uint8)
    palette = rng.integers(0, 256, (k, 3), dtype=np.uint8)
    with Image.open(io.BytesIO(encode_label_png(labels, palette))) as png:
        assert png.format == "PNG"
        assert png.mode == "P"
        assert np.array_equal(np.asarray(png), labels)
        colors = np.array(png.getpalette()).reshape(-1, 3)[:k, ::-1]
        assert np.array_equal(colors, palette)


def test_any_viewer_shows_a_label_png_as_the_segments():
    image = striped()
    segmentation = Segmenter(3, random_state=0).fit(image)
    data = encode_label_png(segmentation.labels, segmentation.palette)
    assert np.array_equal(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), image)


# Figures


def drawn(image: np.ndarray, k: int, title: str = "") -> np.ndarray:
    segmentation = Segmenter(k, random_state=0).fit(image)
    png = figures.render(figures.segmentation_figure(image, segmentation, title), ".png")
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)


def test_a_figure_has_original_segments_palette_and_each_segment():
    image = striped()
    segmentation = Segmenter(5, random_state=0).fit(image)
    figure = figures.segmentation_figure(image, segmentation, "stripes")
    original, painted, palette, table, *masks = figure.axes
    assert np.array_equal(original.images[0].get_array(), image[:, :, ::-1])
    assert np.array_equal(painted.images[0].get_array(), image[:, :, ::-1])
    assert painted.get_title() == "3 segments"
    assert "mse 0:" in figure.get_supxlabel()
    assert "PSNR infinite" in figure.get_supxlabel()
    widths = [bar.get_width() for bar in palette.patches if bar.get_width() > 0]
    assert widths == pytest.approx(SHARES)
    rows = [" ".join(text.get_text().split()[1:]) for text in table.texts]
    assert rows == ["#281ec8 50.0%", "#3cb41e 30.0%", "#dc2814 20.0%"]
    # Two of the five clusters are empty and get no panel; the others come by size.
    assert [mask.get_title().split(": ")[1] for mask in masks] == ["50.0%", "30.0%", "20.0%"]
    for mask, color in zip(masks, COLORS, strict=True):
        pixels = mask.images[0].get_array()
        is_segment = (image == color).all(axis=2)
        assert (pixels[is_segment] == color[::-1]).all()
        assert not (pixels[~is_segment] == color[::-1]).all(axis=1).any()


def test_a_figure_shows_the_colours():
    page = drawn(striped(), 3)
    assert page[0, 0].tolist() == [255, 255, 255]
    for color in COLORS:
        assert (page == color).all(axis=2).mean() > 0.03


@pytest.mark.parametrize("size", [(1, 1), (4, 1000), (1000, 4)])
def test_a_figure_of_an_image_of_any_shape_stays_a_page(size):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    page = drawn(image, 4)
    assert page.shape[1] == 1440
    assert page.shape[0] < 4000


@pytest.mark.parametrize("title", ["x^$_$y.png", "夜.png", r"\alpha.png"])
def test_a_files_name_is_a_title_whatever_is_in_it(title):
    assert drawn(striped(), 2, title).shape[1] == 1440


def test_a_figure_of_256_clusters_shows_the_largest():
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    segmentation = Segmenter(256, random_state=0).fit(image)
    figure = figures.segmentation_figure(image, segmentation)
    assert 24 <= len(figure.axes) - 4 <= 64
    assert figure.get_figheight() < 24
    folded = figure.axes[3].texts[-1].get_text()
    shown = np.sort(segmentation.shares)[::-1][: len(figure.axes) - 4]
    assert folded == f"and {256 - len(shown)} smaller segments, {1 - shown.sum():.1%} together"


def test_a_segment_stands_out_from_its_ground_whether_it_is_light_or_dark():
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 30:] = 250
    segmentation = Segmenter(2, random_state=0).fit(image)
    for axes in figures.segmentation_figure(image, segmentation).axes[4:]:
        shown = axes.images[0].get_array().astype(int)[..., 0]
        assert abs(shown[:, :30].mean() - shown[:, 30:].mean()) > 150


@pytest.mark.parametrize("aspect", [0.1, 0.56, 1.0, 2.0])
@pytest.mark.parametrize("n", [*range(1, 34), 256])
def test_a_grid_of_panels_fills_its_rows_and_two_screens(n, aspect):
    columns, rows = choose_grid(n, aspect)
    assert 3 <= columns <= 8
    assert n > (rows - 1) * columns  # no row is empty
    assert rows == 1 or rows * (12 / columns * aspect) <= 10
    if n <= 8:
        assert columns * rows >= n


@pytest.mark.parametrize("suffix", ["", ".xyz"])
def test_a_format_that_matplotlib_does_not_know_is_wrong_usage(suffix):
    with pytest.raises(ValueError, match=r"not supported"):
        figures.render(Figure(), suffix)


# Files that come in one piece


def test_a_whole_file_has_its_name_only_once_it_is_written(tmp_path):
    target = tmp_path / "out.bin"
    with WholeFile(target) as file:
        assert not target.exists()
        file.write(b"content")
        assert not target.exists()
    assert target.read_bytes() == b"content"
    assert list(tmp_path.iterdir()) == [target]


def test_a_block_that_fails_or_writes_nothing_leaves_what_was_there(tmp_path):
    target = tmp_path / "out.bin"
    target.write_bytes(b"before")

    def fail():
        with WholeFile(target, overwrite=True):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with WholeFile(target, overwrite=True):
        pass
    assert target.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_that_exists_is_replaced_only_if_asked(tmp_path):
    target = tmp_path / "out.bin"
    target.write_bytes(b"before")
    with pytest.raises(SinkError, match=r"out\.bin exists; add --overwrite"):
        WholeFile(target)
    with WholeFile(target, overwrite=True) as file:
        file.write(b"after")
    assert target.read_bytes() == b"after"


def test_the_source_is_never_replaced(tmp_path):
    source = tmp_path / "in.bin"
    source.write_bytes(b"before")
    with pytest.raises(SinkError, match="is the input itself"):
        WholeFile(source, overwrite=True, source=str(source))
    assert source.read_bytes() == b"before"


def test_a_part_file_that_cannot_be_moved_is_one_clear_line(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()

    def lose_the_folder():
        with WholeFile(folder / "out.bin") as file:
            file.write(b"content")
            shutil.rmtree(folder)  # by another program, meanwhile

    with pytest.raises(SinkError, match=r"^cannot write .*out\.bin: No such file"):
        lose_the_folder()


def make_file(path: Path) -> None:
    path.write_bytes(b"precious")


def write_while(happens: Callable[[Path], None], target: Path, **options) -> WholeFile:
    with WholeFile(target, **options) as file:
        file.write(b"content")
        happens(target)
    return file


@pytest.fixture(params=[True, False], ids=["links", "no-links"])
def disk(request, tmp_path, monkeypatch) -> Path:
    """Give a folder on a disk with hard links, and on one without, like FAT."""

    def refuse(path, name):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), path, None, name)

    if not request.param:
        monkeypatch.setattr(os, "link", refuse)
    return tmp_path


@pytest.mark.parametrize(
    ("happens", "options"),
    [(make_file, {}), (Path.mkdir, {}), (Path.mkdir, {"overwrite": True})],
    ids=["file", "folder", "folder-overwrite"],
)
def test_what_takes_the_name_meanwhile_stays_and_the_output_gets_another(happens, options, disk):
    target = disk / "out.bin"
    make_file(disk / "out-2.bin")
    file = write_while(happens, target, **options)
    assert (file.path, file.name_was_taken) == (disk / "out-3.bin", True)
    assert target.is_dir() or target.read_bytes() == b"precious"
    assert (disk / "out-2.bin").read_bytes() == b"precious"
    assert (disk / "out-3.bin").read_bytes() == b"content"
    assert len(list(disk.iterdir())) == 3


def test_what_takes_the_name_meanwhile_is_replaced_if_asked(disk):
    write_while(make_file, disk / "out.bin", overwrite=True)
    assert (disk / "out.bin").read_bytes() == b"content"
    assert len(list(disk.iterdir())) == 1


def test_any_disk_takes_a_file_whose_name_is_free(disk):
    write_while(lambda target: None, disk / "out.bin")
    assert [path.name for path in disk.iterdir()] == ["out.bin"]


def test_kept_and_dropped_segments_are_the_two_parts_of_a_clip(run_cli, tmp_path):
    source = ("--demo", "--size", "160x90", "--frames", 2)
    images = []
    for arguments in ((), ("--keep", "0,2"), ("--drop", "0,2")):
        name = f"{''.join(arguments)}out.mkv"
        assert run_cli(*source, f"-o{name}", "-k", 3, "-q", *arguments) == (0, "", "")
        with open_source(tmp_path / name) as clip:
            images.append(np.stack([frame.image for frame in clip]).astype(int))
    whole, kept, dropped = images
    assert kept.mean() > 5
    assert dropped.mean() > 5
    assert np.abs(whole - kept - dropped).mean() < 4  # chroma is shared by four pixels


def test_one_frame_of_a_clip_is_an_image_whose_name_is_told(run_cli):
    size = ("--size", "64x48")
    assert run_cli("--demo", *size, "--frames", 1, "-o", "o.png")[:2] == (0, "o.png: 1 frame\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--keep", "1", "--drop", "2"),
        ("--keep", "one"),
        ("--drop", "-1"),
    ],
)
def test_ids_that_make_no_sense_are_wrong_usage(arguments, run_cli):
    code, out, err = run_cli("in.mp4", "-o", "out.mp4", *arguments)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1


def test_what_is_kept_goes_with_its_thing_through_cuts(run_cli, tmp_path):
    """Two scenes by turns: of the other scene nothing is kept, whatever label it has."""
    scenes = striped()[:, :96], striped()[:, :96, ::-1] // 2 + 100
    images = [scenes[i // 4 % 2] for i in range(12)]
    clip = make_clip(tmp_path / "in.mkv", 12, images=images, width=96, height=60, codec="ffv1")
    arguments = ("--keep", 0, "-k", 3, "-o", "out.mkv", "--codec", "ffv1", "-q")
    assert run_cli(clip.name, *arguments) == (0, "", "")
    with open_source(tmp_path / "out.mkv") as kept:
        shown = [frame.image for frame in kept]
    assert [bool(image.any()) for image in shown] == [True] * 4 + [False] * 4 + [True] * 4
    assert all(np.array_equal(shown[0], image) for image in (*shown[:4], *shown[8:]))


def test_an_id_that_no_frame_has_is_said(run_cli, tmp_path, caplog):
    make_clip(tmp_path / "in.mp4", 3)
    assert run_cli("in.mp4", "-o", "out.mp4", "-k", 3, "--drop", "1,7,9")[0] == 0
    assert caplog.messages == ["--drop: no frame of in.mp4 had a segment 7, 9"]


def test_an_id_that_an_image_lacks_is_wrong_usage(run_cli, tmp_path):
    cv2.imwrite(str(tmp_path / "in.png"), striped())
    code, _, err = run_cli("in.png", "-o", "out.png", "-k", 3, "--keep", "3")
    assert (code, err) == (2, "livekm: there is no segment 3: the image has 0 to 2\n")
    assert [path.name for path in tmp_path.iterdir()] == ["in.png"]
