"""A still image as a sink."""

from __future__ import annotations

import os
from pathlib import Path

from livekm.core.painting import Painting
from livekm.errors import SinkError, UsageError
from livekm.frame import Image, VideoInfo
from livekm.outputs.atomic import PartFile
from livekm.outputs.base import Sink
from livekm.outputs.images.encoding import IMAGE_SUFFIXES, encode_image


class ImageSink(Sink):
    """Write one image to a file, in the format of the file's suffix.

    Parameters
    ----------
    path : path
        The image to write, with one of `IMAGE_SUFFIXES`.
    info : VideoInfo
        What the frame comes from.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    SinkError
        If the file cannot be written; from `close` also if no frame was.
    ValueError
        If the suffix is unknown; from `write` if the image is not (H, W, 3) uint8, or is the
        second one.
    """

    def __init__(
        self, path: str | os.PathLike[str], info: VideoInfo, *, overwrite: bool = False
    ) -> None:
        if Path(path).suffix.lower() not in IMAGE_SUFFIXES:
            raise UsageError(
                f"expected a name that ends in {', '.join(IMAGE_SUFFIXES)}, got {path}"
            )
        self._written = False
        self._is_open = True
        self._part = PartFile(path, overwrite=overwrite, source=info.path)

    def write(
        self, image: Image | Painting, time: float | None = None, index: int | None = None
    ) -> None:
        """Take the one image, (H, W, 3) uint8 BGR, or with alpha (H, W, 4)."""
        if not self._is_open:
            raise ValueError(f"{self._part.target} is closed")
        if self._written:
            raise UsageError(f"{self._part.target} holds one image, a second one came")
        content = encode_image(image, self._part.target)
        try:
            self._part.path.write_bytes(content)
        except OSError as error:
            raise self._failure(error) from error
        self._written = True

    def close(self) -> None:
        """Give the image its name."""
        if not self._is_open:
            return
        if not self._written:
            self.abort()
            raise SinkError(f"no frame was written to {self._part.target}")
        try:
            self.path = self._part.commit()
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
            self._part.discard()

    def _failure(self, error: OSError) -> SinkError:
        return SinkError(f"cannot write {self._part.target}: {error.strerror}")
