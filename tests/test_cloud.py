import tracemalloc

import naive
import numpy as np
import pytest

from livekm import Segmenter
from livekm.core.cloud import Cloud, cloud_of_colors, cloud_of_points
from livekm.core.colorspace import COLOR_SPACES

BITS = 3  # scores are exact on this grid, so that the naive steps are the very same


def alike(rng, n, d):
    """(n, d) points, near ones beside each other, as many of each colour as it happens."""
    points = rng.integers(0, 256, (n, d)) // 3 * 3
    return points[np.lexsort(points.T // 32)].astype(np.float32)


@pytest.mark.parametrize("n", [1, 64, 65, 1024, 5000])
@pytest.mark.parametrize("k", [1, 2, 9, 256])
@pytest.mark.parametrize("d", [3, 5])
def test_steps_over_cells_are_lloyd_s_steps_over_points(n, k, d):
    rng = np.random.default_rng(n + k + d)
    points, start = alike(rng, n, d), rng.integers(0, 2040, (k, d)) / 8
    numbers = rng.integers(1, 5, n).astype(np.uint32)
    each = np.repeat(points, numbers, axis=0)
    for steps in (1, 4):
        centers, n_steps, _ = Cloud(points.T.copy(), numbers).converge(
            start.T.astype(np.float32), steps, BITS
        )
        expected, _ = naive.lloyd(each, start, n_steps, grid=2**BITS)
        np.testing.assert_array_equal(centers.T, expected)


def test_the_steps_end_where_none_lowers_the_error_and_say_so():
    rng = np.random.default_rng(1)
    points = alike(rng, 3000, 3)
    start = points[::500].T.copy()
    cloud = Cloud(points.T.copy(), np.ones(3000, np.uint32))
    centers, n_steps, converged = cloud.converge(start, 300, BITS)
    assert converged
    assert 2 < n_steps < 300
    expected, _ = naive.lloyd(points, start.T, 300, grid=2**BITS)
    np.testing.assert_array_equal(centers.T, expected)
    assert cloud.converge(centers, 300, BITS)[1:] == (1, True)
    assert cloud.converge(start, n_steps - 2, BITS)[1:] == (n_steps - 2, False)
    np.testing.assert_array_equal(cloud.converge(start, 0, BITS)[0], start)


def test_any_number_of_threads_gives_the_same_bytes():
    rng = np.random.default_rng(2)
    points, start = alike(rng, 40000, 3), rng.integers(0, 256, (3, 40)).astype(np.float32)
    numbers = rng.integers(1, 9, 40000).astype(np.uint32)
    found = [Cloud(points.T.copy(), numbers, threads).converge(start, 20, 12) for threads in (1, 3)]
    np.testing.assert_array_equal(found[0][0], found[1][0])
    assert found[0][1:] == found[1][1:]


@pytest.mark.parametrize("height", [4, 40])
@pytest.mark.parametrize("space", COLOR_SPACES)
def test_a_cloud_of_colors_holds_each_color_as_often_as_it_occurs(space, height):
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 256, (height, 50, 3), dtype=np.uint8) // 16 * 17
    planes = np.empty((3, height, 50), COLOR_SPACES[space].dtype)
    COLOR_SPACES[space].split(pixels, planes, 1)
    points = planes.reshape(3, -1).T.astype(np.float32)
    start = points[:7]
    cloud = cloud_of_colors(pixels, COLOR_SPACES[space], 1)
    expected = Cloud(points.T.copy(), np.ones(len(points), np.uint32))
    for steps in (1, 3):
        np.testing.assert_array_equal(
            cloud.converge(start.T.copy(), steps, BITS)[0],
            expected.converge(start.T.copy(), steps, BITS)[0],
        )


def test_the_cloud_of_a_small_image_takes_little_memory():
    pixels = np.random.default_rng(7).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    cloud_of_colors(pixels, COLOR_SPACES["bgr"], 1)
    tracemalloc.start()
    cloud_of_colors(pixels, COLOR_SPACES["bgr"], 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000  # no table of all colours, which took longer than the whole fit


def test_points_are_sorted_so_that_the_cells_are_small():
    rng = np.random.default_rng(4)
    points = rng.integers(0, 256, (5, 2**14)).astype(np.float32)
    cloud = cloud_of_points(points, 1)
    sides = (cloud._high - cloud._low).mean()
    assert sides < 0.5 * 247  # which 64 points span as they come
    start = points[:, :6].copy()
    expected, _ = naive.lloyd(points.T, start.T, 3, grid=2**BITS)
    np.testing.assert_array_equal(cloud.converge(start, 3, BITS)[0].T, expected)


def test_every_pixel_of_a_large_image_counts_for_its_fit():
    image = np.zeros((2000, 2000, 3), np.uint8)
    image[::2, 1::2] = 120  # what every second row and column would miss
    image[1::2] = 240
    fitted = Segmenter(n_clusters=3, random_state=0).fit(image)
    assert sorted(fitted.palette[:, 0]) == [0, 120, 240]
    assert fitted.mse == 0
    assert fitted.converged
