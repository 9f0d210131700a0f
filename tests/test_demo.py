"""The built-in street scene."""

from __future__ import annotations

import itertools
from fractions import Fraction

import cv2
import numpy as np
import pytest

from livekm.sources.demo.source import SCENE_SECONDS, DemoSource


def frames_at(indices: list[int], **options) -> list[np.ndarray]:
    """The images at some indices of a demo that runs at one frame a second."""
    with DemoSource(**{"width": 96, "height": 54, "fps": 1} | options) as source:
        images = [frame.image for frame in itertools.islice(source, max(indices) + 1)]
    return [images[i] for i in indices]


def difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(cv2.absdiff(a, b).mean())


def test_it_is_a_source_without_an_end_unless_told() -> None:
    with DemoSource(32, 24) as endless, DemoSource(32, 24, n_frames=3) as short:
        assert endless.info.n_frames is None
        assert len(list(itertools.islice(endless, 20))) == 20
        assert short.info.n_frames == 3
        assert len(list(short)) == 3
        assert not endless.info.is_live


def test_times_are_exact_at_any_frame_rate() -> None:
    with DemoSource(16, 16, Fraction(30000, 1001), n_frames=31) as source:
        assert [frame.time for frame in source][30] == 1.001


@pytest.mark.parametrize("size", [(16, 16), (17, 33), (301, 16), (16, 301), (1920, 1080)])
def test_any_size_can_be_drawn(size: tuple[int, int]) -> None:
    width, height = size
    for image in frames_at([0, 1], width=width, height=height):
        assert image.shape == (height, width, 3)
        assert image.std() > 20


def test_a_seed_always_gives_the_same_street_and_another_seed_another() -> None:
    a, b, other = (frames_at([3], seed=seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert difference(a, other) > 5


def test_everything_moves_and_nothing_jumps_within_a_scene() -> None:
    with DemoSource(192, 108, fps=30, n_frames=90) as source:
        steps = [difference(a.image, b.image) for a, b in itertools.pairwise(source)]
    assert min(steps) > 3  # the noise alone gives 3
    assert max(steps) < 3 * np.median(steps)


def test_the_scene_is_cut_every_eight_seconds_and_comes_back() -> None:
    cut = SCENE_SECONDS
    before, after, last, back = frames_at([cut - 1, cut, 2 * cut - 1, 2 * cut])
    assert difference(before, after) > 30
    assert difference(last, back) > 30
    colors = [image.mean(axis=(0, 1)) for image in (before, back, after)]
    assert np.abs(colors[0] - colors[1]).max() < 20
    assert np.abs(colors[0] - colors[2]).max() > 30


def test_the_noise_is_that_of_a_sensor_and_new_in_each_frame() -> None:
    # A hundred thousand frames a second: between two of them only the noise has changed.
    with DemoSource(480, 270, fps=100_000, n_frames=2) as source:
        a, b = (frame.image.astype(float) for frame in source)
    noise = (a - b)[(a > 20).all(2) & (a < 235).all(2)] / np.sqrt(2)
    assert 2.5 < noise.std() < 3.5
    assert abs(noise.mean()) < 0.1


@pytest.mark.parametrize(
    "options",
    [{"width": 15}, {"height": 0}, {"fps": 0}, {"seed": -1}, {"n_frames": 0}],
    ids=str,
)
def test_impossible_options_are_named(options: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        DemoSource(**options)
