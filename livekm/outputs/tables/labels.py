"""Write the labels of each frame, lossless, to an archive, a video or a folder of images."""

from __future__ import annotations

import contextlib
import os
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.container import OutputContainer
from av.video.reformatter import ColorRange

from livekm.core.segmentation import Segmentation
from livekm.errors import ImageSizeError, UsageError
from livekm.frame import Frame, VideoInfo
from livekm.outputs.atomic import PartFile, PartFolder
from livekm.outputs.images.folder import EndsNumberedFiles, NumberedFiles
from livekm.outputs.images.label_png import encode_label_png
from livekm.outputs.schema import SCHEMA
from livekm.outputs.stdout import STDOUT
from livekm.outputs.tables.base import Sidecar, chosen_suffix
from livekm.outputs.tables.masks import MaskLines
from livekm.outputs.video.formats import CODECS, CONTAINERS, FINE_TIME_BASE
from livekm.outputs.video.timestamps import Timestamps
from livekm.outputs.video.verification import rescue_clip


class LabelArrays(Sidecar):
    """Write a ``.npz`` archive that `numpy.load` reads frame by frame.

    ``frame_000000`` and so on are (H, W) uint8 labels, ``times`` the (n,) float64 seconds,
    ``indices`` the (n,) int64 numbers in the source, ``palettes`` the (n, k, 3) uint8 BGR colours,
    ``ids`` the (n, k) int64 identities of the labels; see `Segmentation.ids`,
    ``schema`` is `SCHEMA`.
    Its table of contents takes memory, about a kilobyte a frame.
    """

    _needs_frames = False

    def __init__(self, part: PartFile, info: VideoInfo) -> None:
        super().__init__(part, info)
        self._times: list[float] = []
        self._indices: list[int] = []
        self._palettes: list[npt.NDArray[np.uint8]] = []
        self._ids: list[npt.NDArray[np.int64]] = []
        self._ends: list[int] = []  # where each frame ends in the file
        self._zip = self._opened(
            lambda path: zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        )

    def _write(self, frame: Frame, segmentation: Segmentation) -> None:
        _store(self._zip, f"frame_{self.n_frames:06d}", segmentation.labels)
        self._times.append(frame.time)
        self._indices.append(frame.index)
        self._palettes.append(segmentation.palette)
        self._ids.append(segmentation.ids)
        self._ends.append(self._zip.start_dir)

    def _finish(self) -> None:
        self._store_columns(self._zip, self.n_frames)
        self._zip.close()

    def _store_columns(self, file: zipfile.ZipFile, n_frames: int) -> None:
        _store(file, "schema", np.array(SCHEMA, np.int64))
        _store(file, "times", np.array(self._times[:n_frames], np.float64))
        _store(file, "indices", np.array(self._indices[:n_frames], np.int64))
        _store(file, "palettes", np.array(self._palettes[:n_frames], np.uint8))
        _store(file, "ids", np.array(self._ids[:n_frames], np.int64))

    def _rescue(self) -> bool:
        """Give up frames at the end until the table of contents fits in their place."""
        members = self._zip.filelist
        n_frames = self.n_frames
        while n_frames > 0:
            with contextlib.suppress(OSError), self._path.open("r+b") as file:
                file.truncate(self._ends[n_frames - 1])
                file.seek(0, os.SEEK_END)
                with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:  # goes on here
                    archive.filelist += members[:n_frames]
                    self._store_columns(archive, n_frames)
                return True
            n_frames -= 1 + n_frames // 20
        return False

    def _release(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._zip.close()


class LabelVideo(Sidecar):
    """Write an FFV1 clip, ``.mkv``, of the labels as grey levels, its times to a millisecond."""

    def __init__(self, part: PartFile, info: VideoInfo, threads: int | None = None) -> None:
        super().__init__(part, info)
        self._info, self._threads = info, threads
        self._stamps = Timestamps(info.time_base or FINE_TIME_BASE, from_zero=info.is_live)
        self._container = self._opened(_open_matroska)
        self._stream: Any = None

    def _write(self, frame: Frame, segmentation: Segmentation) -> None:
        shape = segmentation.labels.shape
        if self._stream is None:
            self._stream = self._added_stream(*shape)
        elif shape != (self._stream.height, self._stream.width):
            raise ImageSizeError(frame.index, shape, (self._stream.height, self._stream.width))
        picture = av.VideoFrame.from_ndarray(segmentation.labels, format="gray")
        picture.color_range = ColorRange.JPEG
        picture.pts, picture.time_base = self._stamps.stamp(frame.time), self._stamps.time_base
        self._mux(self._stream.encode(picture))

    def _added_stream(self, height: int, width: int) -> Any:
        options = dict(CODECS["ffv1"].options)
        stream: Any = self._container.add_stream("ffv1", rate=self._info.fps, options=options)
        stream.height, stream.width = height, width
        stream.pix_fmt = "gray"
        codec = stream.codec_context
        codec.thread_count = self._threads or 0
        codec.time_base, codec.color_range = self._stamps.time_base, ColorRange.JPEG
        return stream

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            packet.duration = self._stamps.pop_duration(packet.pts)
            self._container.mux(packet)

    def _finish(self) -> None:
        self._mux(self._stream.encode())
        self._container.close()

    def _rescue(self) -> bool:
        return rescue_clip(self._path)

    def _release(self) -> None:
        with contextlib.suppress(av.FFmpegError, OSError):
            self._container.close()


class LabelImages(EndsNumberedFiles, Sidecar):
    """Write a folder of palettised PNGs, ``000000.png`` and so on, and ``frames.csv``.

    Parameters
    ----------
    part : PartFolder
    info : VideoInfo
    """

    _needs_frames = False

    def __init__(self, part: PartFolder, info: VideoInfo) -> None:
        super().__init__(part, info)
        self._files = self._opened(lambda path: NumberedFiles(path, "%06d.png"))

    def _write(self, frame: Frame, segmentation: Segmentation) -> None:
        png = encode_label_png(segmentation.labels, segmentation.palette)
        self._files.add(png, frame.index, frame.time)


class LabelImage(Sidecar):
    """Write one palettised PNG."""

    _holds_one = True

    def _write(self, frame: Frame, segmentation: Segmentation) -> None:
        if self.n_frames:
            raise UsageError(
                f"{self.target} holds one image: of a clip, write labels to a folder, .npz or .mkv"
            )
        png = encode_label_png(segmentation.labels, segmentation.palette)
        self._path.write_bytes(png)

    def _finish(self) -> None:
        """Do nothing: the image is complete."""


def _open_matroska(path: Path) -> OutputContainer:
    return av.open(str(path), "w", format="matroska", options=dict(CONTAINERS[".mkv"].options))


def _store(file: zipfile.ZipFile, name: str, array: npt.NDArray[Any]) -> None:
    with file.open(f"{name}.npy", "w", force_zip64=True) as member:
        np.lib.format.write_array(member, array, allow_pickle=False)


def check_labels_name(path: str) -> None:
    """Raise ValueError if labels cannot be called that."""
    if path != STDOUT:
        chosen_suffix(path, LABEL_FILES)


LABEL_FILES: dict[str, Callable[[Any, VideoInfo], Sidecar]] = {
    "": LabelImages,
    ".npz": LabelArrays,
    ".mkv": LabelVideo,
    ".png": LabelImage,
}
"""Suffix of the target -> what writes it; a name without a suffix is a folder."""


def name_as_folder(path: Path) -> str:
    """Return the name of a path; end it in a slash unless its suffix is one of `LABEL_FILES`.

    Examples
    --------
    >>> name_as_folder(Path("labels.npz")), name_as_folder(Path("2024.11.02"))
    ('labels.npz', '2024.11.02/')
    """
    return str(path) if path.suffix.lower() in LABEL_FILES else f"{path}/"


def open_labels(
    path: str | os.PathLike[str],
    info: VideoInfo,
    *,
    overwrite: bool = False,
    threads: int | None = None,
) -> Sidecar:
    """Open what writes the labels of each frame, chosen by the suffix of `path`.

    Parameters
    ----------
    path : path
        A folder, or a file that ends in ``.npz``, ``.mkv`` or, for one image, ``.png``. ``-``
        writes masks to stdout, see `MaskLines`.
    info : VideoInfo
        What the frames come from.
    overwrite : bool
        Whether what exists may be replaced.
    threads : int, optional
        How many threads encode a video; the encoder's own choice by default.

    Raises
    ------
    ValueError
        If the suffix is none of these.
    SinkError
        If the target exists or cannot be written.
    """
    if path == STDOUT:
        return MaskLines(info)
    suffix = chosen_suffix(path, LABEL_FILES)
    made = LABEL_FILES[suffix]
    if made is LabelVideo:
        made = partial(LabelVideo, threads=threads)
    kind = PartFile if suffix else PartFolder
    part = kind(path, overwrite=overwrite, source=info.path)
    return made(part, info)
