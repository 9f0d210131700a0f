"""The compiled inner loops: numba and numpy only, no classes, no OpenCV.

Arrays are planar: features are (d, n) float32 and centers (d, k) float32, so that the loop over
pixels is the inner one and runs over neighbours in memory. Indices that are computed are uint64:
numba then leaves the test for negative indices out, and the loops vectorise.
"""

from livekm.kernels.blocks import BLOCK_ROWS
from livekm.kernels.color import COLOR_BLOCK, hsv_planes, lab_planes
from livekm.kernels.components import (
    count_runs,
    link_runs,
    measure_components,
    paint_components,
)
from livekm.kernels.labeling import label_blocks
from livekm.kernels.painting import paint_labels, paint_yuv
from livekm.kernels.regions import measure_regions
from livekm.kernels.smoothing import smooth_labels
from livekm.kernels.training import lloyd

__all__ = [
    "BLOCK_ROWS",
    "COLOR_BLOCK",
    "count_runs",
    "hsv_planes",
    "lab_planes",
    "label_blocks",
    "link_runs",
    "lloyd",
    "measure_components",
    "measure_regions",
    "paint_components",
    "paint_labels",
    "paint_yuv",
    "smooth_labels",
]
