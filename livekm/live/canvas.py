"""The view of a frame in the window: which one, of which segments, and where it lies."""

from __future__ import annotations

from collections.abc import Callable

from livekm.core.segmentation import Segmentation
from livekm.core.selection import EVERYTHING, Selection
from livekm.frame import Frame, Image
from livekm.live.letterbox import Place, letterboxed, place_in
from livekm.outputs.checks import as_image
from livekm.views import VIEWS

_LEAST_HEIGHT = 360  # smaller pictures are enlarged, or the display would cover them

Fit = Callable[[int, int], tuple[int, int]]
"""Takes width and height of a picture, returns those of the window that shows it."""


class Canvas:
    """Looks at frames through a view, and lays what is seen into the window.

    Parameters
    ----------
    view : str
        A key of `livekm.views.VIEWS`.

    Attributes
    ----------
    view : str
    chosen : set of int
        The slots that are isolated; where it is empty, every segment is shown.
    """

    def __init__(self, view: str) -> None:
        self.view = view
        self.chosen: set[int] = set()
        self._size = (1, 1)  # of what was laid last,
        self._place = Place(0, 0, 1, 1)  # and where it lies

    def see(self, frame: Frame, segmentation: Segmentation | None) -> Image:
        """Return the view, (H, W, 3) uint8 BGR; without a segmentation, the frame's own image."""
        if segmentation is None:
            return frame.image
        chosen = Selection(self.chosen, rest="dim") if self.chosen else EVERYTHING
        return as_image(VIEWS[self.view](frame, segmentation, chosen))

    def lay(self, seen: Image, full_size: tuple[int, int], fit: Fit | None) -> Image:
        """Return `seen` as large as the window shows it, between borders; may be `seen` itself.

        Parameters
        ----------
        seen : (H, W, 3) uint8, BGR
        full_size : (int, int)
            Width and height as if frames were not scaled: what the window is to be fitted to.
        fit : callable, optional
            Without it, the window has the size of the picture.
        """
        size = enlarged(*full_size)
        room = fit(*size) if fit else size
        self._size = seen.shape[1], seen.shape[0]
        self._place = place_in(self._size, room)
        return letterboxed(seen, room)

    def pixel_at(self, x: int, y: int) -> tuple[int, int] | None:
        """Return the column and row of what is seen at a pixel of the window; None in a border."""
        across, down = x - self._place.left, y - self._place.top
        if not (0 <= across < self._place.width and 0 <= down < self._place.height):
            return None
        width, height = self._size
        return across * width // self._place.width, down * height // self._place.height


def at_full_size(seen: Image, frame: Frame, source: Frame) -> tuple[int, int]:
    """Return the width and height of a view as if its frame had not been scaled.

    Parameters
    ----------
    seen : (H, W, 3) uint8, BGR
        A view of `frame`, or several side by side.
    frame, source : Frame
        After and before it was scaled.
    """
    height, width = frame.image.shape[:2]
    full_height, full_width = source.image.shape[:2]
    return seen.shape[1] // width * full_width, seen.shape[0] // height * full_height


def enlarged(width: int, height: int) -> tuple[int, int]:
    """Return the size, enlarged in whole steps to a height of at least 360 pixels.

    What is much wider than high is enlarged less, or it would take all the memory.
    """
    factor = max(1, min(-(-_LEAST_HEIGHT // height), 4 * _LEAST_HEIGHT // width))
    return factor * width, factor * height
