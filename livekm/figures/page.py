"""Elements that every page shares: images, a palette, a file format."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from livekm.core.contrast import is_dark
from livekm.errors import UsageError
from livekm.frame import Image

_LONGEST_SIDE = 640  # of a panel in pixels; more would not be seen


def new_page(width: float, height: float, title: str) -> Figure:
    """Return an empty page; its size is in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    # A dollar sign in a file's name does not begin a formula.
    figure.suptitle(title, parse_math=False)
    return figure


def check_format(suffix: str) -> None:
    """Raise `ValueError` if matplotlib cannot write the format (``.png``, ``.pdf``, ...)."""
    known = FigureCanvasAgg(Figure()).get_supported_filetypes()
    if suffix.lstrip(".").lower() not in known:
        raise UsageError(
            f"a figure cannot be a {suffix or 'file without suffix'}: use .png or .pdf"
        )


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


def show_image(axes: Axes, image: Image, title: str) -> None:
    """Show a (H, W, 3) BGR image."""
    step = max(1, max(image.shape[:2]) // _LONGEST_SIDE)
    axes.imshow(image[::step, ::step, ::-1], interpolation="antialiased")
    axes.set_title(title, fontsize=10, parse_math=False)
    axes.set_axis_off()


def to_rgb(color: npt.NDArray[np.uint8]) -> tuple[float, float, float]:
    """Return a (3,) BGR colour as matplotlib takes it."""
    b, g, r = (color / 255).tolist()
    return r, g, b


def hex_color(color: npt.NDArray[np.uint8]) -> str:
    """Return a (3,) BGR colour as ``#rrggbb``."""
    b, g, r = color.tolist()
    return f"#{r:02x}{g:02x}{b:02x}"


def text_color(color: npt.NDArray[np.uint8]) -> str:
    """Return what can be read on a (3,) BGR colour: black or white."""
    return "white" if is_dark(color) else "black"


def show_palette(
    axes: Axes,
    palette: npt.NDArray[np.uint8],
    shares: npt.NDArray[np.float64],
    names: Sequence[object] | npt.NDArray[np.int64] | None = None,
) -> None:
    """Draw (k, 3) BGR colours, the largest first, each as wide as its share and with its name.

    By default the names are the labels, 0 to k-1.
    """
    start = 0.0
    for index in np.argsort(-shares, kind="stable"):
        share = float(shares[index])
        axes.barh(0, share, left=start, height=1, color=to_rgb(palette[index]))
        if share > 0.03:
            axes.text(
                start + share / 2,
                0,
                f"{index if names is None else names[index]}\n{share:.0%}",
                ha="center",
                va="center",
                fontsize=9,
                color=text_color(palette[index]),
                parse_math=False,
            )
        start += share
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.5, 0.5)
    axes.set_axis_off()
