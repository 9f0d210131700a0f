"""The compiled kernels against their naive references."""

from __future__ import annotations

import itertools

import naive
import numpy as np
import pytest

from livekm.core import kernels
from livekm.core.kernels import BLOCK_ROWS, COLOR_BLOCK

GRID = 8.0  # centers of a sample are rounded to eighths
FRACTION = {3: 3, 5: 2}  # binary places of centers of d features, for distances of 24 bits
SIZES = [(1, 1), (1, 300), (300, 1), (4, 64), (3, 63), (5, 65), (17, 130)]


def random_planes(rng, height, width, content="noise"):
    """(3, height, width) uint8 of one kind of content."""
    shape = (3, height, width)
    if content == "noise":
        return rng.integers(0, 256, shape, np.uint8)
    if content == "extremes":
        return rng.choice(np.array([0, 255], np.uint8), shape)
    if content == "one colour":
        return np.ascontiguousarray(np.broadcast_to(rng.integers(0, 256, (3, 1, 1)), shape), "u1")
    y, x = np.mgrid[:height, :width]
    return np.stack([x % 256, (x + y) // 2 % 256, y % 256]).astype(np.uint8)


def random_centers(rng, k, d=3):
    """(k, d) float32 whose scores are exact."""
    unit = 2 ** FRACTION[d]
    return (rng.integers(0, 255 * unit + 1, (k, d)) / unit).astype(np.float32)


def slack_of(centers, hysteresis):
    return np.float32(hysteresis) * np.sqrt(
        naive.squared_distances(centers, centers), dtype=np.float32
    )


def as_read(planes):
    """(3, H, W) features as kernels read them, and from plane to plane; of BGR no planes, None."""
    if planes.dtype == np.uint8:
        return planes.transpose(1, 2, 0).reshape(-1), None
    return planes.reshape(-1), planes[0].size


def run_label_blocks(
    planes, centers, step=0.0, slack=None, previous=None, ranges=None, fraction=None
):
    """Call the kernel over the ranges of tile rows; return labels, counts and half the error."""
    _, height, width = planes.shape
    scale = 2.0 ** (2 * (FRACTION[centers.shape[1]] if fraction is None else fraction) + 1)
    block_rows = -(-height // BLOCK_ROWS)
    spatial = np.pad(centers, ((0, 0), (0, 5 - centers.shape[1])))
    labels = np.full(height * width, 255, np.uint8)
    counts = np.zeros((block_rows, len(centers)), np.int64)
    errors = np.zeros(block_rows, np.int64)
    for first, last in [(0, block_rows)] if ranges is None else ranges:
        kernels.label_blocks(
            first,
            last,
            *as_read(planes),
            height,
            width,
            np.float32(step) if step else None,
            np.float32(scale),
            np.ascontiguousarray(scale * spatial.T, np.float32),
            (scale / 2 * (centers * centers).sum(axis=1)).astype(np.float32),
            np.zeros((0, 0), np.float32) if slack is None else np.float32(scale) * slack,
            labels if previous is None else previous.reshape(-1),
            labels,
            counts,
            errors,
        )
    return labels.reshape(height, width), counts, errors / scale


def assert_labels_are_naive(planes, centers, step=0.0, slack=None, previous=None, **options):
    labels, counts, errors = run_label_blocks(planes, centers, step, slack, previous, **options)
    expected = naive.label_frame(planes, step, centers, slack, previous)
    np.testing.assert_array_equal(labels, expected[0])
    np.testing.assert_array_equal(counts.sum(axis=0), expected[1])
    assert errors.sum() == expected[2]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("k", [1, 2, 3, 8, 9, 64, 256])
def test_labels_are_the_nearest_centers(size, k):
    rng = np.random.default_rng(k)
    for content in ("noise", "gradient", "extremes", "one colour"):
        assert_labels_are_naive(random_planes(rng, *size, content), random_centers(rng, k))


def test_of_duplicate_centers_the_lower_index_is_taken():
    rng = np.random.default_rng(1)
    centers = np.tile(random_centers(rng, 4), (5, 1))
    labels, counts, _ = run_label_blocks(random_planes(rng, 9, 70), centers)
    assert labels.max() < 4
    assert not counts[:, 4:].any()


def test_a_pixel_halfway_between_two_centers_takes_the_lower_index():
    planes = np.full((3, 2, 66), 100, np.uint8)
    far, left, right = (255, 255, 255), (90, 100, 100), (110, 100, 100)
    for centers in ([left, right, far], [right, left, far]):
        assert not run_label_blocks(planes, np.array(centers, np.float32))[0].any()


def test_centers_at_the_corners_of_the_colour_cube():
    rng = np.random.default_rng(2)
    corners = np.array(list(np.ndindex(2, 2, 2)), np.float32) * 255
    assert_labels_are_naive(random_planes(rng, 8, 64, "extremes"), corners)
    assert_labels_are_naive(random_planes(rng, 8, 64), corners)


def test_centers_in_one_corner_and_pixels_in_the_other():
    centers = np.array([[x / 8, 0, 0] for x in range(40)], np.float32)
    planes = np.random.default_rng(3).integers(200, 256, (3, 6, 70), np.uint8)
    assert_labels_are_naive(planes, centers)


def test_signed_features():
    rng = np.random.default_rng(4)
    planes = rng.integers(-400, 400, (3, 13, 75)).astype(np.int16)
    centers = rng.integers(-400, 400, (20, 3)).astype(np.float32)
    assert_labels_are_naive(planes, centers, fraction=1)


def test_a_center_far_outside_counts_as_far():
    planes = random_planes(np.random.default_rng(12), 9, 140)
    centers = np.array([[1e5, -1e5, 1e5], [90, 100, 110], [-3000, 0, 0]], np.float32)
    assert (run_label_blocks(planes, centers)[0] == 1).all()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("k", [1, 5, 40])
def test_place_counts_where_centers_have_five_features(size, k):
    rng = np.random.default_rng(5)
    step = 255 / max(*size, 2)
    assert_labels_are_naive(random_planes(rng, *size), random_centers(rng, k, 5), step)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("hysteresis", [0.5, 4.0, 60.0])
@pytest.mark.parametrize("d", [3, 5])
def test_labels_stick_within_the_slack(size, hysteresis, d):
    rng = np.random.default_rng(6)
    for k, content in itertools.product((1, 2, 12, 70), ("noise", "gradient", "one colour")):
        centers = random_centers(rng, k, d)
        previous = rng.integers(0, k, size).astype(np.uint8)
        slack = slack_of(centers, hysteresis)
        step = 1.0 if d == 5 else 0.0
        planes = random_planes(rng, *size, content)
        assert_labels_are_naive(planes, centers, step, slack, previous)


def test_a_label_sticks_at_the_slack_and_lets_go_beyond_it():
    centers = np.array([[0, 0, 0], [100, 0, 0]], np.float32)
    planes = np.zeros((3, 1, 5), np.uint8)
    planes[0] = [49, 51, 52, 53, 100]  # the border is at 50
    previous = np.zeros((1, 5), np.uint8)
    labels, _, _ = run_label_blocks(
        planes, centers, slack=slack_of(centers, 2.0), previous=previous
    )
    assert labels.tolist() == [[0, 0, 0, 1, 1]]


def test_ranges_of_block_rows_write_their_own_rows_and_add_up():
    rng = np.random.default_rng(7)
    planes, centers = random_planes(rng, 4 * BLOCK_ROWS + 1, 67), random_centers(rng, 7)
    labels, counts, errors = run_label_blocks(planes, centers, ranges=[(0, 2), (2, 3), (3, 5)])
    assert set(np.flatnonzero(counts.any(axis=1))) == {0, 2, 3}
    expected = naive.label_frame(planes, 0.0, centers)
    np.testing.assert_array_equal(labels, expected[0])
    np.testing.assert_array_equal(counts.sum(axis=0), expected[1])
    assert errors.sum() == expected[2]

    partial, counts, _ = run_label_blocks(planes, centers, ranges=[(1, 2)])
    inside = np.s_[BLOCK_ROWS : 2 * BLOCK_ROWS]
    np.testing.assert_array_equal(partial[inside], labels[inside])
    assert (np.delete(partial, inside, axis=0) == 255).all()
    assert counts.sum() == BLOCK_ROWS * 67


def run_smooth_labels(planes, labels, centers, step=0.0, ranges=None):
    """Call the kernel over ranges of rows; return labels, and the changes of counts and error."""
    height, width = labels.shape
    scale = 2.0 ** (2 * FRACTION[centers.shape[1]] + 1)
    smoothed = np.full(labels.shape, 255, np.uint8)
    counts = np.zeros((height, len(centers)), np.int64)
    errors = np.zeros(height, np.int64)
    spatial = np.pad(centers, ((0, 0), (0, 5 - centers.shape[1])))
    for first, last in [(0, height)] if ranges is None else ranges:
        kernels.smooth_labels(
            first,
            last,
            *as_read(planes),
            height,
            width,
            np.float32(step),
            np.ascontiguousarray(spatial.T),
            np.float32(scale),
            labels.reshape(-1),
            smoothed.reshape(-1),
            counts,
            errors,
        )
    return smoothed, counts.sum(axis=0), errors.sum() / scale


@pytest.mark.parametrize("size", [*SIZES, (3, 511), (3, 512), (2, 513), (4, 1030)])
@pytest.mark.parametrize("d", [3, 5])
def test_smoothing_is_that_of_the_naive_reference(size, d):
    rng = np.random.default_rng(15)
    for k in (1, 2, 3, 256):
        planes, centers = random_planes(rng, *size), random_centers(rng, k, d)
        step = 1.0 if d == 5 else 0.0
        labels = rng.integers(0, k, size).astype(np.uint8)
        if k == 2:  # some do not count
            labels[rng.random(size) < 0.4] = 255
        expected = naive.smooth(labels, k)
        rows = [(0, size[0] // 2), (size[0] // 2, size[0])]
        smoothed, counts, error = run_smooth_labels(planes, labels, centers, step, rows)
        np.testing.assert_array_equal(smoothed, expected)
        before, after = (np.bincount(x.ravel(), minlength=k)[:k] for x in (labels, expected))
        np.testing.assert_array_equal(counts, after - before)
        points = planes.reshape(3, -1).T
        if d == 5:
            points = np.hstack([points, naive.spatial_features(*size, step)])
        before, after = (
            ((points - centers[x.ravel().clip(max=k - 1)].astype(np.float64)) ** 2).sum() / 2
            for x in (labels, expected)
        )
        assert error == after - before


def run_lloyd(points, centers, steps, tolerance=0.0):
    """Call the kernel on (n, d) points and (k, d) centers; return its outputs by name."""
    n, d = points.shape
    k = len(centers)
    out = {
        "centers": np.ascontiguousarray(centers.T, np.float32),
        "labels": np.zeros(n, np.int32),
        "best": np.empty(n, np.float32),
        "second": np.empty(n, np.float32),
        "counts": np.zeros(k, np.int64),
        "sums": np.zeros((d, k)),
        "errors": np.zeros(k),
    }
    X = np.ascontiguousarray(points.T, np.float32)
    rows = np.column_stack([points[:, :3], (points**2).sum(axis=1)]).astype(np.float32)
    statistics = list(out.values())[1:]
    out["error"] = kernels.lloyd(
        X, rows, out["centers"], GRID, False, steps, tolerance, *statistics
    )
    return out


def random_points(rng, n, d=3):
    return rng.integers(0, 256, (n, d)).astype(np.float32)


@pytest.mark.parametrize("n", [1, 2, 1023, 1024, 1025, 2500])
@pytest.mark.parametrize("k", [1, 2, 16, 256])
@pytest.mark.parametrize("d", [3, 5])
def test_a_sample_is_assigned_to_the_nearest_and_knows_the_second(n, k, d):
    rng = np.random.default_rng(n + k)
    points, centers = random_points(rng, n, d), random_centers(rng, k, d)
    out = run_lloyd(points, centers, steps=0)
    expected = naive.assign(points, centers)
    np.testing.assert_array_equal(out["labels"], expected[0])
    np.testing.assert_array_equal(out["best"], expected[1])
    np.testing.assert_array_equal(out["second"], expected[2])


def test_a_sample_s_ties_go_to_the_lower_index():
    rng = np.random.default_rng(8)
    points, centers = random_points(rng, 1500), np.tile(random_centers(rng, 3), (4, 1))
    out = run_lloyd(points, centers, 0)
    assert out["labels"].max() < 3
    np.testing.assert_array_equal(out["best"], out["second"])


@pytest.mark.parametrize(("n", "k"), [(1, 1), (500, 1), (500, 7), (1100, 256), (3, 8)])
@pytest.mark.parametrize("d", [3, 5])
def test_statistics_of_centers_that_stay(n, k, d):
    rng = np.random.default_rng(k)
    points, centers = random_points(rng, n, d), random_centers(rng, k, d)
    out = run_lloyd(points, centers, steps=0)
    np.testing.assert_array_equal(out["centers"].T, centers)
    counts, sums, errors, _ = naive.accumulate(points, centers, out["labels"])
    np.testing.assert_array_equal(out["counts"], counts)
    np.testing.assert_array_equal(out["sums"].T, sums)
    np.testing.assert_array_equal(out["errors"], errors)
    assert out["error"] == pytest.approx(errors.sum())


def test_one_step_moves_each_center_to_its_mean_and_empty_ones_nowhere():
    rng = np.random.default_rng(9)
    points, centers = random_points(rng, 800), random_centers(rng, 9)
    centers[3] = centers[2]  # gets no points
    out = run_lloyd(points, centers, steps=1)
    expected, error = naive.lloyd(points, centers, steps=1, grid=GRID)
    np.testing.assert_array_equal(out["centers"].T, expected)
    np.testing.assert_array_equal(out["centers"][:, 3], centers[3])
    assert out["error"] == pytest.approx(error, rel=1e-5)


def test_statistics_belong_to_the_moved_centers():
    rng = np.random.default_rng(10)
    points = random_points(rng, 800)
    out = run_lloyd(points, random_centers(rng, 6), steps=3)
    counts, sums, errors, _ = naive.accumulate(points, out["centers"].T, out["labels"])
    np.testing.assert_array_equal(out["counts"], counts)
    np.testing.assert_array_equal(out["sums"].T, sums)
    np.testing.assert_array_equal(out["errors"], errors)


def test_many_steps_converge_as_the_naive_ones_do():
    rng = np.random.default_rng(11)
    blobs = rng.integers(20, 230, (5, 1, 3)) + rng.normal(0, 3, (5, 200, 3))
    points = np.rint(blobs.reshape(-1, 3)).astype(np.float32)
    start = points[::200] + 5
    out = run_lloyd(points, start, steps=100)
    expected, error = naive.lloyd(points, start, steps=100, grid=GRID)
    np.testing.assert_array_equal(out["centers"].T, expected)
    assert out["error"] == pytest.approx(error, rel=1e-3)
    again = run_lloyd(points, out["centers"].T, steps=100)
    np.testing.assert_array_equal(again["labels"], out["labels"])


def test_a_tolerance_ends_the_steps_early():
    rng = np.random.default_rng(12)
    points, centers = random_points(rng, 800), random_centers(rng, 9)
    errors = [run_lloyd(points, centers, steps)["error"] for steps in range(40)]
    assert all(b <= a * (1 + 1e-6) for a, b in itertools.pairwise(errors))
    loose = run_lloyd(points, centers, 39, tolerance=0.05)["error"]
    assert errors[39] < loose < errors[0]


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 7, 64, 1001])
@pytest.mark.parametrize("k", [1, 3, 256])
def test_painting_looks_colours_up(n, k):
    rng = np.random.default_rng(n)
    labels = rng.integers(0, k, n).astype(np.uint8)
    palette = rng.integers(0, 256, (k, 3)).astype(np.uint32)
    packed = palette[:, 0] | palette[:, 1] << 8 | palette[:, 2] << 16
    groups = n // 4
    for cuts in ([0, groups], [0, groups // 2, groups]):
        words = np.zeros(3 * groups, "<u4")
        tail = np.zeros((n % 4, 3), np.uint8)
        for first, last in itertools.pairwise(cuts):
            kernels.paint_labels(first, last, labels, packed, words.view(np.uint32), tail)
        painted = np.concatenate([words.view(np.uint8).reshape(-1, 3), tail])
        np.testing.assert_array_equal(painted, naive.paint(labels, palette))


def colours():
    """Every 15th level of each channel, and random ones, as a row whose end fills no block."""
    grid = np.stack(np.meshgrid(*[np.arange(0, 256, 15)] * 3), axis=-1).reshape(-1, 3)
    noise = np.random.default_rng(14).integers(0, 256, (3000, 3))
    row = np.concatenate([grid, noise]).astype(np.uint8)[np.newaxis]
    assert row.shape[1] % COLOR_BLOCK
    return row


def run_planes(kernel, image, *arguments, cuts=None):
    planes = np.zeros(image.size, np.int16)
    blocks = -(-image.size // (3 * COLOR_BLOCK))
    cuts = cuts or [0, blocks]
    for first, last in itertools.pairwise(cuts):
        kernel(first, last, image.reshape(-1), *arguments, planes)
    return planes.reshape(3, *image.shape[:2]).transpose(1, 2, 0)


def sRGB_light():
    level = np.arange(256) / 255
    light = np.where(level > 0.04045, ((level + 0.055) / 1.055) ** 2.4, level / 12.92)
    return light.astype(np.float32)


@pytest.mark.parametrize("units", [1, 4, 16])
def test_lab_planes_are_rounded_from_the_formula(units):
    image = colours()
    planes = run_planes(kernels.lab_planes, image, sRGB_light(), np.float32(units))
    # The last digits of the matrix differ from source to source: a hundredth of a unit.
    assert np.abs(planes - units * naive.lab(image)).max() < 0.5 + 0.01 * units


def test_hsv_planes_are_rounded_from_the_formula():
    image = colours()
    planes = run_planes(kernels.hsv_planes, image, np.float32(2))
    np.testing.assert_array_equal(planes, np.rint(2 * naive.hsv(image)))


@pytest.mark.parametrize("n", [1, 255, 256, 257, 1000])
def test_colour_blocks_may_be_done_in_parts(n):
    image = np.random.default_rng(n).integers(0, 256, (1, n, 3), np.uint8)
    blocks = -(-n // COLOR_BLOCK)
    cuts = list(range(blocks + 1))
    whole = run_planes(kernels.lab_planes, image, sRGB_light(), np.float32(4))
    parts = run_planes(kernels.lab_planes, image, sRGB_light(), np.float32(4), cuts=cuts)
    np.testing.assert_array_equal(parts, whole)
    whole = run_planes(kernels.hsv_planes, image, np.float32(2))
    parts = run_planes(kernels.hsv_planes, image, np.float32(2), cuts=cuts)
    np.testing.assert_array_equal(parts, whole)


# Regions


@pytest.mark.parametrize("k", [1, 5, 256])
@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("content", ["noise", "runs"])
def test_labels_are_measured_as_by_the_naive_reference(content, height, width, k):
    rng = np.random.default_rng(k)
    labels = rng.integers(0, k, (height, width), np.uint8)
    if content == "runs":
        labels = np.repeat(labels, 7, axis=1)[:, :width].copy()
    labels.setflags(write=False)  # as a segmentation's are
    n_bands = 3
    sums = np.zeros((n_bands, k, 3), np.int64)
    boxes = np.tile(np.array([width, height, 0, 0], np.int64), (n_bands, k, 1))
    kernels.measure_labels(1, 3, labels, sums, boxes)
    kernels.measure_labels(0, 1, labels, sums, boxes)
    expected_sums, expected_boxes = naive.regions(labels, k)
    np.testing.assert_array_equal(sums.sum(axis=0), expected_sums)
    np.testing.assert_array_equal(boxes[:, :, :2].min(axis=0), expected_boxes[:, :2])
    np.testing.assert_array_equal(boxes[:, :, 2:].max(axis=0), expected_boxes[:, 2:])
