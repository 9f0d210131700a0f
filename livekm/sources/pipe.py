"""Read a video from a pipe, such as stdin."""

from __future__ import annotations

import os
import re
import select
import sys
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import BinaryIO

import av

from livekm.errors import SourceError, UsageError, printable
from livekm.sources.container import open_readable
from livekm.sources.decoded import DecodedSource
from livekm.sources.decoding import ClipReader
from livekm.sources.header import header_of
from livekm.sources.stream import frame_rate

_SLICE = 0.05  # seconds between two looks at whether the read was interrupted
_HEAD = 80  # bytes from the start that are kept for messages
_RAW = re.compile(r"(\d+)x(\d+)@(\d+(?:\.\d+)?|\d+/\d+):(\w+)")


@dataclass(frozen=True, slots=True)
class RawVideo:
    """What raw video does not say of itself.

    Attributes
    ----------
    width, height : int
    fps : Fraction
    pixel_format : str
        FFmpeg's name of it: ``bgr24``, ``yuv420p``, ``gray``.

    Examples
    --------
    >>> RawVideo.read("640x480@30000/1001:bgr24").fps
    Fraction(30000, 1001)
    """

    width: int
    height: int
    fps: Fraction
    pixel_format: str

    @classmethod
    def read(cls, text: str) -> RawVideo:
        """Read ``WIDTHxHEIGHT@FPS:PIXELS``; raise `UsageError`."""
        found = _RAW.fullmatch(text)
        try:
            if found is None:
                raise ValueError  # noqa: TRY301 - as for a rate of 0
            rate = frame_rate(Fraction(found[3]))
            return cls(int(found[1]), int(found[2]), rate, av.VideoFormat(found[4]).name)
        except (ValueError, ZeroDivisionError):
            raise UsageError(
                f"expected raw video as WIDTHxHEIGHT@FPS:PIXELS, 640x480@25:bgr24, got {text}"
            ) from None

    @property
    def options(self) -> dict[str, str]:
        """FFmpeg's options of a reader of raw video."""
        return {
            "video_size": f"{self.width}x{self.height}",
            "framerate": str(self.fps),
            "pixel_format": self.pixel_format,
        }


class Pipe:
    """Read a file from front to back, so that another thread can end a read that waits.

    Parameters
    ----------
    file : binary file
        Read below its buffer, which must be empty.

    Attributes
    ----------
    head : bytes
        The first bytes.
    n_bytes : int
        How many were read.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.head: bytes = b""
        self.n_bytes: int = 0
        self._file = file  # which closes the descriptor when it goes
        self._number = file.fileno()
        self._is_interrupted = False

    def read(self, n: int, /) -> bytes:
        """Return what there is, `n` bytes at most; wait where there is nothing."""
        while not self._is_interrupted:
            if _has_bytes(self._number):
                data = os.read(self._number, n)
                self.n_bytes += len(data)
                self.head += data[: _HEAD - len(self.head)]
                return data
        return b""

    def interrupt(self) -> None:
        """End a read that waits, and each later one, as at the end of the file."""
        self._is_interrupted = True


def _has_bytes(number: int) -> bool:
    """Wait a moment for something to read; True where the system cannot wait for a pipe."""
    if sys.platform == "win32":
        return True
    return bool(select.select([number], [], [], _SLICE)[0])


class PipeSource(DecodedSource):
    """A video from a pipe: y4m, Matroska, MPEG-TS, MP4 in fragments, MJPEG and others, or raw.

    It is read once, as fast as its frames are taken; a frame comes out before the next one must
    have gone in. Sound is left out. See `DecodedSource` for the frames.

    Parameters
    ----------
    file : binary file, optional
        With a descriptor; stdin by default.
    raw : RawVideo, optional
        What the video is, where it has no container.
    threads : int, optional
        How many threads decode it; as many as there are processors by default.
    alpha : bool, default False
        Whether transparent pixels do not count, where the codec has them.

    Raises
    ------
    SourceError
        If nothing comes, or what comes is no video that can be read from front to back.
    """

    def __init__(
        self,
        file: BinaryIO | None = None,
        *,
        raw: RawVideo | None = None,
        threads: int | None = None,
        alpha: bool = False,
    ) -> None:
        self._pipe = Pipe(_stdin() if file is None else file)
        name = "stdin" if file is None else "pipe"
        try:
            if raw is None:
                container = open_readable(self._pipe)
            else:
                container = open_readable(self._pipe, kind="rawvideo", options=raw.options)
        except (av.FFmpegError, OSError) as error:
            raise SourceError(f"{name}: {_what_is_wrong(self._pipe)}") from error
        header = header_of(container, name, lambda: "unknown")
        # What a sender wrote of the length before its end is a guess.
        header = replace(header, n_frames=None, duration=None, fps=raw.fps if raw else header.fps)
        reader = ClipReader(container, threads=threads, is_prompt=container.format.name != "avi")
        super().__init__(name, header, reader, threads=threads, alpha=alpha)

    def interrupt(self) -> None:
        """End a read that waits for the sender."""
        self._is_interrupted = True
        self._pipe.interrupt()

    def _n_bytes(self) -> int:
        return self._pipe.n_bytes


def _stdin() -> BinaryIO:
    if sys.stdin is None or sys.stdin.closed:
        raise SourceError("stdin is closed; pipe a video into it")
    if sys.stdin.isatty():
        raise SourceError("stdin is a terminal; pipe a video into it: ffmpeg ... | livekm -")
    return sys.stdin.buffer


def _what_is_wrong(pipe: Pipe) -> str:
    if not pipe.head:
        return "nothing came; look at what the program before it says"
    if pipe.head.startswith(b"YUV4MPEG2"):
        line = printable(pipe.head.split(b"\n")[0].decode("latin-1"))
        return f"the y4m header states no picture ({line}); check what writes it"
    if pipe.head[4:8] == b"ftyp":
        return (
            "this MP4 has its index at its end, where a pipe cannot jump to; name the file, "
            "or write it by -movflags frag_keyframe+empty_moov"
        )
    return "not a video that can be read from a pipe; of raw video, tell --format WxH@FPS:PIXELS"
