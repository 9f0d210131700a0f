"""Video and tables through pipes: stdin, stdout, and readers and writers that fail."""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import virtual_camera
from clips import flat_image, index_of, make_clip
from conftest import COMMAND, without_display
from tools import lack
from xvfb import requires_xvfb, virtual_display

from livekm import cli, files
from livekm.channel import is_work_left
from livekm.core.segmenter import Segmenter
from livekm.errors import SourceError, UsageError
from livekm.frame import Frame, VideoInfo
from livekm.outputs import open_sink
from livekm.outputs.stdout import StdoutPart
from livekm.outputs.tables import SIDECARS
from livekm.outputs.tables.masks import run_lengths
from livekm.prefetch import ReadAhead
from livekm.sources import RawVideo, Source, open_source
from livekm.sources.pipe import PipeSource
from livekm.views import VIEWS

posix_only = pytest.mark.skipif(os.name == "nt", reason="needs POSIX pipes and signals")

N = 6
Y4M = b"YUV4MPEG2 W64 H48 F30000:1001 Ip A1:1 C420jpeg\n"
Y4M_FRAME = b"FRAME\n" + bytes([60]) * (64 * 48) + bytes([128]) * (64 * 48 // 2)

FORMATS = {
    "yuv4mpegpipe": ("rawvideo", {}),
    "matroska": ("libx264", {}),
    "mpegts": ("libx264", {}),
    "mp4": ("libx264", {"movflags": "frag_keyframe+empty_moov"}),
    "mjpeg": ("mjpeg", {}),
    "mpjpeg": ("mjpeg", {}),
}


def encoded(form: str) -> bytes:
    codec, options = FORMATS[form]
    written = io.BytesIO()
    with av.open(written, "w", format=form, options=options) as file:
        stream = file.add_stream(codec, rate=25, options={"bf": "0"} if codec == "libx264" else {})
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for index in range(N):
            picture = av.VideoFrame.from_ndarray(flat_image(index, 64, 48), "bgr24")
            picture.pts, picture.time_base = index, Fraction(1, 25)
            file.mux(stream.encode(picture))
        file.mux(stream.encode())
    return written.getvalue()


@contextmanager
def piped(data: bytes, *, stays_open: bool = False) -> Iterator[io.BufferedReader]:
    """The reading end of a pipe that gets data from a thread."""
    reading, writing = os.pipe()
    done = threading.Event()

    def send() -> None:
        try:
            with os.fdopen(writing, "wb", buffering=0) as file:
                file.write(data)
                if stays_open:
                    done.wait(20)
        except BrokenPipeError:
            pass

    thread = threading.Thread(target=send)
    thread.start()
    try:
        with os.fdopen(reading, "rb") as file:
            yield file
    finally:
        done.set()
        thread.join()


@contextmanager
def stdout_as(writing: int) -> Iterator[None]:
    """Let stdout of this process be another file, whatever pytest made of it."""
    before = os.dup(1)
    os.dup2(writing, 1)
    try:
        yield
    finally:
        os.dup2(before, 1)
        os.close(before)


def read_pipe(data: bytes, raw: str | None = None) -> tuple[VideoInfo, list[Frame]]:
    described = RawVideo.read(raw) if raw else None
    with piped(data) as file, PipeSource(file, raw=described) as source:
        return source.info, list(source)


@pytest.mark.parametrize("form", FORMATS)
def test_what_comes_in_is_found_by_its_content_with_its_frames_and_times(form):
    info, frames = read_pipe(encoded(form))
    assert [index_of(frame.image) for frame in frames] == list(range(N))
    times = [frame.time - frames[0].time for frame in frames]
    assert times == pytest.approx([n / 25 for n in range(N)], abs=1e-3)
    assert (info.n_frames, info.path, info.is_live) == (None, None, False)


def test_raw_video_comes_in_as_it_is_described():
    images = [flat_image(index, 10, 7) for index in range(3)]
    info, frames = read_pipe(b"".join(map(bytes, images)), "10x7@30000/1001:bgr24")
    assert (info.width, info.height, info.fps) == (10, 7, Fraction(30000, 1001))
    assert [frame.time for frame in frames] == [n * 1001 / 30000 for n in range(3)]
    assert all((frame.image == image).all() for frame, image in zip(frames, images, strict=True))


@pytest.mark.parametrize(
    "text", ["", "64x48", "64x48@0:bgr24", "64x48@1/0:bgr24", "64x48@25:bgr99", "-1x48@25:gray"]
)
def test_raw_video_that_is_described_wrongly_is_told_by_an_example(text):
    with pytest.raises(UsageError, match=r"WIDTHxHEIGHT@FPS:PIXELS, 640x480@25:bgr24, got"):
        RawVideo.read(text)


def test_a_frame_comes_out_before_the_next_one_goes_in():
    reading, writing = os.pipe()
    os.write(writing, Y4M + Y4M_FRAME)
    with os.fdopen(reading, "rb") as file, PipeSource(file) as source:
        frames = iter(source)
        assert next(frames).index == 0
        for index in (1, 2):
            os.write(writing, Y4M_FRAME)
            assert next(frames).index == index
        os.close(writing)
        assert next(frames, None) is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "nothing came"),
        (b"YUV4MPEG2 W0 H48 F25:1\n" + Y4M_FRAME, r"states no picture \(YUV4MPEG2 W0 H48 F25:1\)"),
        (b"YUV4MPEG2 W99999 H99999 F25:1\n" + Y4M_FRAME, "states no picture"),
        (Y4M, "no frame of it can be decoded"),
        (b"hello " * 5000, "not a video that can be read from a pipe; of raw video, tell --format"),
        (b"\0\0\0\x18ftypisom" + bytes(90000), "index at its end"),
    ],
)
def test_what_is_no_video_is_told_in_one_line(data, reason):
    with pytest.raises(SourceError, match=rf"^pipe: .*{reason}") as caught:
        read_pipe(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [b"W32 H48", b"W128 H96"])
def test_a_y4m_header_that_lies_is_told_and_what_came_before_is_kept(size, tmp_path):
    data = Y4M.replace(b"W64 H48", size) + 9 * Y4M_FRAME
    with (
        piped(data) as file,
        PipeSource(file) as source,
        pytest.raises(SourceError, match=r"no frame 1 where the header says.*; kept .*partial"),
    ):
        files.process_clip(source, Segmenter(2), VIEWS["original"], tmp_path / "out.mp4")
    with open_source(tmp_path / "out.partial.mp4") as kept:
        assert len(list(kept)) == 1


@pytest.mark.parametrize("missing", [1, 3000, len(Y4M_FRAME) - 1])
def test_a_y4m_frame_that_ends_early_is_left_out_with_a_warning(missing, caplog, tmp_path):
    data = Y4M + (3 * Y4M_FRAME)[:-missing]
    assert len(read_pipe(data)[1]) == 2
    (tmp_path / "in.y4m").write_bytes(data)
    with open_source(tmp_path / "in.y4m") as source:
        assert len(list(source)) == 2
    assert [f"{name}: ends within frame 2, which is left out" for name in ("pipe", "in.y4m")] == [
        record.message for record in caplog.records
    ]


def test_a_whole_y4m_stream_is_read_without_a_warning(caplog):
    assert len(read_pipe(Y4M + 3 * Y4M_FRAME)[1]) == 3
    assert caplog.records == []


@posix_only
def test_a_sender_that_stalls_keeps_nobody_from_ending():
    with piped(Y4M + Y4M_FRAME, stays_open=True) as file, PipeSource(file) as source:
        with ReadAhead(source) as frames:
            assert next(iter(frames)).index == 0
        assert not is_work_left()


@posix_only
def test_a_frame_that_was_on_its_way_at_the_end_is_no_fault(caplog):
    data = Y4M + Y4M_FRAME + Y4M_FRAME[:99]
    with piped(data, stays_open=True) as file, PipeSource(file) as source:
        result = files.process_clip(source, Segmenter(2), VIEWS["original"], None, max_frames=1)
    assert (result.n_frames, caplog.records) == (1, [])


@requires_xvfb
def test_a_sender_that_stalls_keeps_nobody_from_closing_the_window(tmp_path):
    reading, writing = os.pipe()
    os.write(writing, Y4M + Y4M_FRAME)
    with virtual_display() as display:
        process = subprocess.Popen(
            [*COMMAND, "-", "-k", "2"],
            env=display.environment(),
            stdin=reading,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        display.press(display.wait_for_window("livekm - stdin", process), "q")
        out, err = process.communicate(timeout=20)
    os.close(reading)
    os.close(writing)
    assert (process.returncode, out[:6], err) == (0, b"stdin:", b"")


@pytest.mark.parametrize("form", ["y4m", "mkv", "raw"])
def test_frames_and_times_survive_from_stdin_to_stdout(form, monkeypatch, capfdbinary):
    with piped(Y4M + N * Y4M_FRAME) as file:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(file))
        # The reader of this output is what reads pipes, which has tests of its own.
        code = cli.main(["-", "-o", "-", "-k", "2", "--format", form])
    out, err = capfdbinary.readouterr()
    assert (code, err) == (0, b"stdout: 6 frames\n")
    info, frames = read_pipe(out, "64x48@30000/1001:bgr24" if form == "raw" else None)
    assert (info.width, info.height) == (64, 48)
    assert [frame.time for frame in frames] == pytest.approx(
        [n * 1001 / 30000 for n in range(N)], abs=1e-9 if form != "mkv" else 6e-4
    )
    assert (
        abs(int(frames[-1].image.mean()) - int(read_pipe(Y4M + Y4M_FRAME)[1][0].image[0, 0, 0]))
        <= 2
    )


@pytest.mark.parametrize("size", [(64, 48), (63, 47), (1, 1)])
def test_pictures_of_any_size_go_through_y4m(size, capfdbinary):
    with open_sink("-", fps=Fraction(30000, 1001)) as sink:
        for index in range(3):
            sink.write(flat_image(index, *size))
    info, frames = read_pipe(capfdbinary.readouterr().out)
    assert (info.width, info.height, info.fps) == (*size, Fraction(30000, 1001))
    assert [index_of(frame.image) for frame in frames] == [0, 1, 2]


TIMES = [0.5, 0.54, 0.7, 0.71, 0.78]


@pytest.mark.parametrize(
    ("form", "indices", "times"),
    [
        ("y4m", [0, 1, 1, 1, 1, 2, 3, 4], [n / 25 for n in range(8)]),
        ("mkv", [0, 1, 2, 3, 4], TIMES),
    ],
)
def test_y4m_repeats_frames_to_keep_the_time_and_matroska_keeps_each(
    form, indices, times, capfdbinary
):
    with open_sink("-", fps=25, form=form) as sink:
        for index, moment in enumerate(TIMES):
            sink.write(flat_image(index, 64, 48), moment)
    frames = read_pipe(capfdbinary.readouterr().out)[1]
    assert [index_of(frame.image) for frame in frames] == indices
    assert [frame.time for frame in frames] == pytest.approx(times, abs=1e-3)


def test_what_others_print_goes_to_stderr_while_data_goes_to_stdout(capfdbinary):
    part = StdoutPart()
    os.write(1, b"a library's chat")
    part.write(b"data")
    part.discard()
    part.discard()
    os.write(1, b", and on")
    assert capfdbinary.readouterr() == (b"data, and on", b"a library's chat")


def test_a_still_image_becomes_a_png(tmp_path, capfdbinary):
    cv2.imwrite(str(tmp_path / "in.png"), flat_image(3, 20, 10))
    code = cli.main([str(tmp_path / "in.png"), "-k", "1", "-o", "-"])
    out, err = capfdbinary.readouterr()
    assert (code, err[:7]) == (0, b"stdout:")
    assert (
        cv2.imdecode(np.frombuffer(out, np.uint8), cv2.IMREAD_COLOR) == flat_image(3, 20, 10)
    ).all()


DEMO = ("--demo", "--size", "64x48", "-k", 3, "--frames", 2)


@pytest.mark.parametrize("name", ["stats", "regions"])
def test_a_table_on_stdout_is_the_same_as_in_a_file(name, run_cli, tmp_path):
    code, out, _ = run_cli(*DEMO, f"--{name}", "-")
    assert code == 0
    assert run_cli(*DEMO, f"--{name}", "table.jsonl")[0] == 0
    table = (tmp_path / "table.jsonl").read_text()
    if name == "regions":  # a line goes out before the last frame of its region is known
        out, table = (re.sub(r'"last_frame": \d+, ', "", text) for text in (out, table))
    assert out == table
    assert {json.loads(line)["frame"] for line in out.splitlines()} == {0, 1}


def test_labels_on_stdout_are_a_mask_for_each_segment(run_cli, tmp_path):
    rows = [json.loads(line) for line in run_cli(*DEMO, "--labels", "-")[1].splitlines()]
    assert run_cli(*DEMO, "--labels", "labels.npz")[0] == 0
    archive = np.load(tmp_path / "labels.npz")
    assert [(row["frame"], row["label"]) for row in rows] == [*itertools.product((0, 1), range(3))]
    for row in rows:
        is_it = np.arange(len(row["counts"])) % 2 == 1
        mask = np.repeat(is_it, row["counts"]).reshape(row["size"][::-1]).T
        assert (mask == (archive[f"frame_{row['frame']:06d}"] == row["label"])).all()
        assert row["id"] == archive["ids"][row["frame"], row["label"]]


def test_run_lengths_are_of_one_column_after_the_other():
    assert run_lengths(np.array([[1, 0], [1, 1]], np.uint8), 3) == [[2, 1, 1], [0, 2, 1, 1], [4]]


class Paced(Source):
    """A live source whose frames come when they are let."""

    def __init__(self, n_frames: int, gate: threading.Semaphore | None = None) -> None:
        self.info = VideoInfo("paced", 64, 48, Fraction(100), is_live=True)
        self._n_frames, self._gate = n_frames, gate
        self._chance = np.random.default_rng(0)

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self._n_frames):
            if self._gate:
                assert self._gate.acquire(timeout=20)
            yield Frame(
                self._chance.integers(0, 256, (48, 64, 3)).astype(np.uint8), index, index / 100
            )

    def close(self) -> None:
        pass


def test_each_frame_is_flushed_before_the_next_one_comes():
    gate = threading.Semaphore(1)
    reading, writing = os.pipe()
    seen = []

    def read() -> None:
        with os.fdopen(reading) as file:
            for line in file:
                row = json.loads(line)
                if row["label"] == 1:
                    seen.append(row["frame"])
                    gate.release()

    thread = threading.Thread(target=read)
    thread.start()
    stats = partial(SIDECARS["stats"].open, "-")
    with stdout_as(writing):
        os.close(writing)
        files.process_clip(Paced(4, gate), Segmenter(2), VIEWS["original"], None, sidecars=[stats])
    thread.join()
    assert seen == [0, 1, 2, 3]


@pytest.mark.parametrize("output", ["-", None])
def test_a_slow_reader_costs_a_live_source_frames_but_no_time(output, tmp_path):
    """Nobody reads until all frames were segmented; then the reader gets the oldest and newest."""
    reading, writing = os.pipe()
    sidecars = [] if output else [partial(SIDECARS["labels"].open, "-")]
    seen, received = [], []

    def read() -> None:
        with os.fdopen(reading, "rb") as file:
            received.append(file.read())

    thread = threading.Thread(target=read)

    def note(frame: Frame, segmentation: object) -> None:
        seen.append(frame.index)
        if frame.index == 59:
            thread.start()

    with stdout_as(writing):
        os.close(writing)
        result = files.process_clip(
            Paced(60), Segmenter(2), VIEWS["original"], output, sidecars=sidecars,
            form="mkv", on_frame=note,
        )  # fmt: skip
    thread.join()
    assert seen == list(range(60))
    if output:
        times = [frame.time for frame in read_pipe(received[0])[1]]
        arrived = [round(100 * moment) for moment in times]
    else:
        arrived = sorted({json.loads(line)["frame"] for line in received[0].splitlines()})
    assert (arrived[0], arrived[-1]) == (0, 59)
    assert len(arrived) + result.n_dropped == 60
    assert result.n_dropped > 0


def start(*arguments: object, folder: Path, **more: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        cwd=folder,
        env=without_display(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **more,
    )


@posix_only
def test_a_reader_that_ends_is_no_error_and_the_other_outputs_are_kept(tmp_path):
    process = start("--demo", "-k", 2, "-o", "-", "--stats", "table.csv", folder=tmp_path)
    assert process.stdout.read(9) == b"YUV4MPEG2"
    process.stdout.close()
    _, err = process.communicate()
    assert (process.returncode, err) == (141, b"livekm: kept table.partial.csv\n")
    assert (tmp_path / "table.partial.csv").stat().st_size > 100


def test_closing_the_reader_is_how_a_camera_is_ended_so_that_nothing_is_partial(
    camera_library, tmp_path
):
    process = subprocess.Popen(
        [*COMMAND, "--camera", "0", "-k", "2", "-o", "-", "--stats", "table.csv"],
        cwd=tmp_path,
        env={**without_display(), **virtual_camera.environment(camera_library, size=(64, 48))},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout.read(9) == b"YUV4MPEG2"
    process.stdout.close()
    _, err = process.communicate()
    assert (process.returncode, err) == (141, b"")
    assert (tmp_path / "table.csv").stat().st_size > 100


@posix_only
def test_a_reader_that_stalls_keeps_nobody_from_interrupting(tmp_path):
    process = start("--demo", "-k", 2, "-o", "-", folder=tmp_path)
    assert process.stdout.read(9) == b"YUV4MPEG2"
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        try:
            code = process.wait(2)
        except subprocess.TimeoutExpired:
            continue
        break
    else:
        code = process.wait(10)
    assert (code, process.communicate()[1]) == (130, b"")


@posix_only
def test_ffmpeg_before_and_behind(tmp_path):
    if shutil.which("ffmpeg") is None:
        lack("needs ffmpeg")
    make_clip(tmp_path / "in.mp4", N, fps=Fraction(30000, 1001))
    livekm = " ".join(COMMAND)
    script = (
        "set -o pipefail; ffmpeg -v error -i in.mp4 -f yuv4mpegpipe - "
        f"| {livekm} - --view original -o - | ffmpeg -v error -i - -c:v libx264 out.mp4"
    )
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=without_display(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"stdout: 6 frames\n")
    with open_source(tmp_path / "in.mp4") as before, open_source(tmp_path / "out.mp4") as after:
        for one, other in zip(before, after, strict=True):
            assert one.time == other.time
            assert abs(one.image.mean() - other.image.mean()) < 4  # frames are 9 levels apart


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("- a.mp4 -o out", "- is stdin, which is one source"),
        ("a.mp4 b.mp4 -o -", "many clips: - is one output"),
        ("a.mp4 b.mp4 --stats -", "many clips: - is one output"),
        ("--demo -o - --stats -", "two outputs have one place"),
        ("--demo -o a.mp4 --format raw", "--format raw is for a clip to stdout"),
        ("--demo -o - --format 64x48@25:gray", "is for video from stdin"),
        ("--demo -o - --format avi", "expected raw video"),
        ("--demo -o - --format raw,mkv", "takes one for stdin and one for stdout"),
        ("--demo -o - --crf 20", "or --format mkv"),
        ("--demo -o - --format mkv --crf 99", "the crf of h264"),
        ("--demo --figure -", "a figure cannot be"),
        ("- --fps 5 -o -", "has its own rate"),
    ],
)
def test_what_makes_no_sense_with_a_pipe_is_told(arguments, reason, run_cli):
    code, out, err = run_cli(*arguments.split())
    assert (code, out) == (2, "")
    assert reason in err
    assert err.count("\n") == 1


@posix_only
def test_a_named_pipe_as_input_is_told_how_to_read_it(run_cli, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    code, _, err = run_cli("fifo", "-o", "out.mp4")
    assert (code, err) == (1, "livekm: fifo: this is a pipe; read it by livekm - < NAME\n")
