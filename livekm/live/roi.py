"""The part of the picture that counts, drawn by a pointing device."""

from __future__ import annotations

from livekm.core.segmenter import Segmenter
from livekm.frame import Image
from livekm.live.controls import MOST_CLUSTERS, draw_frame
from livekm.live.hud import Hud
from livekm.live.presentation import Presentation
from livekm.live.processing import Processing
from livekm.live.settings import LiveSettings

_Place = tuple[int, int]


class RoiDrawing:
    """Draws a rectangle, of which the source's pixels are all that count.

    Parameters
    ----------
    settings, segmenter, processing, presentation, hud
        Of the session.
    """

    def __init__(
        self,
        settings: LiveSettings,
        segmenter: Segmenter,
        processing: Processing,
        presentation: Presentation,
        hud: Hud,
    ) -> None:
        self._settings, self._segmenter = settings, segmenter
        self._processing, self._presentation, self._hud = processing, presentation, hud
        self._corners: tuple[_Place, _Place] | None = None

    def begin(self, place: _Place) -> None:
        """Begin at a pixel of the last picture."""
        self._corners = place, place

    def go_on(self, place: _Place) -> None:
        """Move the corner that is being dragged."""
        if self._corners is not None:
            self._corners = self._corners[0], place

    def end(self) -> None:
        """Let what was drawn count; a click alone draws nothing."""
        corners, self._corners = self._corners, None
        if corners is not None:
            one, other = (self._presentation.place_at(*corner) for corner in corners)
            self.take_between(one, other)

    def take_between(self, one: tuple[float, float], other: tuple[float, float]) -> None:
        """Let only what lies between two corners count: parts of the shown frame's sides."""
        frame = self._processing.source_frame
        if frame is None:
            return
        rows, columns = frame.image.shape[:2]
        (x0, y0), (x1, y1) = one, other
        if self._settings.is_mirrored:
            x0, x1 = 1 - x0, 1 - x1
        left, right = sorted((round(x0 * columns), round(x1 * columns)))
        top, bottom = sorted((round(y0 * rows), round(y1 * rows)))
        if right > left and bottom > top:
            self.take((left, top, right - left, bottom - top))

    def take(self, roi: tuple[int, ...]) -> None:
        """Let only a rectangle of the source count: left, top, width, height.

        Raises
        ------
        ValueError
            If it does not lie in the frame.
        """
        frame = self._processing.source_frame
        if frame is None:
            return
        rows, columns = frame.image.shape[:2]
        left, top, width, height = roi
        is_inside = 0 <= left <= columns - width and 0 <= top <= rows - height
        if not is_inside or width < 1 or height < 1:
            raise ValueError(f"{width}x{height} at {left},{top} is not in {columns}x{rows}")
        if self._segmenter.n_clusters > MOST_CLUSTERS - 1:
            self._segmenter.set_n_clusters(MOST_CLUSTERS - 1)  # the label 255 is taken
        self._change((left, top, width, height), f"{width}x{height} at {left},{top} counts")

    def drop(self) -> None:
        """Let all of the source count."""
        self._change(None, "all of it counts")

    def _change(self, roi: tuple[int, int, int, int] | None, note: str) -> None:
        self._settings.roi, self._settings.draws_roi = roi, False
        self._hud.say(note)
        self._processing.note_change()

    def draw(self, canvas: Image) -> None:
        """Draw the outline of what is being drawn."""
        if self._corners is not None:
            draw_frame(canvas, *self._corners)
