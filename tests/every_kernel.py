"""Run every kernel on small arrays against the naive references, however kernels are compiled.

A program: `test_compiler` starts it with the environment that tells how.
"""

from __future__ import annotations

import sys

import naive
import numpy as np
import test_cloud
import test_kernels
import test_lookup
import test_mask
import test_region_segmenter

from livekm.core import kernels
from livekm.core.kernels import compiler
from livekm.core.painting import Painting

called: set[str] = set()


def note(frame, event, argument):
    """Note which functions run that are not compiled; what `sys.setprofile` takes."""
    called.add(frame.f_code.co_name)


def check_painting() -> None:
    rng = np.random.default_rng(0)
    labels, palette = rng.integers(0, 5, (6, 10), np.uint8), rng.integers(0, 256, (5, 3), np.uint8)
    painting = Painting(labels, palette)
    np.testing.assert_array_equal(painting.paint(), naive.paint(labels, palette))
    planes = [np.zeros(shape, np.uint8) for shape in ((6, 10), (3, 5), (3, 5))]
    painting.paint_yuv(*planes, red=0.2126, blue=0.0722)
    for plane, exact in zip(planes, naive.yuv(painting.paint(), 0.2126, 0.0722), strict=True):
        assert np.abs(plane - exact).max() < 0.501


def check_components() -> None:
    labels = np.array([[0, 0, 1, 1], [1, 0, 0, 1], [1, 1, 0, 1]], np.uint8)
    runs = np.empty((kernels.count_runs(labels), 4), np.int32)
    components = np.empty(len(runs), np.int32)
    assert kernels.link_runs(labels, runs, components, 1) == 3
    sums, boxes = np.zeros((3, 4), np.int64), np.tile(np.array([4, 3, 0, 0]), (3, 1))
    kernels.measure_components(runs, components, sums, boxes)
    assert sums[:, 1].tolist() == [5, 4, 3]
    assert boxes.tolist() == [[0, 0, 3, 3], [2, 0, 4, 3], [0, 1, 2, 3]]
    painted = np.empty(labels.shape, np.int32)
    kernels.paint_components(runs, components, np.array([7, 8, 9], np.int32), painted)
    assert painted.tolist() == [[7, 7, 8, 8], [9, 7, 7, 8], [9, 9, 7, 8]]


def check_regions() -> None:
    test_region_segmenter.test_edges_are_the_largest_distance_across_a_pixel((9, 13), np.int16, 2)
    test_region_segmenter.test_floods_rise_over_the_lowest_edges_first((9, 13))
    test_region_segmenter.test_peeling_leaves_each_region_in_one_piece((9, 13))
    test_region_segmenter.test_labels_are_enlarged_in_squares_and_those_that_lack_are_listed((1, 1))
    test_region_segmenter.test_the_cheapest_neighbours_are_merged_first(0, 0.6, 1)
    test_region_segmenter.test_sums_of_regions_are_exact_for_any_number_of_bands((9, 13))
    test_region_segmenter.test_rings_go_around_regions_and_around_their_holes((9, 13))


def move(source, start, target, offset):
    compiler.move(source, start, target, offset)


def check_stand_ins() -> None:
    """Check kernels that have all that `compiler.plain` stands in for."""
    source, target = np.arange(100, dtype=np.uint8), np.zeros(100, np.uint8)
    compiler.jit(move)(source, 7, target, 9)
    moved = np.arange(7, 7 + compiler.MOVED)
    np.testing.assert_array_equal(target[9 : 9 + compiler.MOVED], moved)
    test_kernels.test_smoothing_is_that_of_the_naive_reference((3, 63), 3)
    test_kernels.test_lab_planes_are_rounded_from_the_formula(4)


def check_one_of_each() -> None:
    """Check one variant of each kernel: numba compiles one for each kind of arguments."""
    test_kernels.test_labels_stick_within_the_slack((3, 63), 4.0, 3)
    test_kernels.test_smoothing_is_that_of_the_naive_reference((3, 63), 3)
    test_mask.test_ignored_pixels_are_taken_out_of_the_sums([(0, 9)])
    test_kernels.test_a_sample_is_assigned_to_the_nearest_and_knows_the_second(600, 3, 3)
    test_kernels.test_statistics_of_centers_that_stay(500, 7, 3)
    test_kernels.test_one_step_moves_each_center_to_its_mean_and_empty_ones_nowhere()
    test_cloud.test_steps_over_cells_are_lloyd_s_steps_over_points(65, 9, 3)
    test_cloud.test_a_cloud_of_colors_holds_each_color_as_often_as_it_occurs("bgr", 4)
    test_lookup.test_labels_that_are_looked_up_are_those_that_are_compared(100, True)
    test_kernels.test_painting_looks_colours_up(7, 3)
    test_kernels.test_colour_blocks_may_be_done_in_parts(257)
    test_kernels.test_hsv_planes_are_rounded_from_the_formula()
    test_kernels.test_lab_planes_are_rounded_from_the_formula(4)
    test_kernels.test_labels_are_measured_as_by_the_naive_reference("noise", 5, 65, 5)
    check_painting()
    check_components()
    check_regions()


def check_variants() -> None:
    test_kernels.test_labels_are_the_nearest_centers((5, 65), 9)
    test_kernels.test_signed_features()
    test_kernels.test_place_counts_where_centers_have_five_features((5, 65), 5)
    test_kernels.test_labels_stick_within_the_slack((3, 63), 4.0, 5)
    test_kernels.test_smoothing_is_that_of_the_naive_reference((3, 63), 5)
    test_kernels.test_a_sample_is_assigned_to_the_nearest_and_knows_the_second(600, 3, 5)
    test_kernels.test_statistics_of_centers_that_stay(500, 7, 5)
    test_cloud.test_steps_over_cells_are_lloyd_s_steps_over_points(65, 2, 5)


def main() -> None:
    """Check all that takes little time; print which way kernels are compiled."""
    if compiler.IS_COMPILED:
        check_stand_ins()
    else:
        sys.setprofile(note)
        check_one_of_each()
        check_variants()
        sys.setprofile(None)
        functions = {name for name in kernels.__all__ if callable(getattr(kernels, name))}
        assert functions <= called, functions - called
    print(compiler.jit.__module__.rsplit(".", 1)[-1], compiler.IS_COMPILED)


if __name__ == "__main__":
    main()
