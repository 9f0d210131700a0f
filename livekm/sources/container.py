"""Open a clip's container and choose the stream that players show."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import av
import av.logging
from av.container import InputContainer
from av.stream import Disposition

from livekm.sources.flv import is_joined_flv, open_joined_flv

# These read other files or the network, as their text says: playlists and stream descriptions.
_PLAYLISTS = {"applehttp", "concat", "dash", "hls", "imf", "rtsp", "sdp"}

# A cover, a slide or a preview; a tile of a larger picture.
_NOT_THE_CLIP = (
    Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.dependent
)  # fmt: skip


class Readable(Protocol):
    """What a container can be read from, front to back."""

    def read(self, n: int, /) -> bytes:
        """Return at most `n` bytes, empty at the end."""


def open_container(path: Path) -> InputContainer:
    """Open a file that holds the clip itself; a playlist is refused.

    Metadata that are not UTF-8 hold surrogates, which `readable` resolves.

    Raises
    ------
    av.FFmpegError
        If FFmpeg knows no such container.
    """
    if is_joined_flv(path):
        return open_readable(open_joined_flv(path))
    # The absolute path, since FFmpeg takes "a:b.mp4" for a protocol called "a".
    return open_readable(str(path.absolute()))


def open_readable(
    file: str | Readable, *, kind: str | None = None, options: Mapping[str, str] | None = None
) -> InputContainer:
    """Open a container by a path, or from what can be read; a playlist is refused.

    Parameters
    ----------
    file : str or Readable
    kind : str, optional
        FFmpeg's name of the container; found by its content by default.
    options : mapping, optional
        Of the container's reader.
    """
    names = (name for name in av.formats_available if _PLAYLISTS.isdisjoint(name.split(",")))
    given = {"format_whitelist": ",".join(sorted(names)), **(options or {})}
    # PyAV's types know of no mode left out beside other arguments.
    container: Any = av.open(file, format=kind, metadata_errors="surrogateescape", options=given)
    opened: InputContainer = container
    return opened


def picture_stream(container: InputContainer) -> Any | None:
    """Return the video stream that players show, or None where there is only sound.

    That is the first one marked as default, else the first one; streams without a decoder come
    last, and covers never count.
    """
    streams: list[Any] = [
        stream for stream in container.streams.video if not stream.disposition & _NOT_THE_CLIP
    ]
    return min(
        streams,
        key=lambda stream: (
            stream.codec_context is None,
            not stream.disposition & Disposition.default,
        ),
        default=None,
    )


def codec_name(path: Path) -> str:
    """Name the codec of a file's pictures, for which there is no decoder; that knows only FFmpeg.

    PyAV gives such a stream no name, so that it is read from what FFmpeg would print.
    """
    av.logging.set_level(av.logging.WARNING)
    try:
        with av.logging.Capture() as lines:
            open_container(path).close()
    finally:
        av.logging.set_level(None)
    for *_, line in lines:
        if found := re.search(r"Video: (?:none \()?(\w+)", line):
            return found[1]
    return "unknown"


def readable(text: str) -> str:
    r"""Read a tag that is not UTF-8 as Windows-1252, which contains Latin-1's letters.

    Examples
    --------
    >>> readable(b"Caf\xe9".decode("utf-8", "surrogateescape"))
    'Café'
    """
    data = text.encode("utf-8", "surrogateescape")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def playlist_kind(path: Path) -> str | None:
    """Tell what kind of playlist a file is, by its first bytes; None where it is none."""
    with path.open("rb") as file:
        start = file.read(2048).removeprefix(b"\xef\xbb\xbf").lstrip()
    for kind, sign in {"HLS": b"#EXTM3U", "concat": b"ffconcat version", "SDP": b"v=0"}.items():
        if start.startswith(sign):
            return kind
    if start.startswith(b"<") and (b"<MPD" in start or b"<CompositionPlaylist" in start):
        return "DASH" if b"<MPD" in start else "IMF"
    return "PLS" if start[:10].lower() == b"[playlist]" else None
