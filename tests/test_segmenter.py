"""What `Segmenter` and `Segmentation` promise."""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import pickle
import sys
import threading
import time
import tracemalloc
import warnings
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import cv2
import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livekm import Segmenter
from livekm.core import kernels
from livekm.core.colorspace import COLOR_SPACES, to_features

ON_LINUX = sys.platform == "linux"


# --- scenes ----------------------------------------------------------------------------------


def noise(rng, height=30, width=40):
    return rng.integers(0, 256, (height, width, 3)).astype(np.uint8)


def noisy(image, rng, sigma=4.0):
    return np.rint(image + rng.normal(0, sigma, image.shape)).clip(0, 255).astype(np.uint8)


def patches(colors, height=36, width=48):
    """Vertical stripes, one a colour."""
    return np.ascontiguousarray(
        np.array(colors, np.uint8)[np.newaxis, np.arange(width) * len(colors) // width]
        * np.ones((height, 1, 1), np.uint8)
    )


def drifting_scene(seed, n_frames=40, size=(36, 48)):
    """A backdrop in changing light, discs that move, come and go and change colour, and noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: size[0], : size[1]]
    tint = rng.uniform(60, 160, 3)
    discs = [
        (rng.uniform(0, 1, 4), rng.uniform(20, 235, 3), rng.normal(0, 1.5, 3), rng.uniform(4, 10))
        for _ in range(6)
    ]
    for t in range(n_frames):
        image = tint * (0.6 + 0.5 * y / size[0] + 0.2 * np.sin(t / 12))[..., np.newaxis]
        for i, ((px, py, vx, vy), color, turn, radius) in enumerate(discs):
            cx = (px + 0.02 * (vx - 0.5) * t) % 1 * size[1]
            cy = (py + 0.02 * (vy - 0.5) * t) % 1 * size[0]
            inside = (x - cx) ** 2 + (y - cy) ** 2 < radius**2
            seen = np.clip(1.5 + 2 * np.sin(t / 9 + i), 0, 1)
            image[inside] += seen * (color + turn * t - image[inside])
        yield noisy(image, rng)


def panned_scene(seed, n_frames=60, size=(36, 48)):
    """A view that slides over a wide picture: at one side, colours come that were never seen."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(-60, 316, (5, 5 + n_frames // 10, 3))
    width = size[1] + n_frames
    wide = cv2.resize(coarse, (width, size[0]), interpolation=cv2.INTER_CUBIC)
    for t in range(n_frames):
        yield noisy(wide[:, t : t + size[1]], rng, 2)


STRIPES = [(30, 40, 50), (200, 60, 40), (60, 190, 80), (90, 80, 220), (220, 220, 210)]
OTHER_STRIPES = [(120, 20, 160), (20, 130, 130), (250, 180, 100), (90, 80, 220), (10, 200, 250)]


# --- what is recomputed ----------------------------------------------------------------------


def features_of(image, segmenter, spatial_weight=0.0):
    """(n, d) float64 features of every pixel, in units."""
    colors = to_features(np.ascontiguousarray(image), segmenter.color_space).reshape(-1, 3)
    if not spatial_weight:
        return colors.astype(np.float64)
    height, width = image.shape[:2]
    space = COLOR_SPACES[segmenter.color_space]
    step = spatial_weight * space.span * space.units / max(1, max(height, width) - 1)
    return np.hstack([colors, naive.spatial_features(height, width, step) / space.units])


def assert_exact(image, segmenter, segmentation, spatial_weight=0.0, rel=1e-6):
    """Labels are the nearest published centers, and the statistics are theirs."""
    distances = naive.squared_distances(
        features_of(image, segmenter, spatial_weight), segmentation.centers
    )
    labels = segmentation.labels
    assert labels.shape == image.shape[:2]
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels.ravel(), distances.argmin(axis=1))
    assert_statistics(segmentation, distances, rel)


def assert_statistics(segmentation, distances, rel=1e-6):
    labels = segmentation.labels.ravel()
    counts = np.bincount(labels, minlength=segmentation.n_clusters)
    np.testing.assert_array_equal(segmentation.counts, counts)
    assert segmentation.counts.dtype == np.int64
    assert segmentation.counts.sum() == labels.size
    mse = distances[np.arange(labels.size), labels].mean()
    assert segmentation.mse == pytest.approx(mse, rel=rel, abs=1e-9)


def assert_same(a, b):
    """Two segmentations have the same bytes."""
    for name in ("labels", "centers", "palette", "counts", "ids"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
    for name in ("mse", "scene_cut", "n_iter", "converged"):
        assert getattr(a, name) == getattr(b, name), name
    np.testing.assert_array_equal(a.paint(), b.paint())


# --- labels, centers, palette ----------------------------------------------------------------


@pytest.mark.parametrize("color_space", COLOR_SPACES)
@pytest.mark.parametrize("k", [1, 2, 5, 16, 100, 256])
def test_without_hysteresis_labels_are_exactly_the_nearest_centers(color_space, k):
    rng = np.random.default_rng(k)
    segmenter = Segmenter(k, color_space=color_space, hysteresis=0, random_state=0)
    for image in (noise(rng), noise(rng), *drifting_scene(k, 2), noise(rng) & 0xC0):
        assert_exact(image, segmenter, segmenter.update(image))


@pytest.mark.parametrize("color_space", COLOR_SPACES)
@pytest.mark.parametrize("weight", [0.1, 1.0, 2.5])
def test_labels_are_exact_where_place_counts(color_space, weight):
    rng = np.random.default_rng(0)
    segmenter = Segmenter(
        20, color_space=color_space, hysteresis=0, spatial_weight=weight, random_state=0
    )
    for image in (noise(rng), noise(rng, 33, 71), noise(rng, 1, 90)):
        segmentation = segmenter.update(image)
        assert segmentation.centers.shape == (20, 5)
        assert_exact(image, segmenter, segmentation, weight)


@pytest.mark.parametrize("color_space", COLOR_SPACES)
def test_labels_are_exact_at_the_greatest_spatial_weight(color_space):
    segmenter = Segmenter(
        64, color_space=color_space, hysteresis=0, spatial_weight=4, random_state=0
    )
    image = noise(np.random.default_rng(0), 120, 160)
    assert_exact(image, segmenter, segmenter.update(image), 4)


def test_the_palette_is_the_rounded_centers():
    segmentation = Segmenter(9, random_state=0).update(noise(np.random.default_rng(0)))
    assert segmentation.palette.dtype == np.uint8
    np.testing.assert_array_equal(segmentation.palette, np.rint(segmentation.centers))


@pytest.mark.parametrize("color_space", ["lab", "hsv"])
def test_the_palette_shows_the_centers_of_other_spaces(color_space):
    image = noise(np.random.default_rng(0)) // 2 + 60
    segmentation = Segmenter(9, color_space=color_space, random_state=0).update(image)
    shown = to_features(segmentation.palette[np.newaxis], color_space)[0]
    assert np.abs(shown - segmentation.centers).max() < 1


def test_shares_are_parts_of_one():
    segmentation = Segmenter(5, random_state=0).update(patches(STRIPES))
    assert segmentation.shares.sum() == pytest.approx(1)
    np.testing.assert_allclose(segmentation.shares, segmentation.counts / (36 * 48))


# --- sticky labels ---------------------------------------------------------------------------


@pytest.mark.parametrize("color_space", COLOR_SPACES)
@pytest.mark.parametrize("hysteresis", [0.5, 2.0, 10.0])
def test_a_label_is_kept_within_the_hysteresis_and_not_beyond(color_space, hysteresis):
    segmenter = Segmenter(8, color_space=color_space, hysteresis=hysteresis, random_state=0)
    kept = 0
    previous = None
    for image in drifting_scene(3, 12):
        segmentation = segmenter.update(image)
        centers = segmentation.centers.astype(np.float64)
        distances = naive.squared_distances(features_of(image, segmenter), centers)
        labels = segmentation.labels.ravel()
        assert_statistics(segmentation, distances)
        if previous is None or segmentation.scene_cut:
            np.testing.assert_array_equal(labels, distances.argmin(axis=1))
        else:
            rows, nearest = np.arange(labels.size), distances.argmin(axis=1)
            apart = np.linalg.norm(centers[previous] - centers[nearest], axis=1)
            excess = distances[rows, previous] - distances[rows, nearest]
            mse = segmenter._trainer.mse / COLOR_SPACES[color_space].units ** 2
            most = np.minimum(2 * hysteresis * apart, mse)
            certain = np.abs(excess - most) > 1e-3
            expected = np.where(excess <= most, previous, nearest)
            np.testing.assert_array_equal(labels[certain], expected[certain])
            kept += (labels != nearest).sum()
        previous = labels.copy()
    assert kept > 0


def test_hysteresis_cuts_the_relabelling_of_a_noisy_scene():
    ramp = np.repeat(np.linspace(0, 255, 48)[np.newaxis, :, np.newaxis], 36, axis=0)
    image = np.broadcast_to(ramp, (36, 48, 3))
    flips = []
    for hysteresis in (0.0, 4.0):
        rng = np.random.default_rng(1)
        segmenter = Segmenter(8, hysteresis=hysteresis, random_state=0)
        labels = [segmenter.update(noisy(image, rng, 2)).labels for _ in range(30)]
        flips.append(np.mean([(a != b).mean() for a, b in itertools.pairwise(labels)]))
    assert flips[1] < 0.5 * flips[0]


def test_hysteresis_may_be_set_at_any_time():
    segmenter = Segmenter(8, hysteresis=20, random_state=0)
    frames = list(drifting_scene(4, 6))
    for image in frames[:5]:
        segmenter.update(image)
    segmenter.hysteresis = 0
    assert segmenter.hysteresis == 0
    assert_exact(frames[5], segmenter, segmenter.update(frames[5]))


# --- the same bytes --------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"color_space": "lab"}, {"spatial_weight": 1.0}])
def test_the_same_bytes_for_a_random_state_whatever_the_threads(options):
    frames = list(drifting_scene(5, 5, (61, 83)))

    def run(threads):
        segmenter = Segmenter(12, random_state=7, threads=threads, **options)
        results = [segmenter.update(image) for image in frames]
        segmenter.set_n_clusters(14)
        return [*results, segmenter.update(frames[-1]), segmenter.fit(frames[0])]

    expected = run(1)
    for threads in (1, 2, 3, 5):
        for a, b in zip(expected, run(threads), strict=True):
            assert_same(a, b)


@pytest.mark.parametrize("changed", [None, "n_clusters", "color_space", "palette"])
def test_one_segmenter_in_several_threads_gives_each_image_a_segmentation_of_its_own(changed):
    """Images of different sizes, with settings that change: nothing is mixed up."""
    sizes = [(60, 80), (64, 80), (90, 120)]
    values = {
        "n_clusters": (3, 60, 17),
        "color_space": COLOR_SPACES,
        "palette": (None, np.array(STRIPES, np.uint8)),
    }
    segmenter = Segmenter(8, random_state=0)
    wrong = []

    def work(number):
        image = noise(np.random.default_rng(number), *sizes[number])
        for i in range(25):
            if changed and i % 3 == number:
                with contextlib.suppress(ValueError):  # another thread may have fixed the palette
                    setattr(segmenter, changed, [*values[changed]][i % len(values[changed])])
            found = segmenter.update(image)
            distances = naive.squared_distances(image.reshape(-1, 3), found.palette)
            own = distances[np.arange(len(distances)), found.labels.ravel()].mean()
            counts = np.bincount(found.labels.ravel(), minlength=found.n_clusters)
            if (
                found.labels.shape != image.shape[:2]
                or counts.tolist() != found.counts.tolist()
                or own > 2 * distances.min(axis=1).mean() + 50
            ):
                wrong.append((number, i))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(len(sizes)) as threads:
            for done in [threads.submit(work, number) for number in range(len(sizes))]:
                done.result(60)
    finally:
        sys.setswitchinterval(interval)
    assert not wrong


@pytest.mark.parametrize("copied", [deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_segmenter_may_be_copied_in_mid_stream(copied):
    frames = list(drifting_scene(6, 4))
    segmenter = Segmenter(6, random_state=0)
    for image in frames[:2]:
        segmenter.update(image)
    twin = copied(segmenter)
    for image in frames[2:]:
        assert_same(twin.update(image), segmenter.update(image))


def test_segmenters_in_several_threads_do_not_disturb_each_other():
    scenes = [list(drifting_scene(seed, 15)) for seed in range(4)]

    def run(i, results):
        segmenter = Segmenter(5 + i, random_state=i, threads=1 + i)
        results[i] = [segmenter.update(image) for image in scenes[i]]

    alone, together = {}, {}
    for i in range(4):
        run(i, alone)
    threads = [threading.Thread(target=run, args=(i, together)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for i in range(4):
        for a, b in zip(alone[i], together[i], strict=True):
            assert_same(a, b)


@pytest.mark.skipif(not ON_LINUX, reason="elsewhere a fork does not keep a threaded program whole")
def test_it_works_on_after_a_fork():
    frames = list(drifting_scene(6, 3))
    segmenter = Segmenter(8, random_state=0, threads=3)
    twin = Segmenter(8, random_state=0, threads=3)
    for image in frames[:2]:
        segmenter.update(image)
        twin.update(image)
    expected = twin.update(frames[2])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: forks with threads
        child = os.fork()
    if child == 0:
        try:
            assert_same(segmenter.update(frames[2]), expected)
            os._exit(0)
        finally:
            os._exit(1)
    deadline = time.monotonic() + 20
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    if ended[0] == 0:
        os.kill(child, 9)
        os.waitpid(child, 0)
        pytest.fail("the forked process hangs")
    assert os.waitstatus_to_exitcode(ended[1]) == 0
    assert_same(segmenter.update(frames[2]), expected)


# --- every kind of image ---------------------------------------------------------------------


@pytest.mark.parametrize("color_space", COLOR_SPACES)
@pytest.mark.parametrize("k", [1, 2, 8, 256])
def test_one_colour(color_space, k):
    image = np.full((20, 30, 3), (40, 90, 200), np.uint8)
    segmenter = Segmenter(k, color_space=color_space, random_state=0)
    for segmentation in (segmenter.update(image), segmenter.update(image), segmenter.fit(image)):
        assert segmentation.mse == 0
        assert segmentation.n_clusters == k
        assert (segmentation.labels == segmentation.labels[0, 0]).all()
        np.testing.assert_array_equal(segmentation.paint(), image)


@pytest.mark.parametrize("k", [5, 6, 64, 256])
def test_fewer_colours_than_clusters_are_shown_as_they_are(k):
    image = patches(STRIPES)
    segmenter = Segmenter(k, random_state=0)
    for segmentation in (segmenter.update(image), segmenter.update(image), segmenter.fit(image)):
        assert segmentation.mse == 0
        np.testing.assert_array_equal(segmentation.paint(), image)
        assert len(np.unique(segmentation.labels)) == 5
        assert segmentation.palette.shape == (k, 3)


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (1, 300), (300, 1), (2, 2), (5, 3)])
@pytest.mark.parametrize("k", [1, 4, 256])
@pytest.mark.parametrize("options", [{}, {"spatial_weight": 1.0}, {"color_space": "lab"}])
def test_small_and_thin_images(size, k, options):
    rng = np.random.default_rng(1)
    segmenter = Segmenter(k, hysteresis=0, random_state=0, **options)
    weight = options.get("spatial_weight", 0.0)
    for image in (noise(rng, *size), noise(rng, *size)):
        segmentation = segmenter.update(image)
        assert_exact(image, segmenter, segmentation, weight)
        assert segmentation.paint().shape == image.shape
        assert segmentation.boundaries().shape == size
    assert_exact(image, segmenter, segmenter.fit(image), weight)


def test_the_size_may_change_in_mid_stream():
    rng = np.random.default_rng(2)
    base = patches(STRIPES, 90, 120)
    segmenter = Segmenter(5, random_state=0)
    for step in (1, 2, 3, 1):
        image = noisy(base[::step, ::step], rng)
        segmentation = segmenter.update(image)
        assert segmentation.labels.shape == image.shape[:2]
        assert not segmentation.scene_cut
        distances = naive.squared_distances(features_of(image, segmenter), segmentation.centers)
        assert_statistics(segmentation, distances)


def test_labels_do_not_stick_to_those_of_an_image_of_another_shape():
    frames = list(drifting_scene(7, 2))
    segmenter = Segmenter(12, hysteresis=50, random_state=0)
    segmenter.update(frames[0])
    turned = np.ascontiguousarray(frames[1].transpose(1, 0, 2))
    segmentation = segmenter.update(turned)
    assert not segmentation.scene_cut
    assert_exact(turned, segmenter, segmentation)


WAYS_TO_LIE_IN_MEMORY = {
    "every second": lambda a: np.repeat(np.repeat(a, 2, axis=0), 2, axis=1)[::2, ::2],
    "part of a larger one": lambda a: np.pad(a, ((2, 3), (4, 5), (0, 0)))[2:-3, 4:-5],
    "upside down": lambda a: np.ascontiguousarray(a[::-1])[::-1],
    "mirrored": lambda a: np.ascontiguousarray(a[:, ::-1])[:, ::-1],
    "RGB read as BGR": lambda a: np.ascontiguousarray(a[..., ::-1])[..., ::-1],
    "three channels of four": lambda a: np.pad(a, ((0, 0), (0, 0), (0, 1)))[..., :3],
    "Fortran": np.asfortranarray,
    "turned": lambda a: np.ascontiguousarray(a.transpose(1, 0, 2)).transpose(1, 0, 2),
    "planes": lambda a: np.ascontiguousarray(a.transpose(2, 0, 1)).transpose(1, 2, 0),
}


@pytest.mark.parametrize("writeable", [True, False])
@pytest.mark.parametrize("way", WAYS_TO_LIE_IN_MEMORY)
@pytest.mark.parametrize("color_space", COLOR_SPACES)
def test_it_does_not_matter_how_the_image_lies_in_memory(way, writeable, color_space):
    frames = list(drifting_scene(8, 2, (23, 37)))
    plain = Segmenter(6, color_space=color_space, random_state=0)
    other = Segmenter(6, color_space=color_space, random_state=0)
    for image in frames:
        same = WAYS_TO_LIE_IN_MEMORY[way](image)
        assert not same.flags.c_contiguous
        same.flags.writeable = writeable
        assert_same(other.update(same), plain.update(image))
        np.testing.assert_array_equal(same, image)
    assert_same(other.fit(same), plain.fit(image))


def test_a_read_only_image_and_one_that_is_broadcast():
    image = patches(STRIPES)
    read_only = image.copy()
    read_only.flags.writeable = False
    broadcast = np.broadcast_to(image[:1], image.shape)
    expected = Segmenter(5, random_state=0).update(image)
    for same in (read_only, broadcast):
        assert_same(Segmenter(5, random_state=0).update(same), expected)


def test_asking_for_the_k_that_is_there_or_for_no_palette_where_none_is_changes_nothing():
    images = [np.clip(patches(STRIPES).astype(int) + 4 * i, 0, 255).astype(np.uint8)
              for i in range(12)]  # fmt: skip
    plain, asked = Segmenter(5, random_state=0), Segmenter(5, random_state=0)
    for image in images:
        expected = plain.update(image)
        assert_same(asked.update(image), expected)
        np.testing.assert_array_equal(asked.set_n_clusters(5), np.arange(256))
        asked.palette = None


@pytest.mark.parametrize("copied", [deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_segmentation_may_be_copied_and_sent_to_another_process(copied):
    segmentation = Segmenter(5, random_state=0).update(patches(STRIPES))
    other = copied(segmentation)
    assert_same(other, segmentation)
    np.testing.assert_array_equal(other.paint(), segmentation.paint())


@pytest.mark.parametrize("palette", [np.full((4, 3), 300.7), [[-1, 0, 0]] * 4, np.zeros((3, 3))])
def test_a_palette_that_is_no_uint8_of_every_cluster_is_refused(palette):
    segmentation = Segmenter(4, random_state=0).update(patches(STRIPES))
    with pytest.raises(ValueError, match=r"palette must be \(4, 3\) uint8, got"):
        segmentation.paint(palette)


def test_a_seeding_may_lie_far_outside_the_colours():
    def far(points, k, rng):
        return np.vstack([np.full((k - 1, points.shape[1]), 3e38), points[:1]])

    image = np.full((9, 9, 3), 77, np.uint8)
    segmentation = Segmenter(4, seeding=far, random_state=0).update(image)
    assert segmentation.mse == 0
    np.testing.assert_array_equal(segmentation.paint(), image)


@pytest.mark.skipif(not hasattr(kernels.lloyd, "signatures"), reason="kernels are not compiled")
def test_no_input_makes_a_kernel_compile_anew_in_mid_stream():
    def run(image):
        for color_space in COLOR_SPACES:
            segmenter = Segmenter(6, color_space=color_space, random_state=0)
            yield segmenter.update(image)
            yield segmenter.update(image)

    def versions():
        found = (getattr(kernels, name) for name in kernels.__all__)
        return {k.__name__: len(k.signatures) for k in found if hasattr(k, "signatures")}

    rng = np.random.default_rng(3)
    for segmentation in run(noise(rng)):
        segmentation.paint()
    before = versions()
    for way in WAYS_TO_LIE_IN_MEMORY.values():
        image = way(noise(rng))
        image.flags.writeable = False
        for segmentation in run(image):
            segmentation.paint(np.asfortranarray(segmentation.palette[::-1]))
    segmenter = Segmenter(6, spatial_weight=0.5, random_state=np.int64(3))
    segmenter.update(noise(rng))
    segmenter.set_n_clusters(np.int64(9))
    segmenter.update(noise(rng, 7, 9))
    segmenter.fit(noise(rng))
    assert versions() == before


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        ([[[1, 2, 3]]], TypeError, "image must be an array of uint8, got list"),
        (None, TypeError, "image must be an array of uint8, got NoneType"),
        (np.zeros((4, 4, 3)), TypeError, "got float64"),
        (np.zeros((4, 4, 3), np.int8), TypeError, "got int8"),
        (np.zeros((4, 4, 3), np.uint16), TypeError, "got uint16"),
        (np.zeros((4, 4), np.uint8), ValueError, r"got \(4, 4\)"),
        (np.zeros((4, 4, 4), np.uint8), ValueError, r"got \(4, 4, 4\)"),
        (np.zeros((4, 4, 1), np.uint8), ValueError, r"got \(4, 4, 1\)"),
        (np.zeros((2, 4, 4, 3), np.uint8), ValueError, r"got \(2, 4, 4, 3\)"),
        (np.zeros((0, 4, 3), np.uint8), ValueError, r"got \(0, 4, 3\)"),
        (np.zeros((4, 0, 3), np.uint8), ValueError, r"got \(4, 0, 3\)"),
    ],
)
def test_what_is_no_image_is_said_in_one_line(image, error, message):
    segmenter = Segmenter(3, random_state=0)
    for call in (segmenter.update, segmenter.fit):
        with pytest.raises(error, match=message):
            call(image)
    segmenter.update(noise(np.random.default_rng(0)))  # and leaves the segmenter in order


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"n_clusters": 0}, ValueError),
        ({"n_clusters": 257}, ValueError),
        ({"n_clusters": -1}, ValueError),
        ({"n_clusters": 8.0}, TypeError),
        ({"n_clusters": "8"}, TypeError),
        ({"n_clusters": True}, TypeError),
        ({"n_clusters": None}, TypeError),
        ({"color_space": "rgb"}, ValueError),
        ({"hysteresis": -0.1}, ValueError),
        ({"hysteresis": float("nan")}, ValueError),
        ({"hysteresis": float("inf")}, ValueError),
        ({"hysteresis": "2"}, TypeError),
        ({"steadiness": -0.1}, ValueError),
        ({"steadiness": 1.1}, ValueError),
        ({"steadiness": "1"}, TypeError),
        ({"spatial_weight": -1}, ValueError),
        ({"spatial_weight": 11}, ValueError),
        ({"spatial_weight": None}, TypeError),
        ({"seeding": "maximin"}, ValueError),
        ({"threads": 0}, ValueError),
        ({"threads": 1.5}, TypeError),
        ({"sample_size": 0}, ValueError),
    ],
)
def test_a_parameter_out_of_its_range_is_named(options, error):
    name = next(iter(options))
    with pytest.raises(error, match=name):
        Segmenter(**options)


def test_a_random_state_is_what_numpy_takes():
    with pytest.raises(ValueError, match="non-negative"):
        Segmenter(random_state=-1)
    with pytest.raises(TypeError):
        Segmenter(random_state="zero")


def test_values_that_change_later_are_checked_as_well():
    segmenter = Segmenter()
    with pytest.raises(ValueError, match="n_clusters must be from 1 to 256, got 300"):
        segmenter.n_clusters = 300
    with pytest.raises(ValueError, match="hysteresis"):
        segmenter.hysteresis = -1
    with pytest.raises(ValueError, match="color_space must be one of bgr, lab, hsv"):
        segmenter.color_space = "xyz"
    with pytest.raises(ValueError, match="max_iterations"):
        segmenter.fit(noise(np.random.default_rng(0)), max_iterations=-1)
    assert (segmenter.n_clusters, segmenter.hysteresis, segmenter.color_space) == (8, 2.0, "bgr")


@settings(max_examples=60, deadline=None, database=None, print_blob=True)
@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 80)),
    steps=st.tuples(st.sampled_from([1, 2, 3, -1, -2]), st.sampled_from([1, 2, 5, -1, -3])),
    order=st.sampled_from("CF"),
    k=st.one_of(st.integers(1, 12), st.integers(1, 256)),
    levels=st.sampled_from([1, 2, 3, 17, 256]),
    color_space=st.sampled_from(sorted(COLOR_SPACES)),
    weight=st.sampled_from([0.0, 0.0, 0.3]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_image_is_labelled_exactly(size, steps, order, k, levels, color_space, weight, seed):
    rng = np.random.default_rng(seed)
    palette = np.linspace(0, 255, levels).astype(np.uint8)
    shape = [abs(step) * length for step, length in zip(steps, size, strict=True)]
    whole = np.array(palette[rng.integers(0, levels, (*shape, 3))], order=order)
    image = whole[:: steps[0], :: steps[1]]
    segmenter = Segmenter(
        k,
        color_space=color_space,
        hysteresis=0,
        spatial_weight=weight,
        random_state=0,
        threads=1 + seed % 3,
    )
    for _ in range(2):
        segmentation = segmenter.update(image)
        assert_exact(image, segmenter, segmentation, weight)
        np.testing.assert_array_equal(
            segmentation.paint(), segmentation.palette[segmentation.labels]
        )


# --- a change of k ---------------------------------------------------------------------------


def watched(k=6, seed=9):
    """A segmenter that has seen some frames, its last result, and that frame."""
    segmenter = Segmenter(k, random_state=0)
    for image in drifting_scene(seed, 12):
        segmentation = segmenter.update(image)
    return segmenter, segmentation, image


@pytest.mark.parametrize("k", [1, 2, 6, 30])
def test_one_cluster_more_splits_one_and_leaves_the_others(k):
    segmenter, before, image = watched(k)
    segmenter.set_n_clusters(k + 1)
    after = segmenter.update(image)
    assert segmenter.n_clusters == after.n_clusters == k + 1
    assert len(np.unique(after.labels)) == k + 1
    moved = np.abs(after.centers[:k] - before.centers).max(axis=1) >= 1
    assert moved.sum() == 1
    assert after.mse < before.mse


@pytest.mark.parametrize("k", [2, 3, 6, 30])
def test_one_cluster_fewer_takes_one_away_and_leaves_the_others(k):
    segmenter, before, image = watched(k)
    segmenter.set_n_clusters(k - 1)
    after = segmenter.update(image)
    assert after.n_clusters == k - 1
    assert len(np.unique(after.labels)) == k - 1
    moved = np.abs(after.centers - before.centers[:-1]).max(axis=1) >= 1
    assert moved.sum() <= 1  # the last slot takes the place that is free
    for center in after.centers:
        assert np.abs(before.centers - center).max(axis=1).min() < 1


def test_survivors_keep_most_of_their_pixels():
    segmenter, before, image = watched(8)
    segmenter.set_n_clusters(9)
    after = segmenter.update(image)
    same = (after.labels == before.labels) | (after.labels == 8)
    assert same.mean() > 0.95


@pytest.mark.parametrize("k", [2, 6, 12])
def test_one_more_and_one_fewer_again_leave_the_others(k):
    segmenter, before, image = watched(k)
    for n_clusters in (k + 1, k):
        segmenter.set_n_clusters(n_clusters)
        after = segmenter.update(image)
    moved = np.abs(after.centers - before.centers).max(axis=1) >= 1
    assert moved.sum() <= 2


def test_any_k_after_any_other():
    segmenter, _, image = watched(4)
    for k in (8, 2, 256, 255, 1, 3):
        segmenter.set_n_clusters(k)
        segmentation = segmenter.update(image)
        assert segmentation.palette.shape == (k, 3)
        assert segmentation.labels.max() < k
        distances = naive.squared_distances(features_of(image, segmenter), segmentation.centers)
        assert_statistics(segmentation, distances)


def test_n_clusters_may_be_set_like_everything_else():
    named, assigned = watched(6)[0], watched(6)[0]
    image = next(drifting_scene(9))
    named.set_n_clusters(4)
    assigned.n_clusters = 4
    assert assigned.n_clusters == 4
    assert_same(assigned.update(image), named.update(image))


def test_several_changes_between_two_frames():
    segmenter, _, image = watched(4)
    for k in (5, 9, 3, 7):
        segmenter.set_n_clusters(k)
    segmentation = segmenter.update(image)
    assert segmentation.n_clusters == 7
    assert segmentation.labels.max() == 6


def test_k_may_be_set_before_the_first_frame_and_after_a_reset():
    image = next(drifting_scene(10))
    segmenter = Segmenter(3, random_state=0)
    segmenter.set_n_clusters(6)
    assert_same(segmenter.update(image), Segmenter(6, random_state=0).update(image))
    segmenter.reset()
    segmenter.set_n_clusters(2)
    assert segmenter.update(image).n_clusters == 2


def test_after_a_change_of_k_the_quality_is_that_of_a_fresh_start():
    frames = list(drifting_scene(11, 30))
    segmenter = Segmenter(4, hysteresis=0, random_state=0)
    for i, image in enumerate(frames):
        if i in (8, 16):
            segmenter.set_n_clusters(10 if i == 8 else 5)
        segmentation = segmenter.update(image)
        if i in (15, 29):
            best = naive.best_mse(image.reshape(-1, 3), segmentation.n_clusters, starts=3)
            assert segmentation.mse <= 1.05 * best


# --- results belong to their holder ----------------------------------------------------------


def test_what_was_held_is_never_written_to_again():
    segmenter = Segmenter(6, random_state=0)
    held, copies = [], []
    for i, image in enumerate(drifting_scene(12, 30)):
        if i % 7 == 6:
            segmenter.set_n_clusters(4 + i % 5)
        segmentation = segmenter.update(image)
        arrays = [
            segmentation.labels,
            segmentation.labels[3:, ::2],
            segmentation.centers,
            segmentation.palette,
            segmentation.counts,
            segmentation.paint(),
            segmentation.paint()[::2],
        ]
        copies.append([array.copy() for array in arrays])
        held.append(arrays if i % 2 else [segmentation, *arrays])
    for arrays, expected in zip(held, copies, strict=True):
        for array, copy in zip(arrays[-len(expected) :], expected, strict=True):
            np.testing.assert_array_equal(array, copy)
        if len(arrays) > len(expected):  # the segmentation itself was held
            np.testing.assert_array_equal(arrays[0].paint(), expected[5])


def test_labels_are_read_only_and_a_painted_image_is_the_caller_s():
    segmentation = Segmenter(4, random_state=0).update(noise(np.random.default_rng(0)))
    assert not segmentation.labels.flags.writeable
    first = segmentation.paint()
    first[:] = 0
    np.testing.assert_array_equal(segmentation.paint(), segmentation.palette[segmentation.labels])


def test_the_image_may_be_changed_after_the_call():
    frames = list(drifting_scene(13, 4))
    plain, reused = Segmenter(5, random_state=0), Segmenter(5, random_state=0)
    buffer = np.empty_like(frames[0])
    for image in frames:
        buffer[:] = image
        result = reused.update(buffer)
        buffer[:] = 0
        assert_same(result, plain.update(image))


@pytest.mark.parametrize("readonly", [False, True])
def test_memory_does_not_grow_where_nothing_is_held(readonly):
    frames = list(drifting_scene(14, 10, (90, 120)))
    for image in frames:
        image.flags.writeable = not readonly
    segmenter = Segmenter(6, random_state=0)

    def run(rounds):
        for _ in range(rounds):
            for image in frames:
                segmenter.update(image).paint()

    def traced() -> int:
        gc.collect()
        # Not what other threads of this process hold: pytest's, and those of earlier tests.
        ours = [tracemalloc.Filter(True, "*/livekm/core/*")]
        held = tracemalloc.take_snapshot().filter_traces(ours).traces
        return sum(trace.size for trace in held)

    run(1)
    tracemalloc.start()
    try:
        run(4)  # as many cuts as are remembered
        before = traced()
        run(12)
        # The labels of one frame in forty; held ones would be a hundred and sixty times as many.
        assert traced() - before < 4 * frames[0].size // 3
    finally:
        tracemalloc.stop()


# --- reset, colour space, fit ----------------------------------------------------------------


def test_a_reset_forgets_the_stream():
    segmenter = Segmenter(5, random_state=0)
    segmenter.update(patches(STRIPES))
    segmenter.reset()
    image = patches(OTHER_STRIPES)
    segmentation = segmenter.update(image)
    assert not segmentation.scene_cut
    assert segmentation.mse == 0


def test_the_colour_space_may_change_in_mid_stream():
    segmenter = Segmenter(5, hysteresis=0, random_state=0)
    for image, space in zip(drifting_scene(15, 4), ("bgr", "lab", "hsv", "bgr"), strict=True):
        segmenter.color_space = space
        assert segmenter.color_space == space
        segmentation = segmenter.update(image)
        assert not segmentation.scene_cut
        assert_exact(image, segmenter, segmentation)


@pytest.mark.parametrize("color_space", COLOR_SPACES)
@pytest.mark.parametrize("seed", range(4))
def test_fit_goes_on_until_no_pixel_changes_its_cluster(color_space, seed):
    image = next(iter(drifting_scene(seed, 1, (60, 80))))
    segmenter = Segmenter(6, color_space=color_space, random_state=seed)
    segmentation = segmenter.fit(image)
    assert_exact(image, segmenter, segmentation)
    points = features_of(image, segmenter)
    centers, error = naive.lloyd(points, segmentation.centers, steps=1)
    assert (naive.nearest(points, centers) != segmentation.labels.ravel()).mean() <= 1e-3
    assert np.abs(centers - segmentation.centers).max() < 0.2
    assert segmentation.mse <= (1 + 1e-4) * error / len(points)


@pytest.mark.parametrize("seeding", ["k-means++", "random", "random-partition"])
def test_more_iterations_never_fit_worse(seeding):
    image = next(iter(drifting_scene(16, 1, (60, 80))))
    errors = [
        Segmenter(8, seeding=seeding, random_state=0).fit(image, max_iterations=n).mse
        for n in (0, 1, 3, 10, 300)
    ]
    assert all(b <= a * (1 + 1e-4) for a, b in itertools.pairwise(errors))
    best = naive.best_mse(image.reshape(-1, 3), 8, starts=3)
    assert errors[-1] <= 1.05 * best


@pytest.mark.parametrize("color_space", COLOR_SPACES)
@pytest.mark.parametrize("options", [{}, {"spatial_weight": 0.5}, {"smoothing": 2}])
def test_of_a_still_image_label_0_is_the_largest_segment_and_so_on_down(color_space, options):
    for seed in range(5):
        image = next(iter(drifting_scene(seed, 1)))
        segmenter = Segmenter(9, color_space=color_space, random_state=seed, **options)
        segmentation = segmenter.fit(image)
        assert (np.diff(segmentation.counts) <= 0).all()
        assert segmentation.ids.tolist() == list(range(9))


def test_pixels_as_near_to_two_clusters_go_to_the_larger_one():
    image = np.repeat(np.array([0] * 3 + [10] * 7 + [20] * 5, np.uint8), 3).reshape(1, -1, 3)

    def ends(points, k, rng):
        return [(20.0,) * 3, (0.0,) * 3]

    segmenter = Segmenter(2, seeding=ends, random_state=0, hysteresis=0)
    segmentation = segmenter.fit(image, max_iterations=0)
    assert_exact(image, segmenter, segmentation)
    assert segmentation.counts[0] > segmentation.counts[1]


def test_a_fixed_palette_keeps_its_order_in_a_still_image():
    segmenter = Segmenter(random_state=0)
    segmenter.palette = np.array([(255, 255, 255), (0, 0, 0)], np.uint8)
    segmentation = segmenter.fit(np.zeros((3, 4, 3), np.uint8))
    assert segmentation.counts.tolist() == [0, 12]
    assert (segmentation.n_iter, segmentation.converged) == (0, True)


def test_a_still_image_tells_its_iterations_and_whether_they_were_enough():
    image = next(iter(drifting_scene(2, 1, (60, 80))))

    def fit(most):
        return Segmenter(7, seeding="random", random_state=0).fit(image, max_iterations=most)

    whole = fit(300)
    assert whole.converged
    assert 1 < whole.n_iter < 300
    assert_same(fit(whole.n_iter), whole)
    early = fit(whole.n_iter - 1)
    assert (early.n_iter, early.converged) == (whole.n_iter - 1, False)
    none = fit(0)
    assert (none.n_iter, none.converged) == (0, False)
    frame = Segmenter(7, random_state=0).update(image)
    assert (frame.n_iter, frame.converged) == (None, None)


def test_fit_forgets_and_the_stream_may_go_on_from_it():
    segmenter = Segmenter(5, random_state=0)
    segmenter.update(patches(OTHER_STRIPES))
    fitted = segmenter.fit(patches(STRIPES))
    assert not fitted.scene_cut
    assert fitted.mse == 0
    followed = segmenter.update(patches(STRIPES))
    np.testing.assert_array_equal(followed.labels, fitted.labels)


def test_a_function_of_one_s_own_starts_the_centers():
    calls = []

    def seeding(points, k, rng):
        calls.append((points.shape[1], points.dtype, k))
        assert isinstance(rng, np.random.Generator)
        return np.array(STRIPES)[:k].tolist()

    image = patches(STRIPES)
    segmentation = Segmenter(5, seeding=seeding, random_state=0).update(image)
    assert set(calls) == {(3, np.dtype(np.float32), 5)}
    np.testing.assert_array_equal(segmentation.palette, np.array(STRIPES))


def test_a_wrong_seeding_is_said_in_one_line():
    segmenter = Segmenter(5, seeding=lambda points, k, rng: points[:2])
    with pytest.raises(ValueError, match=r"seeding must return 5 finite centers of 3 features"):
        segmenter.update(patches(STRIPES))


# --- the stream: cuts, quality, identity -----------------------------------------------------


def test_a_cut_is_flagged_at_the_cut_and_nowhere_else():
    rng = np.random.default_rng(3)
    segmenter = Segmenter(5, random_state=0)
    scenes = [patches(STRIPES), patches(OTHER_STRIPES), patches(STRIPES[::-1][:3])]
    flags = [
        segmenter.update(noisy(scene, rng, 5)).scene_cut for scene in scenes for _ in range(25)
    ]
    assert np.flatnonzero(flags).tolist() == [25, 50]


@pytest.mark.parametrize("seed", range(4))
def test_after_a_cut_the_colours_are_as_good_as_a_fresh_start(seed):
    before, after = drifting_scene(seed, 10), drifting_scene(seed + 100, 3)
    segmenter = Segmenter(8, random_state=0)
    for image in before:
        segmenter.update(image)
    for i, image in enumerate(after):
        segmentation = segmenter.update(image)
        assert segmentation.scene_cut == (i == 0)
        if i == 0:
            fresh = Segmenter(8, random_state=0).update(image)
            assert segmentation.mse <= 1.03 * fresh.mse


def test_a_colour_on_both_sides_of_a_cut_keeps_its_slot():
    common = 3
    assert STRIPES[common] == OTHER_STRIPES[common]
    rng = np.random.default_rng(4)
    for seed in range(5):
        segmenter = Segmenter(5, random_state=seed)
        for _ in range(5):
            before = segmenter.update(noisy(patches(STRIPES), rng))
        other = np.roll(patches(np.roll(OTHER_STRIPES, 2, axis=0)), 4, axis=1)
        after = segmenter.update(noisy(other, rng))
        assert after.scene_cut
        slot = naive.nearest([STRIPES[common]], before.palette)[0]
        assert np.abs(after.palette[slot].astype(int) - STRIPES[common]).max() <= 2


@pytest.mark.parametrize("k", [4, 8])
def test_frames_are_as_good_as_converged_k_means(k):
    ratios = []
    for seed in range(4):
        segmenter = Segmenter(k, hysteresis=0, random_state=0)
        for i, image in enumerate(drifting_scene(seed, 55, (28, 36))):
            segmentation = segmenter.update(image)
            if i % 9 == 0:
                ratios.append(segmentation.mse / naive.best_mse(image.reshape(-1, 3), k))
    assert np.mean(ratios) <= 1.03
    assert np.median(ratios) <= 1.005


def test_frames_of_a_pan_are_as_good_as_converged_k_means():
    ratios = []
    for seed in range(6):
        segmenter = Segmenter(16, hysteresis=0, steadiness=0, random_state=0)
        for i, image in enumerate(panned_scene(seed)):
            segmentation = segmenter.update(image)
            if i % 4 == 3:
                ratios.append(segmentation.mse / naive.best_mse(image.reshape(-1, 3), 16))
    assert np.mean(ratios) <= 1.015
    assert np.percentile(ratios, 95) <= 1.04


def test_a_steady_noisy_scene_keeps_its_labels():
    rng = np.random.default_rng(5)
    scene = patches(STRIPES, 24, 30)
    segmenter = Segmenter(5, random_state=0)
    first = segmenter.update(noisy(scene, rng, 6))
    for _ in range(300):
        segmentation = segmenter.update(noisy(scene, rng, 6))
        assert not segmentation.scene_cut
    np.testing.assert_array_equal(segmentation.labels, first.labels)
    assert np.abs(segmentation.palette.astype(int) - first.palette).max() <= 3


def test_clusters_that_split_noise_do_not_wander_between_things():
    rng = np.random.default_rng(6)
    scene = patches(STRIPES, 90, 120)
    segmenter = Segmenter(9, random_state=0)
    palettes = [segmenter.update(noisy(scene, rng, 6)).palette for _ in range(60)]
    things = [naive.nearest(palette, STRIPES).tolist() for palette in palettes]
    assert all(now == things[0] for now in things)


# --- ids -------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"steadiness": 0}, {"color_space": "lab"}])
def test_a_label_is_never_given_away_in_silence(options):
    moved = 0
    for seed in range(4):
        segmenter, before, ended = Segmenter(6, random_state=0, **options), None, set()
        for image in itertools.chain(drifting_scene(seed, 25), panned_scene(seed, 25)):
            now = segmenter.update(image)
            assert len(set(now.ids.tolist())) == 6
            if before is None:
                assert now.ids.tolist() == list(range(6))
            elif not now.scene_cut:
                ways = np.abs(now.palette.astype(int) - before.palette).max(axis=1)
                assert (now.ids != before.ids)[ways > 40].all()
                assert not ended & set(now.ids.tolist())
                moved += (ways > 40).sum()
                ended |= set(before.ids.tolist()) - set(now.ids.tolist())
            else:
                ended.clear()  # what was in a shot before may come back
            before = now
    assert moved > 0


def test_a_steady_scene_keeps_its_ids_and_a_shot_that_returns_its_labels():
    rng = np.random.default_rng(5)
    segmenter, seen = Segmenter(5, random_state=0), []
    for scene in (STRIPES, OTHER_STRIPES, STRIPES):
        for _ in range(4):
            segmentation = segmenter.update(noisy(patches(scene), rng))
        seen.append(segmentation)
    first, other, again = seen
    np.testing.assert_array_equal(again.ids, first.ids)
    assert (again.labels == first.labels).mean() > 0.99
    common = set(other.ids.tolist()) & set(first.ids.tolist())
    assert len(common) == 1  # the one colour that both have


def test_labels_that_a_black_frame_does_not_use_keep_their_ids_for_the_picture_behind_it():
    segmenter, black = Segmenter(5, random_state=0), np.zeros_like(patches(STRIPES))
    assert np.count_nonzero(segmenter.update(black).counts) == 1
    assert segmenter.update(patches(STRIPES)).ids.max() <= 5  # black alone may have ended
    back = segmenter.update(black)
    assert back.ids[back.labels[0, 0]] == 0


def test_after_a_reset_no_id_is_used_again():
    segmenter = Segmenter(5, random_state=0)
    before = segmenter.update(patches(STRIPES)).ids
    segmenter.reset()
    assert segmenter.update(patches(STRIPES)).ids.min() > before.max()


def test_ids_outlive_a_change_of_colour_space_and_a_fixed_palette():
    segmenter, image = Segmenter(5, random_state=0), patches(STRIPES)
    first = segmenter.update(image)
    segmenter.color_space = "lab"
    for _ in range(2):
        now = segmenter.update(image)
        np.testing.assert_array_equal(now.ids, first.ids)
        np.testing.assert_array_equal(now.labels, first.labels)
    segmenter.palette = first.palette
    np.testing.assert_array_equal(segmenter.update(image).ids, first.ids)
    segmenter.palette = None
    np.testing.assert_array_equal(segmenter.update(image).ids, first.ids)


@pytest.mark.parametrize("k", [2, 6])
def test_one_more_cluster_has_a_new_id_and_one_fewer_ends_one(k):
    segmenter, before, image = watched(k)
    segmenter.set_n_clusters(k + 1)
    more = segmenter.update(image)
    kept = np.abs(more.palette[:k].astype(int) - before.palette).max(axis=1) <= 40
    np.testing.assert_array_equal(more.ids[:k][kept], before.ids[kept])
    assert more.ids[k] not in before.ids
    segmenter.set_n_clusters(k)
    fewer = segmenter.update(image)
    for color, id_ in zip(fewer.palette.astype(int), fewer.ids, strict=True):
        (label,) = np.flatnonzero(more.ids == id_)
        assert np.abs(more.palette[label] - color).max() <= 40


def test_steadiness_may_be_set_at_any_time():
    segmenter = Segmenter(4, steadiness=1, random_state=0)
    segmenter.update(patches(STRIPES))
    segmenter.steadiness = 0
    assert segmenter.steadiness == segmenter._trainer.steadiness == 0
    segmenter.reset()
    assert segmenter._trainer.steadiness == 0


# --- labels of other images ------------------------------------------------------------------


@pytest.mark.parametrize("color_space", COLOR_SPACES)
@pytest.mark.parametrize("weight", [0.0, 0.7])
def test_another_image_gets_the_nearest_centers_as_they_are(color_space, weight):
    frames = list(drifting_scene(3, 4))
    options = {"color_space": color_space, "spatial_weight": weight, "random_state": 0}
    segmenter = Segmenter(7, hysteresis=9, **options)
    followed = [segmenter.update(image) for image in frames[:2]][-1]
    other = noise(np.random.default_rng(2), 44, 31)
    found = segmenter.predict(other)
    assert_exact(other, segmenter, found, weight)
    np.testing.assert_array_equal(found.centers, followed.centers)
    np.testing.assert_array_equal(found.palette, followed.palette)
    assert (found.scene_cut, found.n_iter) == (False, None)
    assert_same(Segmenter(7, **options).predict(other, followed.centers), found)


def test_centers_are_not_rounded_to_whole_levels():
    image = np.array([[[100] * 3, [101] * 3]], np.uint8)
    centers = np.array([[99.625] * 3, [101.5] * 3], np.float32)  # the border is at 100.56
    found = Segmenter(2).predict(image, centers)
    assert found.labels.tolist() == [[0, 1]]
    np.testing.assert_array_equal(found.centers, centers)
    assert found.mse == (3 * 0.375**2 + 3 * 0.5**2) / 2


def test_labels_of_another_image_change_nothing_in_the_stream():
    frames = list(drifting_scene(4, 6))
    plain, asked = Segmenter(6, random_state=0), Segmenter(6, random_state=0)
    for image in frames:
        assert_same(asked.update(image), plain.update(image))
        asked.predict(noise(np.random.default_rng(1), 36, 48))
        asked.predict(image, np.zeros((3, 3), np.float32))


def test_fixed_colours_label_before_the_first_frame():
    segmenter = Segmenter()
    segmenter.palette = np.array(STRIPES, np.uint8)
    found = segmenter.predict(patches(STRIPES))
    assert found.mse == 0
    np.testing.assert_array_equal(found.palette, STRIPES)


@pytest.mark.parametrize(
    "centers",
    [np.zeros((0, 3)), np.zeros((257, 3)), np.zeros((2, 5)), np.zeros(3), np.full((2, 3), np.nan)],
)
def test_centers_that_do_not_fit_are_refused(centers):
    with pytest.raises(ValueError, match=r"centers must be \(1 to 256, 3\) and finite"):
        Segmenter().predict(patches(STRIPES), centers)


def test_there_are_no_labels_before_there_are_centers():
    with pytest.raises(ValueError, match="no centers before the first frame"):
        Segmenter().predict(patches(STRIPES))


# --- place -----------------------------------------------------------------------------------


def test_spatial_weight_makes_segments_compact():
    image = noise(np.random.default_rng(7), 40, 50)
    edges = [
        Segmenter(8, spatial_weight=weight, random_state=0).update(image).boundaries().mean()
        for weight in (0.0, 1.0, 4.0)
    ]
    assert edges[0] > edges[1] > edges[2]
    assert edges[2] < 0.3 * edges[0]


def test_spatial_centers_lie_where_their_pixels_are():
    image = np.full((41, 61, 3), 90, np.uint8)
    segmenter = Segmenter(2, spatial_weight=1.0, hysteresis=0, random_state=0)
    segmentation = segmenter.fit(image)
    x = np.sort(segmentation.centers[:, 3])
    assert x / 255 == pytest.approx([0.25, 0.75], abs=0.02)
    assert segmentation.centers[:, 4] / 255 == pytest.approx([1 / 3, 1 / 3], abs=0.02)


# --- masks, boundaries, paint ----------------------------------------------------------------


def test_masks_part_the_image():
    segmentation = Segmenter(6, random_state=0).update(noise(np.random.default_rng(8)))
    masks = [segmentation.mask(i) for i in range(6)]
    assert all(mask.dtype == bool for mask in masks)
    assert (np.sum(masks, axis=0) == 1).all()
    np.testing.assert_array_equal([mask.sum() for mask in masks], segmentation.counts)


@pytest.mark.parametrize("index", [-1, 6, 100])
def test_there_is_no_mask_of_a_cluster_that_is_not(index):
    segmentation = Segmenter(6, random_state=0).update(noise(np.random.default_rng(8)))
    with pytest.raises(ValueError, match=f"label must be from 0 to 5, got {index}"):
        segmentation.mask(index)


def test_boundaries_are_where_the_right_or_the_lower_neighbour_differs():
    labels = Segmenter(3, random_state=0).update(noise(np.random.default_rng(9), 12, 9))
    edges = labels.boundaries()
    for y, x in np.ndindex(12, 9):
        here = labels.labels[y, x]
        right = x < 8 and labels.labels[y, x + 1] != here
        below = y < 11 and labels.labels[y + 1, x] != here
        assert edges[y, x] == (right or below)


def test_another_palette_paints_the_same_labels():
    segmentation = Segmenter(4, random_state=0).update(noise(np.random.default_rng(10)))
    other = np.array([(1, 2, 3), (0, 0, 0), (255, 255, 255), (9, 8, 7)], np.uint8)
    painted = segmentation.paint(other)
    assert painted.flags.c_contiguous
    assert painted.flags.writeable
    np.testing.assert_array_equal(painted, other[segmentation.labels])
    with pytest.raises(ValueError, match=r"palette must be \(4, 3\)"):
        segmentation.paint(other[:3])


@pytest.mark.parametrize("color_space", COLOR_SPACES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 2), (37, 53)])
def test_smoothing_gives_a_pixel_the_label_of_most_of_its_neighbours(color_space, shape):
    image = noise(np.random.default_rng(7), *shape)
    options = {"color_space": color_space, "spatial_weight": 0.5, "random_state": 0}
    rough = Segmenter(5, **options).update(image)
    expected = rough.labels
    for passes in (1, 2):
        expected = naive.smooth(expected)
        segmenter = Segmenter(5, smoothing=passes, **options)
        segmentation = segmenter.update(image)
        np.testing.assert_array_equal(segmentation.labels, expected)
        np.testing.assert_array_equal(
            segmentation.counts, np.bincount(expected.ravel(), minlength=5)
        )
        distances = naive.squared_distances(
            features_of(image, segmenter, 0.5), segmentation.centers
        )
        mean = distances[np.arange(expected.size), expected.ravel()].mean()
        assert segmentation.mse == pytest.approx(mean, rel=1e-6, abs=1e-9)


def test_smoothing_takes_speckles_away_and_keeps_straight_edges():
    image = np.full((40, 60, 3), 40, np.uint8)
    image[:, 30:] = 200
    image[10, 10] = image[20:22, 45] = 120
    segmentation = Segmenter(3, smoothing=1, random_state=0).update(image)
    assert len(np.unique(segmentation.labels[:, :30])) == 1
    assert len(np.unique(segmentation.labels[:, 30:])) == 1
    assert segmentation.labels[0, 0] != segmentation.labels[0, -1]


def test_labels_stick_to_the_labels_before_smoothing():
    rng = np.random.default_rng(3)
    frames = [noise(rng, 30, 40) for _ in range(3)]
    rough, smooth = Segmenter(6, random_state=0), Segmenter(6, smoothing=1, random_state=0)
    for frame in frames:
        expected = naive.smooth(rough.update(frame).labels)
        np.testing.assert_array_equal(smooth.update(frame).labels, expected)


@pytest.mark.parametrize("smoothing", [-1, 9, 1.5, True])
def test_smoothing_is_a_whole_number_up_to_eight(smoothing):
    with pytest.raises((TypeError, ValueError), match="smoothing"):
        Segmenter(smoothing=smoothing)
