"""Decode the packets of a clip to pictures, and number them."""

from __future__ import annotations

import contextlib
import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.codec.context import Flags
from av.container import InputContainer

from livekm.sources.container import open_container, picture_stream
from livekm.sources.continuity import Continuity

_MPEG = ("mpeg1video", "mpeg2video")

# Each frame follows the last one without a search: behind a wrong place there is none.
_GAPLESS = "yuv4mpegpipe"

MAX_FAILURES = 100
"""How many times in a row reading may fail; pictures that cannot be decoded do not count."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture.

    Attributes
    ----------
    index : int
        Number in the clip, from 0; pictures that could not be decoded leave gaps.
    content : av.VideoFrame
    """

    index: int
    content: av.VideoFrame


@dataclass(frozen=True, slots=True)
class KeyPacket:
    """A packet at which decoding can begin: its number among the picture's, and its time stamp."""

    number: int
    pts: int


class ClipReader:
    """The pictures of the video stream that players show; to be closed.

    Parameters
    ----------
    container : InputContainer
        Is closed with the reader.
    begin : KeyPacket, optional
        Decode from this packet on, and drop the pictures that are shown before it.
    threads : int, optional
        How many threads decode; as many as there are processors by default.
    reopen : callable, optional
        Opens the same clip again, where that is possible.
    is_prompt : bool
        Whether each picture comes before the next one is read, where the codec allows it: pictures
        are not decoded side by side then.

    Attributes
    ----------
    n_lost : int
        Pictures behind the last one that could not be decoded; known at the end.
    n_concealed : int
        Pictures of which the decoder filled in what was damaged, until now.
    """

    def __init__(
        self,
        container: InputContainer,
        begin: KeyPacket | None = None,
        *,
        threads: int | None = None,
        reopen: Callable[[], InputContainer] | None = None,
        is_prompt: bool = False,
    ) -> None:
        self._container = container
        self._reopen = reopen
        self._is_prompt = is_prompt
        self._packets = PicturePackets(self._container)
        self._begin = begin
        self._threads = threads
        self.n_lost: int = 0
        self.n_concealed: int = 0
        self.pictures: Iterator[Picture] = self._decode()

    @property
    def n_seams(self) -> int:
        """How often the file's clock started again until now."""
        return self._packets.continuity.n_seams

    @property
    def end(self) -> int | None:
        """Where the last picture ends in a y4m stream, in bytes; None in other formats."""
        return self._packets.end if self._container.format.name == _GAPLESS else None

    def close(self) -> None:
        """Release the file. Closing twice is allowed."""
        self._container.close()

    def _decode(self) -> Iterator[Picture]:
        stream = self._packets.stream
        stream.thread_type = "SLICE" if self._is_prompt else "AUTO"
        stream.codec_context.thread_count = self._threads or 0
        # HEVC's decoder would keep back all pictures from a lost one to the next key picture.
        stream.codec_context.flags |= Flags.output_corrupt
        if stream.codec_context.name == "libdav1d":
            # With pictures in work at once, an error of one costs others, as many as there are.
            stream.codec_context.options = {"max_frame_delay": "1"}
        expected: list[int] = []  # time stamps of the pictures to come; one that lacks was damaged
        index = -1
        has_begun = False
        contents = self._decoded(expected)
        for content in contents if self._is_prompt else _in_order(contents):
            has_begun = has_begun or not content.is_corrupt
            if not has_begun:  # there is no picture yet that holes could be filled from
                continue
            index += 1
            while expected and content.pts is not None and expected[0] < content.pts:
                heapq.heappop(expected)
                index += 1
            if expected and expected[0] == content.pts:
                heapq.heappop(expected)
            if self._begin is None or content.pts is None or content.pts >= self._begin.pts:
                self.n_concealed += content.is_corrupt
                yield Picture(index, content)
        self.n_lost = len(expected)

    def _decoded(self, expected: list[int]) -> Iterator[av.VideoFrame]:
        """Yield the pictures, and put the time stamps of all packets' pictures on a heap."""
        keys: list[KeyPacket] = []
        last: int | None = None
        kind: bytes | None = None
        for number, packet in enumerate(self._packets):
            if packet.pts is not None and not packet.is_discard:
                heapq.heappush(expected, packet.pts)
                if packet.is_keyframe:
                    keys = [key for key in keys[-8:] if last is not None and key.pts <= last]
                    keys.append(KeyPacket(number, packet.pts))
            if self._begin is None or number >= self._begin.number:
                before, kind = kind, _mpeg_kind(packet) or kind
                if before not in (None, kind):  # FFmpeg would forget the last picture before it
                    yield from _drained(packet.stream)
                for content in _decoded(packet):
                    last = content.pts if last is None else max(last, content.pts or last)
                    yield content
        begins = [key for key in keys if last is not None and key.pts <= last]
        if begins and last is not None and max(expected, default=last) > last:
            yield from self._rest(begins[-1], last)

    def _rest(self, begin: KeyPacket, last: int) -> Iterator[av.VideoFrame]:
        """Decode the pictures behind the last one again, by one thread.

        A decoder that works on several pictures at once gives up all of them where the file is cut
        off, so that their number would depend on that of the threads.
        """
        if self._threads == 1 or self._reopen is None:
            return
        reader = ClipReader(self._reopen(), begin, threads=1)
        try:
            found = next(reader.pictures, None)
            if found is not None and found.content.key_frame:
                for picture in reader.pictures:
                    if picture.content.pts is not None and picture.content.pts > last:
                        yield picture.content
        finally:
            reader.close()


class PicturePackets:
    """The packets of the pictures, and an empty one at the end, their stamps on one clock.

    Packets of sound are read with them, for the same clock as where the sound is copied. Reading
    goes on behind what cannot be read, but for y4m, which raises FFmpeg's error there.

    Parameters
    ----------
    container : InputContainer

    Attributes
    ----------
    end : int
        Where the last packet ends in the file, in bytes.
    """

    def __init__(self, container: InputContainer) -> None:
        stream = picture_stream(container)
        assert stream is not None, "ClipSource has looked at the header"
        self.stream: Any = stream
        self.continuity: Continuity = Continuity.of(container)
        self.end: int = 0
        self._container = container

    def __iter__(self) -> Iterator[Any]:
        for packet in self.continuity(self._read()):
            if packet.stream.index == self.stream.index:
                if packet.size:
                    self.end = (packet.pos or 0) + packet.size
                yield packet

    def _read(self) -> Iterator[Any]:
        """Yield the packets; go on behind what cannot be read."""
        streams = [self.stream, *self._container.streams.audio]
        failures, is_over = 0, False
        while not is_over and failures < MAX_FAILURES:
            failures += 1
            try:
                for packet in self._container.demux(streams):
                    failures = 0
                    yield packet
                is_over = True
            except av.FFmpegError:
                if self._container.format.name == _GAPLESS:
                    raise


def _in_order(pictures: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    """Swap the time stamps of two neighbours that run backwards, as in some AVI files."""
    held = next(pictures, None)
    if held is None:
        return
    for picture in pictures:
        before, after = held.pts, picture.pts
        if before is not None and after is not None and after < before:
            held.pts, picture.pts = after, before
        yield held
        held = picture
    yield held


def _decoded(packet: Any) -> list[av.VideoFrame]:
    """Decode a packet; at the end of the clip, continue behind damaged pictures."""
    for _ in range(1 if packet.size else MAX_FAILURES):
        with contextlib.suppress(av.FFmpegError):
            pictures: list[av.VideoFrame] = packet.decode()
            return pictures
    return []


def _mpeg_kind(packet: Any) -> bytes | None:
    """Return what MPEG-1 and MPEG-2 state of a sequence: size, shape, rate, chroma and fields."""
    if packet.stream.codec_context.name not in _MPEG or not packet.is_keyframe:
        return None
    _, header, data = bytes(packet).partition(b"\x00\x00\x01\xb3")
    _, _, extension = data.partition(b"\x00\x00\x01\xb5")
    return data[:4] + extension[:4] if header else None


def _drained(stream: Any) -> list[av.VideoFrame]:
    """Return what a stream's decoder holds, and make it ready for what follows."""
    pictures: list[av.VideoFrame] = []
    with contextlib.suppress(av.FFmpegError):
        pictures = stream.codec_context.decode(None)
    stream.codec_context.flush_buffers()
    for picture in pictures:
        picture.time_base = stream.time_base
    return pictures


def find_key_packet(path: Path, time: float) -> KeyPacket | None:
    """Find the last packet before `time` from which the pictures from there on can be decoded.

    Reads all packets up to there and decodes none: the seeking of containers is inexact.

    Parameters
    ----------
    path : Path
    time : float
        In seconds, as frames have it.

    Returns
    -------
    packet : KeyPacket or None
        None if there is none, or if packets have no time stamps. Only decoding tells whether its
        picture is a key picture: some files mark all packets as such.
    """
    found = None
    with open_container(path) as container:
        packets = PicturePackets(container)
        wanted = (
            time / float(packets.stream.time_base or Fraction(1)) - 1
        )  # a tick for the rounding
        for number, packet in enumerate(packets):
            if packet.pts is None:
                return None if packet.size else found
            if packet.dts is not None and packet.dts > wanted:
                break
            if packet.is_keyframe:
                if packet.pts > wanted:
                    break
                found = KeyPacket(number, packet.pts)
    return found
