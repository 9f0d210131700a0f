"""The labels of each frame, lossless: an array, a video or a folder of images."""

from __future__ import annotations

import contextlib
import os
import zipfile
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorRange

from livekm.core.segmentation import Segmentation
from livekm.errors import ImageSizeError, SinkError, UsageError
from livekm.frame import Frame, VideoInfo
from livekm.outputs.atomic import PartFile, PartFolder
from livekm.outputs.images.encoding import FrameTable
from livekm.outputs.images.label_png import encode_label_png
from livekm.outputs.tables.base import Sidecar, chosen_suffix
from livekm.outputs.video.timestamps import Timestamps

_FINE_TIME_BASE = Fraction(1, 90000)


class LabelArrays(Sidecar):
    """A ``.npz`` archive that `numpy.load` reads frame by frame.

    ``frame_000000`` and so on are (H, W) uint8 labels, ``times`` the (n,) float64 seconds,
    ``indices`` the (n,) int64 places in the source, ``palettes`` the (n, k, 3) uint8 BGR colours,
    ``ids`` the (n, k) int64 identities of the labels; see `Segmentation.ids`.
    Its table of contents takes memory, about a kilobyte a frame.
    """

    def __init__(self, part: PartFile, info: VideoInfo) -> None:
        super().__init__(part)
        self._times: list[float] = []
        self._indices: list[int] = []
        self._palettes: list[npt.NDArray[np.uint8]] = []
        self._ids: list[npt.NDArray[np.int64]] = []
        self._zip = zipfile.ZipFile(part.path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)

    def _append(self, frame: Frame, segmentation: Segmentation) -> None:
        self._store(f"frame_{len(self._times):06d}", segmentation.labels)
        self._times.append(frame.time)
        self._indices.append(frame.index)
        self._palettes.append(segmentation.palette)
        self._ids.append(segmentation.ids)

    def _store(self, name: str, array: npt.NDArray[Any]) -> None:
        with self._zip.open(f"{name}.npy", "w", force_zip64=True) as member:
            np.lib.format.write_array(member, array, allow_pickle=False)

    def _finish(self) -> None:
        self._store("times", np.array(self._times, np.float64))
        self._store("indices", np.array(self._indices, np.int64))
        self._store("palettes", np.array(self._palettes, np.uint8))
        self._store("ids", np.array(self._ids, np.int64))
        self._zip.close()

    def _release(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._zip.close()


class LabelVideo(Sidecar):
    """An FFV1 clip, ``.mkv``, whose grey levels are the labels; its times are to a millisecond."""

    def __init__(self, part: PartFile, info: VideoInfo, threads: int | None = None) -> None:
        super().__init__(part)
        self._info, self._threads = info, threads
        self._stamps = Timestamps(info.time_base or _FINE_TIME_BASE, from_zero=info.is_live)
        self._container = av.open(str(part.path), "w", format="matroska")
        self._stream: Any = None

    def _append(self, frame: Frame, segmentation: Segmentation) -> None:
        picture = av.VideoFrame.from_ndarray(segmentation.labels, format="gray")
        picture.color_range = ColorRange.JPEG
        picture.pts, picture.time_base = self._stamps.stamp(frame.time), self._stamps.time_base
        stream, shape = self._opened(segmentation.labels.shape), segmentation.labels.shape
        if shape != (stream.height, stream.width):
            raise ImageSizeError(frame.index, shape, (stream.height, stream.width))
        self._mux(stream.encode(picture))

    def _opened(self, shape: tuple[int, ...]) -> Any:
        if self._stream is None:
            # Version 3 checks each slice by a checksum; every frame is a key frame.
            options = {"level": "3", "slicecrc": "1", "g": "1"}
            stream: Any = self._container.add_stream("ffv1", rate=self._info.fps, options=options)
            stream.height, stream.width = shape
            stream.pix_fmt = "gray"
            codec = stream.codec_context
            codec.thread_count = self._threads or 0
            codec.time_base, codec.color_range = self._stamps.time_base, ColorRange.JPEG
            self._stream = stream
        return self._stream

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            packet.duration = self._stamps.pop_duration(packet.pts)
            self._container.mux(packet)

    def _finish(self) -> None:
        if self._stream is None:
            raise SinkError(f"no frame was written to {self._part.target}")
        self._mux(self._stream.encode())
        self._container.close()

    def _release(self) -> None:
        with contextlib.suppress(av.FFmpegError, OSError):
            self._container.close()


class LabelImages(Sidecar):
    """A folder of palettised PNGs, ``000000.png`` and so on, and ``frames.csv`` with their times.

    Parameters
    ----------
    part : PartFolder
    info : VideoInfo
    """

    def __init__(self, part: PartFolder, info: VideoInfo) -> None:
        super().__init__(part)
        self._n = 0
        self._table = FrameTable(part.path)

    def _append(self, frame: Frame, segmentation: Segmentation) -> None:
        name = f"{self._n:06d}.png"
        png = encode_label_png(segmentation.labels, segmentation.palette)
        (self._part.path / name).write_bytes(png)
        self._table.append(name, frame.index, frame.time)
        self._n += 1

    def _finish(self) -> None:
        self._table.close()

    def _release(self) -> None:
        with contextlib.suppress(OSError):
            self._table.close()


class LabelImage(Sidecar):
    """One palettised PNG."""

    def __init__(self, part: PartFile, info: VideoInfo) -> None:
        super().__init__(part)
        self._content = b""

    def _append(self, frame: Frame, segmentation: Segmentation) -> None:
        if self._content:
            raise UsageError(
                f"{self._part.target} holds one image: of a clip, write labels to a folder, "
                ".npz or .mkv"
            )
        self._content = encode_label_png(segmentation.labels, segmentation.palette)

    def _finish(self) -> None:
        self._part.path.write_bytes(self._content)


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
        A folder, or a file that ends in ``.npz``, ``.mkv`` or, for one image, ``.png``.
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
    suffix = chosen_suffix(path, LABEL_FILES)
    made = LABEL_FILES[suffix]
    if made is LabelVideo:
        made = partial(LabelVideo, threads=threads)
    kind = PartFile if suffix else PartFolder
    part = kind(path, overwrite=overwrite, source=info.path)
    try:
        return made(part, info)
    except BaseException:
        part.discard()
        raise
