"""Pages for people, drawn with matplotlib.

matplotlib takes half a second to import: it is imported when a function of this package is first
asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from livekm.figures.history import History

if TYPE_CHECKING:
    from livekm.figures.benchmark import benchmark_figure, sweep_figure
    from livekm.figures.clip import clip_figure
    from livekm.figures.criteria import suggestion_figure
    from livekm.figures.image import segmentation_figure
    from livekm.figures.lesson import lesson_html, lesson_pages, lesson_sheet
    from livekm.figures.page import check_format, render

__all__ = [
    "History",
    "benchmark_figure",
    "check_format",
    "clip_figure",
    "lesson_html",
    "lesson_pages",
    "lesson_sheet",
    "render",
    "segmentation_figure",
    "suggestion_figure",
    "sweep_figure",
]

_MODULES = {
    "benchmark_figure": "benchmark",
    "check_format": "page",
    "clip_figure": "clip",
    "lesson_html": "lesson",
    "lesson_pages": "lesson",
    "lesson_sheet": "lesson",
    "render": "page",
    "segmentation_figure": "image",
    "suggestion_figure": "criteria",
    "sweep_figure": "benchmark",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
