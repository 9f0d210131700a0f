"""What regions promise: pieces people would outline, that stay the same from frame to frame."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import cv2
import naive_regions as naive
import numpy as np
import pytest
from region_pictures import covering, make_picture

import livekm
from livekm.core import kernels
from livekm.regions import RegionSegmenter
from livekm.regions.graph import Graph, build_graph, diffuse, find_borders
from livekm.regions.merging import merge_regions
from livekm.regions.pieces import find_markers
from livekm.regions.watershed import Watershed

GREY, RED, GREEN, BLUE = (120, 120, 120), (40, 40, 220), (40, 200, 40), (220, 60, 30)
SIZES = [(1, 1), (1, 40), (30, 1), (9, 13), (24, 31)]


def blobs(rng, height, width, n=6):
    """(H, W) int32 labels of n areas that may be in pieces."""
    noise = rng.normal(size=(n, height, width))
    smooth = np.stack([cv2.GaussianBlur(plane, (0, 0), 2.0) for plane in noise])
    return smooth.argmax(axis=0).reshape(height, width).astype(np.int32)


def regions_of(rng, height, width):
    """(H, W) int32 labels from 0 on, each connected at sides."""
    labels = blobs(rng, height, width)
    pieces, n = np.empty_like(labels), 0
    for label in np.unique(labels):
        count, found = cv2.connectedComponents((labels == label).view(np.uint8), connectivity=4)
        pieces[labels == label] = n + found[labels == label] - 1
        n += count - 1
    return pieces


def scene(shapes, height=120, width=160, seed=None):
    """A grey image with coloured (x, y, w, h) boxes, with a little noise."""
    image = np.full((height, width, 3), GREY, np.int16)
    for color, (x, y, w, h) in shapes:
        image[max(y, 0) : y + h, max(x, 0) : x + w] = color
    if seed is not None:
        image += np.random.default_rng(seed).integers(-3, 4, image.shape, np.int16)
    return image.clip(0, 255).astype(np.uint8)


def id_at(regions, x, y):
    return int(regions.ids[regions.labels[y, x]])


# The kernels


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("dtype", "reach"), [(np.int16, 2), (np.uint8, 1)])
def test_edges_are_the_largest_distance_across_a_pixel(size, dtype, reach):
    rng = np.random.default_rng(1)
    planes = rng.integers(0, 200, (3, *size)).astype(dtype)
    places = np.flatnonzero(rng.random(size) < 0.7)
    heights = np.full(size, 7, np.uint8)
    half = len(places) // 2
    for first, last in (0, half), (half, len(places)):
        kernels.measure_edges(first, last, places, planes, reach, np.float32(150), heights)
    expected = np.full(size, 7, np.uint8)
    expected.flat[places] = naive.edges(planes, reach, 150).flat[places]
    np.testing.assert_array_equal(heights, expected)


@pytest.mark.parametrize("size", SIZES)
def test_floods_rise_over_the_lowest_edges_first(size):
    rng = np.random.default_rng(2)
    for share in 0.05, 0.5, 0.9:
        heights = rng.integers(0, 6, size).astype(np.uint8) * 50
        labels = np.where(rng.random(size) < share, rng.integers(0, 9, size), -1).astype(np.int32)
        labels[0, 0] = 3
        expected = naive.flood(heights, labels)
        places, following = np.flatnonzero(labels < 0), np.empty(labels.size, np.int32)
        kernels.flood(places, heights.reshape(-1), labels.reshape(-1), size[1], following)
        np.testing.assert_array_equal(labels, expected)


@pytest.mark.parametrize("size", SIZES)
def test_peeling_leaves_each_region_in_one_piece(size):
    labels = regions_of(np.random.default_rng(3), *size)
    cores = labels.copy()
    kernels.peel(np.arange(labels.size), labels, cores)
    np.testing.assert_array_equal(cores, naive.peel(labels))
    for label in range(labels.max() + 1):
        pieces, _ = cv2.connectedComponents((cores == label).view(np.uint8), connectivity=4)
        assert pieces == 2  # the background counts


def random_graph(rng, n=40):
    labels = regions_of(rng, 40, 50)
    strengths = rng.integers(0, 256, labels.shape).astype(np.uint8)
    planes = rng.integers(-200, 400, (3, *labels.shape)).astype(np.int16)
    return labels, strengths, build_graph(labels, planes, strengths), planes


@pytest.mark.parametrize("more", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_labels_are_enlarged_in_squares_and_those_that_lack_are_listed(more):
    labels = np.random.default_rng(3).integers(-1, 3, (7, 9), dtype=np.int32)
    wanted = np.pad(labels.repeat(2, axis=0).repeat(2, axis=1), [(0, n) for n in more], "edge")
    large, places = np.empty(wanted.shape, np.int32), np.empty(wanted.size, np.int64)
    count = kernels.enlarge(labels, large, places)
    np.testing.assert_array_equal(large, wanted)
    np.testing.assert_array_equal(places[:count], np.flatnonzero(wanted < 0))


def test_a_graph_has_the_lengths_and_the_weakest_edges_of_borders():
    labels, strengths, graph, planes = random_graph(np.random.default_rng(4))
    expected = naive.borders(labels, strengths)
    assert sorted(expected) == [tuple(pair) for pair in graph.pairs.tolist()]
    for pair, length, weakest in zip(
        graph.pairs.tolist(), graph.lengths, graph.strengths, strict=True
    ):
        assert expected[tuple(pair)] == (length, round(255 * weakest))
    inside = labels == 3
    mean = planes[:, inside].mean(axis=1) / 4 / 50 * (0.7, 1, 1)
    assert graph.sizes[3] == inside.sum()
    np.testing.assert_allclose(graph.colors[3], mean)


def test_colours_diffuse_as_a_table_of_all_ties_says():
    labels, strengths, graph, _ = random_graph(np.random.default_rng(5))
    expected = naive.diffuse(graph.sizes, graph.colors, naive.borders(labels, strengths))
    np.testing.assert_allclose(diffuse(graph), expected)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("scale", "fewest"), [(0.0, 1), (0.25, 1), (0.6, 1), (9.0, 7), (9.0, 1)])
def test_the_cheapest_neighbours_are_merged_first(seed, scale, fewest):
    rng = np.random.default_rng(seed)
    labels, strengths, graph, _ = random_graph(rng)
    before = rng.integers(-1, 4, len(graph.sizes))
    found = merge_regions(graph, before, scale, None if fewest == 1 else fewest, 1.5)
    borders = naive.borders(labels, strengths)
    colors = naive.diffuse(graph.sizes, graph.colors, borders)
    expected = naive.merge(graph.sizes, colors, borders, before, scale, fewest, 1.5)
    parts = {frozenset(np.flatnonzero(found == i).tolist()) for i in range(found.max() + 1)}
    assert parts == expected


def test_a_region_without_neighbours_is_not_merged():
    none = np.empty(0)
    graph = Graph(np.ones(1), np.zeros((1, 3)), np.empty((0, 2), np.int32), none, none)
    assert merge_regions(graph, np.array([-1]), 1.0, None, 1.5).tolist() == [0]


@pytest.mark.parametrize("size", SIZES)
def test_markers_are_the_pieces_that_hang_together_at_sides(size):
    labels = blobs(np.random.default_rng(6), *size)
    pieces = regions_of(np.random.default_rng(6), *size)
    areas = np.bincount(pieces.ravel())
    markers = find_markers(labels.astype(np.uint8))
    large = areas[pieces] >= min(12, areas.max())
    np.testing.assert_array_equal(markers >= 0, large)
    pairs = set(zip(pieces[large].tolist(), markers[large].tolist(), strict=True))
    n = len(np.unique(pieces[large]))
    assert (len(pairs), {marker for _, marker in pairs}) == (n, set(range(n)))


@pytest.mark.parametrize("size", SIZES)
def test_sums_of_regions_are_exact_for_any_number_of_bands(size):
    rng = np.random.default_rng(8)
    labels, image = blobs(rng, *size), rng.integers(0, 256, (*size, 3), np.uint8)
    n = labels.max() + 1
    bands = min(3, size[0])
    sums, boxes = np.zeros((bands, n, 4), np.int64), np.zeros((bands, n, 4), np.int64)
    boxes[..., 0], boxes[..., 1] = size[1], size[0]
    kernels.sum_regions(0, bands, labels, image.reshape(size[0], -1), sums, boxes)
    start, end = boxes[..., :2].min(axis=0), boxes[..., 2:].max(axis=0)
    for label in np.unique(labels):
        inside = labels == label
        assert sums[:, label].sum(axis=0).tolist() == [inside.sum(), *image[inside].sum(axis=0)]
        x, y, width, height = cv2.boundingRect(inside.view(np.uint8))
        assert start[label].tolist() == [x, y]
        assert end[label].tolist() == [x + width, y + height]


# What a segmentation holds


@pytest.mark.parametrize("size", [(120, 160), (321, 481), (407, 611), (451, 701)])
def test_each_region_is_one_piece_and_is_described_as_it_is(size):
    image, _ = make_picture(7, *size)
    regions = RegionSegmenter(0.05).update(image)
    labels, n = regions.labels, regions.n_regions
    assert (labels.shape, labels.dtype, regions.ids.dtype) == (size, np.int32, np.int64)
    assert n > 5
    assert np.unique(labels).tolist() == list(range(n))
    for label, outline in enumerate(regions.outlines()):
        mask = labels == label
        assert cv2.connectedComponents(mask.view(np.uint8), connectivity=4)[0] == 2
        assert regions.areas[label] == mask.sum()
        assert regions.boxes[label].tolist() == list(cv2.boundingRect(mask.view(np.uint8)))
        assert list(cv2.boundingRect(outline)) == regions.boxes[label].tolist()
        assert (mask[outline[:, 1], outline[:, 0]]).all()
        np.testing.assert_allclose(regions.palette[label], image[mask].mean(axis=0), atol=0.51)
    pairs = naive.borders(labels, np.zeros(size, np.uint8)) if size[0] < 200 else None
    if pairs is not None:
        assert [tuple(pair) for pair in regions.neighbors.tolist()] == sorted(pairs)
    np.testing.assert_array_equal(regions.paint(), regions.palette[labels])


def test_made_pictures_are_covered():
    scores = [
        covering(truth, RegionSegmenter(0.08).update(image).labels)
        for image, truth in map(make_picture, range(4))
    ]
    assert np.mean(scores) > 0.9


def test_borders_are_clean_at_full_size():
    y, x = np.mgrid[:720, :1280]
    truth = (np.hypot(x - 600, y - 350) < 260).astype(np.int32)
    image = np.where(truth[..., np.newaxis] > 0, RED, GREEN).astype(np.uint8)
    labels = RegionSegmenter().update(image).labels
    inside = labels == labels[350, 600]
    assert (inside != truth).sum() < 0.5 * (2 * np.pi * 260)  # half a pixel all around


def test_a_long_thin_thing_is_one_region():
    image = np.full((480, 640, 3), GREY, np.uint8)
    cv2.line(image, (60, 60), (500, 380), RED, 15)
    regions = RegionSegmenter(0.05).update(image)
    thin = image[..., 2] == RED[2]
    found = regions.labels == regions.labels[220, 280]
    assert covering(thin.astype(np.int32), found.astype(np.int32)) > 0.98


def test_smaller_scale_more_regions():
    image, _ = make_picture(11)
    counts = [RegionSegmenter(scale).update(image).n_regions for scale in (10, 0.3, 0.1, 0.03, 0)]
    assert counts[0] == 1
    assert counts == sorted(set(counts))


@pytest.mark.parametrize("n_regions", [1, 2, 9, 30])
def test_as_many_regions_as_are_asked_for(n_regions):
    image, _ = make_picture(12)
    assert RegionSegmenter(n_regions=n_regions).update(image).n_regions == n_regions


# From frame to frame


def test_ids_stay_with_what_moves():
    segmenter = RegionSegmenter()
    first = segmenter.update(scene([(RED, (10, 20, 30, 40)), (BLUE, (100, 60, 40, 30))], seed=0))
    red, blue, grey = id_at(first, 20, 30), id_at(first, 110, 70), id_at(first, 80, 10)
    assert sorted([red, blue, grey]) == [0, 1, 2]
    for i in range(1, 20):
        shapes = [(RED, (10 + 4 * i, 20, 30, 40)), (BLUE, (100, 60 - 3 * i, 40, 30))]
        last = segmenter.update(scene(shapes, seed=i))
    assert (id_at(last, 100, 40), id_at(last, 120, 10), id_at(last, 5, 110)) == (red, blue, grey)
    assert last.ids.tolist() == [0, 1, 2]


def test_what_is_new_is_a_region_of_its_own_within_three_frames_and_its_id_was_never_given():
    segmenter = RegionSegmenter()
    steady = [(RED, (10, 20, 30, 40))]
    for i in range(5):
        before = segmenter.update(scene(steady, seed=i))
    gone = id_at(before, 20, 30)
    for i in range(3):
        segmenter.update(scene([], seed=10 + i))
    for i in range(3):
        new = segmenter.update(scene([(BLUE, (90, 50, 40, 30))], seed=20 + i))
    assert new.n_regions == 2
    assert id_at(new, 100, 60) not in before.ids
    for i in range(3):
        new = segmenter.update(scene([(GREEN, (10, 20, 30, 40))], seed=30 + i))
    assert id_at(new, 20, 30) not in (gone, *before.ids)


def test_what_one_frame_alone_shows_is_shown_in_a_stream_too():
    faint = [((150, 120, 105), (60, 40, 50, 40))]
    alone = RegionSegmenter(0.11).update(scene(faint))
    assert alone.n_regions == 2
    segmenter = RegionSegmenter(0.11)
    for _ in range(5):
        segmenter.update(scene([]))
    for _ in range(3):
        regions = segmenter.update(scene(faint))
    assert regions.n_regions == 2


def test_an_id_is_not_given_to_another_colour_in_its_place():
    segmenter = RegionSegmenter()
    red = segmenter.update(scene([(RED, (40, 30, 50, 50))]))
    blue = segmenter.update(scene([(BLUE, (40, 30, 50, 50))]))
    assert id_at(blue, 60, 50) not in red.ids
    assert id_at(blue, 5, 5) == id_at(red, 5, 5)


def test_after_a_cut_all_ids_are_new():
    segmenter = RegionSegmenter()
    first, _ = make_picture(1, 240, 320)
    second, _ = make_picture(3, 240, 320)
    ids = [segmenter.update(image) for image in (first, first, second, second)]
    assert [regions.scene_cut for regions in ids] == [True, False, True, False]
    assert ids[0].ids.tolist() == ids[1].ids.tolist() == list(range(ids[0].n_regions))
    assert not set(ids[1].ids) & set(ids[2].ids)


def test_a_region_keeps_its_id_where_it_survives_a_change_of_scale():
    image, _ = make_picture(11)
    segmenter = RegionSegmenter(0.03)
    fine = segmenter.update(image)
    segmenter.scale = 0.15
    coarse = segmenter.update(image)
    assert coarse.n_regions == RegionSegmenter(0.15).update(image).n_regions < fine.n_regions
    segmenter.scale = 0.03
    again = segmenter.update(image)
    assert again.n_regions == fine.n_regions
    survivors = 0
    for i, label in zip(fine.ids.tolist(), range(fine.n_regions), strict=True):
        mask = fine.labels == label
        for j in range(coarse.n_regions):
            both = (mask & (coarse.labels == j)).sum()
            if both > 0.95 * max(mask.sum(), coarse.areas[j]):
                survivors += 1
                assert coarse.ids[j] == i
                middle = tuple(np.argwhere(mask)[mask.sum() // 2])
                assert again.ids[again.labels[middle]] == i
    assert survivors > 1


def changes(hysteresis):
    """Mean share of pixels whose region changes in a still scene with noise."""
    image, _ = make_picture(15, 160, 240)
    rng = np.random.default_rng(0)
    segmenter = RegionSegmenter(0.1, hysteresis=hysteresis)
    ids = []
    for _ in range(8):
        noisy = image + rng.normal(0, 2.5, image.shape)
        regions = segmenter.update(noisy.clip(0, 255).astype(np.uint8))
        ids.append(regions.ids[regions.labels])
    return np.mean([(a != b).mean() for a, b in zip(ids[1:], ids[:-1], strict=True)])


def test_regions_do_not_flicker():
    assert changes(1.5) < 0.001 < 0.005 < changes(1.0)


# As every segmenter


def test_the_same_bytes_for_any_number_of_threads():
    first, second = (make_picture(seed, 407, 611)[0] for seed in (1, 2))
    images = [first, first, second]
    found = []
    for threads in 1, 3:
        segmenter = RegionSegmenter(0.06, threads=threads)
        found.append([segmenter.update(image) for image in images])
    for one, three in zip(*found, strict=True):
        for name in "labels", "ids", "palette", "areas", "boxes":
            np.testing.assert_array_equal(getattr(one, name), getattr(three, name))


def test_any_strides_and_read_only_images_are_taken():
    image, _ = make_picture(5, 200, 300)
    expected = RegionSegmenter(0.05).update(image).labels
    wide = np.zeros((200, 600, 4), np.uint8)
    wide[:, ::2, :3] = image
    fixed = image.copy()
    fixed.flags.writeable = False
    for other in wide[:, ::2, :3], fixed, np.asfortranarray(image):
        np.testing.assert_array_equal(RegionSegmenter(0.05).update(other).labels, expected)


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (3, 2), (1, 100_000), (70_000, 2), (197, 196)])
@pytest.mark.parametrize("seed", [None, 0])
def test_any_size(size, seed):
    image = np.full((*size, 3), 90, np.uint8)
    if seed is not None:
        image = np.random.default_rng(seed).integers(0, 256, image.shape, np.uint8)
    regions = RegionSegmenter(0).update(image)
    assert regions.labels.shape == size
    assert regions.areas.sum() == image.size // 3
    assert (regions.areas > 0).all()
    assert len(regions.outlines()) == regions.n_regions
    if seed is None:
        assert (regions.n_regions, len(regions.neighbors)) == (1, 0)


def test_another_size_starts_anew():
    segmenter = RegionSegmenter()
    first = segmenter.update(scene([]))
    second = segmenter.update(scene([], 100, 90))
    assert (first.ids.tolist(), second.ids.tolist(), second.scene_cut) == ([0], [1], True)
    segmenter.reset()
    assert segmenter.update(scene([], 100, 90)).ids.tolist() == [2]


def test_later_frames_leave_what_was_given_alone():
    segmenter = RegionSegmenter(0.05)
    pictures = [make_picture(seed, 240, 320)[0] for seed in range(4)]
    held = [segmenter.update(picture) for picture in pictures[:2]]
    copies = [(regions.labels.copy(), regions.ids.copy()) for regions in held]
    for picture in pictures[2:]:
        segmenter.update(picture)
    for regions, (labels, ids) in zip(held, copies, strict=True):
        np.testing.assert_array_equal(regions.labels, labels)
        np.testing.assert_array_equal(regions.ids, ids)


def test_memory_grows_with_pixels_and_neighbours_not_with_pairs_of_regions():
    tiles = np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8)
    image = np.repeat(np.repeat(tiles, 3, axis=0), 4, axis=1)
    segmenter = RegionSegmenter(0)
    regions = segmenter.update(image)
    assert regions.n_regions > 700
    tracemalloc.start()
    segmenter.update(image)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 90 * image.size / 3  # 54 a pixel; a table of float32 has 54 more


@pytest.mark.parametrize(
    ("image", "error"),
    [
        (np.zeros((4, 5), np.uint8), ValueError),
        (np.zeros((0, 5, 3), np.uint8), ValueError),
        (np.zeros((4, 5, 3)), TypeError),
        ([[1]], TypeError),
    ],
)
def test_what_is_no_image_is_refused(image, error):
    with pytest.raises(error, match="image must be"):
        RegionSegmenter().update(image)


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"scale": -0.1}, ValueError),
        ({"scale": float("nan")}, ValueError),
        ({"scale": "fine"}, TypeError),
        ({"n_regions": 0}, ValueError),
        ({"n_regions": 2.5}, TypeError),
        ({"hysteresis": 0.9}, ValueError),
        ({"hysteresis": 11}, ValueError),
        ({"threads": 0}, ValueError),
    ],
)
def test_parameters_out_of_range_are_named(parameters, error):
    with pytest.raises(error, match=next(iter(parameters))):
        RegionSegmenter(**parameters)


def test_who_wants_colours_alone_does_not_wait_for_the_kernels_of_regions():
    program = (
        "import numpy as np\n"
        "from livekm import Segmenter\n"
        "from livekm.core import kernels as k\n"
        "Segmenter(2).update(np.zeros((9, 9, 3), np.uint8))\n"
        "regions = k.enlarge, k.flood, k.measure_edges, k.merge, k.peel, k.sum_regions\n"
        "print([len(kernel.signatures) for kernel in (k.label_blocks, *regions)])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(livekm.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[1, 0, 0, 0, 0, 0, 0]"


def test_refined_regions_follow_the_larger_picture():
    image = scene([(RED, (0, 0, 81, 120))])  # the border lies between two pixels of the small one
    small = np.zeros((60, 80), np.int32)
    small[:, 40:] = 1
    labels = Watershed(1).refine(small, image)
    np.testing.assert_array_equal(labels, np.mgrid[:120, :160][1] > 80)


def test_pairs_of_many_labels_are_told_apart():
    labels = np.arange(70_000, dtype=np.int32).reshape(7, 10_000)
    pairs, lengths, _ = find_borders(labels)
    assert (len(pairs), set(lengths.tolist())) == (7 * 9_999 + 6 * 10_000, {1})


# Connected pieces of the colours: what scale 0 gives where there are labels


def filled(rings, shape):
    """(H, W) bool, the pixels within closed lines along their sides, by the even-odd rule."""
    turns = np.zeros((shape[0], shape[1] + 1), np.int64)
    for ring in rings:
        for (x, y), (_, below) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
            turns[min(y, below) : max(y, below), x] += 1
    return np.cumsum(turns, axis=1)[:, :-1] % 2 == 1


@pytest.mark.parametrize("size", SIZES)
def test_rings_go_around_regions_and_around_their_holes(size):
    rng = np.random.default_rng(9)
    labels = regions_of(rng, *size)
    labels[rng.random(size) < 0.1] = -1
    n = labels.max() + 1
    wanted = np.array([*[True] * (n - 1), n == 1])
    regions = as_regions(labels, n)
    for label, rings in enumerate(regions.rings(wanted)):
        mask = labels == label
        if not wanted[label]:
            assert rings == []
            continue
        np.testing.assert_array_equal(filled(rings, size), mask)
        pieces = cv2.connectedComponents(mask.view(np.uint8), connectivity=4)[0] - 1
        outside = cv2.connectedComponents(np.pad(~mask, 1, constant_values=True).view(np.uint8))[0]
        assert len(rings) == pieces + outside - 2
        for ring in rings:
            steps = np.diff(ring, axis=0, append=ring[:1])
            assert (np.count_nonzero(steps, axis=1) == 1).all()
            assert (steps[:, 0] * np.roll(steps, -1, axis=0)[:, 0] == 0).all()  # turns, each time


def as_regions(labels, n):
    none = np.zeros((n, 4), np.int32)
    areas = np.bincount(labels[labels >= 0], minlength=n)
    palette = np.zeros((n, 3), np.uint8)
    return livekm.RegionSegmentation(labels, np.arange(n), palette, areas, none, False)
