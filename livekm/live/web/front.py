"""Show a live session to browsers, and have it obey them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from livekm.core.contrast import is_dark
from livekm.core.segmentation import Segmentation
from livekm.live.commands import do, press
from livekm.live.keys import COMMAND_OF, DOWN, LEFT, RIGHT, UP, key_table
from livekm.live.letterbox import place_in
from livekm.live.presentation import Look
from livekm.live.session import Session
from livekm.live.status import STARTING
from livekm.live.web.wish import Wish
from livekm.views import VIEWS

if TYPE_CHECKING:
    from livekm.live.web.server import Server

_LARGEST = (1280, 720)  # of the picture that is sent
_KEYS = {"ArrowLeft": LEFT, "ArrowUp": UP, "ArrowRight": RIGHT, "ArrowDown": DOWN}


class WebFront:
    """Passes pictures and state of a session to a server, and its viewers' wishes back.

    Parameters
    ----------
    server : Server
    session : Session
    name : str
        Of the source.
    """

    def __init__(self, server: Server, session: Session, name: str) -> None:
        self._server = server
        self._session = session
        self._name = name
        self._across = 1

    def show(self, look: Look) -> None:
        """Send a view of a frame, if somebody waits for it."""
        if not self._server.is_watched:
            return
        place = place_in(look.full_size, _LARGEST, at_most=1)
        self._across = look.across
        self._server.publish(look.image((place.width, place.height)), self._state())

    def obey(self) -> bool:
        """Do what viewers have asked for; tell whether that was anything."""
        wishes = self._server.take_wishes()
        for wish in wishes:
            self._obey(wish)
        return bool(wishes)

    def _obey(self, wish: Wish) -> None:
        try:
            self._do(wish)
        except ValueError as error:  # what is not there any more, or never was
            self._session.hud.say(str(error))

    def _do(self, wish: Wish) -> None:
        session = self._session
        if wish.command.partition(":")[0] in _OF_THE_WINDOW:
            return
        if wish.command:
            do(session, wish.command)
        elif COMMAND_OF.get(wish.key) == "roi" and session.settings.roi is None:
            session.hud.say("the part that counts is drawn in the window")
        elif wish.key:
            press(session, _KEYS.get(wish.key, wish.key))
        elif wish.click is not None:
            identity = self._id_at(*wish.click)
            if identity is not None:
                do(session, f"select:{'-' if wish.drops else '+'}{identity}")

    def _id_at(self, x: float, y: float) -> int | None:
        """Return the id of the segment at parts of the width and height of the picture."""
        found = self._session.processing.segmentation
        if found is None:
            return None
        height, width = found.labels.shape
        column = int((x * self._across) % 1 * width)
        label = int(found.labels[min(int(y * height), height - 1), min(column, width - 1)])
        return int(found.ids[label]) if label < found.n_clusters else None

    def _state(self) -> dict[str, Any]:
        session = self._session
        settings, fps = session.settings, session.timer.fps
        rate = "paused" if settings.is_paused else "" if fps is None else f"{fps:.1f} fps"
        if session.processing.shown is None:
            rate = STARTING  # the picture is not segmented yet
        return {
            **segments_state(self._name, session.processing.segmentation, settings.chosen),
            "obeys": True,
            "rate": session.hud.banner or rate,
            "k": session.segmenter.n_clusters,
            "view": settings.view,
            "views": list(VIEWS),
            "scale": f"{settings.current_scale:g}",
            "paused": settings.is_paused,
            "recording": session.saving.recorder.seconds is not None,
            "note": session.hud.note,
            "keys": key_table(),
        }


def segments_state(
    name: str, segmentation: Segmentation | None, chosen: set[int] | frozenset[int] = frozenset()
) -> dict[str, Any]:
    """Return what a page is told of a frame: the segments by share.

    Parameters
    ----------
    name : str
        Of the source.
    segmentation : Segmentation or None
    chosen : set of int
        The ids that are isolated.
    """
    rows = []
    if segmentation is not None:
        order = np.argsort(-segmentation.counts, kind="stable")
        for label in order[segmentation.counts[order] > 0].tolist():
            color = segmentation.palette[label]
            blue, green, red = color.tolist()
            rows.append(
                {
                    "id": int(segmentation.ids[label]),
                    "name": segmentation.names[label],
                    "color": f"#{red:02x}{green:02x}{blue:02x}",
                    "ink": "#fff" if is_dark(color) else "#000",
                    "share": round(float(segmentation.shares[label]), 4),
                    "chosen": int(segmentation.ids[label]) in chosen,
                }
            )
    return {"source": name, "obeys": False, "rate": "", "segments": rows}


_OF_THE_WINDOW = frozenset({"full-screen", "help", "hud", "quit"})
