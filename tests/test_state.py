"""A segmenter that is saved and loaded goes on as if nothing had been."""

from __future__ import annotations

import numpy as np
import pytest

from livekm import Segmenter, __version__
from livekm.core.seeding import kmeans_plus_plus
from livekm.core.state import from_arrays, to_arrays
from livekm.errors import SinkError, SourceError
from livekm.sources import open_source


def frames(n: int) -> list[np.ndarray]:
    """A street, a cut to its negative, and back."""
    with open_source("demo", width=96, height=64) as source:
        images = [frame.image for frame, _ in zip(source, range(n), strict=False)]
    return [255 - image if n // 3 <= i < n // 2 else image for i, image in enumerate(images)]


IMAGES = frames(24)


@pytest.mark.parametrize("at", [0, 9, 14])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"color_space": "lab", "spatial_weight": 0.5, "smoothing": 1},
        {"n_clusters": "auto", "hysteresis": 0.0, "steadiness": 0.0},
        {"seeding": kmeans_plus_plus, "n_clusters": 5},
    ],
    ids=["default", "lab", "auto", "function"],
)
def test_the_rest_of_a_clip_has_the_labels_that_it_has_without_the_break(options, at, tmp_path):
    whole, first = (Segmenter(random_state=3, **options) for _ in range(2))
    for image in IMAGES[:at]:
        whole.update(image)
        first.update(image)
    first.save(tmp_path / "state.npz")
    second = Segmenter.load(tmp_path / "state.npz")
    for image in IMAGES[at:]:
        expected, found = whole.update(image), second.update(image)
        assert np.array_equal(found.labels, expected.labels)
        assert np.array_equal(found.ids, expected.ids)
        assert np.array_equal(found.palette, expected.palette)
        assert (found.mse, found.scene_cut) == (expected.mse, expected.scene_cut)


def test_a_fixed_palette_and_its_names_are_kept(tmp_path):
    segmenter = Segmenter(2, random_state=0)
    segmenter.palette = np.array([[0, 0, 0], [200, 200, 200]], np.uint8)
    expected = segmenter.update(IMAGES[0])
    segmenter.save(tmp_path / "state.npz")
    found = Segmenter.load(tmp_path / "state.npz").update(IMAGES[0])
    assert np.array_equal(found.labels, expected.labels)
    assert np.array_equal(found.palette, expected.palette)


def test_the_file_needs_no_pickle_and_saving_replaces_it_whole(tmp_path):
    for _ in range(2):
        Segmenter(random_state=0).save(tmp_path / "state.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["state.npz"]
    with np.load(tmp_path / "state.npz", allow_pickle=False) as file:
        assert all(not array.dtype.hasobject for array in map(file.get, file))


def test_a_seeding_of_the_callers_is_no_part_of_the_file(tmp_path):
    segmenter = Segmenter(seeding=lambda *arguments: kmeans_plus_plus(*arguments))
    with pytest.raises(TypeError, match="no part of livekm's algorithm"):
        segmenter.save(tmp_path / "state.npz")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_told(tmp_path):
    with pytest.raises(SinkError, match=r"cannot write .*missing.*choose another folder"):
        Segmenter().save(tmp_path / "missing" / "state.npz")


@pytest.mark.parametrize("content", [b"", b"text", "half", "flipped"])
def test_a_file_that_is_damaged_or_something_else_is_told(content, tmp_path):
    path = tmp_path / "state.npz"
    Segmenter(random_state=0).save(path)
    data = path.read_bytes()
    if content == "half":
        content = data[: len(data) // 2]
    elif content == "flipped":
        content = data[:200] + bytes(byte ^ 255 for byte in data[200:300]) + data[300:]
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"state\.npz: ") as caught:
        Segmenter.load(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_another_version_and_no_segmenter_are_told(tmp_path):
    with pytest.raises(SourceError, match="cannot be read"):
        Segmenter.load(tmp_path / "missing.npz")
    arrays = to_arrays([1])
    for version, reason in [("0.0.1", "saved by livekm 0.0.1, not"), (None, "holds no segmenter")]:
        np.savez(tmp_path / "other.npz", version=np.array(version or __version__), **arrays)
        with pytest.raises(SourceError, match=reason):
            Segmenter.load(tmp_path / "other.npz")


@pytest.mark.parametrize(
    "node",
    [
        '[{"name": "os:system"}]',
        '[{"name": "livekm.core.state:os.system"}]',
        '[{"class": "livekm.core.state:Path", "state": {}}]',
        '[{"class": "builtins:eval", "parts": []}]',
    ],
)
def test_a_file_from_elsewhere_names_nothing_but_the_algorithm(node):
    with pytest.raises((ValueError, TypeError)):
        from_arrays({"nodes": np.array(node)})
