"""The benchmark: what is measured, what is left out, what it is compared with."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_clip
from test_cli import assert_one_line, listing, posix_only

from livekm import benchmark, pipeline
from livekm.benchmark import measure
from livekm.benchmark.report import Measurement, Report
from livekm.errors import SourceError
from livekm.timing import StageSummary

DEMO = ("--demo", "--benchmark", "--size", "64x48", "--frames", 6)


@pytest.mark.parametrize(("n_frames", "n_measured"), [(1, 1), (10, 10), (11, 1), (30, 20)])
def test_it_measures_what_comes_after_the_warm_up(n_frames, n_measured, run_cli, tmp_path):
    make_clip(tmp_path / "in.mp4", n_frames)
    code, out, err = run_cli("in.mp4", "--benchmark", "--json", "b.json", "--scale", "0.5")
    assert (code, err) == (0, "")
    report = json.loads(Path("b.json").read_text(encoding="utf-8"))
    assert (report["schema"], report["source"]) == (2, "in.mp4")
    [measured] = report["measurements"]
    assert (measured["width"], measured["height"], measured["n_clusters"]) == (32, 24, 8)
    assert measured["n_frames"] == n_measured
    headline, _, *rows, read, machine = out.splitlines()
    rate = "-" if n_frames == 1 else f"{measured['fps']:.1f}"
    assert re.search(rf"k = 8, threads \d+: {rate} frames a second over {n_measured} fr", headline)
    if n_frames > 10:
        assert rows.pop() == f"processor time: {measured['processor_ms']:.2f} ms a frame"
    names = ["segment", "view"] + ["frame"] * (n_frames > 1)
    for name, row in zip(names, rows, strict=True):
        stage = measured["stages"][name]
        numbers = [f"{stage[key]:.2f}" for key in ("median_ms", "p95_ms", "p99_ms")]
        assert row.split()[:4] == [name, *numbers]  # the same numbers, rounded
    assert read.startswith(
        f"read before: {report['read']['median_ms']:.2f} ms a frame, peak memory"
    )
    assert re.fullmatch(r"processor .+, cores \d+, python [\d.]+, livekm .*", machine)
    assert listing(tmp_path) == ["b.json", "in.mp4"]


def test_a_source_that_is_slow_to_read_does_not_slow_what_is_measured(run_cli, monkeypatch):
    def slowly(source, timer):
        for frame in frames(source, timer):
            timer.note("read", 1000.0)
            yield frame

    frames = measure.timed_frames
    monkeypatch.setattr(measure, "timed_frames", slowly)
    out = run_cli(*DEMO, "--json", "b.json")[1]
    assert json.loads(Path("b.json").read_text())["measurements"][0]["fps"] > 1
    assert "read before: " in out


def test_no_more_frames_are_held_than_fit(monkeypatch, run_cli):
    monkeypatch.setattr(measure, "_MOST_BYTES", 25 * 64 * 48 * 3)
    run_cli(*DEMO[:-2], "--json", "b.json")
    [measured] = json.loads(Path("b.json").read_text())["measurements"]
    assert measured["n_frames"] == 26 - benchmark.WARM_UP


def test_a_sweep_measures_each_way_with_each(run_cli):
    sweep = ("--sweep", "size=24,48 k=2,5 threads=1")
    code, out, err = run_cli(*DEMO, *sweep, "--json", "b.json", "--plot", "b.png")
    assert (code, err) == (0, "")
    rows = json.loads(Path("b.json").read_text())["measurements"]
    ways = [(row["height"], row["n_clusters"], row["threads"]) for row in rows]
    assert ways == [(24, 2, 1), (24, 5, 1), (48, 2, 1), (48, 5, 1)]
    assert "4 ways" in out
    for height, k, _ in ways:
        assert re.search(rf"^{height * 4 // 3}x{height}, k = {k}, threads 1 +[\d.]+", out, re.M)
    assert cv2.imread("b.png").size


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_it_can_be_drawn(suffix, run_cli):
    assert run_cli(*DEMO, "--plot", f"b{suffix}", "--json", "b.json")[0] == 0
    [measured] = json.loads(Path("b.json").read_text())["measurements"]
    assert {name: len(ms) for name, ms in measured["times_ms"].items()} == {
        "segment": 6, "view": 6, "frame": 6,
    }  # fmt: skip
    page = Path(f"b{suffix}").read_bytes()
    if suffix == ".png":
        drawn = cv2.imdecode(np.frombuffer(page, np.uint8), cv2.IMREAD_COLOR)
        assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 10
    else:
        assert b"<svg" in page


def test_that_of_an_endless_source_ends(run_cli):
    code, out, _ = run_cli(*DEMO)
    assert code == 0
    assert "demo, 64x48" in out
    assert "over 6 frames" in out


@posix_only
def test_it_can_be_interrupted(run_cli, monkeypatch):
    def interrupted_at_frame_20(frame, scale):
        if frame.index == 19:
            signal.raise_signal(signal.SIGINT)
        return scaled(frame, scale)

    scaled = pipeline.scaled
    monkeypatch.setattr(pipeline, "scaled", interrupted_at_frame_20)
    code, out, _ = run_cli("--demo", "--benchmark", "--size", "64x48")
    assert code == 130
    assert "over 10 frames" in out


# Comparisons


def report(*periods: tuple[int, list[float]]) -> Report:
    """Make the report of a k and its frames' times in milliseconds, for each pair."""
    rows = [
        Measurement(64, 48, k, 1, len(times), 1.0, 1.0, {}, {"frame": times})
        for k, times in periods
    ]
    return Report("made", StageSummary(0, 0, 0), tuple(rows), None, {})


def test_the_ratio_is_that_of_the_medians_of_what_both_have_measured():
    old = report((4, [10.0] * 50), (8, [20.0] * 50)).to_json()
    new = report((8, [30.0] * 49 + [900.0]), (16, [1.0] * 50))
    [ratio] = benchmark.compare(new, old)
    assert ratio.name == "64x48, k = 8, threads 1"
    assert (ratio.ratio, ratio.low, ratio.high) == (1.5, 1.5, 1.5)


def test_the_interval_holds_the_true_ratio_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(60):
        old, new = (rng.gamma(20, scale, 100).tolist() for scale in (1.0, 1.1))
        [ratio] = benchmark.compare(report((8, new)), report((8, old)).to_json())
        held += ratio.low <= 1.1 <= ratio.high
    assert 50 <= held <= 60


def test_what_is_slower_than_it_may_be_exits_with_1(run_cli):
    run_cli(*DEMO, "--json", "b.json")
    old = json.loads(Path("b.json").read_text())
    old["measurements"][0]["times_ms"]["frame"] = [1e-3] * 5
    Path("fast.json").write_text(json.dumps(old))
    assert run_cli(*DEMO, "--compare", "fast.json")[0] == 0
    code, out, err = run_cli(*DEMO, "--compare", "fast.json", "--fail-above", 1.5)
    assert code == 1
    assert "times as long" in out
    assert_one_line(err, "slower than fast.json", "--fail-above is 1.5")
    assert run_cli(*DEMO, "--compare", "fast.json", "--fail-above", 1000)[0] in (0, 1)


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "No such file"), ("{", "Expecting"), ("[]", "is no benchmark"), ("{}", "is no bench")],
)
def test_what_is_no_benchmark_is_told(content, problem, tmp_path):
    path = tmp_path / "old.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SourceError, match=problem):
        benchmark.read_older(str(path))


def test_where_nothing_is_common_it_is_said(run_cli):
    run_cli(*DEMO, "--json", "b.json", "-k", 3)
    out = run_cli(*DEMO, "--compare", "b.json")[1]
    assert "nothing that b.json has was measured" in out
