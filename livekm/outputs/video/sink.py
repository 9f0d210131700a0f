"""Write a clip."""

from __future__ import annotations

import contextlib
import os

import av

from livekm.core.painting import Painting
from livekm.errors import ImageSizeError, SinkError
from livekm.frame import Image, VideoInfo
from livekm.outputs.atomic import PartFile
from livekm.outputs.base import FileSink
from livekm.outputs.checks import as_image
from livekm.outputs.video.encoder import ClipFile
from livekm.outputs.video.formats import DEFAULT_ENCODER, EncoderOptions, choose_encoding
from livekm.outputs.video.mp4_boxes import put_index_first
from livekm.outputs.video.timestamps import Timestamps
from livekm.outputs.video.tracks import CopiedTracks
from livekm.outputs.video.verification import find_fault, rescue_clip

# Errors of an encoder that cannot be opened; its options were checked before.
_REFUSALS = (av.error.ArgumentError, av.error.InvalidDataError, av.error.ExternalError)


class ClipSink(FileSink):
    """Write images to a clip.

    The first image decides the size. H.264 and HEVC need even sizes: an odd one is padded by
    repeating the last row or column, which MP4, MOV and Matroska tell players to leave out.

    Frames keep their times. MP4 and MOV hold them exactly, Matroska and WebM round to
    milliseconds, GIF to hundredths of a second, AVI to the ticks of the source's rate. The clip
    begins at its first frame's time, or at 0 if that is negative or the source is live (its
    clock started when the device was opened, not with this clip). The last frame lasts as long as
    the one before it.

    Sound, subtitles and metadata of the source's file are copied, in sync, without encoding them
    again. Sound that goes on behind the picture is kept, unless the source's picture goes on too.

    Parameters
    ----------
    path : path
        The clip to write, with one of `formats.CONTAINERS`. It appears under this name when it is
        complete.
    info : VideoInfo
        What the frames come from; its rate and time base are kept, and what `path` holds beside
        the picture.
    encoder : EncoderOptions
        How pictures are encoded.
    overwrite : bool
        Whether an existing file may be replaced.
    from_zero : bool
        Whether the clip begins at 0, whatever the first frame's time is.
    verify : bool
        Whether the clip is read again, without decoding it, before it gets its name.

    Raises
    ------
    SinkError
        If the file cannot be written; from `close` also if no frame was, or if the written file
        does not hold what was written to it.
    ValueError
        If the suffix or codec is unknown, or does not go with the other options; from `write` if
        the image is not (H, W, 3) uint8 of the first one's size, or if the frame's time is not
        later than the one before.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> from fractions import Fraction
    >>> folder = tempfile.TemporaryDirectory()
    >>> info = VideoInfo("example", width=64, height=48, fps=Fraction(25))
    >>> with ClipSink(f"{folder.name}/out.mp4", info) as sink:
    ...     for i in range(3):
    ...         image = np.full((48, 64, 3), 80 * i, np.uint8)
    ...         sink.write(image, time=i / 25)
    >>> with av.open(f"{folder.name}/out.mp4") as clip:
    ...     [frame.time for frame in clip.decode(video=0)]
    [0.0, 0.04, 0.08]
    >>> folder.cleanup()
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        info: VideoInfo,
        *,
        encoder: EncoderOptions = DEFAULT_ENCODER,
        overwrite: bool = False,
        from_zero: bool = False,
        verify: bool = True,
    ) -> None:
        self._encoding = choose_encoding(path, encoder)
        super().__init__(PartFile(path, overwrite=overwrite, source=info.path), info)
        # A live source's rate is what the device claims, not what it does.
        # AVI's ticks are those of the rate: at a mean rate, frames that come faster would be late.
        has_rate = not (info.is_variable and self._encoding.container.has_frame_ticks)
        self._fps = info.fps if has_rate and not info.is_live else None
        container = self._encoding.container
        self._stamps = Timestamps(
            container.time_base(info.time_base, self._fps),
            from_zero=from_zero or info.is_live or container.from_zero,
            first_duration=1 / self._rate,
            spacing=container.spacing if container.ticks else None,
        )
        self._verify = verify
        self._is_live = info.is_live
        self._source = info.path
        self._pixel_aspect = info.pixel_aspect
        self._shape: tuple[int, ...] | None = None
        self._file: ClipFile | None = None

    def _write(self, image: Image | Painting, time: float, index: int) -> None:
        if not isinstance(image, Painting):
            image = as_image(image, alpha=bool(self._encoding.codec.alpha_format))
        if self._shape is not None and self._shape != image.shape:
            raise ImageSizeError(index, image.shape, self._shape)
        pts = self._stamps.stamp(time)
        try:
            if self._file is None:
                self._file = self._begun(image)
            self._file.write(image, pts)
        except _REFUSALS as error:
            if self.n_frames:
                raise
            height, width = image.shape[:2]
            raise SinkError(
                f"cannot write {self.target}: {self._encoding.codec.encoder} does not "
                f"take pictures of {width}x{height}; choose another --codec"
            ) from error

    def _begun(self, image: Image | Painting) -> ClipFile:
        self._shape = image.shape
        height, width = image.shape[:2]
        return ClipFile(
            self._path,
            self._encoding,
            width,
            height,
            self._stamps,
            self._fps,
            CopiedTracks(self._source or ""),
            pixel_aspect=self._pixel_aspect,
            has_alpha=not isinstance(image, Painting) and image.shape[2] == 4,
        )

    def _finish(self) -> None:
        assert self._file is not None
        self._file.finish()
        # A process that is killed while the index is moved leaves nothing to play.
        if not self._is_live and self._encoding.container.format in ("mp4", "mov"):
            put_index_first(self._path)
        if not self._verify:
            return
        fault = find_fault(self._path, self.n_frames, self._stamps.last - self._stamps.first)
        if fault:
            raise SinkError(f"cannot write {self.target}: {fault}; write to another disk")

    def _rescue(self) -> bool:
        return rescue_clip(self._path)

    def _release(self) -> None:
        if self._file is not None:
            # It is complete, or given up: why it cannot be closed does not matter any more.
            with contextlib.suppress(av.FFmpegError, OSError):
                self._file.close()
