"""Turn what a pointing device does into the commands of a session."""

from __future__ import annotations

from livekm.live.commands import do
from livekm.live.controls import clusters_at, slider_part
from livekm.live.events import PointerEvent
from livekm.live.layout import Layout
from livekm.live.session import Session


class Pointer:
    """Obeys a pointing device: clicks and drags on the picture and the controls, and the wheel.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._dragged = ""

    def obey(self, event: PointerEvent) -> None:
        """Do what an event stands for."""
        x, y = event.x, event.y
        self._session.point_at(None if event.kind == "leave" else (x, y))
        if event.kind in ("press", "drop"):
            self._press(x, y, drops=event.kind == "drop")
        elif event.kind == "move":
            self._move(x, y)
        elif event.kind == "wheel":
            do(self._session, f"clusters:{event.steps:+d}")
        elif event.kind == "release" and self._dragged == "roi":
            self._dragged = ""
            self._session.roi.end()
        elif event.kind != "leave" or self._dragged != "roi":
            self._dragged = ""

    def _press(self, x: int, y: int, *, drops: bool) -> None:
        session, layout = self._session, self._session.layout
        if layout.slider and (x, y) in layout.slider:
            self._dragged = "slider"
        elif layout.line and (x, y) in layout.line:
            self._dragged = "line"
        elif session.settings.draws_roi and (x, y) in layout.picture:
            self._dragged = "roi"
            session.roi.begin((x, y))
        else:
            identity = session.id_at(x, y)
            if identity is not None:
                do(session, f"select:{'-' if drops else '+'}{identity}")
        self._drag(x, layout)

    def _move(self, x: int, y: int) -> None:
        session = self._session
        if self._dragged == "roi":
            session.roi.go_on((x, y))
        elif self._dragged:
            self._drag(x, session.layout)
        elif session.settings.view == "wipe":
            do(session, f"wipe:{session.part_at(x)}")

    def _drag(self, x: int, layout: Layout) -> None:
        session, timeline = self._session, self._session.timeline
        if self._dragged == "slider" and layout.slider:
            part = slider_part(x - layout.slider.left, layout.slider.width)
            do(session, f"clusters:{clusters_at(part)}")
        elif self._dragged == "line" and layout.line and timeline and timeline.duration:
            do(session, f"seek:{layout.line.part_at(x) * timeline.duration:.3f}")
