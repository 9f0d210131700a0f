"""A page about the speed of the frame loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from livekm.figures.page import new_page

_RATES = (30, 60)  # frames a second that cameras and screens have


def benchmark_figure(times: Mapping[str, Sequence[float]], title: str, note: str) -> Figure:
    """Draw the times of the stages of a frame: one after the other, and how they are spread.

    Parameters
    ----------
    times : mapping of str to sequence of float
        Stage to milliseconds, frame by frame; ``"frame"`` is the whole period.
    title, note : str
        The lines above and below.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = new_page(11, 7, title)
    figure.supxlabel(note, fontsize=8, color="0.4", parse_math=False)
    course, spread = figure.subplots(2, 1, height_ratios=[3, 2])
    _draw_course(course, times)
    _draw_spread(spread, times)
    return figure


def sweep_figure(periods: Mapping[str, Sequence[float]], title: str, note: str) -> Figure:
    """Draw how long a frame takes in several ways: the median, and a line to 95 %.

    Parameters
    ----------
    periods : mapping of str to sequence of float
        Way to milliseconds, frame by frame.
    title, note : str
        The lines above and below.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = new_page(11, 1.6 + 0.36 * len(periods), title)
    figure.supxlabel(note, fontsize=8, color="0.4", parse_math=False)
    axes = figure.add_subplot()
    middles, ends = (
        np.array([np.percentile(row, percent) for row in periods.values()]) for percent in (50, 95)
    )
    rows = np.arange(len(periods))
    axes.barh(rows, middles, color="tab:blue", alpha=0.8, height=0.65)
    axes.hlines(rows, middles, ends, color="0.2", linewidth=1.2)
    axes.plot(ends, rows, "|", color="0.2", markersize=8)
    for row, (middle, end) in enumerate(zip(middles, ends, strict=True)):
        axes.text(
            end, row, f"  {middle:.1f} ms, {1000 / middle:.0f} frames/s", va="center", fontsize=8
        )
    highest = 1.25 * float(ends.max())
    for fps in _RATES:
        if 1000 / fps < highest:
            axes.axvline(1000 / fps, color="0.4", linewidth=0.8, linestyle="--")
            axes.text(
                1000 / fps, 1.0, f"{fps} frames/s", transform=axes.get_xaxis_transform(),
                ha="center", va="bottom", fontsize=8, color="0.3",
            )  # fmt: skip
    axes.set_xlim(0, highest)
    axes.set_yticks(rows, list(periods))
    axes.invert_yaxis()
    axes.set_xlabel("ms: median, and 95 %")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _draw_course(course: Axes, times: Mapping[str, Sequence[float]]) -> None:
    """Draw each stage's running median, stacked, and the band in which the frame's period lies."""
    stages = [name for name in times if name != "frame"]
    n_frames = min(len(times[name]) for name in stages)
    numbers = np.arange(n_frames)
    rows = [running(times[name][:n_frames], 50) for name in stages]
    course.stackplot(numbers, rows, labels=stages, alpha=0.85)
    highest = float(np.sum(rows, axis=0).max(initial=0))
    if "frame" in times:
        periods = times["frame"]
        at = numbers[-len(periods) :]
        low, middle, high = (running(periods, percent) for percent in (5, 50, 95))
        course.fill_between(at, low, high, color="0.2", alpha=0.2, linewidth=0, label="5 to 95 %")
        course.plot(at, middle, color="0.2", linewidth=1.2, label="frame, median")
        highest = max(highest, float(high.max(initial=0)))
    # The longest period that holds a rate is above the frames' if they hold it.
    for fps in _RATES:
        if 1000 / fps < 2 * highest:
            course.axhline(1000 / fps, color="0.4", linewidth=0.8, linestyle="--")
            course.text(
                1.0, 1000 / fps, f" {fps} frames/s", transform=course.get_yaxis_transform(),
                va="center", fontsize=8, color="0.3",
            )  # fmt: skip
            highest = max(highest, 1000 / fps)
    course.set_ylim(0, 1.15 * highest or 1)
    course.set_xlim(0, max(n_frames - 1, 1))
    course.set_xlabel("frame")
    course.set_ylabel("ms")
    course.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(times) + 1, frameon=False)
    course.spines[["top", "right"]].set_visible(False)


def running(values: Sequence[float], percent: float) -> npt.NDArray[np.float64]:
    """Return the percentile of each value and its neighbours, fewer of them at the ends.

    Examples
    --------
    >>> running([1, 1, 9, 1, 1], 50).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0]
    """
    reach = max(2, len(values) // 40)
    parts = (values[max(0, i - reach) : i + reach + 1] for i in range(len(values)))
    return np.array([np.percentile(part, percent) for part in parts])


def _draw_spread(spread: Axes, times: Mapping[str, Sequence[float]]) -> None:
    """Draw a box for each stage, in the colour that it has above."""
    names = list(times)
    boxes = spread.boxplot(
        [times[name] for name in names],
        orientation="horizontal",
        whis=(5, 95),
        widths=0.6,
        patch_artist=True,
        medianprops={"color": "black"},
        flierprops={"marker": ".", "markersize": 3, "alpha": 0.5},
    )
    for i, (name, box) in enumerate(zip(names, boxes["boxes"], strict=True)):
        box.set_facecolor("0.8" if name == "frame" else f"C{i}")
    medians = [f"{name}\n{np.median(times[name]):.2f} ms" for name in names]
    spread.set_yticks(range(1, len(names) + 1), medians)
    spread.invert_yaxis()
    spread.set_xscale("log")
    spread.xaxis.set_major_formatter("{x:g}")
    spread.set_xlabel("ms: median, quarters, 5 to 95 %, and what lies beyond")
    spread.grid(axis="x", which="both", alpha=0.3)
    spread.spines[["top", "right"]].set_visible(False)
