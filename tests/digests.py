"""Digests of what livekm gives: labels, centers, tables, and the frames of every view.

``python tests/digests.py`` prints them as `digests.json` has them. A change that alters one on
purpose renews that file and says why.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from clips import make_clip

import livekm
from livekm import Segmentation, Segmenter, cli, views
from livekm.core.selection import Selection
from livekm.outputs.checks import as_image

PATH = Path(__file__).with_name("digests.json")
Images = list[npt.NDArray[np.uint8]]


def digest(*parts: npt.NDArray[np.generic] | bytes) -> str:
    """Hash arrays with their shapes and dtypes, and bytes."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, bytes):
            total.update(part)
        else:
            total.update(f"{part.shape} {part.dtype.str}".encode())
            total.update(np.ascontiguousarray(part).tobytes())
    return total.hexdigest()[:16]


@functools.cache
def demo() -> Images:
    """Twelve frames of the street scene."""
    with livekm.open_source("demo", width=240, height=135, fps=6) as source:
        return [frame.image.copy() for frame in itertools.islice(source, 12)]


@functools.cache
def blocks() -> Images:
    """Noisy rectangles that drift, with a cut after six frames and falling light after it."""
    rng = np.random.default_rng(5)
    images = []
    for index in range(12):
        scene = 0 if index < 6 else 1
        colors = np.random.default_rng(scene).integers(20, 236, (12, 3))
        image = np.tile(colors[0], (72, 96, 1))
        for number, color in enumerate(colors[1:]):
            x, y = (number * 29 + 3 * index) % 80, (number * 17 + index) % 56
            image[y : y + 16, x : x + 16] = color
        noise = rng.integers(-3, 4, image.shape)
        light = 100 - 4 * max(0, index - 6)
        images.append(((image + noise).clip(0, 255) * light // 100).astype(np.uint8))
    return images


def of_segmentation(result: Segmentation) -> str:
    mse = np.float64(result.mse)
    cut = np.bool_(result.scene_cut)
    return digest(
        result.labels, result.centers, result.palette, result.counts, np.array(mse), np.array(cut)
    )


def of_stream(images: Images, segmenter: Segmenter) -> str:
    return digest(*(of_segmentation(segmenter.update(image)).encode() for image in images))


def with_changes_of_k(images: Images) -> str:
    segmenter = Segmenter(6, random_state=0)
    parts = []
    for index, image in enumerate(images):
        if index % 2:
            segmenter.set_n_clusters((9, 3, 12, 1, 5, 6)[index // 2])
        parts.append(of_segmentation(segmenter.update(image)).encode())
    return digest(*parts)


def with_a_palette(images: Images) -> str:
    segmenter = Segmenter(6, random_state=0)
    segmenter.palette = np.array([[0, 0, 0], [200, 200, 200], [40, 90, 160]], np.uint8)
    return of_stream(images, segmenter)


OPTIONS: dict[str, dict[str, object]] = {
    "k2": {"n_clusters": 2},
    "k8": {"n_clusters": 8},
    "k40": {"n_clusters": 40},
    "exact": {"hysteresis": 0},
    "lab": {"color_space": "lab"},
    "hsv": {"color_space": "hsv"},
    "places": {"spatial_weight": 0.7},
    "smooth": {"smoothing": 2},
    "random": {"seeding": "random"},
    "random-partition": {"seeding": "random-partition"},
}


def engine() -> Iterator[tuple[str, str]]:
    for name, images in (("demo", demo()), ("blocks", blocks())):
        for options, given in OPTIONS.items():
            yield f"update/{name}/{options}", of_stream(images, Segmenter(random_state=0, **given))
            fitted = Segmenter(random_state=0, **given).fit(images[0])
            yield f"fit/{name}/{options}", of_segmentation(fitted)
        yield f"update/{name}/changes of k", with_changes_of_k(images)
        yield f"update/{name}/palette", with_a_palette(images)


def of_path(path: Path) -> str:
    """Hash a file, or the files of a folder by name; of images and .npz what they hold."""
    if path.is_dir():
        return digest(*(of_path(file).encode() for file in sorted(path.iterdir())))
    if path.suffix == ".png":
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert image is not None
        return digest(image)
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            return digest(*(digest(arrays[name]).encode() for name in sorted(arrays)))
    return digest(path.read_bytes())


TABLES = {
    "stats.csv": "--stats",
    "stats.jsonl": "--stats",
    "regions.csv": "--regions",
    "regions.jsonl": "--regions",
    "labels": "--labels",
    "labels.npz": "--labels",
    "palette.gpl": "--save-palette",
    "palette.json": "--save-palette",
}


def run(*arguments: object) -> None:
    assert cli.main([*map(str, arguments), "-q", "--threads", "2"]) == 0


def inputs(folder: Path) -> dict[str, Path]:
    """A clip and a still image, without loss."""
    still = folder / "still.png"
    cv2.imwrite(str(still), demo()[3])
    height, width = blocks()[0].shape[:2]
    clip = make_clip(
        folder / "clip.mkv", 12, images=blocks(), width=width, height=height, codec="ffv1"
    )
    return {"clip": clip, "still": still}


def tables(folder: Path) -> Iterator[tuple[str, str]]:
    for kind, source in inputs(folder).items():
        for name, option in TABLES.items():
            if kind == "still" and name == "labels":
                name = "labels.png"
            written = folder / f"{kind}-{name}"
            run(source, option, written, "-k", 6)
            yield f"table/{kind}/{name}", of_path(written)


SELECTIONS: dict[str, list[str]] = {
    "all": [],
    "keep": ["--keep", "0,3"],
    "drop": ["--drop", "2"],
    "keep on the original": ["--keep", "0,3", "--rest", "original"],
    "drop to nothing": ["--drop", "2", "--rest", "transparent"],
}


def shown(folder: Path) -> Iterator[tuple[str, str]]:
    sources = inputs(folder)
    for view, (selection, given) in itertools.product(views.VIEWS, SELECTIONS.items()):
        rows = folder / f"{view} {selection}"
        rows.mkdir()
        run(sources["clip"], "-o", rows / "%06d.png", "--view", view, "-k", 6, *given)
        yield f"view/clip/{view}/{selection}", of_path(rows)
        image = folder / f"{view} {selection}.png"
        run(sources["still"], "-o", image, "--view", view, "-k", 6, *given)
        yield f"view/still/{view}/{selection}", of_path(image)


def clicked() -> Iterator[tuple[str, str]]:
    """The views as a click on segments changes them in the window."""
    segmenter = Segmenter(6, random_state=0)
    frames = [livekm.Frame(image, i, i / 25) for i, image in enumerate(blocks()[4:8])]
    results = [segmenter.update(frame.image) for frame in frames]
    for name, chosen in itertools.product(views.VIEWS, ([0], [1, 4])):
        selection = Selection(chosen, rest="pale")
        pairs = zip(frames, results, strict=True)
        images = [as_image(views.VIEWS[name](*pair, selection)) for pair in pairs]
        yield f"click/{name}/{chosen}", digest(*images)


def all_digests() -> dict[str, str]:
    found: dict[str, str] = {}
    for part in (engine, clicked):
        found.update(part())
    writers: list[Callable[[Path], Iterator[tuple[str, str]]]] = [tables, shown]
    for write in writers:
        with tempfile.TemporaryDirectory() as folder:
            found.update(write(Path(folder)))
    return found


if __name__ == "__main__":
    print(json.dumps(all_digests(), indent=1))
