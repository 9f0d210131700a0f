"""The keys of a front: one table, from which the help and docs/window.md's table come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ESCAPE = "\x1b"
"""The character of the key Esc."""
ENTER = "\r"
"""The character of the key Enter."""
LEFT, UP, RIGHT, DOWN = (
    "\N{LEFTWARDS ARROW}\N{UPWARDS ARROW}\N{RIGHTWARDS ARROW}\N{DOWNWARDS ARROW}"
)
"""The characters that stand for the arrow keys."""


@dataclass(frozen=True, slots=True)
class KeyBinding:
    """One row of the table of keys.

    Attributes
    ----------
    label : str
        The keys as people read them.
    commands : mapping of str to str
        The characters that the keys type -> the command that they stand for. A letter means the
        same with Shift: OpenCV's Qt window reports either as lower case.
    meaning : str
    group : str
        What such keys are about.
    """

    label: str
    commands: Mapping[str, str]
    meaning: str
    group: str


_VIEW_KEYS = {
    "g": "segments",
    "o": "overlay",
    "b": "boundaries",
    "e": "regions",
    "d": "side-by-side",
    "j": "wipe",
    "k": "mask",
    "i": "original",
}
_MEANINGS = {"wipe": "wipe, where the mouse is"}
_COLORS, _VIEW, _SELECT, _KEEP, _WINDOW = "Colours", "View", "Select", "Keep", "Window"
_CLIP = "Time"

KEY_BINDINGS: tuple[KeyBinding, ...] = (
    KeyBinding(
        "+ -",
        {"+=": "clusters:+1", "-_": "clusters:-1"},
        "one cluster more, or fewer",
        _COLORS,
    ),
    KeyBinding(
        "1 ... 9", {f"{k}": f"clusters:{k}" for k in range(1, 10)}, "that many clusters", _COLORS
    ),
    KeyBinding("0", {"0": "clusters:10"}, "ten clusters", _COLORS),
    KeyBinding("u", {"uU": "suggest"}, "as many as suit the picture", _COLORS),
    KeyBinding("v", {"vV": "view:next"}, "next view", _VIEW),
    *(
        KeyBinding(key, {key + key.upper(): f"view:{name}"}, _MEANINGS.get(name, name), _VIEW)
        for key, name in _VIEW_KEYS.items()
    ),
    KeyBinding("a", {"aA": "select:all"}, "all; click chooses, right click drops", _SELECT),
    KeyBinding("Enter", {ENTER: "name"}, "name the chosen segment", _SELECT),
    KeyBinding("#", {"#": "roi"}, "drag the part that counts; # again: all", _SELECT),
    KeyBinding("z", {"zZ": "rest:next"}, "rest: pale, black, as it is, blurred", _SELECT),
    KeyBinding("c", {"cC": "color-space:next"}, "next colour space", _COLORS),
    KeyBinding(
        "< >",
        {"<,": "hysteresis:-1", ">.": "hysteresis:+1"},
        "less hysteresis, or more",
        _COLORS,
    ),
    KeyBinding(
        f"{DOWN} {UP}, [ ]",
        {f"[{DOWN}": "scale:-1", f"]{UP}": "scale:+1"},
        "smaller scale, or larger",
        _VIEW,
    ),
    KeyBinding("( )", {"(": "detail:-1", ")": "detail:+1"}, "coarser regions, or finer", _VIEW),
    KeyBinding("y", {"yY": "lock"}, "freeze the colours, free them", _COLORS),
    KeyBinding("r", {"rR": "reseed"}, "re-seed: start the colours anew", _COLORS),
    KeyBinding("m", {"mM": "mirror"}, "mirror the picture", _VIEW),
    KeyBinding("space", {" ": "pause"}, "pause, go on", _CLIP),
    KeyBinding("n", {"nN": "step"}, "pause, and show the next frame", _CLIP),
    KeyBinding(
        f"{LEFT} {RIGHT}",
        {LEFT: "seek:-5", RIGHT: "seek:+5"},
        "5 seconds back in a clip, or on",
        _CLIP,
    ),
    KeyBinding("l", {"lL": "loop"}, "loop the clip", _CLIP),
    KeyBinding("s", {"sS": "snapshot"}, "save a snapshot", _KEEP),
    KeyBinding("p", {"pP": "palette"}, "save the palette", _KEEP),
    KeyBinding("t", {"tT": "tell"}, "print the command line for this", _KEEP),
    KeyBinding("w x", {"wW": "record", "xX": "record:hud"}, "record, stop; x with the HUD", _KEEP),
    KeyBinding("f", {"fF": "full-screen"}, "full screen", _WINDOW),
    KeyBinding("h", {"hH": "hud:next"}, "HUD: one line, all of it, nothing", _WINDOW),
    KeyBinding("?", {"?/": "help"}, "this help", _WINDOW),
    KeyBinding("q, Esc", {f"qQ{ESCAPE}": "quit"}, "quit", _WINDOW),
)

COMMAND_OF: dict[str, str] = {
    character: command
    for binding in KEY_BINDINGS
    for characters, command in binding.commands.items()
    for character in characters
}
"""The character that a key types -> the command that it stands for."""


def key_table() -> list[tuple[str, str]]:
    """Return the label and the meaning of every key."""
    return [(binding.label, binding.meaning) for binding in KEY_BINDINGS]


def key_groups() -> dict[str, list[tuple[str, str, str]]]:
    """Return label, meaning and first command of every key, for each group by its name."""
    groups: dict[str, list[tuple[str, str, str]]] = {}
    for binding in KEY_BINDINGS:
        command = list(binding.commands.values())[-1]
        row = binding.label, binding.meaning, command
        groups.setdefault(binding.group, []).append(row)
    return groups
