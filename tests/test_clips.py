"""Recorded clips come out whole: sound, tracks, metadata, sections, checks, names of parts."""

from __future__ import annotations

import gc
import logging
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import clips
import numpy as np
import pytest
from clips import Sound, flat_image, index_of, make_clip, track
from tools import lack

from livekm import Segmenter, files, open_sink, open_source
from livekm.batch import plan_jobs
from livekm.errors import SinkError, SourceError
from livekm.frame import Frame
from livekm.outputs import ClipSink, EncoderOptions
from livekm.outputs.atomic import PartFile
from livekm.outputs.video.encoder import ClipFile
from livekm.outputs.video.verification import find_fault
from livekm.sources import ClipSource, DemoSource, SectionSource, Source
from livekm.views import VIEWS

SUFFIXES = [".mp4", ".mov", ".mkv"]
every_container = pytest.mark.parametrize("suffix", SUFFIXES)

# Twenty pictures of 40 ms with a click at 0.5 s.
SECONDS, CLICK = 0.8, 0.5


def copy_clip(path: Path, output: Path, **options) -> Path:
    """Send every frame of a clip through the sink, unchanged."""
    with open_source(path) as source, open_sink(output, source.info, **options) as sink:
        for frame in source:
            sink.write(frame.image, frame.time)
    return output


def picture_times(path: Path) -> list[float]:
    with av.open(str(path)) as clip:
        return [frame.time for frame in clip.decode(video=0)]


def levels(path: Path) -> list[float]:
    with av.open(str(path)) as clip:
        return [np.median(frame.to_ndarray(format="bgr24")) for frame in clip.decode(video=0)]


def click_time(path: Path) -> float:
    """When the click is heard: what a player makes of stamps, edit lists and encoder delays."""
    with av.open(str(path)) as clip:
        for frame in clip.decode(audio=0):
            samples = np.abs(frame.to_ndarray().astype(float))
            loud = np.flatnonzero(samples.reshape(samples.shape[0], -1)[0] > 0.2)
            if loud.size and frame.format.is_planar:
                return frame.time + loud[0] / frame.sample_rate
    raise AssertionError("no click")


def kinds(path: Path) -> list[str]:
    with av.open(str(path)) as clip:
        return [stream.type for stream in clip.streams]


# Sound


@every_container
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("in.mp4", {}),
        ("in.mov", {}),
        ("in.mkv", {}),
        ("in.ts", {"b_frames": 2}),
        ("in.avi", {"codec": "mpeg4", "sound": Sound(click=CLICK, codec="ac3")}),
        ("b_frames.mp4", {"b_frames": 2}),
        ("late_picture.mp4", {"times": [0.3 + 0.04 * i for i in range(20)]}),
        ("late_picture.mkv", {"times": [0.3 + 0.04 * i for i in range(20)]}),
        ("late_sound.mp4", {"sound": Sound(start=0.3, click=CLICK)}),
        ("late_sound.mkv", {"sound": Sound(start=0.3, click=CLICK)}),
        ("vfr.mp4", {"times": [0, 0.04, 0.08, 0.3, 0.31, 0.6, 0.8]}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_sound_is_copied_and_stays_in_sync(name, options, suffix, tmp_path):
    options = {"n_frames": 20, "sound": Sound(click=CLICK), **options}
    path = make_clip(tmp_path / name, **options)
    output = copy_clip(path, tmp_path / f"out{suffix}")
    assert picture_times(output) == pytest.approx(picture_times(path), abs=0.0006)
    assert click_time(output) == pytest.approx(click_time(path), abs=0.0011)
    if not name.endswith((".ts", ".avi")):  # their packets have frames of their own around them
        assert [data for _, data in track(output, "audio")] == [
            data for _, data in track(path, "audio")
        ]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("b_frames.avi", {"codec": "mpeg4", "b_frames": 2}),
        ("late_picture.mp4", {"times": [0.2 + 0.04 * i for i in range(20)]}),
    ],
    ids=["b_frames.avi", "late_picture.mp4"],
)
def test_an_avi_begins_with_its_first_picture_and_stays_in_sync(name, options, tmp_path):
    sound = Sound(click=CLICK, codec="ac3")
    path = make_clip(tmp_path / name, 20, sound=sound, **options)
    first, *_ = times = picture_times(path)
    assert first > 0
    encoder = EncoderOptions("ffv1")  # of H.264 in AVI, FFmpeg tells times one frame late
    output = copy_clip(path, tmp_path / "out.avi", encoder=encoder)
    assert picture_times(output) == pytest.approx([time - first for time in times], abs=1e-6)
    # AC-3 comes in pieces of 32 ms, and the first whole one begins with the picture.
    assert click_time(output) == pytest.approx(click_time(path) - first, abs=0.033)


@pytest.mark.parametrize("codec", ["ac3", "libmp3lame", "mp2", "pcm_s16le", "adpcm_ms"])
def test_sound_of_an_avi_stays_in_sync_in_another(codec, tmp_path):
    path = make_clip(tmp_path / "in.avi", 20, codec="mpeg4", sound=Sound(click=CLICK, codec=codec))
    output = copy_clip(path, tmp_path / "out.avi", encoder=EncoderOptions("ffv1"))
    assert [time for time, _ in track(output, "audio")] == pytest.approx(
        [time for time, _ in track(path, "audio")], abs=0.025
    )


def test_aac_of_an_avi_whose_times_another_cannot_state_is_left_out(tmp_path, caplog):
    path = make_clip(tmp_path / "in.avi", 20, codec="mpeg4", sound=Sound(click=CLICK))
    assert kinds(copy_clip(path, tmp_path / "out.avi")) == ["video"]
    (record,) = caplog.records
    assert "does not go into avi; it is left out" in record.getMessage()


def test_late_sound_that_avi_cannot_hold_back_is_one_warning(tmp_path, caplog):
    path = make_clip(tmp_path / "in.mp4", 20, sound=Sound(start=0.3, click=CLICK))
    copy_clip(path, tmp_path / "out.avi")
    (record,) = caplog.records
    assert "begins 0.3 s late, AVI cannot say so" in record.getMessage()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_frames_and_sound_keep_their_times_where_sound_begins_before_zero(suffix, tmp_path):
    path = make_clip(tmp_path / "in.mkv", 20, sound=Sound(start=-0.3, click=CLICK, codec="libopus"))
    with ClipSource(path) as source:
        assert [frame.time for frame in source] == pytest.approx(picture_times(path))
    output = copy_clip(path, tmp_path / f"out{suffix}")
    assert picture_times(output) == pytest.approx(picture_times(path), abs=0.0006)
    assert click_time(output) == pytest.approx(click_time(path), abs=0.0011)


@every_container
def test_sound_stays_in_sync_where_the_picture_begins_before_zero(suffix, tmp_path):
    path = make_clip(tmp_path / "in.mp4", 20, sound=Sound(click=CLICK))
    with ClipSource(path) as source, open_sink(tmp_path / f"out{suffix}", source.info) as sink:
        for frame in source:
            sink.write(frame.image, frame.time - 0.2)
    assert picture_times(sink.path)[0] == 0
    assert click_time(sink.path) == pytest.approx(click_time(path) + 0.2, abs=0.0011)


@every_container
def test_sound_that_goes_on_behind_the_picture_is_kept(suffix, tmp_path):
    path = make_clip(tmp_path / "in.mp4", 10, sound=Sound(end=2.0, click=1.5))
    output = copy_clip(path, tmp_path / f"out{suffix}")
    assert len(track(output, "audio")) == len(track(path, "audio"))
    assert click_time(output) == pytest.approx(click_time(path), abs=0.0011)


@every_container
def test_sound_ends_where_the_picture_is_cut_off(suffix, tmp_path):
    path = make_clip(tmp_path / "in.mp4", 25, sound=Sound(end=2.0))
    with ClipSource(path) as source, open_sink(tmp_path / f"out{suffix}", source.info) as sink:
        for frame in source:
            sink.write(frame.image, frame.time)
            if frame.index == 9:
                break
    assert 0.35 < track(sink.path, "audio")[-1][0] < 0.4


def test_sound_lies_beside_its_pictures_in_the_file(tmp_path):
    images = [flat_image(i, 64, 48) for i in range(100)]
    path = make_clip(tmp_path / "in.mp4", images=images, sound=Sound())
    output = copy_clip(path, tmp_path / "out.mp4")
    with av.open(str(output)) as clip:
        packets = sorted((p.pos, p.stream.type, p.pts * p.time_base)
                         for p in clip.demux() if p.pts is not None)  # fmt: skip
    heard = Fraction(0)
    for _, kind, time in packets:
        if kind == "audio":
            heard = time
        else:
            assert abs(heard - time) < 1


def test_damaged_sound_costs_what_is_damaged_and_not_the_clip(tmp_path):
    path = make_clip(tmp_path / "in.ts", 50, sound=Sound())
    clips.damage(path, 0.4, 4000)
    output = copy_clip(path, tmp_path / "out.mp4")
    assert len(picture_times(output)) > 20
    assert "audio" in kinds(output)


def test_images_in_a_row_and_cameras_have_no_sound(tmp_path):
    with DemoSource(64, 48, n_frames=2) as source:
        info = replace(source.info, is_live=True)
        with open_sink(tmp_path / "out.mp4", info) as sink:
            for frame in source:
                sink.write(frame.image, frame.time)
    assert kinds(tmp_path / "out.mp4") == ["video"]


# Other tracks and metadata


@pytest.fixture
def subtitled(tmp_path) -> Path:
    if shutil.which("ffmpeg") is None:
        lack("needs the command ffmpeg")
    text = "".join(f"{i + 1}\n00:00:0{i},500 --> 00:00:0{i},900\nline {i}\n\n" for i in range(2))
    (tmp_path / "lines.srt").write_text(text)
    make_clip(tmp_path / "sound.mkv", 50, audio=True)
    return ffmpeg(tmp_path, "-i sound.mkv -i lines.srt -map 0 -map 1 -c copy in.mkv")


def ffmpeg(folder: Path, arguments: str) -> Path:
    command = ["ffmpeg", "-v", "error", "-nostdin", *arguments.split()]
    subprocess.run(command, cwd=folder, check=True, timeout=30)
    return folder / command[-1]


def test_subtitles_are_copied_where_the_container_takes_them(subtitled, tmp_path):
    output = copy_clip(subtitled, tmp_path / "out.mkv")
    assert kinds(output) == ["video", "audio", "subtitle"]
    assert track(output, "subtitle") == track(subtitled, "subtitle")


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_subtitles_of_an_mp4_are_copied(subtitled, suffix, tmp_path):
    path = ffmpeg(tmp_path, "-i in.mkv -map 0 -c copy -c:s mov_text in.mp4")
    output = copy_clip(path, tmp_path / f"out{suffix}")
    assert kinds(output) == ["video", "audio", "subtitle"]
    assert [d for _, d in track(output, "subtitle")] == [d for _, d in track(path, "subtitle")]


def test_a_track_that_the_container_cannot_hold_is_left_out_with_one_warning(
    subtitled, tmp_path, caplog
):
    with caplog.at_level(logging.WARNING, "livekm"):
        output = copy_clip(subtitled, tmp_path / "out.mp4")
    assert kinds(output) == ["video", "audio"]
    (record,) = caplog.records
    said = r"in\.mkv: track 2 \(subtitle, (srt|subrip)\) does not go into mp4; it is left out"
    assert re.fullmatch(said, record.getMessage())


def test_a_second_picture_is_left_out_with_one_warning(subtitled, tmp_path, caplog):
    path = ffmpeg(tmp_path, "-i sound.mkv -i sound.mkv -map 0 -map 1:v -c copy two.mkv")
    with caplog.at_level(logging.WARNING, "livekm"):
        output = copy_clip(path, tmp_path / "out.mkv")
    assert kinds(output) == ["video", "audio"]
    assert "two.mkv: track 2 (video, h264)" in caplog.text
    assert len(caplog.records) == 1


@every_container
def test_metadata_is_kept(suffix, tmp_path):
    given = {"title": "Night drive", "creation_time": "2024-05-01T20:15:30.000000Z",
             "comment": "wet road"}  # fmt: skip
    path = make_clip(tmp_path / "in.mp4", audio=True, metadata=given)
    output = copy_clip(path, tmp_path / f"out{suffix}")
    with av.open(str(output)) as clip:
        found = {key.lower(): value for key, value in clip.metadata.items()}
        assert {key: found.get(key) for key in given} == given
        assert clip.streams.audio[0].metadata["language"] == "nor"
        assert clip.streams.video[0].metadata.get("language", "und") == "und"


def test_the_place_of_a_recording_is_kept(tmp_path):
    path = make_clip(tmp_path / "in.mov", metadata={"location": "+59.9139+010.7522/"})
    for suffix in (".mov", ".mkv"):
        with av.open(str(copy_clip(path, tmp_path / f"out{suffix}"))) as clip:
            found = {key.lower(): value for key, value in clip.metadata.items()}
            assert found["location"] == "+59.9139+010.7522/"


def test_a_clip_whose_header_knows_its_first_fragment_only_is_segmented_whole(run_cli, tmp_path):
    make_clip(tmp_path / "in.mp4", 12, gop=1, fragmented=True)
    run = run_cli("in.mp4", "-o", "out.mp4", "--stats", "out.jsonl", "-k", "2", "-q")
    assert run == (0, "", "")
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 2 * 12
    assert len(picture_times(tmp_path / "out.mp4")) == 12


@pytest.mark.parametrize("options", [[], ["--frames=1"], ["--start=0"]])
def test_a_clip_of_one_frame_is_a_clip(options, run_cli, tmp_path):
    make_clip(tmp_path / "in.mp4", 1)
    assert run_cli("in.mp4", "-o", "out.mp4", "-k", "2", "-q", *options) == (0, "", "")
    assert len(picture_times(tmp_path / "out.mp4")) == 1


def test_a_clip_of_one_frame_may_become_an_image(run_cli, tmp_path):
    make_clip(tmp_path / "in.mp4", 1)
    files = ["-o", "out.png", "--labels", "labels.png", "--figure", "figure.png"]
    assert run_cli("in.mp4", *files, "-k", "2", "-q") == (0, "", "")
    assert all((tmp_path / name).is_file() for name in files[1::2])


def test_a_rotated_clip_comes_out_upright_and_without_a_rotation(tmp_path):
    path = make_clip(tmp_path / "in.mp4", rotation=90, audio=True)
    output = copy_clip(path, tmp_path / "out.mp4")
    with av.open(str(output)) as clip:
        frame = next(clip.decode(video=0))
        assert (frame.width, frame.height, frame.rotation) == (48, 64, 0)


# Sections


@pytest.fixture
def long_clip(tmp_path) -> Path:
    return make_clip(tmp_path / "in.mp4", 25, sound=Sound(click=CLICK), b_frames=2)


@every_container
def test_a_section_has_the_very_frames_and_its_sound_in_sync(long_clip, suffix, tmp_path):
    output = tmp_path / f"out{suffix}"
    with SectionSource(ClipSource(long_clip), 0.2, 0.72) as source:
        frames = list(source)
        with ClipSink(output, source.info, from_zero=True) as sink:
            for frame in frames:
                sink.write(frame.image, frame.time)
    assert [index_of(frame.image) for frame in frames] == list(range(5, 18))
    assert levels(output) == pytest.approx([np.median(f.image) for f in frames], abs=4)
    assert picture_times(output) == pytest.approx([i * 0.04 for i in range(13)])
    assert click_time(output) == pytest.approx(click_time(long_clip) - 0.2, abs=0.0011)
    heard = [time for time, _ in track(output, "audio")]
    assert 0 <= heard[0] < 0.022
    assert 0.52 - 0.022 < heard[-1] < 0.52


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ((0, 0.04), [0]),
        ((0.04, 0.08), [1]),
        ((0.041, 0.12), [2]),
        ((0.4,), list(range(10, 25))),
        ((0, 0.12), [0, 1, 2]),
        ((0.96, 99), [24]),
    ],
)
@pytest.mark.parametrize("late", [0, 2.5])
def test_a_section_counts_from_the_first_frame_and_ends_before_its_end(
    section, expected, late, tmp_path
):
    times = [late + 0.04 * i for i in range(25)]
    path = make_clip(tmp_path / "in.mp4", times=times, b_frames=2)
    with SectionSource(ClipSource(path), *section) as source:
        frames = list(source)
    assert [index_of(frame.image) for frame in frames] == expected
    assert [frame.index for frame in frames] == expected
    assert [frame.time for frame in frames] == pytest.approx([times[i] for i in expected])


def test_a_section_without_frames_says_where_the_clip_ends(long_clip):
    with (
        SectionSource(ClipSource(long_clip), 5, 6) as source,
        pytest.raises(SourceError, match=r"in.mp4: no frame from 5 s to 6 s; its last .* 0.96 s$"),
    ):
        list(source)


def test_a_section_of_a_live_source_is_refused():
    demo = DemoSource(64, 48)
    demo.info = replace(demo.info, is_live=True)
    with pytest.raises(ValueError, match=r"is live: leave --start and --end out$"):
        SectionSource(demo, 1)


def test_the_command_cuts_a_section(long_clip, run_cli, tmp_path):
    code, out, _ = run_cli(long_clip, "-o", "out.mp4", "--start", "0:00.2", "--end", "0.72")
    assert (code, out) == (0, "out.mp4: 13 frames\n")
    assert picture_times(tmp_path / "out.mp4") == pytest.approx([i * 0.04 for i in range(13)])
    assert click_time(tmp_path / "out.mp4") == pytest.approx(click_time(long_clip) - 0.2, abs=0.001)


# The second look at what was written


def test_a_whole_clip_has_no_fault(tmp_path):
    path = make_clip(tmp_path / "a.mp4", 10, b_frames=2)
    assert find_fault(path, 10, Fraction(9, 25)) is None


def test_faults_are_found_and_named(tmp_path):
    path = make_clip(tmp_path / "a.mp4", 10, index_first=True)
    assert find_fault(path, 11, Fraction(10, 25)) == "it holds 10 of 11 frames"
    assert find_fault(path, 10, Fraction(1)) == "its frames take 0.360 s, not 1.000 s"
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    assert "of 10 frames" in find_fault(path, 10, Fraction(9, 25))
    path.write_bytes(b"nothing")
    assert find_fault(path, 10, Fraction(9, 25)).startswith("it cannot be read again: ")


def lose_the_end(monkeypatch) -> None:
    """Make the disk lose the last bytes of each clip."""
    finish = ClipFile.finish

    def finish_and_lose(self):
        finish(self)
        path = Path(self._container.name)
        path.write_bytes(path.read_bytes()[:-200])

    monkeypatch.setattr(ClipFile, "finish", finish_and_lose)


@every_container
def test_a_clip_that_lost_its_end_gets_no_name(suffix, tmp_path, monkeypatch):
    lose_the_end(monkeypatch)
    path = make_clip(tmp_path / "in.mp4")
    with pytest.raises(SinkError, match=rf"^cannot write .*out{suffix}: it .*another disk$"):
        copy_clip(path, tmp_path / f"out{suffix}")
    assert {p.name for p in tmp_path.iterdir()} <= {"in.mp4", f"out.partial{suffix}"}


# Memory


def test_no_picture_of_a_clip_is_held_longer_than_it_is_needed(tmp_path):
    make_clip(tmp_path / "in.mp4", 40)
    gc.collect()
    gc.disable()  # as it is between two collections, which pictures alone do not bring about
    try:
        with ClipSource(tmp_path / "in.mp4") as source:
            assert len(list(source)) == 40
        held = sum(isinstance(thing, av.VideoFrame) for thing in gc.get_objects())
    finally:
        gc.enable()
    assert held < 5


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux")
def test_a_clip_of_1080p_takes_less_than_400_megabytes_on_two_cores(tmp_path):
    levels = np.linspace(0, 255, 1920).astype(np.uint8)
    image = np.dstack([np.tile(np.roll(levels, shift), (1080, 1)) for shift in (0, 600, 1200)])
    path = make_clip(tmp_path / "in.mp4", width=1920, height=1080, images=[image] * 30)
    # In a process of its own: of what a process starts, the peak is at least its own size.
    program = """
import os, resource, subprocess, sys
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
subprocess.run([sys.executable, "-m", "livekm", *sys.argv[1:]], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
    command = [sys.executable, "-c", program, path, "-o", tmp_path / "out.mp4", "-q"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    assert int(done.stdout) / 1024 < 400


# Interruption


def interrupted_after(n: int, source: Source, output: Path, **options) -> files.ClipResult:
    seen = []

    def note(frame: Frame, segmentation: object) -> None:
        seen.append(frame.index)

    return files.process_clip(
        source, Segmenter(2, random_state=0), VIEWS["segments"], output,
        on_frame=note, should_stop=lambda: len(seen) >= n, **options,
    )  # fmt: skip


def test_an_interrupted_clip_is_whole_as_far_as_it_goes_and_named_as_partial(tmp_path):
    path = make_clip(tmp_path / "in.mp4", 25, sound=Sound())
    with ClipSource(path) as source:
        result = interrupted_after(10, source, tmp_path / "out.mp4")
    partial = tmp_path / "out.partial.mp4"
    assert (result.n_frames, result.paths) == (10, (partial,))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mp4", partial.name]
    assert len(picture_times(partial)) == 10
    assert 0.35 < track(partial, "audio")[-1][0] < 0.4


def test_a_live_recording_that_only_the_user_can_end_gets_its_name(tmp_path):
    demo = DemoSource(64, 48)
    demo.info = replace(demo.info, is_live=True)
    result = interrupted_after(3, demo, tmp_path / "out.mp4")
    assert result.paths == (tmp_path / "out.mp4",)
    result = interrupted_after(3, demo, tmp_path / "wanted.mp4", max_frames=9)
    assert result.paths == (tmp_path / "wanted.partial.mp4",)


def test_a_partial_file_replaces_nothing_unless_asked_and_never_the_input(tmp_path):
    def partial(**options) -> str:
        part = PartFile(tmp_path / "out.mp4", **options)
        return part.commit(is_partial=True).name

    assert partial() == "out.partial.mp4"
    assert partial() == "out.partial-2.mp4"
    assert partial(overwrite=True) == "out.partial.mp4"
    source = str(tmp_path / "out.partial.mp4")
    assert partial(overwrite=True, source=source) == "out.partial-2.mp4"


def test_a_clip_sink_tells_where_the_clip_is_once_it_is_closed(tmp_path):
    sink = ClipSink(tmp_path / "out.mp4", DemoSource(64, 48).info)
    sink.write(flat_image(0, 64, 48))
    assert sink.path is None
    sink.close()
    assert sink.path == tmp_path / "out.mp4"


CLIPS = os.environ.get("LIVEKM_CLIPS")
RECORDED = [job.source for job in plan_jobs([CLIPS], "out")] if CLIPS else []


@pytest.mark.skipif(not RECORDED, reason="LIVEKM_CLIPS names no folder of clips")
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_recorded_clips_are_segmented_and_verified(path, tmp_path):
    output = tmp_path / "out.mp4"
    with open_source(path) as source:
        segmenter = Segmenter(4, random_state=0)
        result = files.process_clip(source, segmenter, VIEWS["segments"], output, max_frames=20)
    wanted = picture_times(path)[:20]
    assert result.n_frames == len(wanted)
    assert np.diff(picture_times(output)) == pytest.approx(np.diff(sorted(wanted)), abs=1e-3)
