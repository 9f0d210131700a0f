"""The keys of the live window: one table, from which the help and the README's table come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from livekm.live.session import Session

_ESCAPE = 27


@dataclass(frozen=True, slots=True)
class KeyBinding:
    """One row of the table of keys.

    Attributes
    ----------
    label : str
        The keys as people read them.
    codes : tuple of int
        Their ASCII codes.
    meaning : str
    action : callable
        Takes the session and the code that was pressed.
    """

    label: str
    codes: tuple[int, ...]
    meaning: str
    action: Callable[[Session, int], None]


def _keys(characters: str) -> tuple[int, ...]:
    return tuple(map(ord, characters))


_VIEW_KEYS = {
    "g": "segments",
    "o": "overlay",
    "b": "boundaries",
    "e": "regions",
    "d": "side-by-side",
    "k": "mask",
    "i": "original",
}

KEY_BINDINGS: tuple[KeyBinding, ...] = (
    KeyBinding(
        "+ -",
        _keys("+=-_"),
        "one cluster more, or fewer",
        lambda s, c: s.change_clusters(+1 if chr(c) in "+=" else -1),
    ),
    KeyBinding(
        "1 ... 9", _keys("123456789"), "that many clusters", lambda s, c: s.set_clusters(c - 48)
    ),
    KeyBinding("0", _keys("0"), "ten clusters", lambda s, _: s.set_clusters(10)),
    KeyBinding("v", _keys("vV"), "next view", lambda s, _: s.next_view()),
    KeyBinding(
        " ".join(_VIEW_KEYS),
        _keys("".join(key + key.upper() for key in _VIEW_KEYS)),
        ", ".join(_VIEW_KEYS.values()),
        lambda s, c: s.set_view(_VIEW_KEYS[chr(c).lower()]),
    ),
    KeyBinding("a", _keys("aA"), "all segments; a click chooses one", lambda s, _: s.show_all()),
    KeyBinding("c", _keys("cC"), "next colour space", lambda s, _: s.next_color_space()),
    KeyBinding(
        "< >",
        _keys("<,>."),
        "less hysteresis, or more",
        lambda s, c: s.change_hysteresis(-1 if chr(c) in "<," else +1),
    ),
    KeyBinding(
        "[ ]",
        _keys("[]"),
        "smaller scale, or larger",
        lambda s, c: s.change_scale(-1 if chr(c) == "[" else +1),
    ),
    KeyBinding("l", _keys("lL"), "lock the palette's colours", lambda s, _: s.toggle_lock()),
    KeyBinding("r", _keys("rR"), "re-seed: start the colours anew", lambda s, _: s.reseed()),
    KeyBinding("t", _keys("tT"), "strip by share, by slot", lambda s, _: s.display.toggle_order()),
    KeyBinding("m", _keys("mM"), "mirror the picture", lambda s, _: s.toggle_mirror()),
    KeyBinding("space", _keys(" "), "pause, go on", lambda s, _: s.toggle_pause()),
    KeyBinding("n", _keys("nN"), "pause, and show the next frame", lambda s, _: s.step()),
    KeyBinding("s", _keys("sS"), "save a snapshot", lambda s, _: s.save_snapshot()),
    KeyBinding(
        "w W",
        _keys("wW"),
        "record, stop; W with the display",
        lambda s, c: s.toggle_recording(with_display=chr(c) == "W"),
    ),
    KeyBinding("f", _keys("fF"), "full screen", lambda s, _: s.toggle_full_screen()),
    KeyBinding("h", _keys("hH"), "hide or show the display", lambda s, _: s.display.toggle()),
    KeyBinding("?", _keys("?/"), "this help", lambda s, _: s.display.toggle_help()),
    KeyBinding("q, Esc", (*_keys("qQ"), _ESCAPE), "quit", lambda s, _: s.quit()),
)


def press(session: Session, code: int) -> bool:
    """Do what the key with the ASCII `code` stands for; tell whether it stands for anything."""
    for binding in KEY_BINDINGS:
        if code in binding.codes:
            binding.action(session, code)
            return True
    return False


def key_table() -> list[tuple[str, str]]:
    """Return the label and the meaning of every key."""
    return [(binding.label, binding.meaning) for binding in KEY_BINDINGS]
