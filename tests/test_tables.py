"""Labels and figures of clips: every format opened again, by the examples and by other readers."""

from __future__ import annotations

import runpy
import subprocess
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from clips import make_clip

from livekm import Segmenter
from livekm.context import GiveUp
from livekm.errors import SinkError
from livekm.frame import Frame, VideoInfo
from livekm.outputs.tables import open_labels
from livekm.sources import ClipSource

EXAMPLES = Path(__file__).parents[1] / "examples"
LABEL_TARGETS = ["labels", "labels.npz", "labels.mkv"]
every_target = pytest.mark.parametrize("target", LABEL_TARGETS)
load_labels = runpy.run_path(str(EXAMPLES / "load_labels.py"))["load_labels"]
TIMES = [0.2, 0.24, 0.3, 0.5]  # varying rate, late start


@pytest.fixture
def clip(tmp_path):
    """A clip of noise in eight frames would not compress; four small ones do."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (4, 5, 7, 3), np.uint8).repeat(6, axis=1).repeat(6, axis=2)
    return make_clip(tmp_path / "in.mp4", images=images, times=TIMES, width=42, height=30)


def expected(clip: Path, k: int = 8) -> list[np.ndarray]:
    segmenter = Segmenter(k, random_state=0)
    with ClipSource(clip) as source:
        return [segmenter.update(frame.image).labels for frame in source]


def all_levels() -> object:
    """A segmentation of 256 clusters in which every label occurs."""
    image = np.zeros((32, 64, 3), np.uint8)
    image[:] = np.arange(256, dtype=np.uint8).repeat(8).reshape(32, 64, 1)
    segmentation = Segmenter(256, hysteresis=0, random_state=0).fit(image)
    assert set(np.unique(segmentation.labels)) == set(range(256))
    return segmentation


@every_target
def test_a_clips_labels_come_back_exactly_with_their_times(target, clip, run_cli, tmp_path):
    code, out, _ = run_cli("in.mp4", "--labels", target)
    assert (code, out) == (0, f"{target}: 4 frames\n")
    read = list(load_labels(tmp_path / target))
    assert [time for time, _ in read] == pytest.approx(TIMES, abs=5e-4)
    for (_, labels), wanted in zip(read, expected(clip), strict=True):
        assert labels.dtype == np.uint8
        assert np.array_equal(labels, wanted)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", target]


def test_every_label_survives_the_video_in_every_reader(tmp_path):
    segmentation = all_levels()
    path = tmp_path / "labels.mkv"
    with open_labels(path, VideoInfo("test", 64, 32)) as file:
        file.write(Frame(np.zeros((32, 64, 3), np.uint8), 0, 0.0), segmentation)
    with av.open(str(path)) as clip:
        stream = clip.streams.video[0]
        assert stream.codec_context.name == "ffv1"
        frame = next(clip.decode(video=0))
        assert np.array_equal(frame.to_ndarray(format="gray"), segmentation.labels)
        assert np.array_equal(frame.to_ndarray(format="bgr24")[:, :, 1], segmentation.labels)
    capture = cv2.VideoCapture(str(path))
    assert np.array_equal(capture.read()[1][:, :, 2], segmentation.labels)
    capture.release()
    for pixel_format in ("gray", "rgb24"):
        raw = subprocess.run(
            ["ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", pixel_format, "-"],
            capture_output=True, check=True,
        ).stdout  # fmt: skip
        first = np.frombuffer(raw, np.uint8).reshape(32, 64, -1)[:, :, 0]
        assert np.array_equal(first, segmentation.labels)


@every_target
def test_labels_of_images_that_differ_in_size_are_exact_or_refused(target, run_cli, tmp_path):
    rng = np.random.default_rng(0)
    for i, shape in enumerate([(12, 16, 3), (24, 16, 3), (12, 10, 3)]):
        cv2.imwrite(str(tmp_path / f"{i}.png"), rng.integers(0, 256, shape, np.uint8))
    code, _, err = run_cli("%d.png", "--labels", target, "-q")
    if target.endswith(".mkv"):
        assert code == 1
        assert err.startswith("livekm: 1.png: 16x24 pixels, unlike the 16x12 of the first image; a")
        assert err.count("\n") == 1
        assert not (tmp_path / target).exists()
    else:
        assert code == 0
        shapes = [labels.shape for _, labels in load_labels(tmp_path / target)]
        assert shapes == [(12, 16), (24, 16), (12, 10)]


@every_target
def test_labels_that_are_given_up_leave_nothing(target, tmp_path):
    segmentation = all_levels()

    def fail():
        with open_labels(tmp_path / target, VideoInfo("test", 64, 32)) as file:
            file.write(Frame(np.zeros((32, 64, 3), np.uint8), 0, 0.0), segmentation)
            raise GiveUp

    with pytest.raises(GiveUp):
        fail()
    assert list(tmp_path.iterdir()) == []


@every_target
def test_labels_of_an_interrupted_run_are_valid_and_named_as_partial(target, tmp_path):
    segmentation = all_levels()
    with open_labels(tmp_path / target, VideoInfo("test", 64, 32)) as file:
        for index in range(2):
            file.write(Frame(np.zeros((32, 64, 3), np.uint8), index, index / 25), segmentation)
        file.keep()
    assert "labels.partial" in file.path.name
    read = [time for time, _ in load_labels(file.path)]
    assert read == pytest.approx([0, 0.04])
    assert list(tmp_path.iterdir()) == [file.path]


@every_target
def test_labels_that_exist_are_replaced_only_if_asked(target, clip, run_cli, tmp_path):
    assert run_cli("in.mp4", "--labels", target, "--frames", 3, "-q")[0] == 0
    code, _, errors = run_cli("in.mp4", "--labels", target, "-q")
    assert code == 1
    assert f"{target} exists; add --overwrite" in errors
    assert run_cli("in.mp4", "--labels", target, "-q", "--overwrite")[0] == 0
    assert len(list(load_labels(tmp_path / target))) == 4


def test_a_folder_of_somebody_else_is_never_replaced(tmp_path):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "holiday.png").write_text("precious")
    with pytest.raises(SinkError, match="that livekm did not make; name another one"):
        open_labels(tmp_path / "labels", VideoInfo("test", 64, 32), overwrite=True)
    assert (tmp_path / "labels" / "holiday.png").read_text() == "precious"


@pytest.mark.parametrize("name", ["labels.mp4", "labels.png"])
def test_labels_that_do_not_hold_a_clip_are_wrong_usage(name, clip, run_cli, tmp_path):
    code, _, errors = run_cli("in.mp4", "--labels", name)
    assert code == 2
    assert len(errors.splitlines()) == 1
    assert "folder" in errors
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_the_example_reads_statistics_of_both_formats(clip, run_cli, tmp_path):
    load_statistics = runpy.run_path(str(EXAMPLES / "load_statistics.py"))["load_statistics"]
    for name in ("out.csv", "out.jsonl"):
        assert run_cli("in.mp4", "--stats", name, "-k", 3, "-q")[0] == 0
    rows = list(load_statistics(tmp_path / "out.csv"))
    assert [row["label"] for row in rows] == [0, 1, 2] * 4
    assert all(a["time"] < b["time"] for a, b in pairwise(rows[::3]))
    for row, other in zip(rows, load_statistics(tmp_path / "out.jsonl"), strict=True):
        assert row == other


def test_the_tables_tell_which_thing_a_label_is(run_cli, tmp_path):
    """Two scenes by turns: what is new has new ids, what comes back its old ones."""
    scenes = [np.zeros((32, 64, 3), np.uint8) for _ in range(2)]
    scenes[0][:, 32:] = 250
    scenes[1][:], scenes[1][:16] = (20, 160, 40), (200, 60, 160)
    images = [scenes[i // 4 % 2] for i in range(12)]
    make_clip(tmp_path / "in.mkv", 12, images=images, width=64, height=32, codec="ffv1")
    for name, option in (("s.csv", "--stats"), ("s.jsonl", "--stats"), ("l.npz", "--labels")):
        assert run_cli("in.mkv", option, name, "-k", 2, "-q")[0] == 0
    load_statistics = runpy.run_path(str(EXAMPLES / "load_statistics.py"))["load_statistics"]
    rows = list(load_statistics(tmp_path / "s.csv"))
    ids = [{row["id"] for row in rows if row["frame"] == frame} for frame in range(12)]
    assert ids == [{0, 1}] * 4 + [{2, 3}] * 4 + [{0, 1}] * 4
    assert [row["id"] for row in load_statistics(tmp_path / "s.jsonl")] == [r["id"] for r in rows]
    of = {(row["frame"], row["label"]): row["id"] for row in rows}
    with np.load(tmp_path / "l.npz") as arrays:
        assert {(i, j): n for (i, j), n in np.ndenumerate(arrays["ids"])} == of
