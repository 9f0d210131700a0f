"""What values look like in a notebook: HTML that needs nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import numpy.typing as npt

from livekm.frame import Image
from livekm.thumbnail import to_html

_MOST = 16  # segments that are listed
_WIDTH, _HEIGHT = 320, 120  # of a curve, in pixels
_SWATCH = (
    "display:inline-block;width:1.2em;height:1.2em;border:1px solid #888;vertical-align:middle"
)


def segments_html(
    image: Image,
    palette: npt.NDArray[np.uint8],
    shares: npt.NDArray[np.float64],
    names: Sequence[str],
    summary: str,
) -> str:
    """Return a picture of segments beside a table of them, the largest first."""
    order = [label for label in np.argsort(-shares, kind="stable") if shares[label] > 0]
    rows = [
        _row(label, palette[label], float(shares[label]), names[label]) for label in order[:_MOST]
    ]
    if len(order) > _MOST:
        rest = float(shares[order[_MOST:]].sum())
        text = f"{len(order) - _MOST} more"
        rows.append(f"<tr><td></td><td></td><td>{text}</td><td>{rest:.1%}</td></tr>")
    table = f'<table style="font-size:smaller;margin:0">{"".join(rows)}</table>'
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:1em;align-items:flex-start">'
        f"<figure style='margin:0'>{to_html(image)}<figcaption>{escape(summary)}</figcaption>"
        f"</figure>{table}</div>"
    )


def _row(label: int, color: npt.NDArray[np.uint8], share: float, name: str) -> str:
    blue, green, red = (int(level) for level in color)
    code = f"#{red:02x}{green:02x}{blue:02x}"
    text = f"{escape(name)} {code}" if name else code
    return (
        f'<tr><td>{label}</td><td><span style="{_SWATCH};background:{code}"></span></td>'
        f"<td>{text}</td><td>{share:.1%}</td></tr>"
    )


def curve_html(values: Sequence[float], chosen: int, text: str) -> str:
    """Return a curve of values for 1, 2, ..., with a mark at the one that was chosen."""
    most = max(values, default=0.0) or 1.0
    step = _WIDTH / max(1, len(values) + 1)
    points = [(step * (i + 1), _HEIGHT * (1 - value / most)) for i, value in enumerate(values)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    labels = "".join(
        f'<text x="{x:.1f}" y="{_HEIGHT + 16}" text-anchor="middle" font-size="11" '
        f'fill="currentColor">{i + 1}</text>'
        for i, (x, _) in enumerate(points)
    )
    mark = ""
    if 0 < chosen <= len(points):
        x, y = points[chosen - 1]
        mark = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="#d55e00"/>'
    return (
        f"<figure style='margin:0'><svg viewBox='0 -8 {_WIDTH} {_HEIGHT + 30}' width='{_WIDTH}'>"
        f'<polyline points="{line}" fill="none" stroke="currentColor" stroke-width="1.5"/>'
        f"{mark}{labels}</svg><figcaption>{escape(text)}; mean squared error in Lab by the number "
        "of colours</figcaption></figure>"
    )
