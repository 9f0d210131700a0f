"""Show a frame through the view, in the size in which it is shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from livekm.core.painting import Painting
from livekm.core.region_segmentation import RegionSegmentation
from livekm.core.segmentation import Segmentation
from livekm.core.selection import EVERYTHING, Selection
from livekm.frame import Frame, Image
from livekm.live.letterbox import Place, place_in, resized
from livekm.live.settings import LiveSettings
from livekm.outputs.checks import as_image
from livekm.views import VIEWS, recolored

_LEAST_HEIGHT = 360  # smaller pictures are enlarged, or the HUD would cover them
_LARGEST_PART = 4  # times that height may be the width of a picture that is enlarged for that
_DIVIDER = 2  # columns between pictures side by side
_HALVES = {"side-by-side", "wipe"}


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A view of a frame, which can be drawn in any size.

    Attributes
    ----------
    frame : Frame
        As large as it came.
    segmentation : Segmentation or None
        Of the frame, or of it in another size; without one, the frame itself is shown.
    view : str
        A key of `livekm.views.VIEWS`.
    selection : Selection
    wipe_at : float
        The part of the width at which the view ``wipe`` goes from one picture to the other.
    colors : (n, 3) uint8, BGR, or None
        Other colours for the segments, by their ids.
    min_area : int or None
        As of `livekm.find_regions`, in pixels of the frame.
    """

    frame: Frame
    segmentation: Segmentation | None
    view: str
    selection: Selection = EVERYTHING
    wipe_at: float = 0.5
    colors: npt.NDArray[np.uint8] | None = None
    min_area: int | None = None

    @property
    def across(self) -> int:
        """How many pictures lie side by side."""
        return 2 if self.view == "side-by-side" and self.segmentation is not None else 1

    @property
    def full_size(self) -> tuple[int, int]:
        """The width and height in which every pixel of the frame is shown."""
        height, width = self.frame.image.shape[:2]
        return self.across * width, height

    @property
    def wanted_size(self) -> tuple[int, int]:
        """The width and height at which it is best shown."""
        return enlarged(*self.full_size)

    @property
    def captions(self) -> tuple[str, ...]:
        """What the left and the right half show, if that differs."""
        is_parted = self.view in _HALVES and self.segmentation is not None
        return ("original", "segments") if is_parted else ()

    def image(self, size: tuple[int, int] | None = None) -> Image:
        """Return the (H, W, 3) uint8 BGR image, in its full size by default; may be the frame's.

        Lines and text are drawn in the pixels of that size, whatever the segmentation's is.
        """
        size = size or self.full_size
        return resized(as_image(self._shown(size)), size)

    def draw(self, target: Image) -> None:
        """Fill `target`, (H, W, 3) uint8 BGR, with it."""
        size = target.shape[1], target.shape[0]
        shown = self._shown(size)
        if isinstance(shown, Painting) and target.flags.c_contiguous:
            shown.paint(target)  # not into an image that would be copied
        else:
            target[:] = resized(as_image(shown), size)

    def _shown(self, size: tuple[int, int]) -> Image | Painting:
        """Return what the view gives of the frame, in about that width and height."""
        inner = max(1, size[0] // self.across), size[1]
        if self.segmentation is None:
            return resized(self.frame.image, inner)
        found = in_size(self.segmentation, inner)
        is_all = self.selection.is_everything and self.frame.mask is None
        if self.view == "segments" and is_all and self.colors is None:
            return found.painting()  # without the frame in this size
        frame = Frame(resized(self.frame.image, inner), self.frame.index, self.frame.time)
        view: Any = VIEWS[self.view]
        if self.colors is not None:
            view = recolored(self.view, self.colors)
        more: dict[str, Any] = {"at": self.wipe_at} if self.view == "wipe" else {}
        if self.view == "regions" and self.min_area is not None:
            whole = self.frame.image.shape[0] * self.frame.image.shape[1]
            more["min_area"] = max(1, round(self.min_area * found.labels.size / whole))
        shown: Image | Painting = view(frame, found, self.selection, **more)
        return shown


class Presentation:
    """Looks at frames through the view, and knows which pixel of the picture is which.

    Parameters
    ----------
    settings : LiveSettings
    """

    def __init__(self, settings: LiveSettings) -> None:
        self._settings = settings
        self._across = 1
        self._place = Place(0, 0, 1, 1)  # of the view that was laid out last

    def look(self, frame: Frame, segmentation: Segmentation | None) -> Look:
        """Return the view of a frame and its segmentation, which may be of another size."""
        settings = self._settings
        return Look(
            frame,
            segmentation,
            settings.view,
            settings.selection,
            settings.wipe_at,
            settings.colors,
            settings.min_area,
        )

    def lay_out(self, look: Look, canvas: Image, room: Place) -> None:
        """Draw the view into a place of a canvas, as large as fits between black borders."""
        inner = place_in(look.full_size, (room.width, room.height))
        place = Place(room.left + inner.left, room.top + inner.top, inner.width, inner.height)
        self._across, self._place = look.across, place
        if inner != Place(0, 0, room.width, room.height):
            room.of(canvas)[:] = 0
        target = place.of(canvas)
        look.draw(target)
        if look.across > 1:
            middle = place.width // 2
            target[:, middle - _DIVIDER // 2 : middle + _DIVIDER // 2] = 255

    def label_at(self, x: int, y: int, found: Segmentation | RegionSegmentation) -> int | None:
        """Return the label at a pixel of the last picture; None in a border, or where none is."""
        if (x, y) not in self._place:
            return None
        rows, columns = found.labels.shape
        across = self._across * (x - self._place.left) * columns // self._place.width
        row = (y - self._place.top) * rows // self._place.height
        label = int(found.labels[row, min(across, self._across * columns - 1) % columns])
        return label if 0 <= label < len(found.ids) else None

    def place_at(self, x: int, y: int) -> tuple[float, float]:
        """Return the parts of a frame's width and height at the nearest pixel of the picture."""
        place = self._place
        across = min(max((x - place.left) / place.width, 0.0), 1.0) * self._across
        down = min(max((y - place.top) / place.height, 0.0), 1.0)
        return across if across <= 1 else across - 1, down

    def part_at(self, x: int) -> float:
        """Return the part of the picture's width at a column."""
        return self._place.part_at(x)


def in_size(segmentation: Segmentation, size: tuple[int, int]) -> Segmentation:
    """Return a segmentation with its labels in another width and height."""
    labels = segmentation.labels
    if size == (labels.shape[1], labels.shape[0]):
        return segmentation
    enlarged = np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    counts = np.rint(segmentation.counts * (enlarged.size / labels.size)).astype(np.int64)
    regions = segmentation.regions
    if regions is not None:
        pieces: npt.NDArray[np.int32] = np.empty(size[::-1], np.int32)
        cv2.resize(regions.labels, size, pieces, interpolation=cv2.INTER_NEAREST)
        areas = np.rint(regions.shares * pieces.size).astype(np.int64)
        regions = replace(regions, labels=pieces, areas=areas)
    return replace(segmentation, labels=enlarged, counts=counts, regions=regions)


def enlarged(width: int, height: int) -> tuple[int, int]:
    """Return the size, enlarged in whole steps to a height of at least 360 pixels.

    What is much wider than high is enlarged less, or it would take all the memory.
    """
    to_height, to_width = -(-_LEAST_HEIGHT // height), _LARGEST_PART * _LEAST_HEIGHT // width
    factor = max(1, min(to_height, to_width))
    return factor * width, factor * height
