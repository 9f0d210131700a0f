"""Image files in a row as a sink."""

from __future__ import annotations

import contextlib
import os
from fractions import Fraction
from pathlib import Path

from livekm.core.painting import Painting
from livekm.errors import SinkError, UsageError
from livekm.frame import Image, VideoInfo
from livekm.outputs.atomic import PartFolder
from livekm.outputs.base import Sink
from livekm.outputs.images.encoding import IMAGE_SUFFIXES, FrameTable, encode_image
from livekm.sources.files import PRINTF_NUMBER


def is_image_row(path: str | os.PathLike[str]) -> bool:
    """Tell whether a path is a pattern of image files: ``out/%06d.png``.

    Examples
    --------
    >>> is_image_row("out/%06d.png"), is_image_row("out.png"), is_image_row("%d.mp4")
    (True, False, False)
    """
    name = Path(path)
    return name.suffix.lower() in IMAGE_SUFFIXES and bool(PRINTF_NUMBER.search(name.name))


class SequenceSink(Sink):
    """Write each image to a file of its own, in a folder that appears when all are there.

    Beside the images, numbered from 0, lies ``frames.csv`` with their times.

    Parameters
    ----------
    pattern : path
        ``out/%06d.png``: the folder, which must be empty or not exist, and the names.
    info : VideoInfo
        What the frames come from.
    overwrite : bool
        Whether a folder that livekm made may be replaced, as a whole.

    Raises
    ------
    SinkError
        If the folder cannot be written; from `close` also if no frame was.
    ValueError
        If the pattern is none; from `write` if the image is not (H, W, 3) uint8.
    """

    def __init__(
        self, pattern: str | os.PathLike[str], info: VideoInfo, *, overwrite: bool = False
    ) -> None:
        self._pattern = Path(pattern)
        if not is_image_row(pattern) or len(PRINTF_NUMBER.findall(self._pattern.name)) > 1:
            raise UsageError(f"expected a pattern of image names, like %06d.png, got {pattern}")
        self._fps = info.fps or Fraction(25)
        self._n_frames = 0
        self._is_partial = False
        self._is_open = True
        self._part = PartFolder(self._pattern.parent, overwrite=overwrite, source=info.path)
        self._table = FrameTable(self._part.path)

    def write(
        self, image: Image | Painting, time: float | None = None, index: int | None = None
    ) -> None:
        """Write `image`, (H, W, 3) uint8 BGR or with alpha (H, W, 4), as the next file."""
        if not self._is_open:
            raise ValueError(f"{self._pattern} is closed")
        name = PRINTF_NUMBER.sub(lambda number: number[0] % self._n_frames, self._pattern.name)
        content = encode_image(image, self._pattern)
        number = self._n_frames if index is None else index
        if time is None:
            time = float(number / self._fps)
        try:
            (self._part.path / name).write_bytes(content)
            self._table.append(name, number, time)
        except OSError as error:
            raise self._failure(error) from error
        self._n_frames += 1

    def mark_partial(self) -> None:
        """Say that frames are missing at the end: the folder becomes ``out.partial``."""
        self._is_partial = True

    def close(self) -> None:
        """Give the folder its name."""
        if not self._is_open:
            return
        if not self._n_frames:
            self.abort()
            raise SinkError(f"no frame was written to {self._pattern}")
        try:
            self._table.close()
            self.path = self._part.commit(partial=self._is_partial)
        except SinkError:
            raise
        except OSError as error:
            raise self._failure(error) from error
        finally:
            self.abort()

    def abort(self) -> None:
        """Delete what has no name yet."""
        if self._is_open:
            self._is_open = False
            with contextlib.suppress(OSError):  # the disk is full: it is given up anyway
                self._table.close()
            self._part.discard()

    def _failure(self, error: OSError) -> SinkError:
        return SinkError(f"cannot write {self._pattern}: {error.strerror}")
