"""Pictures of a segmentation for people, drawn with matplotlib.

Importing this module imports matplotlib: import it where a figure is wanted, not before.
"""

from __future__ import annotations

import io
import warnings

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from livekm.frame import Image
from livekm.segmentation import Segmentation

_COLUMNS = 4
_MOST_MASKS = 32
_LONGEST_SIDE = 640  # of a panel in pixels; more would not be seen
_LOWEST, _TALLEST = 0.1, 2.0  # height of a panel by its width; images beyond are centered in it


def segmentation_figure(image: Image, segmentation: Segmentation, title: str = "") -> Figure:
    """Draw the image, its segments, the palette with shares, and each segment's mask.

    Parameters
    ----------
    image : (H, W, 3) uint8, BGR
    segmentation : Segmentation
        Of this image.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    order = np.argsort(-segmentation.counts, kind="stable")[:_MOST_MASKS]
    order = order[segmentation.counts[order] > 0]
    mask_rows = -(-len(order) // _COLUMNS)
    height, width = image.shape[:2]
    panel = 3.0 * min(max(height / width, _LOWEST), _TALLEST)
    figure = Figure(
        figsize=(12, 2 * panel + (panel + 0.35) * mask_rows + 1.6), layout="constrained"
    )
    FigureCanvasAgg(figure)
    # A file's name may hold a dollar sign, which is not meant as the begin of a formula.
    figure.suptitle(title or f"k-means, k = {segmentation.n_clusters}", parse_math=False)
    grid = figure.add_gridspec(
        2 + mask_rows, _COLUMNS, height_ratios=[2 * panel, 0.7, *[panel + 0.35] * mask_rows]
    )
    half = _COLUMNS // 2
    _show(figure.add_subplot(grid[0, :half]), image, "original")
    found = f"{segmentation.n_segments} segments, mse {segmentation.mse:.4g}"
    _show(figure.add_subplot(grid[0, half:]), segmentation.paint(), found)
    _show_palette(figure.add_subplot(grid[1, :]), segmentation)
    for place, index in enumerate(order):
        axes = figure.add_subplot(grid[2 + place // _COLUMNS, place % _COLUMNS])
        mask = segmentation.mask(int(index))
        cut_out = np.where(mask[:, :, np.newaxis], image, _checkerboard(height, width))
        _show(axes, cut_out, f"segment {index}: {segmentation.shares[index]:.1%}")
    return figure


def render(figure: Figure, suffix: str) -> bytes:
    """Return the figure as a file's content; `suffix` (``.png``, ``.pdf``, ...) tells the format.

    Raises
    ------
    ValueError
        If matplotlib does not know the format.
    """
    content = io.BytesIO()
    with warnings.catch_warnings():
        # matplotlib's own font lacks most of the world's scripts, in which files are named too.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        figure.savefig(content, format=suffix.lstrip(".").lower(), dpi=120)
    return content.getvalue()


def _show(axes: Axes, image: Image, title: str) -> None:
    step = max(1, max(image.shape[:2]) // _LONGEST_SIDE)
    axes.imshow(image[::step, ::step, ::-1], interpolation="antialiased")
    axes.set_title(title, fontsize=10)
    axes.set_axis_off()


def _checkerboard(height: int, width: int) -> Image:
    """Return the (H, W, 3) pattern that stands for transparency: no segment has its colour."""
    square = max(2, max(height, width) // 60)
    rows, columns = np.ogrid[:height, :width]
    pattern = np.where((rows // square + columns // square) % 2, 170, 205).astype(np.uint8)
    return np.repeat(pattern[:, :, np.newaxis], 3, axis=2)


def _show_palette(axes: Axes, segmentation: Segmentation) -> None:
    """Draw the colours, the largest first, each as wide as its share."""
    start = 0.0
    for index in np.argsort(-segmentation.counts, kind="stable"):
        share = float(segmentation.shares[index])
        b, g, r = (segmentation.palette[index] / 255).tolist()
        axes.barh(0, share, left=start, height=1, color=(r, g, b))
        if share > 0.03:
            dark = 0.299 * r + 0.587 * g + 0.114 * b < 0.5
            axes.text(
                start + share / 2,
                0,
                f"{index}\n{share:.0%}",
                ha="center",
                va="center",
                fontsize=9,
                color="white" if dark else "black",
            )
        start += share
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.5, 0.5)
    axes.set_axis_off()
