"""Damaged clips: what is there is read, what lacks is counted."""

from __future__ import annotations

import logging
import re

import av
import clips
import numpy as np
import pytest
from test_features import X264, encode, moving, read

from livekm.sources import ClipSource


@pytest.mark.parametrize("codec", ["mpeg4", "mjpeg"])
def test_an_avi_without_its_index_is_read_whole(codec, tmp_path, caplog):
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = encode(tmp_path / "a.avi", moving(30), codec, pixels)
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"idx1")])
    with caplog.at_level(logging.WARNING):
        assert [frame.index for frame in read(path)] == list(range(30))


def test_an_avi_that_was_cut_off_gives_what_it_has(tmp_path, caplog):
    path = encode(tmp_path / "a.avi", moving(75), "mjpeg", "yuvj420p")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with caplog.at_level(logging.WARNING):
        frames = read(path)
    assert 25 < len(frames) < 50
    assert "of 3.0 s" in caplog.text


def test_any_number_of_damaged_frames_is_left_out_and_counted(tmp_path, caplog):
    path = clips.make_clip(tmp_path / "a.mp4", images=clips.noise_images(300, 64, 48), gop=1)
    clips.damage(path, 0.2, int(0.6 * path.stat().st_size))
    with caplog.at_level(logging.WARNING):
        frames = read(path)
    missing = 300 - len(frames)
    assert missing > 150
    assert frames[-1].index == 299
    assert frames[-1].time == 299 / 25
    assert f"left out {missing} damaged frame(s)" in caplog.text


def test_damaged_frames_at_the_end_are_counted_too(tmp_path, caplog):
    images = clips.noise_images(40, 64, 48)
    path = clips.make_clip(tmp_path / "a.mp4", images=images, index_first=True)
    clips.damage(path, 0.85, int(0.15 * path.stat().st_size))
    with caplog.at_level(logging.WARNING):
        frames = read(path)
    assert 28 < len(frames) < 40
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert f"left out {40 - len(frames)} damaged frame(s) at its end" in caplog.text


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("libx264", {**X264, "bf": "2", "g": "12"}),
        ("libx265", {"x265-params": "keyint=12:bframes=2:log-level=none"}),
        ("libsvtav1", {"preset": "12", "svtav1-params": "keyint=12:lookahead=0"}),
    ],
)
@pytest.mark.parametrize("share", [0.5, 0.62, 0.75])
def test_a_clip_that_was_cut_off_gives_the_same_frames_for_any_threads(
    codec, options, share, tmp_path, monkeypatch
):
    monkeypatch.setenv("SVT_LOG", "0")
    path = encode(tmp_path / "a.mp4", moving(60), codec, "yuv420p", options=options,
                  muxer={"movflags": "faststart"})  # fmt: skip
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    found = []
    for threads in (1, 2, 4, None):
        with ClipSource(path, threads=threads) as source:
            found.append(list(source))
    assert 5 < len(found[0]) < 60
    for frames in found[1:]:
        assert [frame.index for frame in frames] == [frame.index for frame in found[0]]
        for frame, wanted in zip(frames, found[0], strict=True):
            assert (frame.image == wanted.image).all()


@pytest.mark.parametrize("codec", ["mpeg2video", "libx264"])
def test_frames_whose_damage_the_decoder_fills_in_are_counted_in_one_warning(
    codec, tmp_path, caplog
):
    options = X264 if codec == "libx264" else {"b": "2000k"}
    path = encode(tmp_path / "a.ts", moving(40), codec, "yuv420p", options={**options, "g": "12"})
    data = bytearray(path.read_bytes())
    noise = np.random.default_rng(0).integers(0, 256, 140, np.uint8).tobytes()
    for share in (0.4, 0.6, 0.8):  # within packets, whose heads stay
        at = int(share * len(data)) // 188 * 188
        data[at + 40 : at + 180] = noise
    path.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        assert len(read(path)) == 40
    (record,) = caplog.records
    n = re.fullmatch(
        r"a\.ts: (\d) frame\(s\) are damaged, the decoder filled in the holes", record.getMessage()
    )
    assert n
    assert 1 <= int(n[1]) <= 6


X265 = {"preset": "ultrafast", "x265-params": "log-level=none:bframes=0:keyint=20:scenecut=0"}


def without_packet(path, number, target):
    """Write a clip as `target` without one of its packets."""
    with av.open(str(path)) as container, av.open(str(target), "w") as left:
        stream = left.add_stream_from_template(container.streams.video[0])
        for i, packet in enumerate(container.demux(video=0)):
            if packet.size and i != number:
                packet.stream = stream
                left.mux(packet)
    return target


@pytest.mark.parametrize("threads", [1, 2])
def test_pictures_of_hevc_behind_one_that_lacks_are_kept_and_counted(threads, tmp_path, caplog):
    whole = encode(tmp_path / "a.mkv", moving(40), "libx265", "yuv420p", options=X265)
    path = without_packet(whole, 10, tmp_path / "b.mkv")
    with caplog.at_level(logging.WARNING):
        frames = list(ClipSource(path, threads=threads))
    assert [round(25 * frame.time) for frame in frames] == [*range(10), *range(11, 40)]
    assert "b.mkv: 9 frame(s) are damaged, the decoder filled in the holes" in caplog.messages


def test_pictures_before_the_first_whole_one_are_left_out_and_counted(tmp_path, caplog):
    whole = encode(tmp_path / "a.mkv", moving(40), "libx265", "yuv420p", options=X265)
    path = without_packet(whole, 0, tmp_path / "b.mkv")
    with caplog.at_level(logging.WARNING):
        frames = read(path)
    assert [round(25 * frame.time) for frame in frames] == list(range(20, 40))
    assert caplog.messages == ["b.mkv: left out 19 damaged frame(s) at 0"]
