"""Pixels that do not count: they neither train nor count, and their label is 255."""

from __future__ import annotations

import naive
import numpy as np
import pytest
from test_kernels import as_read

from livekm import Segmentation, Segmenter, Selection, find_regions, segment
from livekm.core.colorspace import COLOR_SPACES, to_features
from livekm.core.features import Features
from livekm.core.kernels import ignore_pixels
from livekm.core.places import Places, shared
from livekm.core.scene_change import SceneChange
from livekm.figures import clip_figure, render, segmentation_figure
from livekm.figures.ghost import ghost
from livekm.figures.history import History
from livekm.frame import Frame
from livekm.outputs.checks import as_image
from livekm.outputs.tables.statistics import measure
from livekm.views import VIEWS

IGNORED = 255
SIZE = 24, 32


def noise(rng, size=SIZE):
    return rng.integers(0, 256, (*size, 3), np.uint8)


def blob(at, size=SIZE):
    """A mask of a disk that has moved to the right by `at` pixels."""
    y, x = np.mgrid[: size[0], : size[1]]
    return (y - size[0] / 2) ** 2 + (x - 8 - at) ** 2 < 60


def naive_statistics(image, segmentation, mask):
    """Counts and mse over the pixels that count, by the labels as they are."""
    points = to_features(np.ascontiguousarray(image), "bgr")[mask].astype(float)
    labels = segmentation.labels[mask]
    distances = naive.squared_distances(points, segmentation.centers)
    counts = np.bincount(labels, minlength=segmentation.n_clusters)
    return counts, distances[np.arange(len(labels)), labels].mean(), distances.argmin(axis=1)


@pytest.mark.parametrize("hysteresis", [0.0, 8.0])
@pytest.mark.parametrize("smoothing", [0, 2])
def test_what_is_ignored_changes_nothing_of_the_rest(hysteresis, smoothing):
    rng = np.random.default_rng(3)
    options = {"hysteresis": hysteresis, "smoothing": smoothing, "random_state": 0}
    plain, painted = Segmenter(5, **options), Segmenter(5, **options)
    still = noise(rng)
    for index in range(6):  # the mask moves, and once all of the frame counts
        mask = np.ones(SIZE, bool) if index == 3 else blob(2 * index)
        image = (still // 2 + noise(rng) // 8 + 10 * index).astype(np.uint8)
        other = image.copy()
        other[~mask] = rng.integers(0, 256, ((~mask).sum(), 3))
        found, same = plain.update(image, mask), painted.update(other, mask)
        for name in ("labels", "centers", "palette", "counts", "ids", "mse", "scene_cut"):
            assert np.array_equal(getattr(found, name), getattr(same, name)), (index, name)
        assert (found.labels[~mask] == IGNORED).all()
        counts, mse, nearest = naive_statistics(image, found, mask)
        assert found.counts.tolist() == counts.tolist()
        assert found.mse == pytest.approx(mse)
        assert found.shares.sum() == pytest.approx(1)
        assert found.n_counted == mask.sum()
        if hysteresis == 0 and smoothing == 0:
            assert (found.labels[mask] == nearest).all()


def test_an_image_is_fitted_by_what_counts():
    rng = np.random.default_rng(1)
    image, mask = noise(rng), blob(4)
    found = segment(image, k=4, random_state=0, mask=mask)
    counts, mse, nearest = naive_statistics(image, found, mask)
    assert found.converged
    assert found.counts.tolist() == counts.tolist() == sorted(counts, reverse=True)
    assert (found.labels[mask] == nearest).all()
    best = naive.best_mse(image[mask].astype(float), 4)
    assert mse == pytest.approx(found.mse)
    assert found.mse < 1.03 * best
    assert ((found.labels == IGNORED) == ~mask).all()


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64])
def test_a_mask_of_ones_is_none(dtype):
    image = noise(np.random.default_rng(2))
    found = Segmenter(256, random_state=0).update(image)
    assert (found.labels == IGNORED).any()  # a label as every other
    with pytest.raises(ValueError, match="at most 255 clusters"):
        Segmenter(256).update(image, np.ones(SIZE, dtype))
    plain = Segmenter(7, random_state=0).update(image)
    same = Segmenter(7, random_state=0).update(image, np.full(SIZE, 3).astype(dtype))
    assert np.array_equal(plain.labels, same.labels)
    assert same.ignored is None


def test_masks_are_checked():
    image = noise(np.random.default_rng(2))
    with pytest.raises(ValueError, match=r"mask must be \(24, 32\) as the image, got \(24, 31\)"):
        Segmenter().update(image, np.ones((24, 31), bool))
    with pytest.raises(TypeError, match="array of bool or integers, got float64"):
        Segmenter().fit(image, mask=np.ones(SIZE))


@pytest.mark.parametrize("palette", [None, np.array([(0, 0, 0), (255, 255, 255)], np.uint8)])
def test_a_frame_of_which_nothing_counts_changes_nothing(palette):
    rng = np.random.default_rng(5)
    first, second = noise(rng), noise(rng)
    asked, other = (Segmenter(2, random_state=0, hysteresis=0) for _ in range(2))
    asked.palette = other.palette = palette
    nothing = np.zeros(SIZE, bool)
    empty = asked.update(first, nothing)
    assert (empty.labels == IGNORED).all()
    assert not empty.shares.any()
    assert empty.mse == 0
    if palette is None:
        assert empty.ids.tolist() == [-1, -1]  # no label has been anything
    assert Segmenter(2).fit(first, mask=nothing).n_iter == 0
    for image in (first, second):
        asked.update(second, nothing)
        found, same = asked.update(image), other.update(image)
        assert np.array_equal(found.labels, same.labels)
        assert np.array_equal(found.ids, same.ids)


def test_small_masks_are_trained_on_in_full():
    image = noise(np.random.default_rng(0), (200, 300))
    mask = np.zeros((200, 300), bool)
    mask[90:100, 200:220] = True
    features = Features(COLOR_SPACES["bgr"], 0.0, 256, threads=1)
    sampled = features.sample(image, mask=mask.view(np.uint8))
    assert sampled.places.pixels.tolist() == np.flatnonzero(mask).tolist()
    assert np.array_equal(sampled.pixels[0], image[mask])
    mask[:] = True
    mask[0, 0] = False
    sampled = features.sample(image, mask=mask.view(np.uint8))
    assert 250 <= len(sampled.places.pixels) <= 300


def test_the_light_is_followed_through_a_mask_that_moves():
    """Two greys four levels apart swap their places in the levels: only the light tells."""
    image = np.full((40, 60, 3), 100, np.uint8)
    image[:, 30:] = 108
    segmenter = Segmenter(2, random_state=0, hysteresis=0)
    y, x = np.mgrid[:40, :60]
    for index in range(8):
        mask = np.abs(x - 30) + np.abs(y - 20) < 15 + index
        found = segmenter.update(image + np.uint8(8 * index), mask)
        if index == 0:
            left = found.labels[20, 25]
        assert found.labels[20, 25] == left
        assert found.labels[20, 35] == 1 - left
        assert not found.scene_cut


def test_what_two_samples_share():
    a, b = Places((4, 4), np.arange(0, 10)), Places((4, 4), np.arange(5, 12))
    before, after = shared(a, b)
    assert (before.tolist(), after.tolist()) == ([5, 6, 7, 8, 9], [0, 1, 2, 3, 4])
    assert shared(a, Places((4, 4), np.array([15]))) is None
    assert shared(a, Places((2, 8), a.pixels)) is None
    assert shared(a, None) is None
    assert shared(a, Places((4, 4), a.pixels.copy())) == (slice(None), slice(None))


def test_a_cut_is_seen_by_what_both_frames_count():
    rng = np.random.default_rng(0)
    scene = SceneChange()
    dark, light = (rng.integers(low, low + 40, (1, 60, 3), np.uint8) for low in (20, 200))
    assert not scene.observe(dark, Places((20, 20), np.arange(60)))
    assert not scene.observe(dark[:, 10:], Places((20, 20), np.arange(10, 60)))
    assert scene.observe(light[:, 20:], Places((20, 20), np.arange(20, 60)))
    assert scene.observe(dark[:, 20:], Places((20, 20), np.arange(200, 240)))  # colours alone


@pytest.mark.parametrize("rows", [[(0, 9)], [(0, 2), (2, 9)]])
def test_ignored_pixels_are_taken_out_of_the_sums(rows):
    rng = np.random.default_rng(7)
    planes = rng.integers(0, 256, (3, 9, 13), np.uint8)
    centers = rng.integers(0, 256, (5, 4)).astype(np.float32)
    centers[3:] = 0
    mask = rng.integers(0, 2, (9, 13), np.uint8)
    labels = rng.integers(0, 4, (9, 13), np.uint8)
    before = labels.copy()
    counts, errors = np.zeros((9, 4), np.int64), np.zeros(9, np.int64)
    for first, last in rows:
        ignore_pixels(
            first, last, *as_read(planes), 9, 13, np.float32(0), centers, np.float32(2),
            mask.reshape(-1), labels.reshape(-1), counts, errors,
        )  # fmt: skip
    assert np.array_equal(labels, np.where(mask == 0, IGNORED, before))
    gone = before[mask == 0]
    assert counts.sum(axis=0).tolist() == (-np.bincount(gone, minlength=4)).tolist()
    points = planes.reshape(3, -1).T[mask.reshape(-1) == 0]
    distances = naive.squared_distances(points, centers[:3].T)
    assert -errors.sum() == distances[np.arange(len(gone)), gone].sum()


@pytest.fixture
def masked():
    """A frame whose left third does not count, dark and light halves in the rest."""
    image = np.full((20, 30, 3), 20, np.uint8)
    image[:, 20:] = 220
    image[:, :10] = 90, 10, 200
    mask = np.ones((20, 30), bool)
    mask[:, :10] = False
    return Frame(image, 0, 0.0), Segmenter(2, random_state=0).fit(image, mask=mask)


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("chosen", [(), (0,)])
def test_views_show_what_is_ignored_as_it_is(name, chosen, masked):
    frame, found = masked
    selection = Selection(chosen, drop=not chosen)
    shown = as_image(VIEWS[name](frame, found, selection))
    expected = np.zeros(3) if name == "mask" else frame.image[5, 5]
    for start in range(0, shown.shape[1], 30):
        assert (shown[1:-1, start + 1 : start + 8] == expected).all()
    if chosen and name in ("segments", "original", "side-by-side"):
        assert not shown[:, :30][found.labels == 1].any()  # not selected: black, as ever


@pytest.mark.parametrize("name", ["segments", "overlay", "original", "side-by-side"])
def test_views_show_what_is_ignored_as_the_rest_is(name, masked):
    frame, found = masked
    shown = as_image(VIEWS[name](frame, found, Selection((), drop=True, rest="black")))
    assert not shown[:, :10].any()
    clear = VIEWS[name](frame, found, Selection((), drop=True, rest="transparent"))
    assert (clear[:, :10, 3] == 0).all()
    assert (clear[:, 10:30, 3] == 255).all()


def test_shares_boundaries_and_regions_are_of_what_counts(masked):
    frame, found = masked
    assert found.shares.tolist() == [0.5, 0.5]
    assert [row.share for row in measure(frame, found)] == [0.5, 0.5]
    edges = found.boundaries()
    assert np.flatnonzero(edges.any(axis=0)).tolist() == [9, 19]
    assert [region.area for region in find_regions(found, 1)] == [200, 200]
    alone = Segmentation(found.labels, found.palette)
    assert alone.shares.tolist() == [0.5, 0.5]
    assert alone.ignored.sum() == 200


def test_figures_show_what_is_ignored_in_pale_grey(masked):
    frame, found = masked
    page = segmentation_figure(frame.image, found)
    shown = next(axes for axes in page.axes if axes.get_title() == "2 segments").images[0]
    pale = ghost(frame.image, light=True)[5, 5]
    assert np.array_equal(shown.get_array()[5, 5], pale)
    assert 220 < pale.min() == pale.max() < 250
    assert "66.7% count" in page.get_supxlabel()
    assert "PSNR infinite" in page.get_supxlabel()
    history = History()
    for index in range(3):
        history.append(Frame(frame.image, index, index / 10), found)
    blank = Segmenter(2).update(frame.image, np.zeros((20, 30), bool))
    history.append(Frame(frame.image, 3, 0.3), blank)
    assert np.array_equal(history.samples[0].painted[5, 5], pale)
    assert len(render(clip_figure(history, ""), ".png")) > 1000
