"""Time stamps: one that repeats moves no other, and a clock that starts again goes on."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import clips
import numpy as np
import pytest
from clips import Sound

from livekm import open_sink, open_source
from livekm.frame import Frame
from livekm.sources import ClipSource, SectionSource
from livekm.sources.continuity import Continuity

CLICK = 0.2
KINDS = {
    "a.ts": {"codec": "libx264", "b_frames": 2},
    "a.vob": {"codec": "mpeg2video"},
    "a.mpg": {"codec": "mpeg1video"},
    "a.flv": {"codec": "libx264"},
}


def join(path: Path, *parts: Path) -> Path:
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def parts_of(folder: Path, name: str, *, rates: tuple[int, int] = (25, 25)) -> list[Path]:
    """Two clips of twenty frames and sound that clicks once."""
    sound = Sound(click=CLICK, codec="mp2" if "mpeg" in KINDS[name]["codec"] else "aac")
    return [
        clips.make_clip(folder / f"{i}{name[1:]}", 20, fps=rate, sound=sound, **KINDS[name])
        for i, rate in enumerate(rates)
    ]


def read(path: Path) -> list[Frame]:
    with ClipSource(path) as source:
        return list(source)


def copied(path: Path, output: Path) -> Path:
    with open_source(path) as source, open_sink(output, source.info) as sink:
        for frame in source:
            sink.write(frame.image, frame.time)
    return output


def clicks(path: Path) -> list[float]:
    """When sound begins to be loud behind a silence."""
    found: list[float] = []
    with av.open(str(path)) as clip:
        for frame in clip.decode(audio=0):
            samples = np.abs(frame.to_ndarray().astype(float)) / (
                1 if "flt" in frame.format.name else 32768
            )
            loud = np.flatnonzero(samples.reshape(samples.shape[0], -1)[0] > 0.2)
            if loud.size:
                time = frame.time + loud[0] / frame.sample_rate
                if not found or time > found[-1] + 0.1:
                    found.append(time)
    return found


@pytest.mark.parametrize("rates", [(25, 25), (25, 50), (50, 25)])
@pytest.mark.parametrize("name", KINDS)
def test_joined_clips_are_read_to_the_end_in_sync(name, rates, tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    parts = parts_of(tmp_path, name, rates=rates)
    path = join(tmp_path / f"joined{name[1:]}", *parts)
    frames = read(path)
    assert [clips.index_of(frame.image) for frame in frames] == [*range(20), *range(20)]
    assert [frame.index for frame in frames] == list(range(40))
    steps = np.diff([frame.time for frame in frames])
    for part, found in zip(parts, (steps[:19], steps[20:]), strict=True):
        wanted = np.diff([frame.time for frame in read(part)])
        # Of a packet without a stamp, FFmpeg may take the rate of the recording behind the seam.
        np.testing.assert_allclose(found[:-1], wanted[:-1], atol=0.0011)
    assert 1 / max(rates) - 0.001 <= steps[19] < 0.15  # the sound may be longer than the picture

    output = copied(path, tmp_path / "out.mp4")
    heard = [len(clips.track(part, "audio")) for part in parts]
    assert len(clips.track(output, "audio")) == sum(heard)
    first, second = clicks(output)
    for part, click, start in zip(parts, (first, second), (0, 20), strict=True):
        (wanted,) = clicks(part)
        distance = wanted - read(part)[0].time
        assert click - frames[start].time == pytest.approx(distance, abs=0.03)
    assert not caplog.records


def test_a_part_of_a_joined_clip_is_the_very_same(tmp_path):
    path = join(tmp_path / "joined.ts", *parts_of(tmp_path, "a.ts"))
    frames = read(path)
    with SectionSource(ClipSource(path), 1.2) as section:
        found = list(section)
    wanted = [frame for frame in frames if frame.time - frames[0].time >= 1.2]
    assert [(f.index, f.time) for f in found] == [(f.index, f.time) for f in wanted]


def test_a_clock_that_starts_again_later_leaves_no_gap(tmp_path):
    first = clips.make_clip(tmp_path / "0.ts", 10)
    second = clips.make_clip(tmp_path / "1.ts", times=[3600 + i / 25 for i in range(10)])
    times = [frame.time for frame in read(join(tmp_path / "joined.ts", first, second))]
    np.testing.assert_allclose(np.diff(times), 0.04, atol=0.0011)


def test_a_gap_in_a_clip_whose_clock_cannot_start_again_stays(tmp_path):
    path = clips.make_clip(tmp_path / "a.mp4", times=[0, 0.04, 3600, 3600.04])
    assert [frame.time for frame in read(path)] == [0, 0.04, 3600, 3600.04]


def with_stamps(path: Path, source: Path, stamps: list[int]) -> Path:
    """Write a clip's packets with other time stamps, in ticks of a millisecond."""
    with av.open(str(source)) as clip, av.open(str(path), "w") as output:
        stream = output.add_stream_from_template(clip.streams.video[0])
        packets = [packet for packet in clip.demux(video=0) if packet.size]
        for packet, stamp in zip(packets, stamps, strict=True):
            packet.pts = packet.dts = stamp
            packet.time_base, packet.stream = Fraction(1, 1000), stream
            output.mux(packet)
    return path


def test_a_stamp_that_repeats_is_one_ticks_trouble(tmp_path):
    stamps = [0, 17, 51, 51, 85, 2085, 2102, 2102, 2119, 2500]
    source = clips.make_clip(tmp_path / "in.mkv", 10)
    path = with_stamps(tmp_path / "a.mkv", source, stamps)
    frames = read(path)
    assert [clips.index_of(frame.image) for frame in frames] == list(range(10))
    wanted = [0, 17, 51, 52, 85, 2085, 2102, 2103, 2119, 2500]
    assert [round(1000 * frame.time) for frame in frames] == wanted
    output = copied(path, tmp_path / "out.mp4")
    assert [round(1000 * frame.time) for frame in read(output)] == wanted


@dataclass(eq=False)
class Packet:
    """What `Continuity` asks of a packet, in ticks of 10 ms."""

    pts: int | None
    kind: str = "video"
    duration: int = 4
    time_base: Fraction = Fraction(1, 100)

    def __post_init__(self) -> None:
        self.dts = self.pts
        self.stream = SimpleNamespace(index=["video", "audio", "subtitle"].index(self.kind))
        self.stream.type = self.kind


def moved(packets: list[Packet], *, may_jump_ahead: bool = False) -> list[int | None]:
    continuity = Continuity(may_jump_ahead=may_jump_ahead)
    assert list(continuity(iter(packets))) == packets
    return [packet.pts for packet in packets]


def test_a_single_stamp_that_is_far_off_moves_no_other():
    assert moved([Packet(t) for t in (1000, 1004, 0, 1012, 1016)]) == [1000, 1004, 1008, 1012, 1016]
    stamps = [Packet(t) for t in (0, 4, 90000, 12, 16)]
    assert moved(stamps, may_jump_ahead=True) == [0, 4, 8, 12, 16]


def test_tracks_that_come_late_to_a_seam_are_moved_by_the_same_time():
    picture = [Packet(t) for t in (100, 104, 108)]
    old_sound = [Packet(t, "audio") for t in (100, 104, 108, 112)]
    again = [Packet(t) for t in (3, 7, 11)]
    new_sound = [Packet(t, "audio") for t in (1, 5, 9)]
    order = [*picture[:2], *old_sound[:2], picture[2], again[0], old_sound[2], again[1],
             old_sound[3], new_sound[0], again[2], *new_sound[1:]]  # fmt: skip
    moved(order)
    assert [p.pts for p in old_sound + new_sound] == [100, 104, 108, 112, 116, 120, 124]
    assert [p.pts for p in picture + again] == [100, 104, 108, 118, 122, 126]


def test_a_clock_may_start_again_any_number_of_times():
    assert moved([Packet(t) for t in [0, 4, 8, 12] * 50]) == list(range(0, 800, 4))


def test_a_track_that_ends_with_the_first_recording_is_not_waited_for_for_ever():
    sound = [Packet(t, "audio") for t in (0, 4, 8, 12, 16)]
    old, new = [Packet(t) for t in (0, 4, 8, 12)], [Packet(t) for t in range(0, 4000, 4)]
    moved([*old, *sound, *new])
    assert [p.pts for p in new] == list(range(16, 4016, 4))


def test_subtitles_follow_the_others_behind_a_seam():
    old, new = [Packet(t) for t in (100, 104, 108)], [Packet(t) for t in (0, 4, 8, 12)]
    line = Packet(8, "subtitle")
    moved([*old, *new[:3], line, new[3]])
    assert line.pts == new[2].pts == 120


def test_packets_without_a_stamp_pass():
    assert moved([Packet(t) for t in (None, 4, None, 8)]) == [None, 4, None, 8]


def test_sound_whose_packets_state_no_length_is_kept_whole(tmp_path):
    path = clips.make_clip(tmp_path / "in.mkv", 5, sound=Sound(click=0.1))
    with av.open(str(path)) as clip, av.open(str(tmp_path / "a.mkv"), "w") as output:
        streams = [output.add_stream_from_template(stream) for stream in clip.streams]
        for packet in clip.demux():
            if packet.dts is not None:
                packet.stream, packet.duration = streams[packet.stream.index], 0
                output.mux(packet)
    copy = copied(tmp_path / "a.mkv", tmp_path / "out.mp4")
    assert len(clips.track(copy, "audio")) == len(clips.track(path, "audio"))
