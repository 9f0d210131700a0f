"""The live loop without a window: the newest frames, the source's own speed, and a clean end."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from clips import flat_image, index_of, make_clip

import livekm
from livekm.channel import is_work_left
from livekm.errors import SourceError
from livekm.frame import Frame, VideoInfo
from livekm.sources import Source


class Camera(Source):
    """A live source of 25 grey levels that waits for nobody."""

    def __init__(self, n_frames: int = 25) -> None:
        self.info = VideoInfo("camera", 8, 6, is_live=True)
        self.n_frames, self.is_closed = n_frames, False

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self.n_frames):
            if self.is_closed:
                return
            yield Frame(flat_image(index, 8, 6), index, time.monotonic())
            time.sleep(0.004)

    def close(self) -> None:
        self.is_closed = True


def test_a_slow_loop_gets_the_newest_frame_each_time_and_counts_the_others():
    frames = livekm.live_frames(Camera())
    seen = []
    for frame, segmentation in frames:
        assert segmentation.labels.shape == (6, 8)
        assert frames.age < 2
        seen.append(frame.index)
        time.sleep(0.03)
    assert seen == sorted(set(seen))
    assert seen[-1] == 24
    assert len(seen) + frames.n_dropped == 25
    assert frames.n_dropped > 0


def test_a_loop_that_is_left_releases_the_source_at_once():
    camera = Camera(10_000)
    for _ in livekm.live_frames(camera):
        break
    assert camera.is_closed
    assert not is_work_left()


def test_a_callback_gets_each_frame_at_the_scale_and_all_are_counted():
    seen = []
    n_frames = livekm.live_frames(Camera(), scale=0.5, max_frames=3).run(
        lambda frame, segmentation: seen.append((frame.image.shape, segmentation.labels.shape))
    )
    assert n_frames == 3
    assert seen == [((3, 4, 3), (3, 4))] * 3


def test_who_wants_to_stop_need_not_wait_for_a_frame():
    class Silent(Camera):
        def __iter__(self) -> Iterator[Frame]:
            while not self.is_closed:
                time.sleep(0.01)
            yield from ()

    asked = []
    frames = livekm.live_frames(Silent(), should_stop=lambda: asked.append(1) or len(asked) > 2)
    assert list(frames) == []


def test_a_source_that_fails_for_good_is_told():
    class Failing(Camera):
        def __iter__(self) -> Iterator[Frame]:
            yield Frame(flat_image(0, 8, 6), 0, 0.0)
            raise SourceError("the cable is out")

    with pytest.raises(SourceError, match="the cable is out"):
        list(livekm.live_frames(Failing()))


@pytest.mark.parametrize("seconds", [0.0, 0.25])
def test_a_clip_plays_at_its_own_speed(seconds, tmp_path):
    make_clip(tmp_path / "in.mp4", 10, fps=20)
    start = time.perf_counter()
    frames = livekm.live_frames(tmp_path / "in.mp4", livekm.Segmenter(1))
    seen = []
    for frame, _ in frames:
        seen.append(index_of(frame.image))
        time.sleep(seconds)
    assert time.perf_counter() - start >= 0.45
    assert len(seen) + frames.n_dropped == 10
    if seconds:
        assert frames.n_dropped > 0


@pytest.mark.parametrize("wrong", [{"scale": 0}, {"max_frames": 0}])
def test_parameters_out_of_range_are_told(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        livekm.live_frames(Camera(), **wrong)
