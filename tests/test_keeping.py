"""What a run that fails, is killed or has no room leaves: all that came before, and no half files.

Each output is tried with each thing that can go wrong.
"""

from __future__ import annotations

import csv
import errno
import itertools
import json
import os
import re
import runpy
import socket
import subprocess
import sys
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
from tools import lack

from livekm import Segmenter, figures, files
from livekm.channel import is_work_left
from livekm.errors import SinkError, SourceError
from livekm.frame import Frame, VideoInfo
from livekm.outputs import FILE_SINKS, ClipSink, open_sink
from livekm.outputs.images.folder import NumberedFiles
from livekm.outputs.tables import FigureFile, PaletteFile, RegionFile, StatisticsFile, open_labels
from livekm.outputs.video.encoder import ClipFile
from livekm.outputs.video.mp4_boxes import put_index_first
from livekm.outputs.whole_file import WholeFile
from livekm.sources import Source, open_source
from livekm.views import VIEWS

WIDTH, HEIGHT = 64, 48
N = 12  # frames until a source fails
CLIPS = [suffix for suffix, sink in FILE_SINKS.items() if sink is ClipSink]
SIDECARS = {
    "labels": open_labels,
    "labels.npz": open_labels,
    "labels.mkv": open_labels,
    "table.csv": StatisticsFile,
    "table.jsonl": StatisticsFile,
    "regions.csv": RegionFile,
    "page.png": FigureFile,
    "colours.gpl": PaletteFile,
}
ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
load_labels = runpy.run_path(str(EXAMPLES / "load_labels.py"))["load_labels"]
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="limits and signals of POSIX")


class Feed(Source):
    """A camera that is unplugged after some frames of noise, which compress badly."""

    def __init__(self, n: int = N, error: Exception | None = None, **info: object) -> None:
        self.info = VideoInfo("camera 0", WIDTH, HEIGHT, fps=Fraction(25), **info)
        self._n = n
        self._error = error

    def __iter__(self) -> Iterator[Frame]:
        rng = np.random.default_rng(0)
        for index in range(self._n):
            image = rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
            yield Frame(image, index, index / 25)
        if self._error:
            raise self._error

    def close(self) -> None: ...


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert not is_work_left()


@pytest.fixture(autouse=True)
def quick_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the drawing of pages, which takes a second each; how they are written stays."""
    page = cv2.imencode(".png", np.zeros((9, 9), np.uint8))[1].tobytes()
    monkeypatch.setattr(figures, "clip_figure", lambda history, title: None)
    monkeypatch.setattr(figures, "render", lambda figure, suffix: page)


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def n_read(path: Path) -> int:
    """The number of frames that readers find in an output; -1 where it tells none."""
    if path.suffix in (".csv", ".jsonl"):
        text = path.read_text(encoding="utf-8")
        assert text.endswith("\n")
        if path.suffix == ".csv":
            head, *rows = csv.reader(text.splitlines())
            assert {len(row) for row in rows} <= {len(head)}
            return len({row[0] for row in rows})
        return len({line.split(",")[0] for line in text.splitlines()})
    if path.name.startswith("labels"):
        read = [labels for _, labels in load_labels(path)]
        assert all(labels.shape == (HEIGHT, WIDTH) for labels in read)
        return len(read)
    if path.is_dir():
        return len([cv2.imread(str(image)).shape for image in path.glob("*.png")])
    if path.suffix == ".png":
        assert cv2.imread(str(path)) is not None
        return -1
    if path.suffix == ".gpl":
        return -1
    with av.open(str(path)) as clip:
        n = 0
        try:
            for _ in clip.decode(video=0):
                n += 1
        except av.FFmpegError:  # where the file stops
            assert n
        return n


def convert(
    source: Source, folder: Path, output: str | None, *sidecars: str, n_clusters: int = 3
) -> files.ClipResult:
    return files.process_clip(
        source,
        Segmenter(n_clusters, random_state=0),
        VIEWS["original"],
        folder / output if output else None,
        sidecars=[partial(SIDECARS[name], folder / name) for name in sidecars],
    )


def partial_name(name: str) -> str:
    path = Path(name)
    return f"{path.stem}.partial{path.suffix}"


@pytest.mark.parametrize("is_live", [True, False], ids=["camera", "clip"])
@pytest.mark.parametrize("error", [SourceError("camera 0 is gone"), MemoryError()])
def test_all_outputs_outlive_their_source(error, is_live, tmp_path):
    names = ["out.mp4", *SIDECARS]
    with pytest.raises(type(error)) as caught:
        convert(Feed(error=error, is_live=is_live), tmp_path, *names)
    kept = [tmp_path / partial_name(name) for name in names]
    assert (
        str(caught.value)
        == f"{str(error) or 'not enough memory'}; kept {', '.join(map(str, kept))}"
    )
    assert listing(tmp_path) == sorted(path.name for path in kept)
    assert {n_read(path) for path in kept} == {N, -1}


@pytest.mark.parametrize("suffix", CLIPS)
def test_every_clip_outlives_its_source(suffix, tmp_path):
    with pytest.raises(SourceError, match="is gone; kept"):
        convert(Feed(error=SourceError("camera 0 is gone"), is_live=True), tmp_path, f"out{suffix}")
    assert listing(tmp_path) == [f"out.partial{suffix}"]
    assert n_read(tmp_path / f"out.partial{suffix}") == N


def test_a_row_of_images_outlives_its_source(tmp_path):
    with pytest.raises(SourceError, match=r"is gone; kept .*out\.partial"):
        convert(Feed(error=SourceError("camera 0 is gone")), tmp_path, "out/%d.png")
    assert listing(tmp_path) == ["out.partial"]
    assert n_read(tmp_path / "out.partial") == N
    assert n_read(tmp_path / "out.partial" / "frames.csv") == N


def test_the_command_says_in_one_line_what_it_kept(run_cli, tmp_path, monkeypatch):
    feed = Feed(N, SourceError("camera 0 stopped delivering frames after 12 frames"), is_live=True)
    monkeypatch.setattr("livekm.cli.build.open_source", lambda name, **options: feed)
    code, out, err = run_cli("--camera", 0, "-o", "rec.mp4", "--stats", "rec.csv", "-q")
    told = "livekm: camera 0 stopped delivering frames after 12 frames; kept "
    assert (code, out, err) == (1, "", f"{told}rec.partial.mp4, rec.partial.csv\n")
    assert listing(tmp_path) == ["rec.partial.csv", "rec.partial.mp4"]


# The disk is full


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Have no file grow beyond some bytes, as on a full disk."""
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@posix_only
@pytest.mark.parametrize("is_live", [True, False], ids=["camera", "clip"])
@pytest.mark.parametrize("suffix", CLIPS)
def test_a_clip_on_a_full_disk_keeps_what_fits(suffix, is_live, tmp_path):
    told = rf"^cannot write .*out{suffix}: File too large; choose .*; kept .*out\.partial{suffix}$"
    with largest_file(120_000), pytest.raises(SinkError, match=told):
        convert(Feed(400, is_live=is_live), tmp_path, f"out{suffix}", n_clusters=1)
    assert listing(tmp_path) == [f"out.partial{suffix}"]
    assert 20 <= n_read(tmp_path / f"out.partial{suffix}") < 400


@posix_only
@pytest.mark.parametrize(
    ("name", "size"), [("labels.npz", 40_000), ("labels.mkv", 40_000), ("table.csv", 9_000),
                       ("table.jsonl", 9_000), ("regions.csv", 150_000)]
)  # fmt: skip
def test_a_sidecar_on_a_full_disk_keeps_what_fits(name, size, tmp_path):
    with largest_file(size), pytest.raises(SinkError, match=r"File too large; .*; kept "):
        convert(Feed(400), tmp_path, None, name)
    assert listing(tmp_path) == [partial_name(name)]
    assert 5 <= n_read(tmp_path / partial_name(name)) < 400


@pytest.mark.parametrize("name", ["labels", "out/%d.png"])
def test_a_folder_on_a_full_disk_keeps_what_fits(name, tmp_path, monkeypatch):
    add, count = NumberedFiles.add, itertools.count()

    def add_or_fail(self, content, *rest):
        with largest_file(10 if next(count) == 7 else 10**9):
            add(self, content, *rest)

    monkeypatch.setattr(NumberedFiles, "add", add_or_fail)
    outputs = (name,) if "%" in name else (None, name)
    with pytest.raises(SinkError, match="File too large"):
        convert(Feed(), tmp_path, *outputs)
    kept = tmp_path / ("out.partial" if "%" in name else "labels.partial")
    assert listing(tmp_path) == [kept.name]
    assert listing(kept) == [".livekm", *sorted(p.name for p in kept.glob("*.png")), "frames.csv"]
    assert n_read(kept) == n_read(kept / "frames.csv") == 7


# One of several outputs fails


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), MemoryError()])
def test_a_figure_that_fails_costs_nothing_else(error, tmp_path, monkeypatch):
    def fail(*arguments):
        raise error

    monkeypatch.setattr(figures, "render", fail)
    with pytest.raises((SinkError, MemoryError), match=r"; kept .*out\.mp4, .*table\.csv$"):
        convert(Feed(), tmp_path, "out.mp4", "page.png", "table.csv")
    assert listing(tmp_path) == ["out.mp4", "table.csv"]
    assert n_read(tmp_path / "out.mp4") == n_read(tmp_path / "table.csv") == N


def test_of_a_still_image_the_outputs_that_do_not_fail_are_whole(tmp_path, monkeypatch):
    def fail(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(StatisticsFile, "_write", fail)
    with pytest.raises(SinkError, match=r"table\.csv: No .*; kept .*out\.png, .*labels\.png$"):
        files.process_image(
            Feed(1, n_frames=1), Segmenter(3, random_state=0), VIEWS["original"],
            tmp_path / "out.png",
            sidecars=[
                partial(StatisticsFile, tmp_path / "table.csv"),
                partial(open_labels, tmp_path / "labels.png"),
            ],
        )  # fmt: skip
    assert listing(tmp_path) == ["labels.png", "out.png"]


ALL = ("out.mp4", *SIDECARS)
PLACES = {
    "read": None,
    "encode": (ClipFile, "write"),
    "finish": (ClipFile, "finish"),
    **{
        f"{name} {what}": (kind, what)
        for name, kind in [
            ("table", StatisticsFile),
            ("regions", RegionFile),
            ("page", FigureFile),
            ("colours", PaletteFile),
        ]
        for what in ("_write", "_finish")
    },
}


@pytest.mark.parametrize("at", [0, 5])
@pytest.mark.parametrize("place", PLACES)
def test_whatever_fails_the_first_error_is_told_and_no_half_file_has_a_name(
    place, at, tmp_path, monkeypatch
):
    told = f"failure in {place}"
    method = PLACES[place]
    source = Feed(at, SourceError(told)) if method is None else Feed()
    if method is not None:
        kind, name = method
        original, count = getattr(kind, name), itertools.count()

        def fail_once(self, *arguments):
            if next(count) == (0 if "finish" in name else at):
                raise OSError(errno.EIO, told)
            return original(self, *arguments)

        monkeypatch.setattr(kind, name, fail_once)
    with pytest.raises((SinkError, SourceError), match=told):
        convert(source, tmp_path, *ALL)
    for name in listing(tmp_path):
        is_partial = ".partial" in name
        n_frames = n_read(tmp_path / name)
        assert n_frames in (N, -1) or (is_partial and 0 < n_frames < N)
    at_the_end = method is not None and "finish" in method[1]
    assert sum(name in ALL for name in listing(tmp_path)) == (len(ALL) - 1) * at_the_end


@pytest.fixture(scope="module")
def bad_disk(tmp_path_factory) -> Path:
    if reason := virtual_camera.why_not():
        lack(reason)
    folder = tmp_path_factory.mktemp("disk")
    return virtual_camera.build_library(folder, Path(__file__).with_name("bad_disk.c"))


@pytest.mark.parametrize("n_failures", [1, 10**6])
def test_whichever_write_fails_it_is_told_and_no_half_file_has_a_name(n_failures, bad_disk):
    """In turn, of the writes that reach the disk; by another first one in each of the two."""
    program = Path(__file__).with_name("failing_writes.py")
    out = subprocess.run(
        [sys.executable, program, str(n_failures), "7" if n_failures == 1 else "9"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "LD_PRELOAD": str(bad_disk)},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    whole, *failed, last = [json.loads(line) for line in out.splitlines()]
    assert len(failed) > 3
    for number, told, left, threads in (whole, *failed, last):
        assert threads == []
        assert (told is None) == (number in (whole[0], last[0]))
        assert told is None or re.match(r"SinkError: cannot write .*: Input/output error; ", told)
        assert told is not None or sorted(name for name, _ in left) == sorted(ALL)
        for name, n_frames in left:
            is_folder = name == "labels.partial"  # whose table could not be written
            assert n_frames in (6, -1) or (".partial" in name and (n_frames > 0 or is_folder)), told


# Killed


@posix_only
def test_recordings_whose_process_is_killed_play(tmp_path):
    code = (
        "import sys, time, numpy as np\n"
        "from livekm.frame import VideoInfo\n"
        "from livekm.outputs import open_sink\n"
        f"info = VideoInfo('camera 0', {WIDTH}, {HEIGHT}, is_live=True)\n"
        "sinks = [open_sink(name, info) for name in sys.argv[1:]]\n"
        "rng = np.random.default_rng(0)\n"
        "for i in range(200):\n"
        f"    image = rng.integers(0, 256, ({HEIGHT}, {WIDTH}, 3), np.uint8)\n"
        "    for sink in sinks:\n"
        "        sink.write(image, i / 25)\n"
        "print('written', flush=True)\n"
        "time.sleep(60)\n"
    )
    names = [f"out{suffix}" for suffix in (".mp4", ".mov", ".mkv", ".webm", ".avi")]
    with subprocess.Popen(
        [sys.executable, "-c", code, *names],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout.read(7) == b"written"
        process.kill()
    left = {path.name.split(".part-")[0]: path for path in tmp_path.iterdir()}
    assert sorted(left) == sorted(f".{name}" for name in names)
    for name, path in left.items():
        # All but what the encoder holds and the last half second; Matroska the last two.
        assert n_read(path) >= (180 if name.endswith((".mp4", ".mov")) else 150), name


def boxes(path: Path) -> list[str]:
    """The kinds of the outermost boxes, but for the first one and empty ones."""
    content, at, kinds = path.read_bytes(), 0, []
    while at < len(content):
        kinds.append(content[at + 4 : at + 8].decode())
        at += int.from_bytes(content[at : at + 4], "big")
    return [kind for kind in kinds if kind not in ("ftyp", "free", "wide")]


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_a_recording_that_ends_is_a_file_as_any(suffix, tmp_path):
    """In one piece, with one index: no fragments, which some editors do not read."""
    for is_live in (True, False):
        path = tmp_path / f"{is_live}{suffix}"
        info = VideoInfo("camera 0", WIDTH, HEIGHT, is_live=is_live)
        with open_sink(path, info) as sink:
            for frame in Feed(100):
                sink.write(frame.image, frame.time)
        assert boxes(path) == (["mdat", "moov"] if is_live else ["moov", "mdat"])
        with av.open(str(path)) as clip:
            assert clip.streams.video[0].frames == 100
            assert clip.duration == 4_000_000


def test_an_index_of_offsets_beyond_32_bits_stays_at_the_end(tmp_path):
    path = tmp_path / "out.mp4"
    with open_sink(path, VideoInfo("camera 0", WIDTH, HEIGHT, is_live=True)) as sink:
        for frame in Feed(30):
            sink.write(frame.image, frame.time)
    content = bytearray(path.read_bytes())
    at = content.rindex(b"stco") + 12
    content[at : at + 4] = (2**32 - 8).to_bytes(4, "big")
    path.write_bytes(content)
    put_index_first(path)
    assert path.read_bytes() == content


# What is no file is not replaced


@posix_only
@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "link to a device"])
@pytest.mark.parametrize("overwrite", [True, False])
def test_what_is_no_file_is_never_replaced(kind, overwrite, tmp_path):
    path = tmp_path / "out.png"
    with socket.socket(socket.AF_UNIX) as listener:
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "socket":
            listener.bind(str(path))
        elif kind == "device":
            path = Path(os.devnull)
        else:
            path.symlink_to(os.devnull)
        before = path.stat()
        with pytest.raises(
            SinkError, match=r"is a device or a pipe; name a file, or - for stdout$"
        ):
            WholeFile(path, overwrite=overwrite)
        assert os.path.samestat(path.stat(), before)
    assert all(".part-" not in name for name in listing(tmp_path))


@posix_only
def test_a_pipe_that_takes_the_name_meanwhile_stays(tmp_path):
    with WholeFile(tmp_path / "out.json", overwrite=True) as file:
        file.write(b"content")
        os.mkfifo(tmp_path / "out.json")
    assert (tmp_path / "out.json").is_fifo()
    assert file.path == tmp_path / "out-2.json"
    assert file.path.read_bytes() == b"content"


def test_a_clip_is_read_again_as_it_was_written(tmp_path):
    """Every packet lies where the index says after that was moved."""
    path = tmp_path / "out.mp4"
    with open_sink(path, VideoInfo("test", WIDTH, HEIGHT, fps=Fraction(25))) as sink:
        for frame in Feed(100):
            sink.write(frame.image, frame.time)
    with open_source(path) as source:
        read = [frame.image.astype(int) for frame in source]
    assert len(read) == 100
    for frame, image in zip(Feed(100), read, strict=True):
        assert np.corrcoef(frame.image.ravel(), image.ravel())[0, 1] > 0.5
