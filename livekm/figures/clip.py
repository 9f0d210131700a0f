"""The page of a clip."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator, PercentFormatter

from livekm.core.contrast import LUMA
from livekm.figures.history import Course, History, SampleFrame
from livekm.figures.page import new_page, show_image, show_palette, text_color

_COLUMNS = 5  # frames that are shown, at the most
_HIGHEST = 4.0  # inches of a sample frame
_LEAST_LABELLED, _LEAST_MARKED = 0.03, 0.005  # share of an area that has its number, and marks
_RASTER = 480, 1600  # rows and columns of the areas
_MOST_TICKS = 12
_TICKS = (0.04, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
_CUT_COLOR = "#d62728"


def clip_figure(history: History, title: str) -> Figure:
    """Draw sample frames, the shares of the segments over time, the error, and the palette.

    Parameters
    ----------
    history : History
        Of at least one frame.
    title : str
        What the clip is called.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height = history.size or (1, 1)
    samples = _chosen(history)
    columns = len(samples)
    panel = min(12 / columns * min(max(height / width, 0.2), 1.5), _HIGHEST)
    figure = new_page(12, 2 * panel + 7.2, _headline(history, title))
    grid = figure.add_gridspec(5, columns, height_ratios=[panel, panel, 3.6, 1.4, 0.7])
    shares = figure.add_subplot(grid[2, :])
    error = figure.add_subplot(grid[3, :], sharex=shares)
    for column, sample in enumerate(samples):
        above = figure.add_subplot(grid[0, column])
        time = _moment(sample.time, history.end)
        show_image(above, sample.image, f"cut at {time}" if sample.is_cut else time)
        show_image(figure.add_subplot(grid[1, column]), sample.painted, "")
    course = history.course()
    _draw_shares(shares, history, course)
    _draw_error(error, history)
    palette = figure.add_subplot(grid[4, :])
    show_palette(palette, course.colors, course.shares.mean(axis=0), course.names)
    palette.set_title("ids in their mean colours, by their share of the whole clip", fontsize=10)
    return figure


def _headline(history: History, title: str) -> str:
    width, height = history.size or (0, 0)
    length = history.end - float(history.times[0])
    return (
        f"{title}\n{_counted(history.n_frames, 'frame')} of {width}x{height}, "
        f"{_moment(length, length)}, "
        f"{_counted(history.n_clusters, 'segment')}, {_counted(len(history.cuts), 'cut')}"
    )


def _chosen(history: History) -> list[SampleFrame]:
    """Return for each fifth of the clip the frame after its first cut, or the one in its middle."""
    start, samples = float(history.times[0]), history.samples
    part = (history.end - start) / _COLUMNS
    chosen: list[SampleFrame] = []
    for number in range(_COLUMNS):
        begin, middle = start + number * part, start + (number + 0.5) * part
        inside = [s for s in samples if begin <= s.time < begin + part and s not in chosen]
        cuts = [sample for sample in inside if sample.is_cut]
        if inside:
            chosen.append(cuts[0] if cuts else min(inside, key=lambda s: abs(s.time - middle)))
    return chosen


def _draw_shares(axes: Axes, history: History, course: Course) -> None:
    """Draw the stacked areas as an image: each id in one colour, the darkest at the bottom."""
    start, end = float(history.times[0]), history.end
    order = np.argsort(course.colors @ LUMA, kind="stable")
    ends = np.cumsum(course.shares[:, order], axis=1)
    ends /= np.maximum(ends[:, -1:], 1e-12)
    heights = (np.arange(_RASTER[0]) + 0.5) / _RASTER[0]
    strips = np.empty((len(ends), _RASTER[0], 3), np.uint8)
    for number, edges in enumerate(ends):
        if not edges.any():  # nothing counts
            strips[number] = 255
            continue
        places = np.searchsorted(edges, heights).clip(max=len(order) - 1)
        strips[number] = course.colors[order[places]]
    moments = start + (np.arange(_RASTER[1]) + 0.5) / _RASTER[1] * (end - start)
    bins = np.searchsorted(history.times, moments, side="right") - 1
    axes.imshow(
        strips[bins.clip(0)].transpose(1, 0, 2)[..., ::-1],
        extent=(start, end, 0, 1),
        origin="lower",
        aspect="auto",
        interpolation="nearest",
    )
    edges = np.append(history.times, end)
    bottoms = np.concatenate([np.zeros((len(ends), 1)), ends[:, :-1]], axis=1)
    for row, column in enumerate(order):
        _mark_area(axes, history, course, int(column), edges, bottoms[:, row], ends[:, row])
    axes.set_ylabel("share of what counts")
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.tick_params(labelbottom=False)
    for cut in history.cuts:
        axes.axvline(cut, color="white", linewidth=1, alpha=0.6)
        axes.plot(cut, 1.02, "v", color=_CUT_COLOR, markersize=6, clip_on=False)
    axes.set_ylim(0, 1)
    axes.set_title(
        "each id in its mean colour, its number where it is thickest, "
        "\u25b7 where it begins, \u25c1 where it ends",
        fontsize=10,
        pad=14,  # above the marks of the cuts
    )


def _mark_area(
    axes: Axes,
    history: History,
    course: Course,
    column: int,
    edges: npt.NDArray[np.float64],
    low: npt.NDArray[np.float64],
    high: npt.NDArray[np.float64],
) -> None:
    """Write an id into its area where that is thickest, and mark where the id begins and ends."""
    thickness, middles = high - low, (low + high) / 2
    style: dict[str, Any] = {
        "color": text_color(course.colors[column]),
        "fontsize": 9,
        "parse_math": False,
    }
    widest = int(np.argmax(thickness))
    if thickness[widest] > _LEAST_LABELLED:
        x = (edges[widest] + edges[widest + 1]) / 2
        margin = 0.01 * (edges[-1] - edges[0])
        x = min(max(x, edges[0] + margin), edges[-1] - margin)
        axes.text(x, middles[widest], course.names[column], ha="center", va="center", **style)
    there = np.flatnonzero(thickness > 0)
    if not len(there) or thickness[there].max() < _LEAST_MARKED:
        return
    if course.first[column] > history.times[0]:
        axes.text(edges[there[0]], middles[there[0]], "\u25b7", ha="left", va="center", **style)
    if course.last[column] < history.last_time:
        axes.text(
            edges[there[-1] + 1], middles[there[-1]], "\u25c1", ha="right", va="center", **style
        )


def _draw_error(axes: Axes, history: History) -> None:
    start, end = float(history.times[0]), history.end
    axes.step(
        np.append(history.times, end),
        np.append(history.errors, history.errors[-1]),
        where="post",
        color="black",
        linewidth=1,
    )
    for number, cut in enumerate(history.cuts):
        label = "cut" if number == 0 else None
        axes.axvline(cut, color=_CUT_COLOR, linewidth=1, linestyle="--", label=label)
    if history.cuts:
        axes.legend(loc="upper right", fontsize=9)
    axes.set_xlim(start, end)
    axes.set_ylim(0, 1.1 * float(history.errors.max()) or 1)
    axes.set_ylabel("mean squared\nerror (mse)")
    axes.grid(alpha=0.3)
    unit = "seconds" if end < 60 else "minutes:seconds" if end < 3600 else "hours:minutes:seconds"
    axes.set_xlabel(f"time in the clip, {unit}")
    tick = next((tick for tick in _TICKS if (end - start) / tick <= _MOST_TICKS), (end - start) / 6)
    axes.xaxis.set_major_locator(MultipleLocator(tick))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda time, _: _clock(time, end, tick)))


def _counted(n: int, what: str) -> str:
    return f"{n or 'no'} {what}{'' if n == 1 else 's'}"


def _moment(time: float, longest: float) -> str:
    return _clock(time, longest) + (" s" if longest < 60 else "")


def _clock(time: float, longest: float, tick: float = 0.1) -> str:
    """Return a time for people: ``2.5``, ``1:30`` or ``1:02:30``, as `longest` needs it."""
    if longest < 60:
        return f"{time:.2f}" if tick < 0.1 else f"{time:.1f}" if tick < 1 else f"{time:.0f}"
    minutes, seconds = divmod(round(time), 60)
    if longest < 3600:
        return f"{minutes}:{seconds:02d}"
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
