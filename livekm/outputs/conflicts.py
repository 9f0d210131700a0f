"""Check that no output would replace another."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from livekm.errors import UsageError
from livekm.outputs.images.sequence import is_image_row


def check_distinct(
    outputs: Iterable[str | os.PathLike[str]], *, picture: str | None = None
) -> None:
    """Raise ValueError if one output would replace another.

    No two may be the same file, however it is spelled, and none may lie in one that is a folder,
    which gets its name as a whole.

    Parameters
    ----------
    outputs : iterable of path
        Files and folders, which need not exist.
    picture : str, optional
        The one of them that is for `livekm.open_sink`: a row of images stands for its folder.

    Examples
    --------
    >>> check_distinct(["out/a.mp4", "out/labels"])
    >>> check_distinct(["out/%06d.png", "out/labels"], picture="out/%06d.png")
    Traceback (most recent call last):
    livekm.errors.UsageError: out/labels would lie in out/%06d.png, ...
    """
    row = picture if picture and is_image_row(picture) else None
    taken: dict[Path, str] = {}
    for output in outputs:
        name = os.fspath(output)
        place = Path(os.path.realpath(Path(name).parent if name == row else name))
        if place in taken:
            both = name if name == taken[place] else f"{taken[place]} and {name}"
            raise UsageError(f"two outputs have one place, {both}; choose another name for one")
        taken[place] = name
    for place, name in taken.items():
        outer = next((taken[folder] for folder in place.parents if folder in taken), None)
        if outer is not None:
            what = "whose folder" if outer == row else "which"
            raise UsageError(
                f"{name} would lie in {outer}, {what} is written as a whole; choose another name"
            )
