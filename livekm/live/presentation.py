"""Show a frame through the view, and fit it into the size in which it is shown."""

from __future__ import annotations

from dataclasses import dataclass

from livekm.core.segmentation import Segmentation
from livekm.core.selection import Selection
from livekm.frame import Frame, Image
from livekm.live.hud import Hud
from livekm.live.letterbox import Place, letterboxed, place_in
from livekm.live.settings import LiveSettings
from livekm.outputs.checks import as_image
from livekm.views import VIEWS, recolored

_LEAST_HEIGHT = 360  # smaller pictures are enlarged, or the HUD would cover them
_LARGEST_PART = 4  # times that height may be the width of a picture that is enlarged for that


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A view of a frame, before it is laid out and written on.

    Attributes
    ----------
    image : (H, W, 3) uint8, BGR
        May be the frame's own.
    full_size : (int, int)
        Width and height as if the frame had not been scaled.
    """

    image: Image
    full_size: tuple[int, int]

    @property
    def wanted_size(self) -> tuple[int, int]:
        """The width and height at which it is best shown."""
        return enlarged(*self.full_size)


class Presentation:
    """Applies the view to frames and fits the result into the window's size.

    Parameters
    ----------
    settings : LiveSettings
    hud : Hud
    """

    def __init__(self, settings: LiveSettings, hud: Hud) -> None:
        self._settings = settings
        self._hud = hud
        self._size = (1, 1)  # of the view that was laid out last
        self._place = Place(0, 0, 1, 1)  # of that view in the window

    def look(self, source: Frame, frame: Frame, segmentation: Segmentation | None) -> Look:
        """Return the view; without a segmentation, the frame's own image.

        Parameters
        ----------
        source, frame : Frame
            Before and after it was scaled.
        segmentation : Segmentation or None
            Of `frame`.
        """
        image = frame.image
        if segmentation is not None:
            settings = self._settings
            rest = settings.rest or ("pale" if settings.chosen else None)
            ignored = settings.rest or "original"
            chosen = settings.chosen
            selection = Selection(chosen, drop=not chosen, rest=rest, ignored=ignored)
            colors = settings.colors
            view = VIEWS[settings.view] if colors is None else recolored(settings.view, colors)
            image = as_image(view(frame, segmentation, selection))
        down, across = (n // m for n, m in zip(image.shape[:2], frame.image.shape[:2], strict=True))
        height, width = source.image.shape[:2]
        return Look(image, (across * width, down * height))

    def lay_out(self, look: Look, room: tuple[int, int]) -> Image:
        """Return a new image of a width and height, with the view as large as fits."""
        self._size = look.image.shape[1], look.image.shape[0]
        self._place = place_in(self._size, room)
        image = letterboxed(look.image, room)
        return image.copy() if image is look.image else image

    def label_at(self, x: int, y: int, segmentation: Segmentation) -> int | None:
        """Return the label at a pixel of the last picture, or of its strip; None in a border.

        None, too, where the pixel does not count.
        """
        label = self._hud.label_at(x, y, segmentation)
        if label is not None:
            return label
        across, down = x - self._place.left, y - self._place.top
        if not (0 <= across < self._place.width and 0 <= down < self._place.height):
            return None
        column = across * self._size[0] // self._place.width
        row = down * self._size[1] // self._place.height
        labels = segmentation.labels
        label = int(labels[row, column % labels.shape[1]])  # side by side: twice
        return label if label < segmentation.n_clusters else None


def enlarged(width: int, height: int) -> tuple[int, int]:
    """Return the size, enlarged in whole steps to a height of at least 360 pixels.

    What is much wider than high is enlarged less, or it would take all the memory.
    """
    to_height, to_width = -(-_LEAST_HEIGHT // height), _LARGEST_PART * _LEAST_HEIGHT // width
    factor = max(1, min(to_height, to_width))
    return factor * width, factor * height
