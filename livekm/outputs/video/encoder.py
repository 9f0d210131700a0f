"""Encode images with PyAV: container, codec, time stamps."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av

from livekm.core.painting import Painting
from livekm.frame import Image
from livekm.outputs.video.cropping import add_cropped_stream
from livekm.outputs.video.formats import Encoding
from livekm.outputs.video.pixel_formats import CONVERSIONS
from livekm.outputs.video.timestamps import Timestamps
from livekm.outputs.video.tracks import CopiedTracks


class Writable(Protocol):
    """What takes a file's bytes, front to back."""

    def write(self, data: bytes, /) -> int:
        """Take all of them; return how many they are."""


class ClipFile:
    """Encode one stream of images into a container file.

    Parameters
    ----------
    target : Path or Writable
        The file to write, or what takes its bytes.
    encoding : Encoding
        Container, codec and their options.
    width, height : int
        Size of the images. An odd one is rounded up where the codec has even ones only, by
        repeating the last column or row, which the container tells players to leave out.
    stamps : Timestamps
        The clip's clock.
    fps : Fraction or None
        The nominal rate for the file's header, if there is one.
    tracks : CopiedTracks
        Other tracks for the file; closed with it.
    pixel_aspect : Fraction
        Width of a pixel by its height.
    has_alpha : bool
        Whether images have alpha.

    Raises
    ------
    av.FFmpegError
        From any method, if the codec or the file fails.
    """

    def __init__(
        self,
        target: Path | Writable,
        encoding: Encoding,
        width: int,
        height: int,
        stamps: Timestamps,
        fps: Fraction | None,
        tracks: CopiedTracks,
        *,
        pixel_aspect: Fraction = Fraction(1),
        has_alpha: bool = False,
    ) -> None:
        os.environ.setdefault("SVT_LOG", "1")  # SVT-AV1 prints a page about each clip otherwise
        container, codec = encoding.container, encoding.codec
        beside, below = (width % 2, height % 2) if codec.is_even else (0, 0)
        width, height = width + beside, height + below
        self._stamps = stamps
        pixel_format = codec.alpha_format if has_alpha else codec.pixel_format
        self._to_picture = CONVERSIONS[pixel_format](width, height, encoding.threads)
        name = str(target) if isinstance(target, Path) else target
        options = {**container.options, **(container.alone if tracks.are_none else {})}
        self._container = av.open(name, "w", format=container.format, options=options)
        if beside or below:
            size = width, height, beside, below
            stream: Any = add_cropped_stream(self._container, codec.encoder, *size)
        else:
            stream = self._container.add_stream(codec.encoder, rate=fps)  # PyAV 17: else 24
        self._stream = stream
        stream.options.update(encoding.options)
        if has_alpha and codec.encoder == "libvpx-vp9":  # libvpx looks back in no other way
            stream.options["auto-alt-ref"] = "0"
            stream.metadata["alpha_mode"] = "1"
        stream.time_base = stamps.time_base
        context: Any = stream.codec_context
        context.width, context.height = width, height
        context.pix_fmt = pixel_format
        context.time_base = stamps.time_base
        context.sample_aspect_ratio = pixel_aspect
        if codec.tag and container.format in ("mp4", "mov"):
            context.codec_tag = codec.tag
        context.framerate = fps or Fraction(25 if codec.needs_rate else 0)
        if self._to_picture.color_tags is not None:
            number, context.color_range = self._to_picture.color_tags
            context.colorspace = context.color_primaries = context.color_trc = number
        self._last: av.VideoFrame | None = None
        self._period = 1 / (fps or Fraction(25))
        self._error: Exception | None = None
        self._tracks = tracks
        tracks.attach(self._container, self._stream, stamps.origin)

    def write(self, image: Image | Painting, pts: int) -> None:
        """Encode `image`, to be shown at stamp `pts`."""
        self._last = self._to_picture(image)
        self.repeat(pts)

    def repeat(self, pts: int) -> None:
        """Encode the last picture, to be shown at stamp `pts`; again only where it is raw."""
        assert self._last is not None
        self._last.pts = pts
        self._last.time_base = self._stamps.time_base
        self._mux(self._last)

    def finish(self) -> None:
        """Write what the encoder still holds and the index, and close the file."""
        self._mux(None)
        self._tracks.copy_rest(self._stamps.last, self._stamps.end, self._period)
        self.close()

    def close(self) -> None:
        """Close the file as it is."""
        self._tracks.close()
        self._container.close()

    def _mux(self, picture: av.VideoFrame | None) -> None:
        if self._error is not None:  # FFmpeg crashes where it goes on behind one
            raise self._error
        try:
            self._encode(picture)
        except Exception as error:
            self._error = error
            raise

    def _encode(self, picture: av.VideoFrame | None) -> None:
        for packet in self._stream.encode(picture):
            # x264 gives no durations, without which the last frame's would be guessed. By the time
            # that a packet leaves it, the next frame is known.
            if packet.pts is not None:
                packet.duration = self._stamps.pop_duration(packet.pts)
                self._tracks.copy_until(packet.pts * self._stamps.time_base)
            self._container.mux(packet)
