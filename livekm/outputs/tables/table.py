"""Rows of each frame in a file, as CSV or as lines of JSON."""

from __future__ import annotations

import csv
import io
import json
import os
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from livekm.core.segmentation import Segmentation
from livekm.frame import Frame, VideoInfo
from livekm.outputs.atomic import PartFile
from livekm.outputs.schema import SCHEMA
from livekm.outputs.stdout import STDOUT, StdoutPart
from livekm.outputs.tables.base import Sidecar, chosen_suffix
from livekm.outputs.tail import cut_last_line

TABLE_SUFFIXES = (".csv", ".jsonl")


class TableFile(Sidecar):
    """Write rows to a ``.csv`` or ``.jsonl`` file, or to stdout; used as a context manager.

    Parameters
    ----------
    path : path
        The file. It has this name only once it is complete. ``-`` writes lines of JSON to stdout,
        those of each frame at once.
    info : VideoInfo
        What the frames come from.
    overwrite : bool
        Whether an existing file may be replaced.
    columns : sequence of str
        Of a ``.csv``: the keys of the rows that it has. `SCHEMA` comes after them.

    Raises
    ------
    ValueError
        If the suffix is neither.
    SinkError
        If the file exists or cannot be written.
    """

    _needs_frames = False

    def __init__(
        self,
        path: str | os.PathLike[str],
        info: VideoInfo,
        *,
        overwrite: bool = False,
        columns: Sequence[str],
    ) -> None:
        suffix = table_suffix(path)
        self._stdout = StdoutPart() if path == STDOUT else None
        part = self._stdout or PartFile(path, overwrite=overwrite, source=info.path)
        super().__init__(part, info)
        self._columns = columns
        self._file = io.StringIO() if self._stdout else self._opened(_open_text)
        self._csv = csv.writer(self._file, lineterminator="\n") if suffix == ".csv" else None
        if self._csv:
            self._csv.writerow((*columns, "schema"))

    @abstractmethod
    def _rows(self, frame: Frame, segmentation: Segmentation) -> list[dict[str, Any]]:
        """Return what belongs to one frame."""

    def _write(self, frame: Frame, segmentation: Segmentation) -> None:
        rows = self._rows(frame, segmentation)
        if self._csv:
            for row in rows:
                self._csv.writerow((*(_as_text(row[name]) for name in self._columns), SCHEMA))
            return
        lines = "".join(json.dumps({**row, "schema": SCHEMA}) + "\n" for row in rows)
        if self._stdout:
            self._stdout.write(lines.encode())
        else:
            self._file.write(lines)

    def _finish(self) -> None:
        self._file.close()

    def _rescue(self) -> bool:
        return self._stdout is not None or cut_last_line(self._path) > 0

    def _release(self) -> None:
        with suppress(OSError):
            self._file.close()


def table_suffix(path: str | os.PathLike[str]) -> str:
    """Return the suffix of a table's name, ``.jsonl`` of ``-``; raise ValueError of another one."""
    return ".jsonl" if path == STDOUT else chosen_suffix(path, TABLE_SUFFIXES)


def _open_text(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", newline="")


def _as_text(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return int(value) if isinstance(value, bool) else value
