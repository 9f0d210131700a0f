"""Time stamps that go on where a file's clock starts again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import av
from av.container import InputContainer
from av.format import Flags

_Packet: TypeAlias = "av.Packet[Any]"

_BACK = Fraction(1, 10)  # seconds; by less, stamps run backwards in files that are merely careless
_AHEAD = 10  # seconds; by more, a clock that may start again has done so, as FFmpeg takes it
_MOST_HELD = 256  # packets; a track without any behind the seam is not waited for any longer


@dataclass(slots=True)
class _Track:
    """A track's place in time; all in seconds, Fractions.

    Attributes
    ----------
    last : Fraction
        When its last packet is decoded, by the file's clock.
    end : Fraction
        When its last packet ends, by the continuous clock.
    offset : Fraction
        What is added to the file's clock.
    """

    last: Fraction
    end: Fraction
    offset: Fraction


class Continuity:
    """Moves the packets behind a seam: where two recordings were joined, the clock starts again.

    Behind a seam, all tracks are moved by the same time, so that picture and sound stay in sync:
    the new recording begins where the tracks of the old one that go on in it have all ended. Tracks
    come to the seam one after the other, so packets are held until each one with picture or sound
    is there. A single packet whose stamp is far off gets the one that was expected.

    Parameters
    ----------
    may_jump_ahead : bool
        Whether the container's clock may start again at a later time (MPEG-TS and MPEG-PS).
        Elsewhere a leap ahead is a gap in the recording.

    Attributes
    ----------
    n_seams : int
        How often the clock started again until now.
    """

    def __init__(self, *, may_jump_ahead: bool) -> None:
        self._ahead = _AHEAD if may_jump_ahead else float("inf")
        self._tracks: dict[int, _Track] = {}
        self._offset = Fraction(0)  # behind the last seam
        self._held: list[tuple[_Packet, bool]] = []  # and whether it lies behind the seam
        self._behind: dict[int, list[_Packet]] = {}  # those that do, by their track
        self.n_seams: int = 0

    @classmethod
    def of(cls, container: InputContainer) -> Continuity:
        """Return the one for a container."""
        flags: Any = container.format.flags
        return cls(may_jump_ahead=bool(flags & Flags.ts_discont.value))

    def __call__(self, packets: Iterable[_Packet]) -> Iterator[_Packet]:
        """Yield the packets in their order, with stamps on the continuous clock."""
        for packet in packets:
            if not self._behind and not self._is_jump(packet):
                self._move(packet)
                yield packet
                continue
            if self._behind and self._is_second_jump(packet):
                yield from self._release()
            self._hold(packet)
            if self._is_settled():
                yield from self._release()
        yield from self._release()

    def _is_jump(self, packet: _Packet) -> bool:
        track, time = self._tracks.get(packet.stream.index), _decoding_time(packet)
        if track is None or time is None:
            return False
        if -_BACK <= time - track.last <= self._ahead:
            return False
        is_late = track.offset != self._offset  # others were at the seam before
        if is_late and -1 <= time + self._offset - track.end <= _AHEAD:
            track.offset = self._offset
            return False
        return True

    def _is_second_jump(self, packet: _Packet) -> bool:
        before, time = self._behind.get(packet.stream.index), _decoding_time(packet)
        if not before or time is None:
            return False
        leap = time - (_decoding_time(before[-1]) or 0)
        return not -_BACK <= leap <= self._ahead and not self._is_back(packet)

    def _is_back(self, packet: _Packet) -> bool:
        """Tell whether the packet before this one alone is off the track's old line."""
        before, time = self._behind.get(packet.stream.index), _decoding_time(packet)
        if not before or len(before) != 1 or time is None:
            return False
        last = self._tracks[packet.stream.index].last
        return time >= last and time - last < abs(time - (_decoding_time(before[0]) or 0))

    def _hold(self, packet: _Packet) -> None:
        index = packet.stream.index
        if self._is_back(packet):
            (stray,) = self._behind.pop(index)
            self._held = [(held, is_behind and held is not stray) for held, is_behind in self._held]
            track = self._tracks[index]
            stray.pts = stray.dts = round(track.end / Fraction(stray.time_base))
        is_behind = not _is_timed(packet) or index in self._behind or self._is_jump(packet)
        if not is_behind:
            self._move(packet)
        elif _is_timed(packet):
            self._behind.setdefault(index, []).append(packet)
        self._held.append((packet, is_behind))

    def _is_settled(self) -> bool:
        if not self._behind or sum(_is_timed(packet) for packet, _ in self._held) >= _MOST_HELD:
            return True
        return all(len(self._behind.get(index, ())) > 1 for index in self._tracks)

    def _release(self) -> Iterator[_Packet]:
        """Yield what is held, what lies behind the seam moved."""
        if self._behind:
            self._offset = max(
                self._tracks[index].end - min(map(_start, packets))
                for index, packets in self._behind.items()
            )
            self.n_seams += 1
        for index in self._behind:
            self._tracks[index].offset = self._offset
        held, self._held, self._behind = self._held, [], {}
        for packet, is_behind in held:
            if is_behind:
                self._move(packet)
            yield packet

    def _move(self, packet: _Packet) -> None:
        """Add the track's offset to a packet's stamps."""
        time = _decoding_time(packet)
        track = self._tracks.get(packet.stream.index)
        offset = self._offset if track is None else track.offset
        if time is not None and _is_timed(packet):
            if track is None:
                track = self._tracks[packet.stream.index] = _Track(time, time + offset, offset)
            length = (packet.duration or 0) * Fraction(packet.time_base)
            track.last = max(track.last, time) if time > track.last - _BACK else time
            track.end = max(track.end, _start(packet) + length + offset)
        if offset:
            ticks = round(offset / Fraction(packet.time_base))
            packet.pts = None if packet.pts is None else packet.pts + ticks
            packet.dts = None if packet.dts is None else packet.dts + ticks


def _is_timed(packet: _Packet) -> bool:
    """Tell whether packets of this kind follow each other without gaps."""
    return packet.stream.type in ("video", "audio")


def _decoding_time(packet: _Packet) -> Fraction | None:
    """Return when a packet is decoded, which never runs backwards but at a seam."""
    return None if packet.dts is None else packet.dts * Fraction(packet.time_base)


def _start(packet: _Packet) -> Fraction:
    """Return when a packet is seen or heard."""
    stamp = packet.dts if packet.pts is None else packet.pts
    return (stamp or 0) * Fraction(packet.time_base)
