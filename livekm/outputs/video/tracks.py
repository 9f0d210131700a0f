"""Copy sound, subtitles, chapters and metadata of a clip into another, without decoding."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import av
from av.container import InputContainer, OutputContainer

from livekm.outputs.video.chapters import (
    chapters_between,
    has_timecode,
    is_chapters,
    is_timecode,
    timecode_of,
)
from livekm.sources.container import open_container, picture_stream, readable
from livekm.sources.continuity import Continuity

_Packet: TypeAlias = "av.Packet[Any]"
_log = logging.getLogger(__name__)

# Tags that describe the source file itself; a timecode is handled apart.
_OF_THE_FILE = {"major_brand", "minor_version", "compatible_brands", "encoder", "timecode"}
_OF_A_TRACK = ("language", "title", "handler_name", "creation_time")

# How many seconds sound may lie behind the picture of the same time in a file.
_SKEW = 10

# From how many seconds on people hear that sound is early.
_LATE = 0.05


@dataclass(slots=True)
class _Copy:
    """A track that is being copied. PyAV's stubs have no common base of streams."""

    track: Any
    last_dts: int | None = None
    duration: int = 0
    failed: bool = False


class CopiedTracks:
    """Copies the tracks of a clip beside its picture into another file.

    Packets are read when they are due, so that both files advance together. A track that the
    other container cannot hold, and every further picture, is left out with a warning.

    Parameters
    ----------
    path : str
        The clip; any other file has no tracks.
    """

    def __init__(self, path: str) -> None:
        self._name = Path(path).name
        self._source = _open(path)
        self._copies: dict[int, _Copy] = {}
        self._origin = Fraction(0)
        self._output: OutputContainer | None = None
        self._packets: Iterator[_Packet] = iter(())
        self._next: _Packet | None = None

    @property
    def are_none(self) -> bool:
        """Whether there is nothing but the picture."""
        return self._source is None or len(self._source.streams) == 1

    def attach(self, output: OutputContainer, picture: Any, origin: Fraction) -> None:
        """Add the tracks and metadata to `output`, before its first packet.

        Parameters
        ----------
        output : OutputContainer
        picture : Stream
            The stream of `output` that replaces the clip's picture.
        origin : Fraction
            The clip's time, in seconds, that becomes 0 in `output`.
        """
        if self._source is None:
            return
        self._origin = origin
        output.metadata.update(
            {
                readable(k): readable(v)
                for k, v in self._source.metadata.items()
                if k not in _OF_THE_FILE
            }
        )
        first = picture_stream(self._source)
        for stream in self._source.streams:
            if stream is first:
                picture.metadata.update(_kept(stream))
            elif is_timecode(stream) or is_chapters(stream):
                continue
            elif stream.type == "video" or not _fits(stream, output.format.name):
                self._warn(stream, f"does not go into {output.format.name}; it is left out")
            else:
                track: Any = output.add_stream_from_template(_template(stream, output.format.name))
                track.metadata.update(_kept(stream))
                track.disposition = stream.disposition
                self._copies[stream.index] = _Copy(track)
        self._keep_timecode(output, picture)
        self._output = output
        if self._copies:
            # The pictures' packets tell where the picture ends. All sound is read, as where the
            # picture is decoded, so that both find the same seams.
            chosen = [
                s
                for s in self._source.streams
                if s.index in self._copies or s is first or s.type == "audio"
            ]
            continuity = Continuity.of(self._source)
            self._packets = self._read(continuity(self._source.demux(chosen)))

    def _keep_timecode(self, output: OutputContainer, picture: Any) -> None:
        """Write the first picture's timecode as metadata, of which MOV and MP4 make a track."""
        assert self._source is not None
        timecode = timecode_of(self._source)
        if timecode is None:
            return
        if has_timecode(output.format.name, picture.codec_context.framerate) and not self._origin:
            picture.metadata["timecode"] = timecode
        else:
            _log.warning("%s: its timecode %s is left out", self._name, timecode)

    def copy_until(self, time: Fraction) -> None:
        """Copy what begins before `time`, in seconds of the output."""
        while (packet := self._peek()) is not None and self._time(packet) < time:
            self._next = None
            self._mux(packet)

    def copy_rest(self, last: Fraction, end: Fraction, period: Fraction) -> None:
        """Copy what remains: up to `end`, or all of it if the clip's picture ends here as well.

        Parameters
        ----------
        last, end : Fraction
            When the last picture is shown and when it ends, in seconds of the output.
        period : Fraction
            How long a picture usually lasts.
        """
        if self._source is not None and self._output is not None:
            self._output.set_chapters(chapters_between(self._source, self._origin, end))
        tail: list[_Packet] = []
        goes_on = False  # whether the clip has further pictures, which were not wanted
        awaited = {index for index, copy in self._copies.items() if copy.track.type == "audio"}
        # Some AVI files stamp in decoding order, so that a stamp may be one picture off.
        limit = last + period * 3 / 2
        while (packet := self._peek()) is not None:
            self._next = None
            time, index = self._time(packet), packet.stream.index
            if packet.stream.type == "video":
                goes_on |= time > limit
            elif time < end:
                self._mux(packet)
            else:
                awaited.discard(index)
                tail.append(packet)
            if goes_on and (not awaited or time > end + _SKEW):
                return
        for packet in tail:
            self._mux(packet)

    def close(self) -> None:
        """Close the clip. Closing twice is allowed."""
        self._packets, self._next = iter(()), None
        if self._source is not None:
            self._source.close()

    def _read(self, packets: Iterator[_Packet]) -> Iterator[_Packet]:
        try:
            for packet in packets:
                if packet.dts is None and packet.pts is None:  # the end of a track
                    continue
                yield packet
        except av.FFmpegError as error:
            _log.warning("%s: sound ends early, the file is damaged: %s", self._name, error)

    def _peek(self) -> _Packet | None:
        if self._next is None:
            self._next = next(self._packets, None)
        return self._next

    def _time(self, packet: _Packet) -> Fraction:
        stamp = packet.pts if packet.pts is not None else packet.dts or 0
        return stamp * Fraction(packet.time_base) - self._origin

    def _mux(self, packet: _Packet) -> None:
        copy, time = self._copies.get(packet.stream.index), self._time(packet)
        # Of a section, sound before its first frame is dropped.
        if copy is None or copy.failed or (self._origin and time < 0):
            return
        stream, shift = packet.stream, round(self._origin / Fraction(packet.time_base))
        if copy.last_dts is None and time > _LATE and copy.track.container.format.name == "avi":
            self._warn(stream, f"begins {float(time):.1f} s late, AVI cannot say so: it is early")
        dts = (packet.dts if packet.dts is not None else packet.pts or 0) - shift
        if copy.last_dts is not None and dts <= copy.last_dts:
            return  # damaged: muxers refuse stamps that run backwards
        packet.pts = dts if packet.pts is None else packet.pts - shift
        packet.dts = copy.last_dts = dts
        if stream.type == "audio":  # MP4 would hide a last packet that takes no time
            packet.duration = copy.duration = packet.duration or copy.duration
        packet.stream = copy.track
        try:
            copy.track.container.mux(packet)
        except (av.error.InvalidDataError, av.error.ArgumentError) as error:
            copy.failed = True
            self._warn(stream, f"cannot be copied from {float(time):.1f} s on: {error}")

    def _warn(self, stream: Any, what: str) -> None:
        codec = stream.codec_context.name if stream.codec_context else "no codec"
        _log.warning("%s: track %d (%s, %s) %s", self._name, stream.index, stream.type, codec, what)


def _open(path: str) -> InputContainer | None:
    if not Path(path).is_file():  # a folder or pattern of images
        return None
    try:
        return open_container(Path(path))
    except (av.FFmpegError, OSError):  # such as an image that only OpenCV reads
        return None


def _template(stream: Any, container: str) -> Any:
    """Return the stream from which a container takes a track's parameters.

    AVI states a block size of AC-3 sound that is wrong in another AVI, and with it all times. A
    detour over Matroska drops it.
    """
    if not _is_again_in_avi(stream, "ac3", container):
        return stream
    head = io.BytesIO()
    with av.open(head, "w", format="matroska") as file:
        packet = av.Packet(bytes(8))  # a file without one is none
        packet.stream, packet.pts, packet.dts = file.add_stream_from_template(stream), 0, 0
        file.mux(packet)
    head.seek(0)
    return av.open(head).streams[0]


def _is_again_in_avi(stream: Any, codec: str, container: str) -> bool:
    is_it = stream.codec_context is not None and stream.codec_context.name == codec
    return is_it and stream.container.format.name == container == "avi"


def _kept(stream: Any) -> dict[str, str]:
    return {key: readable(stream.metadata[key]) for key in _OF_A_TRACK if key in stream.metadata}


def _fits(stream: Any, container: str) -> bool:
    """Tell whether a container takes a track, by writing the head of one to memory."""
    if _is_again_in_avi(stream, "aac", container):  # its times would be wrong
        return False
    # FFmpeg would write data without saying of what kind they are, and readers reject that.
    if stream.type == "data" or (stream.codec_context is None and stream.type != "attachment"):
        return False
    with contextlib.suppress(ValueError, av.FFmpegError):
        with av.open(io.BytesIO(), "w", format=container) as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
        return True
    return False
