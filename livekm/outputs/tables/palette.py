"""Write the colours of the segments as a palette file."""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt

from livekm.core.segmentation import Segmentation
from livekm.frame import Frame, VideoInfo
from livekm.outputs.atomic import PartFile
from livekm.outputs.palettes import PALETTE_FILES, encode_palette
from livekm.outputs.tables.base import Sidecar, chosen_suffix


class PaletteFile(Sidecar):
    """Write the palette of the last frame, in the order of the labels.

    Parameters
    ----------
    path : path
        The file, ``.gpl`` or ``.json``.
    info : VideoInfo
        What the frames come from; its name becomes the palette's.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    ValueError
        If the suffix is neither.
    SinkError
        If the file exists or cannot be written.
    """

    def __init__(
        self, path: str | os.PathLike[str], info: VideoInfo, *, overwrite: bool = False
    ) -> None:
        self._suffix = chosen_suffix(path, PALETTE_FILES)
        super().__init__(PartFile(path, overwrite=overwrite, source=info.path), info)
        self._name = info.name
        self._palette: npt.NDArray[np.uint8] | None = None

    def _write(self, frame: Frame, segmentation: Segmentation) -> None:
        self._palette = segmentation.palette

    def _finish(self) -> None:
        assert self._palette is not None
        self._path.write_bytes(encode_palette(self._palette, self._suffix, self._name))
