"""Write a clip to stdout."""

from __future__ import annotations

import contextlib
from fractions import Fraction

import av

from livekm.core.painting import Painting
from livekm.errors import ImageSizeError, ReaderGoneError, UsageError
from livekm.frame import Image, VideoInfo
from livekm.outputs.base import FileSink
from livekm.outputs.checks import as_image
from livekm.outputs.stdout import StdoutPart
from livekm.outputs.video.encoder import ClipFile
from livekm.outputs.video.formats import (
    DEFAULT_ENCODER,
    Codec,
    Container,
    EncoderOptions,
    Encoding,
    choose_encoding,
)
from livekm.outputs.video.timestamps import Timestamps
from livekm.outputs.video.tracks import CopiedTracks

_PROMPT = {"flush_packets": "1"}  # a frame goes out before the next one comes

# The containers without times: their frames follow each other at one rate.
_TIMELESS = {
    "y4m": (Container("yuv4mpegpipe", options=_PROMPT), Codec("rawvideo", "yuv420p", ())),
    "raw": (Container("rawvideo", options=_PROMPT), Codec("rawvideo", "bgr24", ())),
}
_MATROSKA = {"cluster_time_limit": "100", **_PROMPT}  # milliseconds

PIPE_FORMATS = (*_TIMELESS, "mkv")
"""The containers that can be piped; the first is the default."""


class PipeSink(FileSink):
    """Write images to stdout, as y4m, Matroska or raw BGR.

    Matroska keeps each frame's time, to a millisecond. The others have one rate: where a frame
    comes late, the one before it is repeated to fill the time. Sound is left out. A write waits for
    the reader.

    Parameters
    ----------
    info : VideoInfo
        What the frames come from.
    form : str
        One of `PIPE_FORMATS`.
    encoder : EncoderOptions
        How pictures are encoded in Matroska.
    from_zero : bool
        Whether the clip begins at 0, whatever the first frame's time is; without times, it does.

    Raises
    ------
    ReaderGoneError
        From `write`, if the reader has ended.
    ValueError
        If there is no such format, or for an image or a time that does not fit; see `ClipSink`.
    """

    _needs_frames = False  # the reader may end within the first one

    def __init__(
        self,
        info: VideoInfo,
        *,
        form: str = "y4m",
        encoder: EncoderOptions = DEFAULT_ENCODER,
        from_zero: bool = False,
    ) -> None:
        self._encoding = _encoding(form, encoder)
        self._is_timeless = form in _TIMELESS
        part = StdoutPart()
        super().__init__(part, info)
        self._stdout = part
        self._stamps = Timestamps(
            1 / self._rate if self._is_timeless else Fraction(1, 1000),
            from_zero=self._is_timeless or from_zero or info.is_live,
            first_duration=1 / self._rate,
            spacing=1 if self._is_timeless else None,
        )
        self._fps = self._rate if self._is_timeless or not info.is_live else None
        self._pixel_aspect = info.pixel_aspect
        self._shape: tuple[int, ...] | None = None
        self._first: float | None = None
        self._next = 0  # the stamp of the picture that would follow without a gap
        self._file: ClipFile | None = None

    def _write(self, image: Image | Painting, time: float, index: int) -> None:
        if not isinstance(image, Painting):
            image = as_image(image)
        if self._shape is not None and self._shape != image.shape:
            raise ImageSizeError(index, image.shape, self._shape)
        if self._is_timeless:  # counted from the first one, which so is no half tick off
            self._first = time if self._first is None else self._first
            time -= self._first
        pts = self._stamps.stamp(time)
        if self._file is None:
            self._file = self._begun(image)
        elif self._is_timeless:
            for missing in range(self._next, pts):
                self._file.repeat(missing)
        self._file.write(image, pts)
        self._next = pts + 1

    def _begun(self, image: Image | Painting) -> ClipFile:
        self._shape = image.shape
        height, width = image.shape[:2]
        return ClipFile(
            self._stdout,
            self._encoding,
            width,
            height,
            self._stamps,
            self._fps,
            CopiedTracks(""),
            pixel_aspect=self._pixel_aspect,
        )

    def _finish(self) -> None:
        if (
            self._file is None or self._stdout.is_gone
        ):  # `write` has said so; FFmpeg would call it another error
            self._release()
            return
        try:
            self._file.finish()
        except av.FFmpegError as error:
            if self._stdout.is_gone:
                raise ReaderGoneError("the reader of stdout has ended") from error
            raise

    def _release(self) -> None:
        if self._file is not None:
            with contextlib.suppress(av.FFmpegError, OSError):
                self._file.close()


def _encoding(form: str, encoder: EncoderOptions) -> Encoding:
    if form in _TIMELESS:
        if (encoder.codec, encoder.crf, encoder.preset) != (None, None, None):
            raise UsageError(f"{form} is not encoded; for a codec, take --format mkv")
        return Encoding(*_TIMELESS[form], {}, encoder.threads)
    if form not in PIPE_FORMATS:
        raise UsageError(f"there is no format {form} for a pipe; choose {', '.join(PIPE_FORMATS)}")
    chosen = choose_encoding(f"stdout.{form}", encoder)
    options = {**chosen.container.options, **_MATROSKA}
    container = Container(chosen.container.format, options=options)
    return Encoding(container, chosen.codec, chosen.options, chosen.threads)
