"""A segmentation can be made by hand, copied, and shown in a line."""

from __future__ import annotations

import pickle
from copy import deepcopy
from dataclasses import replace

import naive
import numpy as np
import pytest

from livekm import Segmentation, Segmenter

LABELS = np.array([[0, 0, 1, 2], [0, 1, 1, 0], [0, 0, 0, 0]], np.uint8)
PALETTE = np.array([(10, 20, 30), (200, 0, 90), (7, 8, 9), (255, 255, 255)], np.uint8)


def test_labels_and_a_palette_are_enough():
    made = Segmentation(LABELS, PALETTE)
    assert made.counts.tolist() == [8, 3, 1, 0]
    assert made.counts.dtype == np.int64
    assert made.shares.tolist() == [8 / 12, 3 / 12, 1 / 12, 0]
    assert (made.n_clusters, made.n_segments) == (4, 3)
    np.testing.assert_array_equal(made.centers, PALETTE)
    assert made.centers.dtype == np.float32
    assert (made.mse, made.scene_cut, made.n_iter, made.converged) == (0, False, None, None)
    np.testing.assert_array_equal(made.paint(), naive.paint(LABELS, PALETTE))
    np.testing.assert_array_equal(made.mask(1), LABELS == 1)
    assert made.boundaries().sum() == 6
    assert made.ids.tolist() == [0, 1, 2, 3]


def test_what_is_known_is_taken():
    centers, counts = np.arange(20, dtype=np.float32).reshape(4, 5), np.array([8, 3, 1, 0])
    made = Segmentation(
        LABELS, PALETTE, centers=centers, counts=counts, mse=2.5, scene_cut=True,
        ids=np.array([4, 2, 9, 0]),
        n_iter=7, converged=False,
    )  # fmt: skip
    assert made.centers is centers
    assert made.counts is counts
    assert made.ids.tolist() == [4, 2, 9, 0]
    assert (made.mse, made.scene_cut, made.n_iter, made.converged) == (2.5, True, 7, False)
    assert replace(made, mse=3.0).n_iter == 7


def test_the_labels_cannot_be_written_to_while_those_of_the_caller_can():
    mine = LABELS.copy()
    made = Segmentation(mine, PALETTE)
    assert not made.labels.flags.writeable
    assert mine.flags.writeable


def test_a_label_without_a_colour_is_black_and_not_counted():
    made = Segmentation(np.array([[0, 255, 2]], np.uint8), PALETTE[:2])
    assert made.counts.tolist() == [1, 0]
    assert made.paint().tolist() == [[[10, 20, 30], [0, 0, 0], [0, 0, 0]]]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"labels": LABELS[0]}, r"labels must be \(H, W\) uint8, got \(4,\) uint8"),
        ({"labels": LABELS.astype(int)}, "labels must be .* int64"),
        ({"labels": LABELS[:0]}, "labels must be"),
        ({"palette": PALETTE[:0]}, r"palette must be \(1 to 256, 3\) uint8, got \(0, 3\)"),
        ({"palette": PALETTE.astype(float)}, "palette must be .* float64"),
        ({"palette": np.zeros((257, 3), np.uint8)}, "palette must be"),
        ({"centers": np.zeros((3, 3), np.float32)}, r"4 centers, counts and ids, got \(3, 3\)"),
        ({"ids": np.arange(2)}, r"4 centers, counts and ids, got .* \(2,\)"),
        ({"counts": np.zeros(5, np.int64)}, r"4 centers, counts and ids, got .* \(5,\)"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        Segmentation(**{"labels": LABELS, "palette": PALETTE, **given})


@pytest.mark.parametrize("copied", [deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_are_the_same(copied):
    made = Segmentation(LABELS, PALETTE, mse=1.5, n_iter=3, converged=True)
    other = copied(made)
    np.testing.assert_array_equal(other.paint(), made.paint())
    assert (other.mse, other.n_iter, other.converged) == (1.5, 3, True)


def test_what_is_printed_of_it_fits_a_line():
    made = Segmentation(LABELS, PALETTE, mse=12.345, scene_cut=True)
    assert repr(made) == "<Segmentation of 4x3 pixels in 4 clusters, mse 12.35, scene cut>"
    assert repr(made.painting()) == "<Painting of 4x3 pixels in 4 colours>"
    segmenter = Segmenter(5, color_space="lab", hysteresis=1)
    assert repr(segmenter) == "Segmenter(5, color_space='lab', hysteresis=1)"
