"""The contract of every file that is written beside the picture."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterable
from pathlib import Path

import av

from livekm.context import Closing
from livekm.core.segmentation import Segmentation
from livekm.errors import SinkError, UsageError
from livekm.frame import Frame
from livekm.outputs.atomic import PartFile


class Sidecar(Closing):
    """A file of what was found in each frame; used as a context manager.

    It has its name only once it is complete: leaving the block by an exception leaves nothing.

    Parameters
    ----------
    part : PartFile
        Where to write.

    Attributes
    ----------
    path : Path or None
        The file, once it is complete.
    """

    def __init__(self, part: PartFile) -> None:
        self.path: Path | None = None
        self._part = part
        self._is_partial = False
        self._is_open = True

    def write(self, frame: Frame, segmentation: Segmentation) -> None:
        """Take the next frame; raises `SinkError`."""
        try:
            self._append(frame, segmentation)
        except (OSError, av.FFmpegError) as error:
            raise self._failure(error) from error

    def mark_partial(self) -> None:
        """Say that frames are missing at the end: `close` puts ``partial`` into the name."""
        self._is_partial = True

    def close(self) -> None:
        """Complete the file and give it its name. Closing twice is allowed."""
        if not self._is_open:
            return
        try:
            self._finish()
            self.path = self._part.commit(partial=self._is_partial)
        except SinkError:
            raise
        except (OSError, av.FFmpegError) as error:
            raise self._failure(error) from error
        finally:
            self.abort()

    def abort(self) -> None:
        """Leave nothing under the final name."""
        if self._is_open:
            self._is_open = False
            try:
                self._release()
            finally:
                self._part.discard()

    @abstractmethod
    def _append(self, frame: Frame, segmentation: Segmentation) -> None:
        """Write what belongs to one frame; may raise OSError, as the next two."""

    @abstractmethod
    def _finish(self) -> None:
        """Write what belongs at the end, and close the file."""

    def _release(self) -> None:
        """Close what is open, whatever state it is in; raises nothing."""

    def _failure(self, error: OSError | av.FFmpegError) -> SinkError:
        return SinkError(f"cannot write {self._part.target}: {error.strerror or error}")


def chosen_suffix(path: str | os.PathLike[str], known: Iterable[str]) -> str:
    """Return the suffix of `path` in small letters; raise ValueError if it is not `known`.

    What ends in a slash is a folder, whatever dots it has, and has none.

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
