"""What each rule of training is for: quality, steadiness, identity, cost."""

from __future__ import annotations

import itertools
from dataclasses import replace

import cv2
import naive
import numpy as np
import pytest

from livekm import Segmenter
from livekm.core import light, moves
from livekm.core.challenges import Calendar, wanted_saving
from livekm.core.cloud import Cloud
from livekm.core.identity import Identity
from livekm.core.labeler import Labeler
from livekm.core.moves import Move, MoveLedger, Prices
from livekm.core.policy import TrainingPolicy
from livekm.core.sample import Sample
from livekm.core.scene_change import SceneChange
from livekm.core.seeding import kmeans_plus_plus, random_points
from livekm.core.trainer import Trainer, by_overlap

POLICY = TrainingPolicy()


def noisy(image, rng, sigma=2.0):
    return np.rint(image + rng.normal(0, sigma, image.shape)).clip(0, 255).astype(np.uint8)


def mottled(seed=0, size=(40, 60)):
    """A picture whose colours run into each other, as float64."""
    coarse = np.random.default_rng(seed).uniform(20, 220, (6, 8, 3))
    return cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)


def posterised(seed=0, size=(40, 60)):
    """The same in few colours, which a little noise leaves in their bins of the histogram."""
    return mottled(seed, size) // 32 * 32 + 16


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
    for change, expected in ((24, 124), (25, 100)):
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
    after[:, 5:] = np.resize([0, 250], (4, 5, 1))  # most of the frame moves: who knows
    way = predicted(before, after, labels, [[100] * 3, [50] * 3, [0] * 3])
    np.testing.assert_allclose(way, [[100] * 3, [50] * 3, [0] * 3])


def test_a_center_that_is_calm_in_part_goes_as_the_frame_does():
    before, after = halves(100, 50, (10, 10)), halves(200, 56, (10, 10))
    after[:2, :5] = 100  # a fifth of its pixels
    labels = halves(0, 1, (10, 10))[..., 0]
    way = predicted(before, after, labels, [[100] * 3, [50] * 3])
    np.testing.assert_allclose(way, [[100 + 6 * 50 / 60] * 3, [56] * 3])


def test_a_few_pixels_tell_nothing_of_the_light():
    before, after = np.full((2, 4, 10, 3), 100, np.uint8)
    labels = np.zeros((4, 10), int)
    for few, way in ((7, 20 * 7 / 40), (8, 20)):
        labels.flat[:few] = 1
        after[labels == 1] = before[labels == 1] + 20
        centers = predicted(before, after, labels, [[100] * 3, [100] * 3])
        np.testing.assert_allclose(centers[1], 100 + way)


def test_a_flash_and_a_quick_fade_are_light():
    before = mottled(size=(60, 80)).astype(np.uint8)
    labels = before[..., 0] // 64
    centers = [before[labels == label].mean(axis=0) for label in range(4)]
    for after in (before / 3, (1.5 * before + 40).clip(0, 255)):
        after = after.astype(np.uint8)
        means = [after[labels == label].mean(axis=0) for label in range(4)]
        np.testing.assert_allclose(predicted(before, after, labels, centers), means, atol=5)
    way = predicted(before, before[::-1].copy(), labels, centers)  # that is something else
    np.testing.assert_allclose(way, centers, atol=0.1)


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
    if not ledger.is_due(lambda: has_news):
        return "as it was"
    prices = Prices(0.0, np.zeros(2))
    return ledger.improve(None, "as it was", prices, dearness)[0]


def test_a_move_is_bought_when_what_it_would_have_saved_adds_up(offers):
    queue, _ = offers
    ledger = MoveLedger(POLICY)
    queue += [0.1] * 3
    assert [improve(ledger) for _ in range(3)] == ["as it was", "as it was", "moved by 0.1"]


def test_a_move_that_saves_much_is_made_at_once(offers):
    queue, _ = offers
    queue += [0.15]
    assert improve(MoveLedger(POLICY)) == "moved by 0.15"


def test_a_frame_without_an_offer_clears_the_sum(offers):
    queue, _ = offers
    ledger = MoveLedger(POLICY)
    queue += [0.14, 0.14, None, 0.14, 0.14]
    assert [improve(ledger, has_news=True) for _ in range(5)] == ["as it was"] * 5


def test_without_steadiness_every_move_that_pays_is_made_up_to_three_a_frame(offers):
    queue, looks = offers
    queue += [0.001] * 9
    assert improve(MoveLedger(POLICY), dearness=0.0) == "moved by 0.001"
    assert looks == [0.01] * 3


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


class Watched(Identity):
    """All labels have pixels in all frames."""

    def start(self, colors, **more):
        order = super().start(colors, **more)
        self.see(np.ones(len(colors)))
        return order

    def follow(self, expected, colors):
        super().follow(expected, colors)
        self.see(np.ones(len(colors)))


def started(colors=THREE):
    identity = Watched()
    identity.start(colors)
    return identity


def begun_without(label):
    """A shot in whose first frame no pixel has this label."""
    identity = Identity()
    identity.start(THREE)
    identity.see(np.arange(3) != label)
    return identity


def test_ids_begin_with_the_labels():
    assert started().ids.tolist() == [0, 1, 2]
    assert started().ids.dtype == np.int64


@pytest.mark.parametrize(("way", "id_"), [(40, 1), (41, 3)])
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


def test_a_label_may_jump_where_the_light_does():
    identity, bright = started(), THREE * 0.2 + 150
    identity.follow(bright, bright + 5)
    assert identity.ids.tolist() == [0, 1, 2]
    identity.follow(bright, bright + 41 * np.eye(3, 1))
    assert identity.ids.tolist() == [3, 1, 2]


def test_a_label_that_slides_away_is_something_else_at_last():
    identity, colors = started(), THREE.copy()
    for _ in range(100):
        before, colors = colors, colors + np.array([[0, 0, 0], [0, 1.5, 0], [0, 0, 0]])
        identity.follow(before, colors)
        if identity.ids[1] != 1:
            break
    assert 80 < colors[1, 1] - THREE[1, 1] < 130
    assert identity.ids.tolist() == [0, 3, 2]


def test_a_label_may_slide_slowly_or_with_the_light():
    slow, lit, colors, lighter = started(), started(), THREE.copy(), THREE.copy()
    for _ in range(200):
        before, colors = colors, colors + 0.4
        slow.follow(before, colors)
        before, lighter = lighter, lighter + 1.5
        lit.follow(lighter, lighter)
    assert slow.ids.tolist() == lit.ids.tolist() == [0, 1, 2]


def test_errors_of_the_light_that_add_up_end_nothing():
    identity = started()
    for _ in range(100):  # the dark side of an edge that moves seems to brighten in every frame
        identity.follow(THREE + 2, THREE)
    assert identity.ids.tolist() == [0, 1, 2]


def test_what_is_the_same_after_a_cut_has_its_label_and_its_id_and_the_rest_new_ids():
    identity = started()
    near = THREE[1] + [20, 0, 0]
    far = THREE[0] + [0, 0, 21]
    order = identity.start(np.array([near, OTHERS[0], far]))
    assert order.tolist() == [2, 0, 1]
    assert identity.ids.tolist() == [3, 1, 4]


def test_a_shot_that_returns_gets_its_old_labels_and_ids():
    identity = started()
    identity.start(OTHERS)
    assert identity.ids.tolist() == [3, 4, 5]
    assert identity.start(THREE[[2, 0, 1]] + 3).tolist() == [1, 2, 0]
    assert identity.ids.tolist() == [0, 1, 2]
    for shot in range(8):
        identity.start(OTHERS + shot % 2)
    identity.start(THREE)  # so many shots later, it is forgotten
    assert not set(identity.ids) & {0, 1, 2}


def test_the_shot_that_returns_is_the_one_with_all_its_colours():
    identity = started(np.zeros((3, 3)))  # black, to which the dark colour of any shot is near
    identity.start(THREE)
    identity.start(OTHERS)
    before = identity.ids.tolist()
    identity.start(THREE)
    assert identity.ids.tolist() == [0, 3, 4]
    identity.start(OTHERS)
    assert identity.ids.tolist() == before


def test_one_colour_that_is_the_very_same_does_not_make_it_that_shot():
    identity = started()
    identity.start(np.vstack([THREE[:1] + 3, OTHERS[1:]]))
    identity.start(np.zeros((3, 3)))
    identity.start(THREE + 3)
    assert identity.ids.tolist() == [0, 1, 2]


def test_what_the_labels_were_can_be_restored():
    identity = started()
    identity.follow(THREE, THREE)
    past = identity.remember()
    identity.follow(OTHERS, OTHERS + 3)
    identity.restore(past)
    assert identity.ids.tolist() == [0, 1, 2]
    assert identity.ages.tolist() == [2, 2, 2]
    identity.follow(THREE, THREE)
    assert identity.ids.tolist() == [0, 1, 2]


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
    assert identity.ages.tolist() == [4, 4, 4]
    colors = THREE.copy()
    colors[0] = OTHERS[0]
    identity.follow(THREE, colors)
    assert identity.ages.tolist() == [1, 5, 5]


def test_the_id_of_a_label_that_no_pixel_had_is_kept_for_what_it_will_be():
    jumped, cut = begun_without(1), begun_without(1)
    jumped.follow(THREE, OTHERS)
    assert jumped.ids.tolist() == [3, 1, 4]
    order = cut.start(OTHERS)
    assert cut.ids.tolist() == [3, 1, 4]
    cut.see(np.ones(3))
    cut.follow(OTHERS[order], THREE)  # from now on it is one thing for ever
    assert cut.ids.tolist() == [5, 6, 7]


def test_what_no_pixel_had_does_not_come_back():
    identity = begun_without(1)
    identity.start(OTHERS)
    identity.see(np.ones(3))
    identity.start(THREE)
    assert identity.ids.tolist() == [0, 5, 2]  # id 1 was one of the others
    never = begun_without(1)
    never.start(THREE)
    assert never.ids.tolist() == [0, 1, 2]  # nor has it been anything else


def test_what_came_back_unseen_is_still_what_it_was():
    identity = started()
    identity.start(OTHERS)
    identity.start(THREE)
    for _ in range(2):
        Identity.start(identity, OTHERS)
        identity.see(np.zeros(3))
        assert identity.ids.tolist() == [3, 4, 5]
    Identity.start(identity, OTHERS + 100)
    assert not set(identity.ids) & set(range(6))


def test_fixed_colours_keep_the_ids_of_those_that_no_pixel_had():
    identity = begun_without(1)
    colors = np.array([THREE[2], OTHERS[0], THREE[0]])
    identity.start(colors, in_order=True)
    assert identity.ids.tolist() == [2, 1, 0]


# --- the trainer -----------------------------------------------------------------------------


def trained(k=8, *, seeding=kmeans_plus_plus, seed=0, steadiness=0.5, policy=POLICY):
    rng = np.random.default_rng(seed)
    identity = Watched(policy)
    return Trainer(k, seeding, rng, 3, identity=identity, steadiness=steadiness, policy=policy)


def show(trainer, pixels):
    """Train on the (h, w, 3) pixels of the next frame."""
    points = np.ascontiguousarray(pixels.reshape(-1, 3).T.astype(np.float32))
    return trainer.step(points, np.ascontiguousarray(pixels))


class Counted:
    """A seeding that counts its calls and the points that it is given."""

    def __init__(self):
        self.calls = []

    def __call__(self, points, k, rng):
        self.calls.append(len(points))
        return kmeans_plus_plus(points, k, rng)

    def since(self):
        count = len(self.calls)
        self.calls.clear()
        return count


def test_starts_are_many_in_the_first_frame_fewer_at_a_cut_and_none_in_a_steady_scene():
    seeding, rng = Counted(), np.random.default_rng(0)
    trainer = trained(4, seeding=seeding)
    first, second = posterised(0), 255 - posterised(3)[::-1]
    show(trainer, noisy(first, rng))
    assert seeding.since() == 16
    for _ in range(20):
        show(trainer, noisy(first, rng))
    assert seeding.since() == 0
    assert show(trainer, noisy(second, rng))
    assert seeding.since() == 8


def test_a_start_is_seeded_and_judged_on_a_part_of_the_points():
    seeding, rng = Counted(), np.random.default_rng(0)
    show(trained(4, seeding=seeding), noisy(mottled(size=(100, 120)), rng))
    assert set(seeding.calls) == {2048}
    seeding.calls.clear()
    show(trained(200, seeding=seeding), noisy(mottled(size=(100, 120)), rng))
    assert set(seeding.calls) == {16 * 200}


def test_colours_that_drift_are_challenged_every_fifth_frame_three_times():
    seeding, rng = Counted(), np.random.default_rng(0)
    trainer, scene = trained(4, seeding=seeding), posterised()
    for _ in range(10):
        show(trainer, noisy(scene, rng))
    seeding.since()
    other = scene.copy()
    other[:, :6] = (240, 16, 144)  # a tenth of the pixels
    at = []
    for frame in range(30):
        show(trainer, noisy(other, rng))
        if seeding.since():
            at.append(frame)
    assert at[0] == 0
    assert np.diff(at).tolist() == [5, 5, 5]


@pytest.mark.parametrize(("growth", "starts"), [(1.1, 0), (1.3, 3)])
def test_an_error_that_jumps_is_challenged_at_once(growth, starts):
    seeding, rng = Counted(), np.random.default_rng(0)
    trainer, scene = trained(4, seeding=seeding), posterised()
    for _ in range(3):
        show(trainer, noisy(scene, rng))
    seeding.since()
    strange = np.square(trainer.centers.T - [0, 255, 0]).sum(axis=1).min()
    number = round((growth - 1) * trainer.mse * 2400 / strange)
    scene.reshape(-1, 3)[:number] = (0, 255, 0)
    show(trainer, noisy(scene, rng))
    assert seeding.since() == starts


def test_challenges_begin_when_a_twentieth_of_the_colours_has_changed():
    for share, expected in ((0.04, []), (0.06, [4, 9, 14])):
        scene = SceneChange()
        calendar = Calendar(scene, POLICY)
        pixels = np.full((10, 100, 3), 80, np.uint8)
        scene.observe(pixels)
        calendar.note(is_new=False)
        pixels = pixels.copy()
        pixels.reshape(-1, 3)[: round(1000 * share)] = 200
        at = []
        for frame in range(25):
            scene.observe(pixels)
            if calendar.is_due():
                at.append(frame)
                calendar.note(is_new=False)
        assert at == expected


def test_a_challenger_pays_for_what_it_relabels_and_for_each_label_that_it_gives_away():
    pixels = np.repeat(np.float32([[0], [100], [200], [240]]), 3, axis=1).repeat(25, axis=0)
    sample = features(pixels)
    fit = sample.fit(np.float32([[0, 100, 220]] * 3))
    rival = sample.fit(np.float32([[50, 200, 240]] * 3))
    order = np.array([0, 1, 2])
    colors = fit.centers.T.astype(float), rival.centers.T.astype(float)
    prices = Prices(0.1, np.array([0.05, 0.04, 0.03]), 0.04)
    wanted = wanted_saving(fit, rival, order, colors, prices, POLICY)
    assert wanted == pytest.approx(0.02 + 0.04 + 0.1 * 0.5 + 0.05 + 0.04)


def test_labels_go_by_the_points_that_they_share_not_by_the_nearest_colour():
    sample = features(np.repeat(np.float32([0, 10, 20, 60, 70, 90, 100]), 3).reshape(-1, 1, 3))
    before = sample.fit(np.float32([[10, 80]] * 3))
    after = sample.fit(np.float32([[95, 30]] * 3))
    assert before.labels.tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert after.labels.tolist() == [1, 1, 1, 1, 0, 0, 0]
    assert by_overlap(before, after).tolist() == [1, 0]
    shared = features(np.repeat(np.float32([20] * 6 + [120] * 4 + [180] * 10), 3).reshape(-1, 1, 3))
    before, after = (shared.fit(np.float32([row] * 3)) for row in ([62, 200], [0, 100]))
    assert by_overlap(before, after).tolist() == [0, 1]  # though 100 is nearer to 62
    before = sample.fit(np.float32([[10, 80, 300, 400]] * 3))  # two that have no points
    after = sample.fit(np.float32([[410, 290, 30, 95]] * 3))
    assert by_overlap(before, after).tolist() == [2, 3, 1, 0]


def test_the_first_frame_is_converged_and_a_frame_nearly_so():
    for seed in range(3):
        trainer, last = trained(8, seed=seed), mottled(seed + 10)
        for step in range(8):  # one picture turns into another
            pixels = np.rint(mottled(seed) * (1 - step / 7) + last * step / 7).astype(np.uint8)
            show(trainer, pixels)
            points = pixels.reshape(-1, 3).astype(float)
            _, error = naive.lloyd(points, trainer.centers.T, 300)
            own = naive.squared_distances(points, trainer.centers.T).min(axis=1).sum()
            assert own <= (1.0015 if step == 0 else 1.03) * error


def test_centers_do_not_move_for_noise_and_follow_what_changes():
    rng, trainer, scene = np.random.default_rng(0), trained(), mottled()
    show(trainer, noisy(scene, rng))
    for _ in range(3):
        show(trainer, noisy(scene, rng))
    before = trainer.centers.copy()
    for _ in range(20):
        show(trainer, noisy(scene, rng))
    np.testing.assert_array_equal(trainer.centers, before)


def test_two_labels_on_the_noise_of_one_thing_stay_where_they_are():
    rng, trainer = np.random.default_rng(0), trained(2)
    thing = np.full((60, 60, 3), 120.0)
    for _ in range(10):
        show(trainer, noisy(thing, rng, 6))
    before = trainer.centers.copy()
    for _ in range(20):
        show(trainer, noisy(thing, rng, 6))
    assert np.abs(trainer.centers - before).max() < 1


def test_noise_costs_no_steps(monkeypatch):
    steps = []
    refine = Sample.refine
    monkeypatch.setattr(Sample, "refine", lambda *a: steps.append(1) or refine(*a))
    rng, trainer, scene = np.random.default_rng(0), trained(4), posterised()
    for _ in range(20):
        show(trainer, noisy(scene, rng))
    steps.clear()
    for _ in range(12):
        show(trainer, noisy(scene, rng))
    assert len(steps) == 0


def test_moves_alone_bring_a_label_to_what_is_new():
    policy = replace(POLICY, jump=1e9, drift=2.0)  # no fresh start challenges
    rng, trainer = np.random.default_rng(0), trained(3, policy=policy)
    for frame in range(50):
        show(trainer, noisy(street(20 if frame > 10 else 0), rng))
    assert np.abs(trainer.centers.T - [40, 40, 240]).max(axis=1).min() < 5


def test_centers_follow_what_changes_slowly():
    rng, trainer, colors = np.random.default_rng(0), trained(2), halves(60, 180, (40, 60)) * 1.0
    for _ in range(30):
        colors[:, :30] += 0.4
        pixels = noisy(colors, rng, 8)
        show(trainer, pixels)
        mean = pixels[:, :30].reshape(-1, 3).mean(axis=0)
        assert np.abs(trainer.centers.T - mean).max(axis=1).min() < 1.5


@pytest.mark.parametrize("seeding", [kmeans_plus_plus, random_points])
def test_a_first_frame_is_as_good_as_the_best_whatever_the_seeding(seeding):
    further, ratios = [], []
    for seed in range(6):
        trainer = trained(12, seed=seed, seeding=seeding)
        pixels = np.rint(mottled(seed + 20)).clip(0, 255).astype(np.uint8)
        pixels[:3, :3] = seed
        show(trainer, pixels)
        points = pixels.reshape(-1, 3).astype(float)
        _, error = naive.lloyd(points, trainer.centers.T, 200)
        further.append(trainer.mse * len(points) / error)
        ratios.append(trainer.mse / naive.best_mse(points, 12))
    assert np.mean(further) <= 1.0008
    assert np.mean(ratios) <= 1.003


def test_all_of_an_image_is_fitted_on_a_finer_grid():
    pixels = mottled(2).astype(np.uint8)
    trainer = trained(8)
    show(trainer, pixels)
    points = np.ascontiguousarray(pixels.reshape(-1, 3).T.astype(np.float32))
    trainer.converge(Cloud(points, np.ones(points.shape[1], np.uint32)), 300)
    centers, _ = naive.lloyd(points.T, trainer.centers.T, 1)
    assert np.abs(centers - trainer.centers.T).max() < 0.01


# Two greys that lie near, a little lane paint, and something red that comes later.
STREET = np.zeros((40, 60, 3))
STREET[:20], STREET[20:], STREET[:, 59] = (90, 90, 90), (112, 112, 112), (250, 250, 40)


def street(red=0):
    scene = STREET.copy()
    scene[:red, 20:30] = (40, 40, 240)
    return scene


@pytest.mark.parametrize("steadiness", [0.0, 0.5])
def test_of_two_greys_one_goes_to_what_is_new_and_lane_paint_stays(steadiness):
    rng, trainer = np.random.default_rng(0), trained(3, steadiness=steadiness)
    for _ in range(30):
        show(trainer, noisy(street(), rng))
    paint = int(naive.nearest([[250, 250, 40]], trainer.centers.T)[0])
    for _ in range(40):
        assert not show(trainer, noisy(street(20), rng))
    red = int(naive.nearest([[40, 40, 240]], trainer.centers.T)[0])
    for label, color in ((paint, (250, 250, 40)), (red, (40, 40, 240))):
        assert np.abs(trainer.centers[:, label] - color).max() < 5
    expected = [0, 1, 2]
    expected[red] = 3
    assert trainer.identity.ids.tolist() == expected


def size_of_red(steadiness):
    """Return how many pixels of something red there are, three more a frame, when it is a label."""
    rng, trainer = np.random.default_rng(0), trained(3, steadiness=steadiness)
    for frame in range(-10, 60):
        scene = STREET.copy()
        scene.reshape(-1, 3)[: max(0, 3 * frame)] = (40, 40, 240)
        show(trainer, noisy(scene, rng, 12))
        if np.abs(trainer.centers.T - [40, 40, 240]).max(axis=1).min() < 20:
            return 3 * frame
    return 1000


def test_steadiness_tells_how_long_labels_resist():
    sizes = [size_of_red(steadiness) for steadiness in (0.0, 0.5, 0.6, 1.0)]
    assert sizes[0] <= sizes[1] < sizes[2] < sizes[3]


def test_a_cut_at_the_end_of_a_fade_is_a_cut():
    scene = SceneChange(POLICY.usual)
    for index in range(30):  # each frame of the fade changes by almost what a cut does
        assert not scene.observe(np.full((30, 40, 3), 60 + 19 * (index % 2), np.uint8))
    assert scene.observe(np.full((30, 40, 3), 130, np.uint8))


def scenes():
    """Two pictures that differ, and the first one in changes that are no cut."""
    scene = mottled(1, (90, 120))
    rng = np.random.default_rng(0)
    garbage = scene.copy()
    garbage[:50] = (0, 250, 0)
    changes = {"flash": 2 * scene + 20, "dusk": 0.3 * scene, "garbage": garbage}
    return [
        [noisy(image, rng) for image in images]
        for images in ([scene, mottled(7, (90, 120))], changes.values())
    ]


def test_a_cut_is_no_cut_where_the_picture_goes_on():
    (scene, other), changes = scenes()
    for after, expected in [(other, True), *((change, False) for change in changes)]:
        change = SceneChange()
        assert not change.observe(scene)
        assert change.observe(after) == expected


def test_a_fade_in_from_black_is_one_cut():
    rng, scene = np.random.default_rng(0), mottled(1, (90, 120))
    trainer = trained()
    fade = [show(trainer, noisy(gain * scene, rng, 1)) for gain in (0, 0, 0.33, 0.67, 1, 1)]
    assert fade == [False, False, True, False, False, False]
    assert trainer.identity.ids.max() <= 15


def damaged(scene, share):
    image = scene.copy()
    image[: round(share * len(scene))] = (0, 250, 0)
    return image


@pytest.mark.parametrize("share", [0.02, 0.3])
def test_garbage_that_passes_leaves_no_trace(share):
    rng, scene = np.random.default_rng(0), mottled(2, (50, 60))
    trainer = trained()
    for _ in range(30):
        show(trainer, noisy(scene, rng))
    before = trainer.centers.copy()
    assert not show(trainer, noisy(damaged(scene, share), rng))
    is_green = np.abs(trainer.centers.T - [0, 250, 0]).max(axis=1) < 20
    assert is_green.any() == (share > 0.05)  # a little waits, much is shown at once
    assert (trainer.identity.ids[is_green] == 8).all()
    show(trainer, noisy(scene, rng))
    assert trainer.identity.ids.tolist() == list(range(8))
    np.testing.assert_allclose(trainer.centers, before, atol=2)


def test_a_little_that_is_more_than_three_times_as_far_off_as_is_usual_waits_for_one_frame():
    rng, scene = np.random.default_rng(0), mottled(2, (50, 60))
    trainer = trained()
    for _ in range(30):
        show(trainer, noisy(scene, rng))
    before, usual = trainer.centers.copy(), trainer.mse
    colors = np.mgrid[:256:8, :256:8, :256:8].reshape(3, -1).T.astype(float)
    ways = np.square(colors[:, np.newaxis] - trainer.centers.T).sum(axis=2).min(axis=1) / usual
    at = np.abs(ways - 13).argmin()
    assert 12 < ways[at] < 14
    image = scene.copy()
    image[0] = colors[at]  # 2 % of the picture
    show(trainer, noisy(image, rng))
    np.testing.assert_array_equal(trainer.centers, before)  # it waits for a second frame,
    show(trainer, noisy(image, rng))
    assert np.abs(trainer.centers - before).max() > 2  # which is trained on


@pytest.mark.parametrize("steadiness", [0.0, 0.5])
def test_something_small_that_is_new_has_a_label_in_its_second_frame_at_the_latest(steadiness):
    rng, scene = np.random.default_rng(0), mottled(2, (50, 60))
    trainer = trained(steadiness=steadiness)
    for _ in range(30):
        show(trainer, noisy(scene, rng))
    for _ in range(2):
        show(trainer, noisy(damaged(scene, 0.04), rng))
    assert (np.abs(trainer.centers.T - [0, 250, 0]).max(axis=1) < 20).any()


def test_a_failed_look_is_repeated_as_soon_as_the_scene_is_another(monkeypatch):
    looks = []
    find = moves.find_move
    monkeypatch.setattr(moves, "find_move", lambda *a: looks.append(1) or find(*a))
    rng, scene = np.random.default_rng(0), posterised()
    for number, expected in ((24, 0), (120, 1)):  # one and five of a hundred pixels
        trainer = trained()
        for _ in range(5):  # looks in frames 1, 2 and 5, then not before 13
            show(trainer, noisy(scene, rng))
        show(trainer, noisy(scene, rng))
        looks.clear()
        other = scene.copy()
        other.reshape(-1, 3)[:number] = other.reshape(-1, 3)[1000]
        show(trainer, noisy(other, rng))
        assert len(looks) == expected


def test_the_larger_half_of_a_cluster_keeps_its_label():
    pixels = np.full((8, 10, 3), 60, np.uint8)
    pixels[:2] = 140
    for image in (pixels, 200 - pixels):
        trainer = trained(1)
        show(trainer, image)
        trainer.resize(2)
        np.testing.assert_array_equal(trainer.centers[:, 0], image[4, 4])
        np.testing.assert_array_equal(trainer.centers[:, 1], image[0, 0])


# --- labels ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hysteresis", "most", "label"), [(20, 3001, 0), (20, 2999, 1), (8, 9999, 1), (9, 9999, 0)]
)
def test_a_flip_must_pay_beyond_the_hysteresis_or_the_frame_s_mse(hysteresis, most, label):
    labeler = Labeler(1)
    centers = np.ascontiguousarray(np.float32([[0] * 3, [100] * 3]).T)
    for level in (40, 55):  # from there to the other center it is nearer by 3000
        pixels = np.full((2, 2, 3), level, np.uint8)
        labeling = labeler.label(
            pixels, centers, spacing=np.float32(0), reach=3 * 255.0**2, hysteresis=hysteresis,
            most=most, smoothing=0,
        )  # fmt: skip
    assert labeling.labels.ravel().tolist() == [label] * 4


# --- the search for moves --------------------------------------------------------------------


def spots(seed, n=12, each=60):
    """Points around random colours of uneven number, n of them."""
    rng = np.random.default_rng(seed)
    colors = rng.uniform(20, 235, (n, 3))
    counts = rng.integers(each // 3, 2 * each, n)
    points = np.repeat(colors, counts, axis=0) + rng.normal(0, 12, (counts.sum(), 3))
    return np.rint(points).clip(0, 255).astype(np.float32)


def test_moves_lead_from_bad_starts_to_good_fits():
    ratios = []
    for seed in range(30):
        points = spots(seed)
        sample = features(points[np.newaxis])
        rng = np.random.default_rng(seed)
        start = np.ascontiguousarray(points[rng.choice(len(points), 8, replace=False)].T)
        fit = moves.make_moves(sample, sample.fit(start, 30), 0.01, POLICY, 20)
        ratios.append(sample.refine(fit, 30).mse / naive.best_mse(points, 8))
    assert np.mean(ratios) < 1.003


def greys(*clusters):
    """A sample of grey levels, so many of each, and its fit by a center for each cluster."""
    levels = [level for cluster in clusters for level, n in cluster for _ in range(n)]
    sample = features(np.repeat(np.float32(levels), 3).reshape(-1, 1, 3))
    means = [sum(level * n for level, n in cluster) / sum(n for _, n in cluster)
             for cluster in clusters]  # fmt: skip
    fit = sample.fit(np.float32([means] * 3))
    assert fit.counts.tolist() == [sum(n for _, n in cluster) for cluster in clusters]
    return sample, fit


def test_where_the_cluster_to_split_is_the_least_missed_another_goes():
    between = [(40, 10), (60, 10)]  # which two neighbours would take at little cost
    sample, fit = greys([(29, 5), (30, 5)], between, [(70, 5), (71, 5)], [(200, 10)], [(205, 20)])
    assert fit.losses().argmin() == sample.splits(fit)[0].argmax() == 1
    move = moves.find_move(sample, fit, 0.01, POLICY)
    assert move.fit.mse < 0.2 * fit.mse


def test_a_move_that_seemed_the_best_and_does_not_pay_is_no_reason_to_miss_the_next():
    lone = [(0, 10)], [(10, 240)]  # a neighbour that would hardly come nearer
    twins = [(200, 11)], [(210, 11)]
    sample, fit = greys(*lone, *twins, [(90, 4), (110, 4)])
    assert fit.losses().argmin() == 0
    move = moves.find_move(sample, fit, 0.01, POLICY)
    assert move.fit.labels[0] != move.fit.labels[10]
    assert move.fit.mse < 0.8 * fit.mse


def test_a_label_that_is_missed_a_little_more_but_costs_nothing_goes():
    dear = [[(level, n)] for at in (0, 60, 120) for level, n in ((at, 2), (at + 5, 20))]
    sample, fit = greys(*dear, [(180, 2)], [(186, 20)], [(230, 4), (250, 4)])
    prices = Prices(0.0, np.array([1.0] * 6 + [0.0] * 3))
    move = moves.find_move(sample, fit, 0.01, POLICY, prices)
    assert move.fit.labels[66] == move.fit.labels[68]


def test_a_look_in_vain_costs_few_steps(monkeypatch):
    steps = []
    run = Sample._run
    monkeypatch.setattr(
        Sample, "_run", lambda s, c, f, n, *a, **o: steps.append(n) or run(s, c, f, n, *a, **o)
    )
    total = 0
    for seed in range(20):
        points = spots(seed)
        sample = features(points[np.newaxis])
        start = np.ascontiguousarray(points[:: len(points) // 8][:8].T)
        fit = moves.make_moves(sample, sample.fit(start, 30), 0.01, POLICY, 20)
        steps.clear()
        if moves.find_move(sample, fit, 0.01, POLICY) is None:
            total += sum(steps)
    assert 20 < total < 130
