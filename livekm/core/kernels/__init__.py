"""The compiled inner loops: numba and numpy only, no classes, no OpenCV.

Arrays are planar: features are (d, n) float32 and centers (d, k) float32, so that the loop over
pixels is the inner one and runs over neighbours in memory. Indices that are computed are uint64:
numba then leaves the test for negative indices out, and the loops vectorise.
"""

from livekm.core.kernels.blocks import BLOCK_ROWS
from livekm.core.kernels.cells import CELL, CELLS, assign_cells
from livekm.core.kernels.color import COLOR_BLOCK, hsv_planes, lab_planes
from livekm.core.kernels.colors import number_colors
from livekm.core.kernels.components import (
    count_runs,
    link_runs,
    measure_components,
    paint_components,
)
from livekm.core.kernels.edges import measure_edges
from livekm.core.kernels.enlarging import enlarge
from livekm.core.kernels.flooding import flood
from livekm.core.kernels.ignoring import ignore_pixels
from livekm.core.kernels.labeling import label_blocks
from livekm.core.kernels.lloyd import lloyd
from livekm.core.kernels.lookup import CUBE, CUBES, RUN, look_up_labels, tabulate_cubes
from livekm.core.kernels.merging import merge
from livekm.core.kernels.nearest import ROUNDING
from livekm.core.kernels.outlining import trace_rings
from livekm.core.kernels.painting import paint_labels, paint_yuv
from livekm.core.kernels.peeling import peel
from livekm.core.kernels.region_sums import sum_regions
from livekm.core.kernels.smoothing import smooth_labels
from livekm.core.kernels.statistics import measure_labels

__all__ = [
    "BLOCK_ROWS",
    "CELL",
    "CELLS",
    "COLOR_BLOCK",
    "CUBE",
    "CUBES",
    "ROUNDING",
    "RUN",
    "assign_cells",
    "count_runs",
    "enlarge",
    "flood",
    "hsv_planes",
    "ignore_pixels",
    "lab_planes",
    "label_blocks",
    "link_runs",
    "lloyd",
    "look_up_labels",
    "measure_components",
    "measure_edges",
    "measure_labels",
    "merge",
    "number_colors",
    "paint_components",
    "paint_labels",
    "paint_yuv",
    "peel",
    "smooth_labels",
    "sum_regions",
    "tabulate_cubes",
    "trace_rings",
]
