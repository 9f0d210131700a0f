from __future__ import annotations

import time

import numpy as np
import pytest
from clips import flat_image

from livekm.core.segmenter import Segmenter
from livekm.errors import SourceError
from livekm.frame import Frame, VideoInfo
from livekm.outputs import NullSink, open_sink
from livekm.pipeline import run, scaled, timed_frames
from livekm.sources import DemoSource, Source
from livekm.timing import StageTimer
from livekm.views import VIEWS


class Clock:
    """A clock that a test moves by hand, in place of `time.perf_counter`."""

    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def end_frames(timer: StageTimer, clock: Clock, *periods: float) -> None:
    for period in periods:
        clock.now += period
        timer.end_frame()


def test_frames_a_second_are_the_inverse_of_the_mean_period(clock):
    timer = StageTimer()
    assert timer.fps is None
    end_frames(timer, clock, 1.0)
    assert timer.fps is None
    # The mean of the rates, (10 + 2.5) / 2, would be another number.
    end_frames(timer, clock, 0.1, 0.4)
    assert timer.fps == pytest.approx(4.0)


def test_the_median_and_the_95th_percentile_of_each_stage_come_in_milliseconds(clock):
    timer = StageTimer()
    for milliseconds in range(1, 102):
        with timer.stage("read"):
            clock.now += milliseconds / 1000
        with timer.stage("write"):
            clock.now += 0.5
        timer.end_frame()
    summary = timer.summary()
    assert list(summary) == ["read", "write", "frame"]
    assert summary["read"].median_ms == pytest.approx(51)
    assert summary["read"].p95_ms == pytest.approx(96)
    assert summary["write"].median_ms == summary["write"].p95_ms == pytest.approx(500)
    assert summary["frame"].median_ms == pytest.approx(551.5)


def test_a_timer_remembers_as_many_frames_as_it_is_told(clock):
    timer = StageTimer(memory=2)
    for period in (9.0, 9.0, 9.0, 0.5, 0.5):
        with timer.stage("read"):
            clock.now += period
        timer.end_frame()
    assert timer.fps == pytest.approx(2.0)
    assert timer.summary()["read"].p95_ms == pytest.approx(500)


def test_a_stage_that_raises_does_not_count(clock):
    timer = StageTimer()
    with pytest.raises(RuntimeError), timer.stage("read"):
        raise RuntimeError
    assert timer.summary() == {}


def test_a_pause_does_not_count_as_a_period(clock):
    timer = StageTimer()
    end_frames(timer, clock, 0.1, 0.1)
    timer.skip_period()
    end_frames(timer, clock, 60.0, 0.1)
    assert timer.fps == pytest.approx(10)


def test_a_warm_up_can_be_forgotten(clock):
    timer = StageTimer()
    for period in (9.0, 9.0, 0.5, 0.5):
        with timer.stage("read"):
            clock.now += period
        timer.end_frame()
    timer.forget(2)
    assert timer.fps == pytest.approx(2.0)
    assert timer.summary()["read"].p95_ms == pytest.approx(500)
    timer.forget(100)
    assert timer.summary() == {}


def test_the_end_of_a_source_is_not_a_frame_that_was_read():
    timer = StageTimer()
    with DemoSource(32, 16, n_frames=3) as source:
        reads = [timer.summary()["read"] for _ in timed_frames(source, timer)]
    assert len(reads) == 3
    assert timer.summary()["read"] == reads[-1]


@pytest.mark.parametrize(
    ("scale", "size"), [(0.5, (24, 32)), (2, (96, 128)), (1, (48, 64)), (0.001, (1, 1))]
)
def test_a_frame_is_scaled_and_keeps_its_time(scale, size):
    frame = scaled(Frame(flat_image(3, 64, 48), 7, 1.5), scale)
    assert frame.image.shape == (*size, 3)
    assert (frame.index, frame.time) == (7, 1.5)
    assert np.unique(frame.image).tolist() == np.unique(flat_image(3, 1, 1)).tolist()


def run_demo(n_frames=None, view="segments", **options) -> tuple[int, NullSink]:
    with DemoSource(32, 16, n_frames=n_frames) as source, NullSink() as sink:
        return run(source, Segmenter(2, random_state=0), VIEWS[view], sink, **options), sink


def test_all_frames_are_segmented_in_order_and_written_and_the_caller_is_told_of_each():
    seen = []
    timer = StageTimer()
    done, sink = run_demo(
        5, timer=timer, on_frame=lambda *pair: seen.append(pair), scale=0.5, view="original"
    )
    assert done == sink.n_frames == 5
    assert [frame.index for frame, _ in seen] == [0, 1, 2, 3, 4]
    assert all(frame.image.shape == (8, 16, 3) for frame, _ in seen)
    assert all(segmentation.labels.shape == (8, 16) for _, segmentation in seen)
    assert list(timer.summary()) == ["read", "segment", "view", "write", "frame"]


@pytest.mark.parametrize("most", [0, 1, 3])
def test_a_run_ends_after_so_many_frames(most):
    done, sink = run_demo(max_frames=most)
    assert done == sink.n_frames == most


def test_a_run_ends_after_the_frame_at_which_it_is_asked_to():
    answers = iter([False, False, True])
    done, sink = run_demo(10, should_stop=lambda: next(answers))
    assert done == sink.n_frames == 3


class UnpluggedSource(Source):
    """Gives two frames, then fails as a camera does whose cable is pulled."""

    info = VideoInfo("camera", 32, 16)

    def __iter__(self):
        for index in range(2):
            yield Frame(flat_image(index, 32, 16), index, index / 25)
        raise SourceError("camera stopped delivering frames")

    def close(self):
        pass


def test_a_source_that_fails_is_heard_of_and_what_came_before_is_kept(tmp_path):
    written = []

    def job():
        with open_sink(tmp_path / "out.mp4", UnpluggedSource.info) as sink:
            run(
                UnpluggedSource(),
                Segmenter(2),
                VIEWS["segments"],
                sink,
                on_frame=lambda frame, _: written.append(frame.index),
            )

    with pytest.raises(SourceError, match=r"^camera stopped"):
        job()
    assert written == [0, 1]
    assert [path.name for path in tmp_path.iterdir()] == ["out.partial.mp4"]


def test_a_sink_that_fails_is_heard_of():
    with (
        DemoSource(32, 16, n_frames=3) as source,
        NullSink() as sink,
        pytest.raises(ValueError, match="expected an image"),
    ):
        run(source, Segmenter(2), lambda frame, segmentation: segmentation.labels, sink)
