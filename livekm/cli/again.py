"""The command line that makes a file of what was found by playing in the window."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace

from livekm.cli.options import Settings
from livekm.live.choice import Choice

_CLIP, _IMAGE = "out.mp4", "out.png"
_CAMERA_FRAMES = 300


def command_line(settings: Settings, choice: Choice, *, is_still: bool, is_live: bool) -> str:
    """Return the command line, and in further lines what it cannot say.

    Parameters
    ----------
    settings : Settings
        Of the window.
    choice : Choice
        What was chosen in it.
    is_still, is_live : bool
        What the source is: an image, or a camera, whose recording has an end only by its frames.
    """
    ids = choice.chosen or None
    rest = choice.rest or settings.rest or ("pale" if ids else None)
    found = replace(
        settings,
        output=_IMAGE if is_still else _CLIP,
        clusters=None if choice.palette or settings.palette else choice.n_clusters,
        palette=str(choice.palette) if choice.palette else settings.palette,
        color_space=choice.color_space,
        hysteresis=choice.hysteresis,
        view=choice.view,
        scale=choice.scale,
        keep=None if choice.drops else ids,
        drop=ids if choice.drops else None,
        rest=rest if ids or settings.ignore or choice.roi else None,
        roi=choice.roi or settings.roi,
        frames=settings.frames or (_CAMERA_FRAMES if is_live else None),
        quiet=False,
    )
    if not found.asks_for_regions:  # which the window may have shown before
        found = replace(found, detail=None, min_area=None)
    words = ["livekm", *settings.inputs, *found.words()]
    return "\n".join([shlex.join(words), *_remarks(settings, choice)])


def _remarks(settings: Settings, choice: Choice) -> Iterator[str]:
    if choice.palette:
        return
    if choice.is_frozen and not settings.palette:
        yield "# the colours were frozen, but not saved: p saves them"
    elif choice.chosen and not settings.palette:
        yield "# ids start anew in each run: freeze the colours (y) and save them (p) to keep them"
