"""The parts under the segmenter, from seeding to colour spaces, each on its own."""

from __future__ import annotations

import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import cv2
import naive
import numpy as np
import pytest

from livekm.core.colorspace import COLOR_SPACES, to_features
from livekm.core.identity import match
from livekm.core.moves import Prices, find_move, price, revive
from livekm.core.policy import TrainingPolicy
from livekm.core.sample import Sample
from livekm.core.scene_change import SceneChange
from livekm.core.seeding import SEEDINGS, kmeans_plus_plus
from livekm.core.threads import available_cores, run_in_threads
from livekm.core.trainer import Trainer

POLICY = TrainingPolicy()
PLACES = 3  # centers are rounded to eighths of a level


def blobs(rng, k, each=100, sigma=2.0):
    """(k * each, 3) float32 points around k colours that lie far apart, and these colours."""
    corners = np.array([(x, y, z) for x in (40, 128, 216) for y in (40, 216) for z in (40, 216)])
    colors = corners[rng.permutation(len(corners))[:k]]
    points = np.repeat(colors, each, axis=0) + rng.normal(0, sigma, (k * each, 3))
    return np.rint(points).clip(0, 255).astype(np.float32), colors


def as_pixels(points):
    return points.astype(np.uint8)[np.newaxis]


# --- seeding ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SEEDINGS)
@pytest.mark.parametrize(("n", "k"), [(1, 1), (500, 1), (500, 8), (500, 256), (5, 8), (300, 300)])
def test_a_seeding_gives_k_finite_centers_within_the_points(name, n, k):
    points = np.random.default_rng(0).integers(0, 256, (n, 3)).astype(np.float32)
    centers = np.asarray(SEEDINGS[name](points, k, np.random.default_rng(1)))
    assert centers.shape == (k, 3)
    assert (centers >= points.min(axis=0) - 1e-3).all()
    assert (centers <= points.max(axis=0) + 1e-3).all()


@pytest.mark.parametrize("name", SEEDINGS)
def test_a_seeding_depends_on_nothing_but_the_generator(name):
    points, _ = blobs(np.random.default_rng(0), 5)
    first, same, other = (SEEDINGS[name](points, 5, np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("name", SEEDINGS)
def test_a_seeding_takes_points_of_one_colour(name):
    points = np.full((50, 3), 7, np.float32)
    centers = SEEDINGS[name](points, 6, np.random.default_rng(0))
    np.testing.assert_allclose(centers, np.full((6, 3), 7))


@pytest.mark.parametrize("name", ["k-means++", "random"])
def test_centers_are_drawn_from_the_points(name):
    points, _ = blobs(np.random.default_rng(0), 5)
    centers = SEEDINGS[name](points, 12, np.random.default_rng(3))
    assert naive.squared_distances(centers, points).min(axis=1).max() == 0


def test_random_points_are_different_points_where_there_are_enough():
    points = np.arange(60, dtype=np.float32).reshape(20, 3)
    centers = SEEDINGS["random"](points, 20, np.random.default_rng(0))
    assert len(np.unique(centers, axis=0)) == 20


def test_a_random_partition_starts_near_the_mean():
    points, _ = blobs(np.random.default_rng(0), 4, each=1000)
    centers = SEEDINGS["random-partition"](points, 4, np.random.default_rng(0))
    assert np.abs(centers - points.mean(axis=0)).max() < 15


def test_kmeans_plus_plus_finds_every_blob():
    points, colors = blobs(np.random.default_rng(4), 10)
    for seed in range(10):
        centers = kmeans_plus_plus(points, 10, np.random.default_rng(seed))
        assert len(set(naive.nearest(centers, colors))) == 10


# --- samples ---------------------------------------------------------------------------------


def sample_of(points):
    """A sample of (n, d) points."""
    return Sample(np.ascontiguousarray(np.asarray(points, np.float32).T), PLACES)


def planar(centers):
    return np.ascontiguousarray(np.transpose(centers), np.float32)


def test_fitting_a_sample_is_lloyd_s_algorithm():
    points, colors = blobs(np.random.default_rng(0), 6)
    start = planar(colors + 9)
    fit = sample_of(points).fit(start, 50)
    expected, error = naive.lloyd(points, colors + 9, 50)
    np.testing.assert_allclose(fit.centers.T, expected, atol=2.0 ** -(PLACES + 1))
    assert fit.mse == pytest.approx(error / len(points), rel=1e-3)
    np.testing.assert_array_equal(start, planar(colors + 9))


def test_a_fit_is_refined_as_if_it_had_gone_on_and_stays_as_it_was():
    points, colors = blobs(np.random.default_rng(7), 6)
    sample = sample_of(points)
    whole = sample.fit(planar(colors + 40), 4)
    first = sample.fit(planar(colors + 40), 0)
    before = [np.copy(array) for array in (first.centers, first.labels, first.counts)]
    refined = sample.refine(first, 4)
    np.testing.assert_array_equal(refined.centers, whole.centers)
    assert refined.mse == whole.mse
    for array, copy in zip((first.centers, first.labels, first.counts), before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("k", [1, 2, 9])
@pytest.mark.parametrize("d", [3, 5])
def test_the_statistics_of_a_fit_are_those_of_its_centers(k, d):
    rng = np.random.default_rng(k)
    points = rng.integers(0, 256, (700, d)).astype(np.float32)
    fit = sample_of(points).fit(planar(points[:k]))
    counts, sums, errors, losses = naive.accumulate(points, fit.centers.T, fit.labels)
    np.testing.assert_array_equal(fit.labels, naive.nearest(points, fit.centers.T))
    np.testing.assert_array_equal(fit.counts, counts)
    np.testing.assert_array_equal(fit.errors, errors)
    np.testing.assert_array_equal(fit.losses(), losses)
    np.testing.assert_allclose(fit.means(), (sums / counts[:, np.newaxis]).T, rtol=1e-6)
    assert fit.mse == pytest.approx(errors.sum() / 700)


@pytest.mark.parametrize("d", [3, 5])
def test_a_split_gains_by_the_spread_along_the_longest_axis(d):
    points = np.random.default_rng(d).integers(0, 256, (700, d)).astype(np.float32)
    sample = sample_of(points)
    fit = sample.fit(planar(points[:4]), 2)
    gains, halves = sample.splits(fit)
    for j in range(4):
        away = points[fit.labels == j].T - fit.centers[:, [j]].astype(np.float64)
        values, vectors = np.linalg.eigh(away @ away.T)
        assert gains[j] == pytest.approx(2 / np.pi * values[-1])
        across = halves[0, :, j] - halves[1, :, j]
        assert abs(across @ vectors[:, -1]) == pytest.approx(np.linalg.norm(across), rel=1e-5)


# --- moves -----------------------------------------------------------------------------------


def stuck(seed=1):
    """A sample of four things, a fit with two centers on the first, and the things' colours."""
    points, colors = blobs(np.random.default_rng(seed), 4)
    start = np.array([colors[0] - 1, colors[0] + 1, colors[2], (colors[1] + colors[3]) / 2])
    sample = sample_of(points)
    return sample, sample.fit(planar(start), 20), colors


def test_a_move_leads_out_of_a_local_minimum():
    sample, fit, colors = stuck()
    move = find_move(sample, fit, 0.01, POLICY)
    assert move.fit.mse < 0.1 * fit.mse
    assert move.profit == pytest.approx(1 - move.fit.mse / fit.mse)
    assert set(naive.nearest(colors, move.fit.centers.T)) == {0, 1, 2, 3}


def test_a_move_that_does_not_pay_is_not_found():
    points, colors = blobs(np.random.default_rng(2), 5)
    sample = sample_of(points)
    assert find_move(sample, sample.fit(planar(colors), 20), 0.3, POLICY) is None


def test_a_move_must_save_the_price_of_what_it_relabels_and_of_whom_it_takes_away():
    sample, fit, _ = stuck()
    move = find_move(sample, fit, 0.01, POLICY)
    free = np.zeros(4)
    cheap = find_move(sample, fit, 0.01, POLICY, Prices(0.1, free))
    assert 0 < move.profit - cheap.profit < 0.1
    assert find_move(sample, fit, 0.01, POLICY, Prices(5.0, free)) is None
    assert find_move(sample, fit, 0.01, POLICY, Prices(0.0, free + 1)) is None
    for kept in (0, 1):  # of two labels on one thing, the cheaper one goes
        moved = find_move(sample, fit, 0.01, POLICY, Prices(0.0, np.eye(4)[kept])).fit
        ways = np.abs(moved.centers - fit.centers).max(axis=0)
        assert ways[kept] < 5
        assert ways[1 - kept] > 40


def test_a_label_is_dear_where_it_is_distinct_and_old():
    colors = np.array([[0, 0, 0], [0, 0, 10], [200, 200, 200], [100, 0, 0]], np.float64)
    prices = price(colors, np.array([100, 100, 100, 0]), 2.0, POLICY)
    np.testing.assert_allclose(prices.identities, 2 * 0.05 * np.array([10 / 40, 10 / 40, 1, 0]))
    assert (prices.relabelling, prices.exchange) == (2 * 0.1, 2 * 0.04)
    young = price(colors, np.array([5, 5, 5, 5]), 1.0, POLICY)
    assert young.identities[2] == pytest.approx(0.05 * 5 / 25)


def test_dead_centers_are_revived_where_they_gain_most():
    points, colors = blobs(np.random.default_rng(3), 4)
    sample = sample_of(points)
    fit = sample.fit(planar(np.vstack([colors[:2], np.full((2, 3), 1000)])))
    assert revive(sample, fit).counts.min() > 0


def test_where_colours_are_few_dead_centers_stay_dead_and_end_the_search():
    points = np.repeat([[10, 20, 30], [200, 100, 50]], 40, axis=0).astype(np.float32)
    sample = sample_of(points)
    fit = revive(sample, sample.fit(planar(np.vstack([points[::40], np.zeros((6, 3))])), 5))
    assert fit.mse == 0
    assert (fit.counts > 0).sum() == 2


@pytest.mark.parametrize("k", [1, 2, 40])
def test_one_colour_after_many_is_met_by_one_center_and_the_others_stay(k):
    many = np.random.default_rng(4).integers(0, 256, (500, 3)).astype(np.float32)
    before = sample_of(many).fit(planar(many[:k]), 5).centers
    flat = sample_of(np.full((500, 3), (10, 200, 90)))
    fit = revive(flat, flat.fit(before, 5))
    assert fit.mse == 0
    (alive,) = np.flatnonzero(fit.counts)
    np.testing.assert_array_equal(fit.centers[:, alive], [10, 200, 90])
    others = np.arange(k) != alive
    np.testing.assert_array_equal(fit.centers[:, others], before[:, others])


# --- scene change ----------------------------------------------------------------------------


def picture(seed, size=(24, 32)):
    """An image of four areas in random colours."""
    rng = np.random.default_rng(seed)
    image = np.empty((*size, 3), np.uint8)
    for rows in (np.s_[: size[0] // 2], np.s_[size[0] // 2 :]):
        for columns in (np.s_[: size[1] // 3], np.s_[size[1] // 3 :]):
            image[rows, columns] = rng.integers(0, 256, 3)
    return image


def noisy(image, rng, sigma=5.0):
    return np.rint(image + rng.normal(0, sigma, image.shape)).clip(0, 255).astype(np.uint8)


def test_the_first_frame_is_no_cut():
    assert not SceneChange().observe(picture(0))


def test_cuts_are_seen_where_they_are_and_nowhere_else():
    rng = np.random.default_rng(0)
    scene = SceneChange()
    cuts = [i for i in range(60) if scene.observe(noisy(picture(i // 20), rng))]
    assert cuts == [20, 40]


def test_slow_light_and_fast_motion_are_no_cuts():
    rng = np.random.default_rng(1)
    dimming, sliding = SceneChange(), SceneChange()
    image = picture(1)
    for i in range(40):
        assert not dimming.observe(noisy(image * (1 - i / 60), rng))
        assert not sliding.observe(noisy(np.roll(image, 4 * i, axis=1), rng))


def test_a_change_that_is_twice_the_usual_one_is_no_cut():
    rng = np.random.default_rng(2)
    restless, calm = SceneChange(), SceneChange()
    for scene, levels in ((restless, 48), (calm, 6)):  # a third of which a pixel changes by
        for _ in range(20):
            assert not scene.observe(rng.integers(60, 60 + levels, (36, 48, 3), np.uint8))
    much = rng.integers(60, 160, (36, 48, 3), np.uint8)
    assert (restless.observe(much), calm.observe(much)) == (False, True)


def test_a_new_size_alone_is_no_cut():
    scene = SceneChange()
    scene.observe(picture(2))
    assert not scene.observe(picture(2, size=(48, 64)))
    assert scene.observe(picture(3, size=(12, 16)))


def test_drift_is_the_share_of_the_pixels_whose_colours_have_moved():
    scene = SceneChange()
    assert scene.drift(None) == 1
    image = np.zeros((10, 10, 3), np.uint8)
    scene.observe(image)
    before = scene.histogram
    assert scene.drift(before) == 0
    image = image.copy()
    image[:3] = 200
    scene.observe(image)
    assert scene.drift(before) == pytest.approx(0.3)


# --- trainer ---------------------------------------------------------------------------------


def trainer_on(points, k, seed=0):
    trainer = Trainer(k, kmeans_plus_plus, np.random.default_rng(seed), PLACES)
    trainer.step(np.ascontiguousarray(points.T), as_pixels(points))
    return trainer


def test_the_first_step_is_converged_k_means():
    rng = np.random.default_rng(5)
    points = rng.integers(0, 256, (600, 3)).astype(np.float32)
    mse = naive.squared_distances(points, trainer_on(points, 7).centers.T).min(axis=1).mean()
    assert mse <= 1.01 * naive.best_mse(points, 7)


def test_a_still_scene_leaves_the_centers_where_they_are():
    points, _ = blobs(np.random.default_rng(6), 5)
    trainer = trainer_on(points, 5)
    before = trainer.centers.copy()
    for _ in range(30):
        assert not trainer.step(np.ascontiguousarray(points.T), as_pixels(points))
    np.testing.assert_array_equal(trainer.centers, before)


def test_a_seeding_must_give_k_finite_centers():
    points, _ = blobs(np.random.default_rng(7), 3)
    for wrong in (np.zeros((2, 3)), np.zeros((3, 2)), np.full((3, 3), np.nan)):
        trainer = Trainer(3, lambda *_, wrong=wrong: wrong, np.random.default_rng(0), PLACES)
        with pytest.raises(ValueError, match="seeding must return 3 finite centers of 3 features"):
            trainer.step(np.ascontiguousarray(points.T), as_pixels(points))


def test_before_the_first_frame_a_new_k_is_only_noted():
    trainer = Trainer(3, kmeans_plus_plus, np.random.default_rng(0), PLACES)
    np.testing.assert_array_equal(trainer.resize(6), np.arange(256))
    points, _ = blobs(np.random.default_rng(8), 6)
    trainer.step(np.ascontiguousarray(points.T), as_pixels(points))
    assert trainer.centers.shape == (3, 6)


@pytest.mark.parametrize(("k", "more"), [(1, 1), (1, 12), (4, 1), (4, 4), (8, 248)])
def test_more_clusters_leave_those_that_are_not_split(k, more):
    points, _ = blobs(np.random.default_rng(9), 12)
    trainer = trainer_on(points, k)
    before = trainer.centers.copy()
    slots = trainer.resize(k + more)
    np.testing.assert_array_equal(slots[:k], np.arange(k))
    assert trainer.centers.shape == (3, k + more)
    same = (trainer.centers[:, :k] == before).all(axis=0)
    assert (~same).sum() <= more


def test_splits_go_where_they_gain_most():
    points, colors = blobs(np.random.default_rng(10), 8)
    trainer = trainer_on(points, 2)
    trainer.resize(8)
    assert len(set(naive.nearest(colors, trainer.centers.T))) == 8


@pytest.mark.parametrize(("k", "fewer"), [(2, 1), (5, 1), (12, 4), (12, 11), (200, 190)])
def test_fewer_clusters_leave_the_others_and_say_where_each_slot_went(k, fewer):
    rng = np.random.default_rng(k + fewer)
    points = rng.integers(0, 256, (900, 3)).astype(np.float32)
    trainer = trainer_on(points, k)
    before = trainer.centers.copy()
    slots = trainer.resize(k - fewer)
    assert trainer.centers.shape == (3, k - fewer)
    assert slots[:k].max() == k - fewer - 1
    for slot in range(k - fewer):
        came_from = np.flatnonzero((before == trainer.centers[:, [slot]]).all(axis=0))
        assert len(came_from) == 1
        assert slots[came_from[0]] == slot
        if came_from[0] < k - fewer and fewer == 1:
            assert came_from[0] == slot


def test_a_merged_slot_goes_to_its_nearest_neighbour():
    points, _ = blobs(np.random.default_rng(12), 6, sigma=1)
    for seed in range(6):  # so that first, middle and last slots are removed
        trainer = trainer_on(np.vstack([points, points[:5] + 12]), 7, seed)
        before = trainer.centers.T.copy()
        slots = trainer.resize(6)
        removed = [j for j in range(7) if (before[j] != trainer.centers[:, slots[j]]).any()]
        assert len(removed) == 1
        assert slots[removed[0]] == naive.nearest(before[removed], trainer.centers.T)[0]


def test_the_frame_after_a_resize_keeps_the_centers():
    points, _ = blobs(np.random.default_rng(13), 6)
    trainer = trainer_on(points, 6)
    trainer.resize(8)
    before = trainer.centers.copy()
    trainer.step(np.ascontiguousarray(points.T), as_pixels(points))
    np.testing.assert_array_equal(trainer.centers, before)


@pytest.mark.parametrize("k", [1, 2, 7, 256])
def test_matching_undoes_any_permutation(k):
    order = np.random.default_rng(k).permutation(k)
    np.testing.assert_array_equal(match(np.eye(k)[order]), order)


def test_matching_takes_every_column_once_even_where_all_are_equal():
    assert sorted(match(np.ones((9, 9)))) == list(range(9))


def test_the_best_pair_is_matched_whatever_becomes_of_the_rest():
    gain = np.array([[5.0, 8, 9], [0, 1, 10], [7, 0, 0]])
    np.testing.assert_array_equal(match(gain), [1, 2, 0])


# --- threads ---------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("total", [0, 1, 2, 7, 100])
def test_ranges_cover_the_work_once(threads, total):
    done = []

    def kernel(first, last, mark):
        done.append((first, last, mark))

    run_in_threads(threads, kernel, total, "x")
    assert sorted(i for first, last, _ in done for i in range(first, last)) == list(range(total))
    assert {mark for *_, mark in done} <= {"x"}


def test_threads_work_side_by_side():
    meeting = threading.Barrier(3, timeout=10)
    met = []

    def kernel(first, last):
        if first < 3:  # the first chunks can only be done if three threads are at work
            met.append(meeting.wait())

    run_in_threads(3, kernel, 12)
    assert sorted(met) == [0, 1, 2]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("bad", range(0, 24, 5))
def test_an_exception_in_any_range_comes_out(threads, bad):
    def kernel(first, last):
        if first <= bad < last:
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        run_in_threads(threads, kernel, 24)


def test_what_has_nothing_left_to_do_is_not_waited_for():
    """Others may keep all threads busy; the calling one then does the work alone."""
    release = threading.Event()
    busy = [threading.Thread(target=run_in_threads, args=(2, waiting(release), 2000))
            for _ in range(2)]  # fmt: skip
    for thread in busy:
        thread.start()
    try:
        done = []
        run_in_threads(2, lambda first, last: done.append((first, last)), 8)
        assert sum(last - first for first, last in done) == 8
    finally:
        release.set()
        for thread in busy:
            thread.join()


def test_frame_after_frame_starts_no_further_threads():
    for _ in range(2000):
        run_in_threads(4, lambda first, last: None, 16)
    helpers = [thread for thread in threading.enumerate() if "livekm helper of 3" in thread.name]
    assert len(helpers) <= 3


def test_work_that_no_thread_took_up_holds_nothing(monkeypatch):
    """On a busy machine it waits on in the pool, once for each frame."""
    event, image = threading.Event(), np.zeros(100)
    held = weakref.ref(image)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(event.wait, 30)
        monkeypatch.setattr("livekm.core.threads._executor", lambda *_: pool)
        run_in_threads(2, lambda first, last, image: None, 16, image)
        del image
        assert held() is None
        event.set()


def waiting(event):
    return lambda first, last: event.wait(30)


def test_there_is_at_least_one_core():
    assert available_cores() >= 1


# --- colour spaces ---------------------------------------------------------------------------


def random_colors(n=4000):
    return np.random.default_rng(20).integers(0, 256, (1, n, 3)).astype(np.uint8)


@pytest.mark.parametrize("name", COLOR_SPACES)
def test_features_are_whole_steps_within_the_stated_reach(name):
    space = COLOR_SPACES[name]
    corners = np.array(list(np.ndindex(2, 2, 2)), np.uint8)[np.newaxis] * 255
    for image in (random_colors(), corners):
        steps = to_features(image, name) * space.units
        np.testing.assert_array_equal(steps, np.rint(steps))
        steps = steps.reshape(-1, 3)[:2000]
        # Pure green and pure blue are 1 % farther from each other in Lab: that is never nearest.
        assert naive.squared_distances(steps, steps).max() <= 1.025 * space.reach


@pytest.mark.parametrize("name", COLOR_SPACES)
def test_the_span_is_the_way_from_black_to_white(name):
    black, white = to_features(np.array([[(0, 0, 0), (255, 255, 255)]], np.uint8), name)[0]
    way = np.linalg.norm(white - black)
    assert way / (np.sqrt(3) if name == "bgr" else 1) == pytest.approx(COLOR_SPACES[name].span)


@pytest.mark.parametrize(("name", "tolerance"), [("bgr", 0), ("lab", 1), ("hsv", 1)])
def test_colours_come_back_from_their_features(name, tolerance):
    image = random_colors()
    features = to_features(image, name)
    back = np.rint(COLOR_SPACES[name].to_bgr(features[0])).clip(0, 255).astype(np.uint8)[np.newaxis]
    assert np.abs(to_features(back, name) - features).max() <= tolerance
    assert np.median(cv2.absdiff(back, image)) == 0


def test_lab_is_that_of_opencv():
    image = random_colors()
    expected = cv2.cvtColor((image / 255).astype(np.float32), cv2.COLOR_BGR2Lab)
    assert np.abs(to_features(image, "lab") - expected).max() < 0.5  # a quarter is the rounding


def test_hue_does_not_wrap():
    almost_red = np.array([[(0, 8, 255), (8, 0, 255), (0, 255, 8)]], np.uint8)
    features = to_features(almost_red, "hsv")[0]
    assert np.linalg.norm(features[0] - features[1]) < 20
    assert np.linalg.norm(features[0] - features[2]) > 300


@pytest.mark.parametrize("name", COLOR_SPACES)
def test_features_of_an_image_of_any_strides(name):
    image = np.random.default_rng(21).integers(0, 256, (9, 14, 3)).astype(np.uint8)
    expected = to_features(image, name)
    image.flags.writeable = False
    np.testing.assert_array_equal(to_features(image[::-1, ::2], name), expected[::-1, ::2])
    np.testing.assert_array_equal(to_features(np.asfortranarray(image), name), expected)
