"""What a clip has beside picture and sound: chapters, a timecode, data, attachments."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path

import av
import clips
import pytest
from clips import Sound, flat_image

from livekm import open_sink, open_source
from livekm.sources import ClipSource, SectionSource

CHAPTERS = [("Start é", 0, 400), ("Middle", 400, 1200), ("End", 1200, 2000)]


def remade(path: Path, source: Path, *, chapters=(), timecode: str = "", data: str = "") -> Path:
    """Write the tracks of a clip again, with what is asked for beside them."""
    with av.open(str(source)) as clip, av.open(str(path), "w") as output:
        streams = [output.add_stream_from_template(stream) for stream in clip.streams]
        if timecode:
            streams[0].metadata["timecode"] = timecode
        extra = output.add_data_stream(data) if data else None
        output.set_chapters([
            {"id": i, "start": start, "end": end, "time_base": Fraction(1, 1000),
             "metadata": {"title": title}}
            for i, (title, start, end) in enumerate(chapters)
        ])  # fmt: skip
        for packet in clip.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                output.mux(packet)
        if extra is not None:
            for i in range(3):
                packet = av.Packet(b"data" * 9)
                packet.stream, packet.time_base = extra, Fraction(1, 1000)
                packet.pts = packet.dts = 500 * i
                output.mux(packet)
    return path


def copied(path: Path, output: Path, *section: float) -> Path:
    source = open_source(path)
    if section:
        source = SectionSource(source, *section)
    with source, open_sink(output, source.info, from_zero=bool(section)) as sink:
        for frame in source:
            sink.write(frame.image, frame.time)
    return output


def chapters_of(path: Path) -> list[tuple[str, int, int]]:
    with av.open(str(path)) as clip:
        return [
            (c["metadata"]["title"],
             *(round(1000 * c[key] * c["time_base"]) for key in ("start", "end")))
            for c in clip.chapters()
        ]  # fmt: skip


def kinds(path: Path) -> list[str]:
    with av.open(str(path)) as clip:
        return [stream.type for stream in clip.streams if stream.type != "data"]


@pytest.fixture
def plain(tmp_path) -> Path:
    return clips.make_clip(tmp_path / "plain.mp4", 50, sound=Sound())


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("name", ["in.mp4", "in.mov", "in.mkv"])
def test_chapters_are_kept(name, suffix, plain, tmp_path, caplog):
    path = remade(tmp_path / name, plain, chapters=CHAPTERS)
    assert chapters_of(path) == CHAPTERS
    with caplog.at_level(logging.WARNING, "livekm"):
        output = copied(path, tmp_path / f"out{suffix}")
    found = chapters_of(output)
    assert [title for title, *_ in found] == [title for title, *_ in CHAPTERS]
    assert [start for _, start, _ in found] == [start for _, start, _ in CHAPTERS]
    # MP4 states no ends: the last chapter ends with the file, which sound may make longer.
    ends = [end for *_, end in found]
    assert ends == pytest.approx([end for *_, end in CHAPTERS], abs=50)
    assert kinds(output) == ["video", "audio"]
    assert not caplog.records


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_section_has_the_chapters_that_lie_in_it(suffix, plain, tmp_path):
    path = remade(tmp_path / "in.mkv", plain, chapters=CHAPTERS)
    output = copied(path, tmp_path / f"out{suffix}", 0.6, 1.6)
    (_, first, middle), (_, again, last) = chapters = chapters_of(output)
    assert [title for title, *_ in chapters] == ["Middle", "End"]
    # MP4's begin with the first packet of all tracks, AAC's at 21 ms at most.
    assert [first, middle, again, last] == pytest.approx([0, 600, 600, 1000], abs=22)
    with av.open(str(output)) as clip:
        assert clip.duration / av.time_base == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("suffix", [".mov", ".mp4"])
def test_a_timecode_is_kept(suffix, plain, tmp_path, caplog):
    path = remade(tmp_path / "in.mov", plain, timecode="01:02:03:04")
    with av.open(str(path)) as clip:
        assert [stream.type for stream in clip.streams] == ["video", "audio", "data"]
    with caplog.at_level(logging.WARNING, "livekm"):
        output = copied(path, tmp_path / f"out{suffix}")
    with av.open(str(output)) as clip:
        tags = [stream.metadata.get("timecode") for stream in clip.streams]
        assert tags == ["01:02:03:04", None, "01:02:03:04"]
        (packet,) = [packet for packet in clip.demux(clip.streams[2]) if packet.size]
        # The first picture's number: MOV has it as four bytes.
        assert int.from_bytes(bytes(packet), "big") == 25 * (3600 + 2 * 60 + 3) + 4
    assert not caplog.records


@pytest.mark.parametrize(("suffix", "section"), [(".avi", ()), (".mov", (0.4, 1.0))])
def test_a_timecode_that_would_be_wrong_is_left_out_with_one_warning(
    suffix, section, plain, tmp_path, caplog
):
    path = remade(tmp_path / "in.mov", plain, timecode="01:02:03:04")
    with caplog.at_level(logging.WARNING, "livekm"):
        output = copied(path, tmp_path / f"out{suffix}", *section)
    assert "in.mov: its timecode 01:02:03:04 is left out" in caplog.text
    with av.open(str(output)) as clip:
        assert not any("timecode" in stream.metadata for stream in clip.streams)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".avi"])
@pytest.mark.parametrize("data", ["klv", "bin_data"])
def test_data_that_nobody_knows_are_left_out_with_one_warning(
    data, suffix, plain, tmp_path, caplog
):
    path = remade(tmp_path / "in.ts", plain, data=data)
    with ClipSource(path) as source:
        assert len(list(source)) == 50
    with caplog.at_level(logging.WARNING, "livekm"):
        output = copied(path, tmp_path / f"out{suffix}")
    assert [record for record in caplog.records if "track 2 (data" in record.getMessage()]
    with av.open(str(output)) as clip:
        assert all(stream.type != "data" for stream in clip.streams)
        assert len([packet for packet in clip.demux(video=0) if packet.size]) == 50


def test_the_fonts_of_a_matroska_file_are_kept_in_another(tmp_path):
    path = tmp_path / "in.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        output.add_attachment("font.ttf", "application/x-truetype-font", b"no font" * 9)
        for i in range(5):
            frame = av.VideoFrame.from_ndarray(flat_image(i, 64, 48), format="bgr24")
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    assert kinds(copied(path, tmp_path / "out.mkv")) == ["video", "attachment"]
    assert kinds(copied(path, tmp_path / "out.mp4")) == ["video"]
