"""A still image as a source."""

from __future__ import annotations

from pathlib import Path

from livekm.frame import Frame, VideoInfo
from livekm.sources.still import read_still
from livekm.sources.stream import FrameStream


class ImageSource(FrameStream):
    """A still image: one frame at time 0.

    Parameters
    ----------
    path : str or Path
        The image file.

    Raises
    ------
    SourceError
        If the file is missing, empty or no image.
    """

    def __init__(self, path: str | Path) -> None:
        image, opaque = read_still(path)
        height, width = image.shape[:2]
        info = VideoInfo(
            Path(path).name,
            width,
            height,
            n_frames=1,
            is_still=True,
            has_alpha=opaque is not None,
            path=str(path),
        )
        super().__init__(info, iter((Frame(image, index=0, time=0.0, mask=opaque),)))
