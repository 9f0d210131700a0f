"""The page of a still image."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from livekm.core.segmentation import Segmentation
from livekm.figures.page import new_page, show_image, show_palette
from livekm.frame import Image

_COLUMNS = 4
_MOST_MASKS = 32
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
    page_height = 2 * panel + (panel + 0.35) * mask_rows + 1.6
    figure = new_page(12, page_height, title or f"k-means, k = {segmentation.n_clusters}")
    grid = figure.add_gridspec(
        2 + mask_rows, _COLUMNS, height_ratios=[2 * panel, 0.7, *[panel + 0.35] * mask_rows]
    )
    half = _COLUMNS // 2
    show_image(figure.add_subplot(grid[0, :half]), image, "original")
    found = f"{segmentation.n_segments} segments, mse {segmentation.mse:.4g}"
    show_image(figure.add_subplot(grid[0, half:]), segmentation.paint(), found)
    show_palette(figure.add_subplot(grid[1, :]), segmentation.palette, segmentation.shares)
    for place, index in enumerate(order):
        axes = figure.add_subplot(grid[2 + place // _COLUMNS, place % _COLUMNS])
        mask = segmentation.mask(int(index))
        cut_out = np.where(mask[:, :, np.newaxis], image, _checkerboard(height, width))
        show_image(axes, cut_out, f"segment {index}: {segmentation.shares[index]:.1%}")
    return figure


def _checkerboard(height: int, width: int) -> Image:
    """Return the (H, W, 3) pattern that stands for transparency: no segment has its colour."""
    square = max(2, max(height, width) // 60)
    rows, columns = np.ogrid[:height, :width]
    pattern = np.where((rows // square + columns // square) % 2, 170, 205).astype(np.uint8)
    return np.repeat(pattern[:, :, np.newaxis], 3, axis=2)
