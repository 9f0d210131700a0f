"""The names that `from livekm import ...` gives: the interface that livekm keeps."""

from __future__ import annotations

import ast
import inspect
import re
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_clip

import livekm
from livekm import (
    Frame,
    Segmentation,
    Segmenter,
    SourceError,
    VideoInfo,
    convert,
    find_regions,
    open_sink,
    open_source,
    segment,
)

ROOT = Path(__file__).parents[1]
NOISE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)


def test_the_interface_is_small_and_nothing_else_shows():
    assert len(livekm.__all__) <= 33
    assert dir(livekm) == sorted(livekm.__all__)
    names: dict[str, object] = {}
    exec("from livekm import *", names)
    assert set(names) - {"__builtins__"} == set(livekm.__all__)


@pytest.mark.parametrize("name", [n for n in livekm.__all__ if callable(getattr(livekm, n))])
def test_every_public_function_and_class_says_what_it_does(name):
    public = getattr(livekm, name)
    if inspect.isclass(public) or inspect.isfunction(public):  # an alias of types cannot
        assert len(inspect.getdoc(public).splitlines()[0]) > 20


def test_the_site_describes_every_public_name():
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    described = re.findall(r"^::: livekm\.(\w+)$", page, re.MULTILINE)
    assert sorted([*described, "__version__"]) == sorted(livekm.__all__)


def test_functions_are_not_hidden_by_modules_of_their_name():
    import livekm.files  # as whoever imports a module first

    assert inspect.isfunction(livekm.convert)
    assert not (ROOT / "livekm" / "convert.py").exists()


def test_the_version_is_that_of_the_project():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{livekm.__version__}"\n' in project


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_examples_and_the_readme_import_from_the_interface_only(path):
    check_imports(path.read_text(encoding="utf-8"))


def test_the_readme_imports_from_the_interface_only():
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert blocks
    for block in blocks:
        check_imports(block)


def check_imports(code: str) -> None:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "livekm":
            assert node.module == "livekm"
            assert {alias.name for alias in node.names} <= set(livekm.__all__)
        if isinstance(node, ast.Import):
            assert not [a.name for a in node.names if a.name.startswith("livekm.")]


# --- one-liners ------------------------------------------------------------------------------


def test_one_call_segments_an_image_as_a_segmenter_does():
    options = {"color_space": "lab", "smoothing": 1, "seeding": "random", "random_state": 3}
    one = segment(NOISE, 5, spatial_weight=0.5, threads=1, **options)
    other = Segmenter(5, spatial_weight=0.5, threads=1, **options).fit(NOISE)
    np.testing.assert_array_equal(one.labels, other.labels)
    np.testing.assert_array_equal(one.centers, other.centers)
    assert one.converged
    assert segment(NOISE).n_clusters == 8
    assert segment(NOISE, k=3, max_iterations=1).n_iter == 1


def test_one_call_converts_a_clip(tmp_path):
    make_clip(tmp_path / "a.mp4", 5)
    seen = []
    result = convert(
        tmp_path / "a.mp4", tmp_path / "b.mp4", k=3, view="side-by-side", random_state=0, scale=0.5,
        on_frame=lambda frame, segmentation: seen.append(segmentation.n_clusters),
    )  # fmt: skip
    assert (result.n_frames, result.paths) == (5, (tmp_path / "b.mp4",))
    assert seen == [3] * 5
    with open_source(tmp_path / "a.mp4") as before, open_source(tmp_path / "b.mp4") as after:
        assert [frame.time for frame in before] == [frame.time for frame in after]
        assert (after.info.width, after.info.height) == (before.info.width, before.info.height // 2)


def test_one_call_converts_an_image_with_a_view_of_ones_own(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), NOISE)

    def largest(frame: Frame, segmentation: Segmentation) -> np.ndarray:
        return np.where(segmentation.mask(0)[..., np.newaxis], frame.image, 0).astype(np.uint8)

    result = convert(tmp_path / "a.png", tmp_path / "b.png", 4, view=largest, random_state=0)
    assert (result.n_frames, result.paths) == (1, (tmp_path / "b.png",))
    inside = segment(NOISE, 4, random_state=0).mask(0)
    np.testing.assert_array_equal(
        cv2.imread(str(tmp_path / "b.png")), np.where(inside[..., np.newaxis], NOISE, 0)
    )


def test_what_cannot_be_converted_is_said():
    with pytest.raises(ValueError, match="view must be one of segments, overlay"):
        convert("a.mp4", "b.mp4", view="sepia")
    with pytest.raises(SourceError, match=r"a\.mp4"):
        convert("a.mp4", "b.mp4")


# --- what is printed of values ---------------------------------------------------------------


def test_values_are_printed_in_a_few_words(tmp_path):
    info = VideoInfo("a.mp4", 640, 480, fps=Fraction(30000, 1001), n_frames=9)
    assert repr(info) == "<VideoInfo of a.mp4: 640x480, 29.97 frames/s, 9 frames>"
    assert repr(VideoInfo("camera 0", 64, 48)) == "<VideoInfo of camera 0: 64x48>"
    assert repr(Frame(NOISE, 12, 0.48)) == "<Frame 12 at 0.480 s, 60x40>"
    [region, _] = find_regions(Segmentation(np.eye(1, 2, dtype=np.uint8), NOISE[0, :2]), 1)
    assert repr(region).startswith("<Region ")
    assert len(repr(region)) < 80
    with open_source("demo", width=64, height=48) as source:
        assert repr(source) == "<DemoSource demo, 64x48>"
    target = tmp_path / "a.png"
    with open_sink(target) as sink:
        assert repr(sink) == "<ImageSink>"
        sink.write(NOISE)
    assert repr(sink) == f"<ImageSink {target}>"
