"""Draw a page about a clip or an image at the end."""

from __future__ import annotations

import os
from pathlib import Path

from livekm import figures
from livekm.core.segmentation import Segmentation
from livekm.core.suggestion import Suggestion, suggest_n_clusters
from livekm.figures.history import History
from livekm.frame import Frame, VideoInfo
from livekm.outputs.atomic import PartFile
from livekm.outputs.tables.base import Sidecar


class FigureFile(Sidecar):
    """Draw a page about an image or a clip of any length; used as a context manager.

    Parameters
    ----------
    path : path
        The file, in a format that matplotlib writes: ``.png``, ``.pdf``, ``.svg``, ...
    info : VideoInfo
        What the frames come from. Where it has one frame, the page is that of an image.
    overwrite : bool
        Whether an existing file may be replaced.
    clusters : int or "auto", optional
        What was asked for: where livekm chose the number, an image's page shows why.

    Raises
    ------
    ValueError
        If matplotlib does not know the format.
    SinkError
        If the file exists or cannot be written.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        info: VideoInfo,
        *,
        overwrite: bool = False,
        clusters: int | str | None = None,
    ) -> None:
        figures.check_format(Path(path).suffix)
        super().__init__(PartFile(path, overwrite=overwrite, source=info.path), info)
        self._info = info
        self._is_auto = clusters == "auto"
        self._history = History()
        self._only: tuple[Frame, Segmentation] | None = None

    def _write(self, frame: Frame, segmentation: Segmentation) -> None:
        if self._info.n_frames == 1:
            self._only = frame, segmentation
        else:
            self._history.append(frame, segmentation)

    def _finish(self) -> None:
        if self._only is not None:
            frame, segmentation = self._only
            chosen = _suggested(frame, segmentation) if self._is_auto else None
            page = figures.segmentation_figure(frame.image, segmentation, self._info.name, chosen)
        else:
            page = figures.clip_figure(self._history, self._info.name)
        self._path.write_bytes(figures.render(page, self.target.suffix))


def _suggested(frame: Frame, segmentation: Segmentation) -> Suggestion:
    """Ask once more, which takes less than to carry the answer with each frame."""
    ignored = segmentation.ignored
    return suggest_n_clusters(frame.image, None if ignored is None else ~ignored)
