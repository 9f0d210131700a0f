"""Write a still image."""

from __future__ import annotations

import os
from pathlib import Path

from livekm.core.painting import Painting
from livekm.errors import UsageError
from livekm.frame import Image, VideoInfo
from livekm.outputs.atomic import PartFile
from livekm.outputs.base import FileSink
from livekm.outputs.images.encoding import WRITABLE_IMAGES, encode_image
from livekm.outputs.stdout import STDOUT, StdoutPart


class ImageSink(FileSink):
    """Write one image to a file, in the format of the file's suffix.

    Parameters
    ----------
    path : path
        The image to write, with one of `WRITABLE_IMAGES`; ``-`` writes a PNG to stdout.
    info : VideoInfo
        What the frame comes from.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    SinkError
        If the file cannot be written; from `close` also if no frame was.
    ValueError
        If the suffix is unknown; from `write` if the image is not (H, W, 3) uint8, or with alpha
        (H, W, 4), or is the second one.
    """

    _holds_one = True

    def __init__(
        self, path: str | os.PathLike[str], info: VideoInfo, *, overwrite: bool = False
    ) -> None:
        self._stdout = StdoutPart() if path == STDOUT else None
        if not self._stdout and Path(path).suffix.lower() not in WRITABLE_IMAGES:
            raise UsageError(
                f"expected a name that ends in {', '.join(WRITABLE_IMAGES)}, got {path}"
            )
        part = self._stdout or PartFile(path, overwrite=overwrite, source=info.path)
        super().__init__(part, info)

    def _write(self, image: Image | Painting, time: float, index: int) -> None:
        if self.n_frames:
            raise UsageError(f"{self.target} holds one image, a second one came")
        if self._stdout:
            self._stdout.write(encode_image(image, Path("stdout.png")))
        else:
            self._path.write_bytes(encode_image(image, self.target))

    def _finish(self) -> None:
        """Do nothing: the image is complete."""
