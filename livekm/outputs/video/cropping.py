"""Tell players to leave out columns and rows that only the encoder needs."""

from __future__ import annotations

import io
from typing import Any

import av
from av.container import OutputContainer

# Matroska's names of what the encoders make.
_CODEC_IDS = {"libx264": b"V_MPEG4/ISO/AVC", "libx265": b"V_MPEGH/ISO/HEVC"}


def add_cropped_stream(
    container: OutputContainer, encoder: str, width: int, height: int, right: int, bottom: int
) -> Any:
    """Add a stream of pictures of which players leave out some columns and rows.

    MP4 and MOV say so in a clean aperture (``clap``), Matroska by its PixelCrop elements. AVI
    cannot say it. FFmpeg writes it for streams whose parameters have it; PyAV cannot set these, but
    copies them from a stream that was read, such as that of a Matroska file without pictures.

    Parameters
    ----------
    container : OutputContainer
    encoder : {"libx264", "libx265"}
    width, height : int
        Of the pictures as they are encoded.
    right, bottom : int
        Columns and rows to leave out.

    Returns
    -------
    stream : VideoStream
        Whose codec context waits for the time base, and what else ``add_stream`` leaves open.
    """
    template = io.BytesIO(_matroska(_CODEC_IDS[encoder], width, height, right, bottom))
    with av.open(template, format="matroska") as source:
        stream: Any = container.add_stream_from_template(source.streams.video[0])
    context = stream.codec_context
    context.flags |= av.codec.context.Flags.global_header
    return stream


def _matroska(codec: bytes, width: int, height: int, right: int, bottom: int) -> bytes:
    """Return a file of one track without pictures (RFC 9559)."""
    size = _number("B0", width) + _number("BA", height)
    picture = size + _number("54DD", right) + _number("54AA", bottom)
    numbers = _number("D7", 1) + _number("73C5", 1) + _number("83", 1)  # the track; it is video
    track = _element("AE", numbers + _element("86", codec) + _element("E0", picture))
    tracks, cluster = _element("1654AE6B", track), _element("1F43B675", _number("E7", 0))
    header = _element("1A45DFA3", _element("4282", b"matroska"))
    return header + _element("18538067", tracks + cluster)


def _element(identity: str, content: bytes) -> bytes:
    """Return an element of EBML (RFC 8794), its length in eight bytes."""
    return bytes.fromhex(identity) + (1 << 56 | len(content)).to_bytes(8, "big") + content


def _number(identity: str, value: int) -> bytes:
    return _element(identity, value.to_bytes(8, "big"))
