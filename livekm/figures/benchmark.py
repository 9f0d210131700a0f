"""A page about the speed of the frame loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from livekm.figures.page import new_page


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


def _draw_course(course: Axes, times: Mapping[str, Sequence[float]]) -> None:
    """Stack the stages of each frame, with a line for its period."""
    stages = [name for name in times if name != "frame"]
    n_frames = min(len(times[name]) for name in stages)
    numbers = np.arange(n_frames)
    rows = [times[name][:n_frames] for name in stages]
    course.stackplot(numbers, rows, labels=stages, step="mid")
    if "frame" in times:
        periods = times["frame"]
        course.plot(numbers[-len(periods) :], periods, color="0.2", linewidth=0.8, label="frame")
    # A hiccup of the machine would press all else to the ground; the boxes show it.
    everything = np.concatenate([np.sum(rows, axis=0), times.get("frame", [])])
    course.set_ylim(0, 1.3 * float(np.percentile(everything, 98)) or 1)
    course.set_xlim(-0.5, max(n_frames - 0.5, 0.5))
    course.set_xlabel("frame")
    course.set_ylabel("ms")
    course.legend(loc="upper right", ncols=len(times))
    course.spines[["top", "right"]].set_visible(False)


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
