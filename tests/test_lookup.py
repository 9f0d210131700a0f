import copy

import naive
import numpy as np
import pytest
from test_kernels import random_centers, slack_of

from livekm import Segmenter
from livekm.core import kernels
from livekm.core.kernels import CUBE, CUBES, RUN
from livekm.core.labeler import Labeler
from livekm.core.lookup import ColorTable, _cubes, numbered_colors

SCALE = np.float32(2**7)  # of centers in eighths of a level
LARGE = CUBE**2  # colours of a large cube


def scaled(centers):
    """(5, k) centers and (k,) biases as the kernels take them."""
    padded = np.pad(SCALE * centers, ((0, 0), (0, 2))).T
    biases = SCALE / 2 * (centers * centers).sum(axis=1)
    return np.ascontiguousarray(padded, np.float32), biases.astype(np.float32)


def tabulate(centers, cubes, known, table, moved=2**64 - 1):
    places, biases = scaled(centers)
    margin = np.float32(1e-5) * biases.max()
    sets = np.full(4, moved, np.uint64)
    kernels.tabulate_cubes(*cubes, *_cubes(), places[:3], biases, margin, sets, known, table)


def assert_is_nearest(table, numbers, centers):
    colors = numbered_colors(numbers).astype(np.float64)
    np.testing.assert_array_equal(table[numbers], naive.nearest(colors, centers))


@pytest.mark.parametrize("k", [1, 2, 70, 256])
def test_a_cube_s_colours_get_their_nearest_centers(k):
    rng = np.random.default_rng(k)
    centers = rng.integers(0, 8 * 40, (k, 3)).astype(np.float32) / 8
    table, known = np.full(2**24, 77, np.uint8), np.zeros((CUBES, 4), np.uint64)
    tabulate(centers, (0, 2), known, table)
    assert_is_nearest(table, np.arange(2 * LARGE), centers)
    assert (table[2 * LARGE : 3 * LARGE] == 77).all()


def test_only_cubes_where_a_center_has_moved_are_made_again():
    centers = np.array([(4, 4, 4), (12, 12, 12), (200, 200, 200)], np.float32)
    table, known = np.empty(2**24, np.uint8), np.zeros((CUBES, 4), np.uint64)
    tabulate(centers, (0, 1), known, table)
    table[:LARGE] = 9
    centers[2] = 210  # far off
    tabulate(centers, (0, 1), known, table, moved=0b100)
    assert (table[:LARGE] == 9).all()
    centers[1] = 11
    tabulate(centers, (0, 1), known, table, moved=0b10)
    assert_is_nearest(table, np.arange(LARGE), centers)
    table[:LARGE] = 9
    centers[2] = 8  # comes near: nothing else has moved
    tabulate(centers, (0, 1), known, table, moved=0b100)
    assert_is_nearest(table, np.arange(LARGE), centers)


@pytest.mark.parametrize("n", [1, 31, 32, 100, RUN + 3])
@pytest.mark.parametrize("is_sticky", [False, True])
def test_labels_that_are_looked_up_are_those_that_are_compared(n, is_sticky):
    rng = np.random.default_rng(n)
    planes = rng.integers(0, 16, (3, 1, n), np.uint8)
    centers = rng.integers(0, 128, (9, 3)).astype(np.float32) / 8
    table, known = np.empty(2**24, np.uint8), np.zeros((CUBES, 4), np.uint64)
    tabulate(centers, (0, 1), known, table)
    slack = slack_of(centers, 1.0) if is_sticky else None
    previous = rng.integers(0, 9, n, np.uint8)
    places, biases = scaled(centers)
    runs = -(-n // RUN)
    labels, counts = np.empty(n, np.uint8), np.zeros((runs, 9), np.int64)
    errors = np.zeros(runs, np.int64)
    for run in range(runs):
        kernels.look_up_labels(
            run, run + 1, planes.transpose(1, 2, 0).reshape(-1), SCALE, places, biases,
            np.zeros((0, 0), np.float32) if slack is None else SCALE * slack,
            previous, table, labels, counts, errors,
        )  # fmt: skip
    expected = naive.label_frame(planes, 0.0, centers, slack, previous)
    np.testing.assert_array_equal(labels, expected[0].ravel())
    np.testing.assert_array_equal(counts.sum(axis=0), expected[1])
    assert errors.sum() / SCALE == expected[2]


def test_a_table_that_follows_is_the_one_made_anew():
    rng = np.random.default_rng(5)
    table, centers = ColorTable(2), random_centers(rng, 40)
    chosen = rng.integers(0, 2**24, 2000)
    for turn in range(4):
        places, biases = scaled(centers)
        table.follow(places[:3], biases)
        assert_is_nearest(table.labels, chosen, centers)
        centers = random_centers(rng, 50) if turn == 2 else centers.copy()
        centers[turn] = random_centers(rng, 1)
    copied = copy.deepcopy(table)  # holds none
    copied.follow(*(part[..., :3, :] if part.ndim > 1 else part for part in scaled(centers)))
    assert_is_nearest(copied.labels, chosen, centers)


def test_frames_come_out_the_same_whether_looked_up_or_compared(tmp_path):
    rng = np.random.default_rng(6)
    frames = [rng.integers(0, 256, (40, 70, 3), dtype=np.uint8)]
    for _ in range(3):
        noise = rng.integers(-9, 10, frames[0].shape)
        frames.append((frames[-1] + noise).clip(0, 255).astype(np.uint8))
    mask = np.ones((40, 70), bool)
    mask[:8] = False

    def segmented(table_from):
        segmenter = Segmenter(60, random_state=0, smoothing=1, hysteresis=6.0)
        segmenter._labeler = Labeler(2, table_from)
        found = [segmenter.update(frame) for frame in frames[:2]]
        segmenter.save(tmp_path / "state.npz")
        segmenter = Segmenter.load(tmp_path / "state.npz")
        return [*found, segmenter.update(frames[2], mask), segmenter.update(frames[3])]

    for looked_up, compared in zip(segmented(1), segmented(1e99), strict=True):
        np.testing.assert_array_equal(looked_up.labels, compared.labels)
        np.testing.assert_array_equal(looked_up.counts, compared.counts)
        assert looked_up.mse == compared.mse


def test_a_table_is_used_where_it_pays():
    segmenter = Segmenter(256, random_state=0)
    segmenter.update(np.zeros((1080, 1920, 3), np.uint8))
    assert segmenter._labeler._table is None
    segmenter.update(np.zeros((2800, 2800, 3), np.uint8))
    assert segmenter._labeler._table is not None
