"""Pages for people, drawn with matplotlib.

Importing this package imports matplotlib: import it where a figure is wanted, not before.
"""

from livekm.figures.benchmark import benchmark_figure
from livekm.figures.clip import clip_figure
from livekm.figures.image import segmentation_figure
from livekm.figures.page import check_format, render

__all__ = ["benchmark_figure", "check_format", "clip_figure", "render", "segmentation_figure"]
