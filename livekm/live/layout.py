"""Where the parts of what a front shows lie: the picture, and the bar of controls below it."""

from __future__ import annotations

from dataclasses import dataclass

from livekm.live.letterbox import Place

_STRIP, _LINE = 24, 10  # rows of the strip of colours, and of the progress line above it
_SLIDER, _SLIDER_PART = 150, 4  # columns of the slider; at most this part of the width
_LEAST_WIDTH = 240  # below it there is no slider
_BAR_PART = 6  # the bar takes at most this part of the height


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each part lies, in pixels of what is shown; None for one that is not there.

    Attributes
    ----------
    picture : Place
        The room of the picture, which may leave borders in it.
    line : Place or None
        Of a clip's progress.
    strip : Place or None
        Of the segments' colours.
    slider : Place or None
        Of the number of clusters.
    """

    picture: Place
    line: Place | None = None
    strip: Place | None = None
    slider: Place | None = None


def bar_height(*, has_line: bool) -> int:
    """Return the rows that the bar takes below a picture that is not small."""
    return _STRIP + _LINE * has_line


def layout_in(room: tuple[int, int], *, has_bar: bool, has_line: bool) -> Layout:
    """Lay the parts out in a width and a height.

    Examples
    --------
    >>> layout_in((640, 384), has_bar=True, has_line=False).picture
    Place(left=0, top=0, width=640, height=360)
    """
    width, height = room
    rows = min(bar_height(has_line=has_line), height // _BAR_PART) if has_bar else 0
    if not rows:
        return Layout(Place(0, 0, width, height))
    line_rows = rows * _LINE // (_STRIP + _LINE) if has_line else 0
    top = height - rows
    columns = min(_SLIDER, width // _SLIDER_PART) if width >= _LEAST_WIDTH else 0
    strip_top, strip_rows = top + line_rows, rows - line_rows
    return Layout(
        picture=Place(0, 0, width, top),
        line=Place(0, top, width, line_rows) if line_rows else None,
        strip=Place(0, strip_top, width - columns, strip_rows),
        slider=Place(width - columns, strip_top, columns, strip_rows) if columns else None,
    )
