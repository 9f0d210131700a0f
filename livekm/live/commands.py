"""The commands of a live session by name, for keys, buttons and tests.

A command is a name, and for some an argument after a colon: ``view:overlay``, ``clusters:+1``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from livekm.core.colorspace import COLOR_SPACES
from livekm.core.names import LONGEST_NAME
from livekm.core.rests import Backdrop, check_rest
from livekm.live.controls import MOST_CLUSTERS
from livekm.live.keys import COMMAND_OF
from livekm.live.session import Session
from livekm.live.settings import HUDS
from livekm.validation import named
from livekm.views import VIEWS

_SCALES = (0.125, 0.25, 0.375, 0.5, 0.75, 1.0, 1.5, 2.0)
_DETAILS = (0.6, 0.4, 0.3, 0.22, 0.17, 0.13, 0.1, 0.08, 0.06, 0.045, 0.03)  # ever finer
_HYSTERESES = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)


def do(session: Session, command: str) -> None:
    """Have a session obey a command; raise ValueError for one that there is not.

    Parameters
    ----------
    session : Session
    command : str
        A key of `COMMANDS`, and its argument after a colon.
    """
    name, _, argument = command.partition(":")
    named("command", name, COMMANDS)(session, argument)


def press(session: Session, key: str) -> None:
    """Do what a key of the table of keys stands for, or say that it stands for nothing."""
    if session.naming.is_typing:
        session.naming.press(key)
    elif key in COMMAND_OF:
        do(session, COMMAND_OF[key])
    elif key.isprintable():
        session.hud.say(f"{key} does nothing, ? for the keys")


def _quit(session: Session, argument: str) -> None:
    session.is_running = False


def _change_clusters(session: Session, argument: str) -> None:
    if _is_locked(session):
        return
    segmenter, settings = session.segmenter, session.settings
    wanted = _changed(segmenter.n_clusters, argument)
    frame = session.processing.frame
    has_mask = frame is not None and frame.mask is not None  # whose label is 255
    most = MOST_CLUSTERS - has_mask
    n_clusters = min(max(wanted, 1), most)
    before = segmenter.ids.tolist()
    labels = segmenter.set_n_clusters(n_clusters)
    session.hud.say(f"k {n_clusters}" if n_clusters == wanted else f"k is 1 to {most}")
    after = segmenter.ids.tolist()
    # What was merged lives on in the segment that took it.
    goes_to = {identity: after[labels[label]] for label, identity in enumerate(before)}
    chosen = settings.chosen_segments
    settings.chosen_segments = {goes_to.get(identity, identity) for identity in chosen}
    session.processing.note_change()


def _suggest_clusters(session: Session, argument: str) -> None:
    frame = session.processing.frame
    if frame is not None and not _is_locked(session):
        session.segmenter.suggest(frame.image, frame.mask)
        session.hud.say("k auto")
        session.processing.note_change()


def _reseed(session: Session, argument: str) -> None:
    if _is_locked(session):
        return
    session.segmenter.reseed()
    session.hud.say("colours start anew")
    session.processing.note_change()


def _is_locked(session: Session) -> bool:
    """Tell whether the colours are frozen, also to the user."""
    is_locked = session.segmenter.palette is not None
    if is_locked:
        session.hud.say("the colours are frozen: y frees them")
    return is_locked


def _toggle_lock(session: Session, argument: str) -> None:
    segmenter, found = session.segmenter, session.processing.segmentation
    if segmenter.palette is not None:
        segmenter.palette = None
        session.hud.say("colours free")
    elif found is not None:
        try:
            segmenter.palette = found.palette
            session.hud.say("colours frozen")
        except ValueError as error:  # with a spatial weight there are no colours alone
            session.hud.say(str(error))
    session.processing.note_change()


def _set_color_space(session: Session, argument: str) -> None:
    segmenter = session.segmenter
    segmenter.color_space = _entry(COLOR_SPACES, segmenter.color_space, argument, "color space")
    session.hud.say(f"colour space {segmenter.color_space}")
    session.processing.note_change()


def _change_hysteresis(session: Session, argument: str) -> None:
    segmenter = session.segmenter
    segmenter.hysteresis = _stepped(_HYSTERESES, segmenter.hysteresis, int(argument))
    session.hud.say(f"hysteresis {segmenter.hysteresis:g}")
    session.processing.note_change()


def _change_detail(session: Session, argument: str) -> None:
    regions, settings = session.regions, session.settings
    if not argument.startswith(("+", "-")):
        regions.detail = float(argument)
    elif regions.n_regions is None:
        regions.detail = _stepped(_DETAILS, regions.detail, int(argument))
    else:
        regions.detail = max(1, regions.n_regions + int(argument))
    settings.view = "regions"
    session.hud.say(f"detail {regions.detail:g}")
    session.processing.forget_regions()


def _change_scale(session: Session, argument: str) -> None:
    settings = session.settings
    settings.scale = _stepped(_SCALES, settings.current_scale, int(argument))
    settings.auto_scale = None
    session.hud.say(f"scale {settings.scale:g}")
    session.processing.note_change()


def _set_view(session: Session, argument: str) -> None:
    session.settings.view = _entry(VIEWS, session.settings.view, argument, "view")
    session.hud.say(session.settings.view)


def _select(session: Session, argument: str) -> None:
    settings = session.settings
    if argument == "all":
        settings.chosen.clear()
        session.hud.say("all regions" if settings.shows_regions else "all segments")
        return
    identity = int(argument)
    is_shown = not settings.chosen or (identity in settings.chosen) != settings.drops
    toggles = not argument.startswith(("+", "-"))
    drops = bool(settings.chosen) and is_shown if toggles else argument.startswith("-")
    session.select(abs(identity), drops=drops)


def _name(session: Session, argument: str) -> None:
    found, chosen = session.processing.segmentation, session.settings.chosen_segments
    if found is None or session.settings.shows_regions:
        session.hud.say("names are of segments: g shows them")
    elif len(chosen) != 1 or min(chosen) not in found.ids:
        session.hud.say("click the one segment to name first")
    elif argument:
        session.naming.give(min(chosen), argument.strip()[:LONGEST_NAME])
    else:
        session.naming.ask(min(chosen))


def _set_roi(session: Session, argument: str) -> None:
    settings = session.settings
    if argument:
        session.roi.take(tuple(int(word) for word in argument.split(",")))
    elif settings.roi is not None:
        session.roi.drop()
    else:
        settings.draws_roi = not settings.draws_roi
        session.hud.say("drag the part that counts" if settings.draws_roi else "all of it counts")


def _set_rest(session: Session, argument: str) -> None:
    settings = session.settings
    shown = settings.rest or settings.rests[0]
    if argument == "next":
        rests = settings.rests
        settings.rest = rests[(rests.index(shown) + 1) % len(rests)]
    else:
        check_rest("rest", argument)
        settings.rest = argument
    name = "a picture" if isinstance(settings.rest, Backdrop) else settings.rest
    session.hud.say(f"the rest: {name}")


def _toggle_mirror(session: Session, argument: str) -> None:
    session.settings.is_mirrored = not session.settings.is_mirrored
    session.hud.say("mirrored" if session.settings.is_mirrored else "not mirrored")
    session.processing.note_change()


def _toggle_pause(session: Session, argument: str) -> None:
    session.settings.is_paused = not session.settings.is_paused
    session.hud.say("paused" if session.settings.is_paused else "playing")
    session.processing.hold()  # what is held stands still, until a key changes it


def _step(session: Session, argument: str) -> None:
    session.settings.is_paused = session.settings.wants_step = True
    session.hud.say("next frame")
    session.processing.hold()


def _save_snapshot(session: Session, argument: str) -> None:
    look, found = session.look(), session.processing.segmentation
    if look is not None and found is not None:
        session.saving.save_snapshot(look, found)


def _save_palette(session: Session, argument: str) -> None:
    if session.processing.segmentation is not None:
        session.saving.save_palette(session.processing.segmentation)


def _toggle_recording(session: Session, argument: str) -> None:
    session.saving.toggle_recording(with_hud=argument == "hud")


def _toggle_full_screen(session: Session, argument: str) -> None:
    session.settings.fills_screen = not session.settings.fills_screen
    session.hud.say("full screen" if session.settings.fills_screen else "window")


def _set_hud(session: Session, argument: str) -> None:
    session.settings.hud = _entry(HUDS, session.settings.hud, argument, "hud")
    session.hud.hide_note()


def _turn_help(session: Session, argument: str) -> None:
    session.hud.turn_help()
    session.hud.hide_note()


def _toggle_loop(session: Session, argument: str) -> None:
    settings = session.settings
    settings.loops = not settings.loops
    session.hud.say("loop" if settings.loops else "no loop")


def _seek(session: Session, argument: str) -> None:
    position = session.timeline.position if session.timeline else 0.0
    session.seek(float(argument) + position * argument.startswith(("+", "-")))


def _wipe(session: Session, argument: str) -> None:
    session.settings.wipe_at = min(max(float(argument), 0.0), 1.0)


def _tell_choice(session: Session, argument: str) -> None:
    if session.on_choice is None:
        session.hud.say("there is nobody to tell")
    else:
        session.on_choice(session.choice)
        session.hud.say("the command line is printed")


COMMANDS: dict[str, Callable[[Session, str], None]] = {
    "clusters": _change_clusters,  # :5 sets k, :+1 and :-1 change it
    "color-space": _set_color_space,  # :lab, or :next
    "detail": _change_detail,  # of regions: :0.1 or :12 sets it, :+1 is finer, :-1 coarser
    "full-screen": _toggle_full_screen,
    "help": _turn_help,  # to the next page
    "hud": _set_hud,  # :all, or :next
    "hysteresis": _change_hysteresis,  # :+1 and :-1, steps
    "lock": _toggle_lock,  # of the palette
    "loop": _toggle_loop,
    "mirror": _toggle_mirror,
    "name": _name,  # of the one chosen segment; :sky, ": " takes it away; without, what is typed
    "palette": _save_palette,
    "pause": _toggle_pause,
    "quit": _quit,
    "record": _toggle_recording,  # :hud with the HUD
    "reseed": _reseed,
    "rest": _set_rest,  # :blur, or :next
    "roi": _set_roi,  # :left,top,width,height of the source; without, to be drawn, or all
    "scale": _change_scale,  # :+1 and :-1, steps
    "seek": _seek,  # :12.5 seconds from the first frame on, :+5 and :-5 from here
    "select": _select,  # :+3 adds the segment of an id, :-3 drops it, :3 does either; :all
    "snapshot": _save_snapshot,
    "step": _step,  # to the next frame
    "suggest": _suggest_clusters,  # and take as many
    "tell": _tell_choice,
    "view": _set_view,  # :overlay, or :next
    "wipe": _wipe,  # :0.3 of the width is the original
}
"""What each command does; it takes the session and the argument."""


def _changed(value: int, argument: str) -> int:
    """Return the number that ``5`` sets, or to which ``+1`` or ``-1`` changes a value."""
    return value + int(argument) if argument.startswith(("+", "-")) else int(argument)


def _entry(entries: Iterable[str], current: str, argument: str, what: str) -> str:
    """Return the entry that is named, or with ``next`` the one after the current one."""
    names = list(entries)
    if argument == "next":
        return names[(names.index(current) + 1) % len(names)]
    named(what, argument, dict.fromkeys(names))
    return argument


def _stepped(values: Sequence[float], current: float, by: int) -> float:
    """Return the value some steps after the one that is nearest to the current one."""
    nearest = min(range(len(values)), key=lambda step: abs(values[step] - current))
    return values[min(max(nearest + by, 0), len(values) - 1)]
