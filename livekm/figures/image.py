"""The page of a still image."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from livekm.core.contrast import LUMA
from livekm.core.segmentation import Segmentation
from livekm.core.suggestion import Suggestion
from livekm.figures.criteria import draw_criteria
from livekm.figures.ghost import ghost, painted
from livekm.figures.page import (
    hex_color,
    new_page,
    show_image,
    show_palette,
    to_rgb,
)
from livekm.frame import Image

_WIDTH = 12.0  # inches of the page
_HIGHEST = 10.0  # inches that all panels of segments may take: about two screens in all
_FEWEST_COLUMNS, _MOST_COLUMNS = 3, 8
_LOWEST, _TALLEST = 0.1, 2.0  # height of a panel by its width; images beyond are centered in it
_TITLE = 0.34  # inches above each panel
_TABLE_COLUMNS = 4
_LONGEST_NAME = 12  # letters of a name in the table, for which there is room
_TABLE_ROW = 0.24  # inches
_CURVES = 2.6  # inches of the criteria for the number of clusters
_LIGHT = 175  # lightness from which a segment is shown on a dark ground


def segmentation_figure(
    image: Image,
    segmentation: Segmentation,
    title: str = "",
    suggestion: Suggestion | None = None,
) -> Figure:
    """Draw the image, its segments, a table of them, and each segment by itself.

    Parameters
    ----------
    image : (H, W, 3) uint8, BGR
    segmentation : Segmentation
        Of this image.
    title : str
    suggestion : Suggestion, optional
        Of its number of clusters: the curves are drawn below.

    Returns
    -------
    matplotlib.figure.Figure
    """
    order = np.argsort(-segmentation.counts, kind="stable")
    order = order[segmentation.counts[order] > 0]
    height, width = image.shape[:2]
    aspect = min(max(height / width, _LOWEST), _TALLEST)
    columns, rows = choose_grid(len(order), aspect)
    shown = order[: rows * columns]
    panel = _WIDTH / columns * aspect + _TITLE
    pictures = _WIDTH / 2 * aspect + _TITLE
    table = _TABLE_ROW * math.ceil(len(shown) / _TABLE_COLUMNS) + 0.1
    curves = _CURVES if suggestion is not None and suggestion.criteria else 0.0
    page_height = pictures + 0.7 + table + rows * panel + curves + 1.0
    figure = new_page(_WIDTH, page_height, title or f"k-means, k = {segmentation.n_clusters}")
    figure.supxlabel(_summary(image, segmentation), fontsize=9, color="0.3")
    heights = [pictures, 0.7, table, rows * panel, *([curves] if curves else [])]
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    top = grid[0].subgridspec(1, 2)
    left, right = figure.add_subplot(top[0]), figure.add_subplot(top[1])
    show_image(left, image, "original")
    show_image(right, painted(image, segmentation), f"{segmentation.n_segments} segments")
    names = [name or str(label) for label, name in enumerate(segmentation.names)]
    palette = figure.add_subplot(grid[1])
    show_palette(palette, segmentation.palette, segmentation.shares, names)
    _draw_table(figure.add_subplot(grid[2]), segmentation, shown, len(order) - len(shown))
    panels = grid[3].subgridspec(rows, columns)
    grounds = ghost(image, light=False), ghost(image, light=True)
    for place, label in enumerate(shown):
        axes = figure.add_subplot(panels[place // columns, place % columns])
        mask = segmentation.mask(int(label))
        # A light segment would not be seen on the light ground.
        ground = grounds[float(segmentation.palette[label] @ LUMA) < _LIGHT]
        cut_out = np.where(mask[:, :, np.newaxis], image, ground)
        show_image(axes, cut_out, _described(int(label), segmentation))
    if suggestion is not None and suggestion.criteria:
        parts = grid[4].subgridspec(1, len(suggestion.criteria))
        count = len(suggestion.criteria)
        draw_criteria([figure.add_subplot(parts[0, i]) for i in range(count)], suggestion)
    return figure


def _described(label: int, segmentation: Segmentation) -> str:
    name = segmentation.names[label]
    called = f"{name} ({label})" if name else f"segment {label}"
    return f"{called}: {segmentation.shares[label]:.1%}"


def choose_grid(n: int, aspect: float) -> tuple[int, int]:
    """Choose columns and rows for `n` panels that are `aspect` times as high as wide.

    Takes the fewest empty places among the grids that are at most two screens high, and of those
    the largest panels. Where all panels do not fit, some are left out.

    Examples
    --------
    >>> choose_grid(12, 0.75), choose_grid(7, 0.75), choose_grid(2, 1.0)
    ((4, 3), (4, 2), (3, 1))
    """
    best: tuple[float, int, int] | None = None
    for columns in range(_FEWEST_COLUMNS, _MOST_COLUMNS + 1):
        row_height = _WIDTH / columns * aspect + _TITLE
        rows = min(math.ceil(n / columns), max(1, int(_HIGHEST / row_height)))
        missing = max(0, n - rows * columns)
        empty = max(0, rows * columns - n)
        cost = 4 * missing + empty + 0.4 * columns
        if best is None or cost < best[0]:
            best = cost, columns, rows
    assert best is not None
    return best[1], best[2]


def _summary(image: Image, segmentation: Segmentation) -> str:
    height, width = image.shape[:2]
    n_counted = segmentation.n_counted
    squares = (image.astype(np.float64) - segmentation.paint()) ** 2
    if segmentation.ignored is not None:
        squares[segmentation.ignored] = 0
    error = float(squares.sum() / max(1, 3 * n_counted))
    counted = "" if n_counted == height * width else f" ({n_counted / height / width:.1%} count)"
    psnr = "infinite" if error == 0 else f"{10 * math.log10(255**2 / error):.1f} dB"
    return (
        f"{width}x{height} pixels{counted}, k = {segmentation.n_clusters}; "
        f"mse {segmentation.mse:.4g}: the mean squared distance of a pixel to its segment's "
        f"center; PSNR {psnr}: how near the colours are, more is better"
    )


def _draw_table(
    axes: Axes, segmentation: Segmentation, shown: npt.NDArray[np.intp], n_folded: int
) -> None:
    """List swatch, number, colour and share of each segment, column by column."""
    rows = math.ceil(len(shown) / _TABLE_COLUMNS)
    axes.set_xlim(0, _TABLE_COLUMNS)
    axes.set_ylim(rows, 0)
    axes.set_axis_off()
    for place, label in enumerate(shown):
        column, row = divmod(place, rows)
        color = segmentation.palette[label]
        swatch = Rectangle(
            (column + 0.02, row + 0.15), 0.12, 0.7, fc=to_rgb(color), ec="0.6", lw=0.5
        )
        axes.add_patch(swatch)
        name = segmentation.names[label][:_LONGEST_NAME]
        text = f"{label:>3}  {hex_color(color)}  {segmentation.shares[label]:6.1%}  {name}".rstrip()
        axes.text(
            column + 0.17,
            row + 0.5,
            text,
            va="center",
            fontsize=9,
            family="monospace",
            parse_math=False,
        )
    if n_folded:
        share = float(segmentation.shares.sum() - segmentation.shares[shown].sum())
        axes.text(
            _TABLE_COLUMNS, rows + 0.4, f"and {n_folded} smaller segments, {share:.1%} together",
            ha="right", va="center", fontsize=9,
        )  # fmt: skip
