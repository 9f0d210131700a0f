"""Show a live session to browsers, and have it obey them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from livekm.core.contrast import is_dark
from livekm.core.region_segmentation import RegionSegmentation
from livekm.core.segmentation import Segmentation
from livekm.live.commands import do, press
from livekm.live.keys import COMMAND_OF, DOWN, KEY_BINDINGS, LEFT, RIGHT, UP
from livekm.live.letterbox import place_in
from livekm.live.presentation import Look
from livekm.live.session import Session
from livekm.live.status import STARTING, describe, told_time
from livekm.live.web.wish import Point, Wish
from livekm.views import VIEWS

if TYPE_CHECKING:
    from livekm.live.web.server import Server

_LARGEST = (1280, 720)  # of the picture that is sent
_MOST_ROWS = 256  # as many as there can be segments; there can be more regions
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
        self._server.publish(
            look.image((place.width, place.height)),
            self._state(),
            {viewer: self._tip(point) for viewer, point in self._server.pointers.items()},
        )

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
        command = wish.command or COMMAND_OF.get(wish.key, "")
        name = command.partition(":")[0]
        if name in _OF_THE_WINDOW:
            session.hud.say(_OF_THE_WINDOW[name])
        elif command in _UNFINISHED and (command != "roi" or session.settings.roi is None):
            session.hud.say(_UNFINISHED[command])
        elif wish.command:
            do(session, wish.command)
        elif wish.key and not session.naming.is_typing:  # in the window
            press(session, _KEYS.get(wish.key, wish.key))
        elif wish.corners is not None:
            one, other = map(self._place, wish.corners)
            session.roi.take_between(one, other)
        elif wish.click is not None:
            identity = self._id_at(wish.click)
            if identity is not None:
                do(session, f"select:{'-' if wish.drops else '+'}{identity}")

    def _place(self, point: Point) -> Point:
        """Return the parts of a frame's width and height at a point of the picture."""
        across = point[0] * self._across
        return across if across <= 1 else across - 1, point[1]

    def _id_at(self, point: Point) -> int | None:
        """Return the id of the segment, or the region, at a point of the picture."""
        found = self._session.processing.shown
        if found is None:
            return None
        height, width = found.labels.shape
        x, y = self._place(point)
        label = int(found.labels[min(int(y * height), height - 1), min(int(x * width), width - 1)])
        return int(found.ids[label]) if 0 <= label < len(found.ids) else None

    def _tip(self, point: Point) -> str:
        found, identity = self._session.processing.shown, self._id_at(point)
        return "" if found is None or identity is None else describe(identity, found)

    def _state(self) -> dict[str, Any]:
        session = self._session
        settings, fps = session.settings, session.timer.fps
        rate = "paused" if settings.is_paused else "" if fps is None else f"{fps:.1f} fps"
        timeline = session.timeline
        if timeline is not None and timeline.is_at_end:
            rate = "end"
        if session.processing.shown is None:
            rate = STARTING  # the picture is not segmented yet
        return {
            **segments_state(self._name, session.processing.shown, settings.chosen),
            "obeys": True,
            "drops": settings.drops,
            "rate": session.hud.banner or rate,
            "k": session.segmenter.n_clusters,
            "view": settings.view,
            "views": list(VIEWS),
            "scale": f"{settings.current_scale:g}",
            "paused": settings.is_paused,
            "recording": session.saving.recorder.seconds is not None,
            "part": settings.roi is not None,
            "time": None if timeline is None else [timeline.position, timeline.duration],
            "clock": told_time(timeline),
            "note": session.hud.note,
            "keys": _KEY_TABLE,
        }


def segments_state(
    name: str,
    found: Segmentation | RegionSegmentation | None,
    chosen: set[int] | frozenset[int] = frozenset(),
) -> dict[str, Any]:
    """Return what a page is told of a frame: the segments, or the regions, by share.

    Parameters
    ----------
    name : str
        Of the source.
    found : Segmentation or RegionSegmentation or None
        Of many, the largest are told, and how many others there are.
    chosen : set of int
        The ids that are isolated.
    """
    rows, n_found = [], 0
    if found is not None:
        order = np.argsort(-found.shares, kind="stable")
        order = order[found.shares[order] > 0]
        n_found = len(order)
        for label in order[:_MOST_ROWS].tolist():
            color = found.palette[label]
            blue, green, red = color.tolist()
            identity = int(found.ids[label])
            rows.append(
                {
                    "id": identity,
                    "name": found.names[label],
                    "color": f"#{red:02x}{green:02x}{blue:02x}",
                    "ink": "#fff" if is_dark(color) else "#000",
                    "share": round(float(found.shares[label]), 4),
                    "chosen": identity in chosen,
                }
            )
    noun = "region" if isinstance(found, RegionSegmentation) else "colour"
    return {
        "source": name,
        "obeys": False,
        "rate": "",
        "found": f"{n_found} {noun}{'' if n_found == 1 else 's'}",
        "segments": rows,
        "others": n_found - len(rows),
    }


_OF_THE_WINDOW = {
    "full-screen": "f fills the screen of the window",
    "help": "? is for the keys of the window",
    "hud": "h is for the window, this page has no HUD",
    "quit": "q ends livekm where it runs, close this page instead",
}
"""Commands that a viewer must not give, and what is said instead."""

_UNFINISHED = {"name": "choose the one segment to name first", "roi": "drag the part that counts"}
"""Commands that would begin typing or drawing in the window, and what is said instead."""

_KEY_TABLE = [
    (binding.label, binding.meaning)
    for binding in KEY_BINDINGS
    if not {"hud:next", "quit"}.intersection(binding.commands.values())
]
