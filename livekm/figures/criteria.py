"""The curves from which the number of colours was chosen."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from livekm.core.suggestion import Criterion, Suggestion
from livekm.figures.page import new_page

_WIDTH, _HEIGHT = 12.0, 3.2  # inches


def suggestion_figure(suggestion: Suggestion, title: str = "") -> Figure:
    """Draw what each criterion makes of each number of colours, side by side.

    Parameters
    ----------
    suggestion : Suggestion
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = new_page(_WIDTH, _HEIGHT, f"{title}: {suggestion}" if title else str(suggestion))
    count = max(1, len(suggestion.criteria))
    draw_criteria([figure.add_subplot(1, count, 1 + i) for i in range(count)], suggestion)
    return figure


def draw_criteria(panels: Sequence[Axes], suggestion: Suggestion) -> None:
    """Draw a criterion into each panel: its curve, its answer, and the number that was taken."""
    for axes, criterion in zip(panels, suggestion.criteria, strict=True):
        _draw(axes, criterion, suggestion.n_clusters)


def _draw(axes: Axes, criterion: Criterion, taken: int) -> None:
    ks = range(criterion.first, criterion.first + len(criterion.values))
    axes.plot(ks, criterion.values, ".-", color="0.4")
    best = criterion.values[criterion.n_clusters - criterion.first]
    axes.plot(criterion.n_clusters, best, "o", color="#d62728")
    axes.axvline(taken, color="0.8", zorder=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("k", fontsize=9)
    axes.set_title(f"{criterion.text}: {criterion.n_clusters}", fontsize=10)
