"""Write numbered files into a folder, and a table of which frame each of them is."""

from __future__ import annotations

import contextlib
import csv
from pathlib import Path

from livekm.outputs.schema import SCHEMA
from livekm.outputs.tail import cut_last_line
from livekm.sources.files import PRINTF_NUMBER


class NumberedFiles:
    """Write files into a folder, and ``frames.csv``: each one's frame and exact time in seconds.

    Parameters
    ----------
    folder : Path
    pattern : str
        The files' names, with a printf number that counts from 0: ``%06d.png``.
    """

    def __init__(self, folder: Path, pattern: str) -> None:
        self._folder, self._pattern = folder, pattern
        self._n_files = 0
        self._table_path = folder / "frames.csv"
        self._file = self._table_path.open("w", encoding="utf-8", newline="")
        self._table = csv.writer(self._file, lineterminator="\n")
        self._table.writerow(("file", "frame", "time", "schema"))

    def add(self, content: bytes, index: int, time: float) -> None:
        """Write the next file; leave nothing of it where that fails with OSError."""
        name = PRINTF_NUMBER.sub(lambda number: number[0] % self._n_files, self._pattern)
        path = self._folder / name
        try:
            path.write_bytes(content)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        self._table.writerow((name, index, time, SCHEMA))
        self._n_files += 1

    def close(self) -> None:
        """Close the table."""
        self._file.close()

    def rescue(self) -> bool:
        """Leave whole lines in the table, which could not be written to its end."""
        cut_last_line(self._table_path)
        return True

    def release(self) -> None:
        """Close the table, whatever state it is in."""
        with contextlib.suppress(OSError):  # the disk is full
            self._file.close()


class EndsNumberedFiles:
    """Ends an output that writes `NumberedFiles`, `_files`, as `livekm.outputs.base.Output` asks.

    To be named before the kind of output.
    """

    _files: NumberedFiles

    def _finish(self) -> None:
        self._files.close()

    def _rescue(self) -> bool:
        return self._files.rescue()

    def _release(self) -> None:
        self._files.release()
