"""Define what every file written beside the images does."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterable
from pathlib import Path

from livekm.core.segmentation import Segmentation
from livekm.errors import UsageError
from livekm.frame import Frame
from livekm.outputs.base import Output


class Sidecar(Output):
    """Write what was found in each frame to a file; used as a context manager."""

    def write(self, frame: Frame, segmentation: Segmentation) -> None:
        """Take the next frame; raise `SinkError` if it cannot be written."""
        with self._writing():
            self._write(frame, segmentation)

    @abstractmethod
    def _write(self, frame: Frame, segmentation: Segmentation) -> None:
        """Write what belongs to one frame."""


def chosen_suffix(path: str | os.PathLike[str], known: Iterable[str]) -> str:
    """Return the suffix of `path` in small letters; raise ValueError if it is not `known`.

    A path that ends in a slash is a folder, and has none, whatever dots it has.

    Examples
    --------
    >>> chosen_suffix("table.CSV", [".csv", ".jsonl"])
    '.csv'
    >>> chosen_suffix("labels.txt", ["", ".npz", ".mkv"])
    Traceback (most recent call last):
    livekm.errors.UsageError: cannot tell the format of labels.txt; name a folder, or ...
    """
    is_folder = os.fspath(path).endswith(("/", os.sep))
    suffix = "" if is_folder else Path(path).suffix.lower()
    if suffix not in known:
        folder = "name a folder, or " if "" in known else ""
        endings = " or ".join(filter(None, known))
        raise UsageError(f"cannot tell the format of {path}; {folder}end it in {endings}")
    return suffix
