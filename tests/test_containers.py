"""What is taken of a container: the stream that players show, tags, and no other file."""

from __future__ import annotations

import logging
from pathlib import Path

import av
import clips
import pytest
from av.stream import Disposition
from clips import Sound, flat_image

from livekm import open_sink, open_source
from livekm.errors import SourceError
from livekm.sources import ClipSource


def picture(index: int, pixel_format: str, width: int = 64, height: int = 48) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(flat_image(index, width, height), format="bgr24")
    return frame.reformat(format=pixel_format)


def with_streams(path: Path, *dispositions: Disposition, sound: bool = False) -> Path:
    """Write a clip with streams that show grey 3, 4, 5 and so on; a cover is one JPEG of grey 9."""
    with av.open(str(path), "w") as output:
        streams = []
        for disposition in dispositions:
            is_cover = disposition == Disposition.attached_pic
            stream = output.add_stream("mjpeg" if is_cover else "libx264", rate=25)
            stream.width, stream.height = (320, 180) if is_cover else (64, 48)
            stream.pix_fmt = "yuvj420p" if is_cover else "yuv420p"
            stream.disposition = disposition
            streams.append((stream, is_cover))
        track = output.add_stream("libmp3lame", rate=48000) if sound else None
        for i, (stream, is_cover) in enumerate(streams):
            for n in range(1 if is_cover else 8):
                size = (stream.width, stream.height)
                frame = picture(9 if is_cover else 3 + i, stream.pix_fmt, *size)
                frame.pts = n
                output.mux(stream.encode(frame))
            output.mux(stream.encode())
        if track is not None:
            for samples in Sound().frames(0.3):
                output.mux(track.encode(samples))
            output.mux(track.encode())
    return path


NONE, DEFAULT, COVER = Disposition(0), Disposition.default, Disposition.attached_pic


@pytest.mark.parametrize(
    ("name", "streams", "shown"),
    [
        ("a.mp4", (COVER, DEFAULT), 4),
        ("a.mp4", (DEFAULT, COVER), 3),
        ("a.mkv", (NONE, DEFAULT), 4),
        ("a.mkv", (DEFAULT, DEFAULT), 3),
        ("a.mkv", (NONE, NONE), 3),
        ("a.mkv", (NONE, NONE, DEFAULT), 5),
    ],
)
def test_the_stream_that_players_choose_is_segmented(name, streams, shown, tmp_path, caplog):
    path = with_streams(tmp_path / name, *streams)
    with ClipSource(path) as source:
        frames = list(source)
        assert (source.info.width, source.info.height) == (64, 48)
    assert [clips.index_of(frame.image) for frame in frames] == [shown] * 8
    caplog.set_level(logging.WARNING, "livekm")
    with open_source(path) as source, open_sink(tmp_path / "out.mkv", source.info) as sink:
        for frame in source:
            sink.write(frame.image, frame.time)
    assert len(caplog.records) == len(streams) - 1  # one for each that is left out
    with av.open(str(tmp_path / "out.mkv")) as clip:
        assert [stream.type for stream in clip.streams] == ["video"]


def test_sound_with_a_cover_is_no_video(tmp_path):
    path = with_streams(tmp_path / "song.mp3", COVER, sound=True)
    with pytest.raises(SourceError, match=r"song\.mp3: no picture in it, only sound; give a video"):
        open_source(path)


def test_a_title_in_latin_1_is_read_and_kept(tmp_path):
    path = clips.make_clip(
        tmp_path / "a.avi", 5, codec="mpeg4", sound=Sound(codec="ac3"), metadata={"title": "ZQrich"}
    )
    path.write_bytes(path.read_bytes().replace(b"ZQrich", b"Z\xfcrich"))
    with open_source(path) as source, open_sink(tmp_path / "out.mkv", source.info) as sink:
        for frame in source:
            sink.write(frame.image, frame.time)
    with av.open(str(tmp_path / "out.mkv")) as clip:
        assert clip.metadata["title"] == "Zürich"


def test_a_tag_whose_name_is_not_utf_8_is_read_and_kept(tmp_path):
    path = clips.make_clip(tmp_path / "a.mkv", 5, metadata={"ZQRICH": "here"})
    path.write_bytes(path.read_bytes().replace(b"ZQRICH", b"Z\xdcRICH"))
    with open_source(path) as source, open_sink(tmp_path / "out.mkv", source.info) as sink:
        for frame in source:
            sink.write(frame.image, frame.time)
    with av.open(str(tmp_path / "out.mkv")) as clip:
        assert clip.metadata["ZÜRICH"] == "here"


def replaced(path: Path, old: bytes, new: bytes) -> Path:
    path.write_bytes(path.read_bytes().replace(old, new))
    return path


@pytest.mark.parametrize(
    ("name", "codec", "make"),
    [
        ("a.mp4", "zzzz", lambda path: replaced(clips.make_clip(path), b"avc1", b"zzzz")),
        ("a.avi", "zzzz", lambda p: replaced(clips.make_clip(p, codec="mpeg4"), b"FMP4", b"zzzz")),
        ("a.svg", "svg", lambda path: path.write_text("just a text")),
        ("a.jxl", "jpegxl", lambda path: path.write_text("just a text")),
    ],
)
def test_a_codec_without_a_decoder_is_named(name, codec, make, tmp_path):
    make(tmp_path / name)
    with pytest.raises(SourceError, match=rf"{name}: no decoder for codec {codec}; convert it"):
        open_source(tmp_path / name)


PLAYLISTS = {
    "HLS": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nclip.ts\n",
    "concat": "ffconcat version 1.0\nfile clip.ts\n",
    "DASH": '<?xml version="1.0"?>\n<MPD profiles="urn:mpeg:dash:profile:isoff-live:2011"></MPD>\n',
    "SDP": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
    "PLS": "[playlist]\nFile1=clip.ts\n",
}


@pytest.mark.parametrize("name", ["a.m3u8", "a.mp4", "a.txt"])
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_playlist_opens_no_other_file(kind, name, tmp_path):
    clips.make_clip(tmp_path / "clip.ts")
    path = tmp_path / name
    path.write_text(PLAYLISTS[kind])
    with pytest.raises(SourceError) as caught:
        open_source(path)
    wanted = f"{path}: a playlist ({kind}), which names other files; give the clips themselves"
    assert str(caught.value) == wanted
    path.write_text("\ufeff \n" + PLAYLISTS[kind])
    with pytest.raises(SourceError):
        open_source(path)
