"""Encode images as H.264 with PyAV: container, colours, time stamps."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from livekm.frame import Image
from livekm.sinks.timestamps import Timestamps
from livekm.sinks.tracks import CopiedTracks

# swscale's default rounding is off by one level in luma and chroma, which decodes to an error of
# up to five levels in BGR. PyAV before 18 has no name for SWS_BILINEAR | SWS_ACCURATE_RND.
_ACCURATE = 0x2 | 0x40000

# An index at the front lets a browser play the file while it still loads.
_INDEX_FIRST = {"movflags": "+faststart"}
# Matroska would move all tracks by the few milliseconds that a sound encoder needs ahead.
_OPTIONS = {
    "mp4": _INDEX_FIRST,
    "mov": _INDEX_FIRST,
    "matroska": {"avoid_negative_ts": "disabled"},
}


class H264File:
    """A container file with one H.264 stream, yuv420p.

    The colours are converted with the matrix of BT.709 from 720 rows on and of BT.601 below, in
    limited range, and tagged as such, which is also what players assume where they ignore tags.

    Parameters
    ----------
    path : Path
        The file to write.
    container : str
        FFmpeg's name of the format: ``mp4``, ``mov``, ``matroska``.
    width, height : int
        Size of the images. An odd one is rounded up, by repeating the last column or row.
    stamps : Timestamps
        The clip's clock.
    fps : Fraction or None
        The nominal rate for the file's header, if there is one.
    tracks : CopiedTracks
        What else goes into the file; closed with it.
    crf, preset
        x264's quality (0 to 51, less is better) and speed.

    Raises
    ------
    av.FFmpegError
        From any method, if the codec or the file fails.
    """

    def __init__(
        self,
        path: Path,
        container: str,
        width: int,
        height: int,
        stamps: Timestamps,
        fps: Fraction | None,
        tracks: CopiedTracks,
        *,
        crf: int,
        preset: str,
    ) -> None:
        self._stamps = stamps
        self._pad = (height % 2, width % 2)
        self._reformatter = VideoReformatter()
        self._container = av.open(str(path), "w", format=container, options=_OPTIONS[container])
        # MP4 adds up its duration in decoding order, which without B-frames is that of the times:
        # a clip of varying rate would otherwise seem shorter than it is. It costs a tenth in size.
        self._stream = self._container.add_stream(
            "libx264", rate=fps, options={"crf": str(crf), "preset": preset, "bf": "0"}
        )
        codec = self._stream.codec_context
        codec.width = width + self._pad[1]
        codec.height = height + self._pad[0]
        codec.pix_fmt = "yuv420p"
        codec.time_base = stamps.time_base
        if fps is None:
            codec.framerate = Fraction(0)  # FFmpeg's "unknown"; PyAV would say 24
        # H.273 counts matrix, primaries and transfer alike: 1 is BT.709, 6 is BT.601.
        is_hd = codec.height >= 720
        codec.colorspace = codec.color_primaries = codec.color_trc = 1 if is_hd else 6
        codec.color_range = ColorRange.MPEG
        self._matrix = Colorspace.ITU709 if is_hd else Colorspace.ITU601
        self._period = 1 / (fps or Fraction(25))
        self._tracks = tracks
        tracks.attach(self._container, self._stream, stamps.origin)

    def write(self, image: Image, pts: int) -> None:
        """Encode `image`, to be shown at stamp `pts`."""
        if any(self._pad):
            image = cv2.copyMakeBorder(
                image, 0, self._pad[0], 0, self._pad[1], cv2.BORDER_REPLICATE
            )  # type: ignore[assignment]
        bgr = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(image), "bgr24")
        yuv = self._reformatter.reformat(
            bgr,
            format="yuv420p",
            interpolation=_ACCURATE,
            dst_colorspace=self._matrix,
            dst_color_range=ColorRange.MPEG,
        )
        yuv.pts = pts
        yuv.time_base = self._stamps.time_base
        self._mux(yuv)

    def finish(self) -> None:
        """Write what the encoder still holds and the index, and close the file."""
        self._mux(None)
        self._tracks.copy_rest(self._stamps.last, self._stamps.end, self._period)
        self.close()

    def close(self) -> None:
        """Close the file as it is."""
        self._tracks.close()
        self._container.close()

    def _mux(self, frame: av.VideoFrame | None) -> None:
        for packet in self._stream.encode(frame):
            # x264 gives no durations, without which the last frame's would be guessed. By the time
            # that a packet leaves it, the next frame is known.
            if packet.pts is not None:
                packet.duration = self._stamps.pop_duration(packet.pts)
                self._tracks.copy_until(packet.pts * self._stamps.time_base)
            self._container.mux(packet)
