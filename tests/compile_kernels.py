"""Compile half of the kernels into numba's cache: ``python compile_kernels.py 0``, and 1 the other.

A program that `alone` starts before a whole run. It compiles each kernel for the types of arguments
that livekm gives it. No kernel is in both halves: of one that two processes store at a time,
numba's index keeps what the last one stored.
"""

from __future__ import annotations

import sys

import every_kernel
import numpy as np
import test_cloud
import test_kernels
import test_lookup
import test_region_segmenter

PLANES = np.zeros((3, 4, 70), np.uint8)
SIGNED = PLANES.astype(np.int16)  # of Lab and HSV


def label_kernels() -> None:
    for planes in (PLANES, SIGNED):
        test_kernels.run_label_blocks(planes, np.zeros((2, 3), np.float32))
        test_kernels.run_label_blocks(planes, np.zeros((2, 5), np.float32), 1.0)


def all_others() -> None:
    for planes in (PLANES, SIGNED):
        labels, centers = np.zeros(planes.shape[1:], np.uint8), np.zeros((2, 3), np.float32)
        test_kernels.run_smooth_labels(planes, labels, centers, 0.0, [(0, len(labels))])
    test_kernels.test_a_sample_is_assigned_to_the_nearest_and_knows_the_second(600, 3, 3)
    test_cloud.test_a_cloud_of_colors_holds_each_color_as_often_as_it_occurs("bgr", 4)
    test_lookup.test_labels_that_are_looked_up_are_those_that_are_compared(1, False)
    test_kernels.test_painting_looks_colours_up(7, 3)
    test_kernels.test_colour_blocks_may_be_done_in_parts(257)
    every_kernel.check_components()
    test_kernels.test_labels_are_measured_as_by_the_naive_reference("noise", 5, 65, 5)
    every_kernel.check_painting()
    every_kernel.check_regions()
    test_region_segmenter.test_edges_are_the_largest_distance_across_a_pixel((9, 13), np.uint8, 1)


if __name__ == "__main__":
    (label_kernels, all_others)[int(sys.argv[1])]()
