"""What each rule of training is for: quality, steadiness, identity, cost."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from livekm import Segmenter
from livekm.core import light, moves
from livekm.core.identity import Identity
from livekm.core.moves import Move, MoveLedger, Prices
from livekm.core.policy import TrainingPolicy
from livekm.core.sample import Sample

POLICY = TrainingPolicy()


def noisy(image, rng, sigma=2.0):
    return np.rint(image + rng.normal(0, sigma, image.shape)).clip(0, 255).astype(np.uint8)


def mottled(seed=0, size=(40, 60)):
    """A picture whose colours run into each other, as float64."""
    coarse = np.random.default_rng(seed).uniform(20, 220, (6, 8, 3))
    return cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)


def features(pixels):
    """The sample of (h, w, 3) BGR pixels."""
    return Sample(np.ascontiguousarray(pixels.reshape(-1, 3).T.astype(np.float32)))


# --- light -----------------------------------------------------------------------------------


def predicted(before, after, labels, centers):
    """What `light.predict` makes of (k, 3) centers between two (h, w, 3) images."""
    samples = features(before), features(after)
    groups = np.asarray(labels, np.int32).ravel()
    planar = np.ascontiguousarray(np.transpose(centers), np.float32)
    return light.predict(planar, groups, *samples, (before, after), POLICY).T


def halves(left, right, size=(4, 10)):
    image = np.full((*size, 3), left, np.uint8)
    image[:, size[1] // 2 :] = right
    return image


HALVES = halves(0, 1)[..., 0]  # their labels


def test_each_center_goes_as_its_own_pixels_change():
    before, after = halves(100, 50), halves(110, 45)
    way = predicted(before, after, HALVES, [[100] * 3, [50] * 3])
    np.testing.assert_array_equal(way, [[110] * 3, [45] * 3])


def test_what_moves_there_is_no_light():
    before = halves(100, 50)
    for change, expected in ((POLICY.calm, 100 + POLICY.calm), (POLICY.calm + 1, 100)):
        after = before.copy()
        after[:, :5, 1] += change
        way = predicted(before, after, HALVES, [[100] * 3, [50] * 3])
        np.testing.assert_array_equal(way, [[100, expected, 100], [50] * 3])


def test_a_center_whose_pixels_move_goes_as_the_calm_rest_of_the_frame():
    before, after = halves(100, 50), halves(200, 56)
    before[:, :5][:2] = after[:, :5][:2] = 0  # three fifths of the frame are calm, without label 0
    labels = HALVES.copy()
    labels[:2, :5] = 2
    way = predicted(before, after, labels, [[100] * 3, [50] * 3, [0] * 3])
    calm = 6 * 20 / 30
    np.testing.assert_allclose(way, [[100 + calm] * 3, [56] * 3, [0] * 3])
    after[:, 5:] = 150  # and where most of the frame moves, nothing is known
    way = predicted(before, after, labels, [[100] * 3, [50] * 3, [0] * 3])
    np.testing.assert_allclose(way, [[100] * 3, [50] * 3, [0] * 3])


def test_a_few_pixels_tell_nothing_of_the_light():
    before, after = halves(100, 50), halves(100, 50)
    labels = np.zeros((4, 10), int)
    few = POLICY.calm_points - 1
    labels.flat[:few] = 1
    after[labels == 1] += 20
    way = predicted(before, after, labels, [[100] * 3, [100] * 3])
    np.testing.assert_allclose(way[1], 100 + 20 * few / 40)


def test_two_centers_on_the_noise_of_one_thing_are_not_brought_together():
    rng = np.random.default_rng(0)
    frames = [noisy(np.full((60, 60, 3), 120.0), rng, 6) for _ in range(3)]
    fits = [features(frame).fit(np.float32([[116, 124], [120, 120], [120, 120]]), 20)
            for frame in frames]  # fmt: skip
    centers = fits[1].centers.T
    apart = np.abs(centers[0] - centers[1]).max()
    assert apart > 6
    own = predicted(*frames[1:], fits[1].labels, centers)
    older = predicted(*frames[1:], fits[0].labels, centers)
    assert np.abs(own[0] - own[1]).max() < 0.3 * apart
    np.testing.assert_allclose(older, centers, atol=0.1 * apart)


@pytest.mark.parametrize("color_space", ["bgr", "lab", "hsv"])
def test_labels_stay_while_the_light_swells(color_space):
    scene, flips = mottled(), []
    for swell in (0.0, 0.25):
        rng = np.random.default_rng(1)
        segmenter = Segmenter(8, color_space=color_space, random_state=0)
        gains = [1 + swell * np.sin(t / 8) for t in range(40)]
        labels = [segmenter.update(noisy(scene * gain, rng)).labels for gain in gains]
        flips.append(np.mean([(a != b).mean() for a, b in itertools.pairwise(labels)]))
    assert flips[1] <= 1.4 * flips[0] + 0.002


# --- moves -----------------------------------------------------------------------------------


@pytest.fixture
def offers(monkeypatch):
    """What `find_move` finds, one after the other: a profit, or None."""
    queue, looks = [], []

    def find(sample, fit, saving, policy, prices=None):
        looks.append(saving)
        profit = queue.pop(0) if queue else None
        return None if profit is None else Move(f"moved by {profit}", profit)

    monkeypatch.setattr(moves, "find_move", find)
    return queue, looks


def improve(ledger, has_news=False, dearness=1.0):
    prices = Prices(0.0, np.zeros(2))
    return ledger.improve(None, "as it was", prices, dearness, lambda: has_news)[0]


def test_a_move_is_bought_when_what_it_would_have_saved_adds_up(offers):
    queue, _ = offers
    ledger = MoveLedger(POLICY)
    queue += [0.1] * 3
    assert [improve(ledger) for _ in range(3)] == ["as it was", "as it was", "moved by 0.1"]


def test_a_move_that_saves_much_is_made_at_once(offers):
    queue, _ = offers
    queue += [POLICY.at_once]
    assert improve(MoveLedger(POLICY)) == f"moved by {POLICY.at_once}"


def test_a_frame_without_an_offer_clears_the_sum(offers):
    queue, _ = offers
    ledger = MoveLedger(POLICY)
    queue += [0.14, 0.14, None, 0.14, 0.14]
    assert [improve(ledger, has_news=True) for _ in range(5)] == ["as it was"] * 5


def test_without_steadiness_every_move_that_pays_is_made_up_to_three_a_frame(offers):
    queue, looks = offers
    queue += [0.001] * 9
    assert improve(MoveLedger(POLICY), dearness=0.0) == "moved by 0.001"
    assert len(looks) == POLICY.moves == 3


def test_looks_that_fail_become_rare_until_the_scene_is_another(offers):
    _, looks = offers
    ledger, at = MoveLedger(POLICY), []
    for frame in range(30):
        improve(ledger)
        if looks:
            at.append(frame)
            looks.clear()
    assert at == [0, 1, 4, 11, 19, 27]
    improve(ledger, has_news=True)
    assert looks
    looks.clear()
    ledger.hurry()
    improve(ledger)
    assert looks


# --- identity --------------------------------------------------------------------------------

THREE = np.array([[10, 10, 10], [200, 100, 50], [90, 200, 220]], np.float64)
OTHERS = np.array([[250, 0, 120], [60, 250, 10], [0, 60, 250]], np.float64)


def started(colors=THREE):
    identity = Identity()
    identity.start(colors)
    return identity


def test_ids_begin_with_the_labels():
    assert started().ids.tolist() == [0, 1, 2]
    assert started().ids.dtype == np.int64


@pytest.mark.parametrize(("way", "id_"), [(POLICY.identity_jump, 1), (POLICY.identity_jump + 1, 3)])
def test_a_label_that_jumps_has_a_new_id_in_that_frame(way, id_):
    identity = started()
    colors = THREE.copy()
    colors[1, 2] += way
    identity.follow(THREE, colors)
    assert identity.ids.tolist() == [0, id_, 2]
    identity.follow(colors, colors)
    assert identity.ids.tolist() == [0, id_, 2]


def test_a_label_that_does_not_go_with_the_light_is_something_else():
    identity = started()
    expected, colors = THREE.copy(), THREE.copy()
    expected[:, 0] += 35
    colors[:2, 0] += 35
    colors[2, 0] -= 10
    identity.follow(expected, colors)
    assert identity.ids.tolist() == [0, 1, 3]


def test_a_label_that_slides_away_is_something_else_at_last():
    identity, colors = started(), THREE.copy()
    for _ in range(100):
        before, colors = colors, colors + np.array([[0, 0, 0], [0, 1.5, 0], [0, 0, 0]])
        identity.follow(before, colors)
        if identity.ids[1] != 1:
            break
    assert POLICY.slide < colors[1, 1] - THREE[1, 1] < 1.6 * POLICY.slide
    assert identity.ids.tolist() == [0, 3, 2]


def test_a_label_may_slide_slowly_or_with_the_light():
    slow, lit, colors, lighter = started(), started(), THREE.copy(), THREE.copy()
    for _ in range(200):
        before, colors = colors, colors + 0.4
        slow.follow(before, colors)
        before, lighter = lighter, lighter + 1.5
        lit.follow(lighter, lighter)
    assert slow.ids.tolist() == lit.ids.tolist() == [0, 1, 2]


def test_what_is_the_same_after_a_cut_has_its_label_and_its_id_and_the_rest_new_ids():
    identity = started()
    near = THREE[1] + [POLICY.same, 0, 0]
    far = THREE[0] + [0, 0, POLICY.same + 1]
    order = identity.start(np.array([near, OTHERS[0], far]))
    assert order.tolist() == [2, 0, 1]
    assert identity.ids.tolist() == [3, 1, 4]


def test_a_shot_that_returns_gets_its_old_labels_and_ids():
    identity = started()
    identity.start(OTHERS)
    assert identity.ids.tolist() == [3, 4, 5]
    assert identity.start(THREE[[2, 0, 1]] + 3).tolist() == [1, 2, 0]
    assert identity.ids.tolist() == [0, 1, 2]
    for shot in range(POLICY.shots):
        identity.start(OTHERS + shot % 2)
    identity.start(THREE)  # so many shots later, it is forgotten
    assert not set(identity.ids) & {0, 1, 2}


def test_no_id_is_given_twice_though_all_is_forgotten():
    identity = started()
    identity.forget()
    identity.start(THREE)
    assert identity.ids.tolist() == [3, 4, 5]


def test_ids_of_fixed_colours_come_back_in_the_order_of_the_colours():
    identity = started()
    order = identity.start(THREE[[1, 2, 0]], in_order=True)
    assert order.tolist() == [0, 1, 2]
    assert identity.ids.tolist() == [1, 2, 0]


def test_ids_given_before_are_not_written_to():
    identity = started()
    held = identity.ids
    identity.follow(THREE, OTHERS)
    assert held.tolist() == [0, 1, 2]


def test_a_split_gives_one_new_id_and_a_merge_ends_one():
    identity = started()
    grown = np.vstack([THREE, OTHERS[:1]])
    identity.regroup(np.array([0, 1, 2, -1]), grown)
    assert identity.ids.tolist() == [0, 1, 2, 3]
    identity.regroup(np.array([0, 3, 2]), grown[[0, 3, 2]])
    assert identity.ids.tolist() == [0, 3, 2]


def test_labels_grow_old_frame_by_frame_and_are_young_again_when_they_are_something_else():
    identity = started()
    for _ in range(3):
        identity.follow(THREE, THREE)
    assert identity.ages.tolist() == [3, 3, 3]
    colors = THREE.copy()
    colors[0] = OTHERS[0]
    identity.follow(THREE, colors)
    assert identity.ages.tolist() == [1, 4, 4]
