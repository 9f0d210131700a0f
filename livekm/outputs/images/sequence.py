"""Write each image to a file of its own."""

from __future__ import annotations

import os
from pathlib import Path

from livekm.core.painting import Painting
from livekm.errors import UsageError
from livekm.frame import Image, VideoInfo
from livekm.outputs.atomic import PartFolder
from livekm.outputs.base import FileSink
from livekm.outputs.images.encoding import WRITABLE_IMAGES, encode_image
from livekm.outputs.images.folder import EndsNumberedFiles, NumberedFiles
from livekm.sources.files import PRINTF_NUMBER


def is_image_row(path: str | os.PathLike[str]) -> bool:
    """Tell whether a path is a pattern of image files: ``out/%06d.png``.

    Examples
    --------
    >>> is_image_row("out/%06d.png"), is_image_row("out.png"), is_image_row("%d.mp4")
    (True, False, False)
    """
    name = Path(path)
    return name.suffix.lower() in WRITABLE_IMAGES and bool(PRINTF_NUMBER.search(name.name))


class SequenceSink(EndsNumberedFiles, FileSink):
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
        If the pattern is none; from `write` if the image is not (H, W, 3) uint8, or with alpha
        (H, W, 4).
    """

    def __init__(
        self, pattern: str | os.PathLike[str], info: VideoInfo, *, overwrite: bool = False
    ) -> None:
        self._pattern = Path(pattern)
        if not is_image_row(pattern) or len(PRINTF_NUMBER.findall(self._pattern.name)) > 1:
            raise UsageError(f"expected a pattern of image names, like %06d.png, got {pattern}")
        super().__init__(
            PartFolder(self._pattern.parent, overwrite=overwrite, source=info.path), info
        )
        self._files = self._opened(lambda path: NumberedFiles(path, self._pattern.name))

    @property
    def target(self) -> Path:
        """The pattern that was asked for."""
        return self._pattern

    def _write(self, image: Image | Painting, time: float, index: int) -> None:
        self._files.add(encode_image(image, self._pattern), index, time)
