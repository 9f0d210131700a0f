"""The newest frame of a live source: nothing old, nothing lost unnoticed, no thread left."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from queue import SimpleQueue

import numpy as np
import pytest

from livekm.errors import SourceError
from livekm.frame import Frame, VideoInfo
from livekm.live.capture import NewestFrame
from livekm.sources.base import Source


class Feed(Source):
    """A live source that delivers what a test puts into it: frames, and errors that it raises."""

    def __init__(self) -> None:
        self.info = VideoInfo("feed", 4, 2, is_live=True)
        self.items: SimpleQueue[Frame | BaseException | None] = SimpleQueue()
        self.n_taken = 0
        self._n_put = 0

    def put(self, n: int = 1) -> None:
        """Deliver `n` frames, and wait until they were taken."""
        for _ in range(n):
            image = np.zeros((2, 4, 3), np.uint8)
            self.items.put(Frame(image, self._n_put, time.monotonic()))
            self._n_put += 1
        deadline = time.monotonic() + 5
        while self.n_taken < self._n_put:
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def __iter__(self) -> Iterator[Frame]:
        while isinstance(item := self.items.get(), Frame):
            yield item
            self.n_taken += 1  # only now was it kept
        if item is not None:
            raise item

    def close(self) -> None:
        self.items.put(None)


class Device(Feed):
    """A live source that can be opened again: every second try works."""

    def __init__(self) -> None:
        super().__init__()
        self.opened_at = 0.0  # frames carry the time of the clock itself
        self.n_tries = 0

    def reopen(self) -> None:
        self.n_tries += 1
        if self.n_tries % 2:
            raise SourceError("not yet")


def test_a_slow_consumer_gets_the_newest_frame_and_the_others_are_counted() -> None:
    with Feed() as feed, NewestFrame(feed) as newest:
        feed.put(5)
        assert newest.take().index == 4
        assert newest.n_dropped == 4
        feed.put(1)
        assert newest.take().index == 5
        assert newest.n_dropped == 4


@pytest.mark.timed
def test_no_frame_is_given_twice_and_a_wait_has_an_end() -> None:
    with Feed() as feed, NewestFrame(feed) as newest:
        feed.put(1)
        assert newest.take() is not None
        before = time.monotonic()
        assert newest.take(0.05) is None
        assert 0.05 <= time.monotonic() - before < 0.5
        assert not newest.is_over


def test_a_waiting_consumer_is_woken_by_the_next_frame() -> None:
    with Feed() as feed, NewestFrame(feed) as newest:
        timer = threading.Timer(0.1, feed.put)
        timer.start()
        assert newest.take(5).index == 0
        timer.join()


def test_what_is_discarded_does_not_count_as_dropped() -> None:
    with Feed() as feed, NewestFrame(feed) as newest:
        feed.put(3)
        newest.discard()
        assert newest.take(0) is None
        feed.put(1)
        assert newest.take().index == 3
        assert newest.n_dropped == 0


@pytest.mark.timed
@pytest.mark.parametrize("kind", [Feed, Device])
def test_the_age_counts_from_the_capture_of_the_frame_that_was_taken(kind: type[Feed]) -> None:
    with kind() as feed, NewestFrame(feed) as newest:
        assert newest.age is None
        before = time.monotonic()
        feed.put(1)
        between = time.monotonic()
        time.sleep(0.1)
        feed_age_of_next = newest.take() and newest.age
        now = time.monotonic()
        assert now - between - 0.05 < feed_age_of_next <= now - before
        assert feed_age_of_next >= 0.1


@pytest.mark.parametrize("error", [ZeroDivisionError("bug"), SourceError("gone"), SystemExit(3)])
def test_an_error_of_the_thread_is_raised_in_the_caller_after_the_last_frame(
    error: BaseException,
) -> None:
    with Feed() as feed, NewestFrame(feed) as newest:
        feed.put(1)
        feed.items.put(error)
        assert newest.take(5).index == 0
        for _ in range(2):
            with pytest.raises(type(error)) as caught:
                newest.take(5)
            assert caught.value is error


def test_a_source_that_ends_is_over_after_its_last_frame() -> None:
    with Feed() as feed, NewestFrame(feed) as newest:
        feed.put(1)
        feed.items.put(None)
        assert newest.take(5).index == 0
        assert newest.take(5) is None
        assert newest.is_over


def test_a_device_that_fails_is_opened_again_until_it_is_back() -> None:
    with Device() as device, NewestFrame(device) as newest:
        device.put(1)
        assert newest.take().index == 0
        assert not newest.is_interrupted
        device.items.put(SourceError("unplugged"))
        assert newest.take(0.2) is None
        assert newest.is_interrupted
        timer = threading.Timer(0.9, device.put)
        timer.start()
        assert newest.take(5).index == 1
        assert device.n_tries == 2
        assert not newest.is_interrupted
        timer.join()


def test_a_device_that_shall_not_be_opened_again_ends_with_its_error() -> None:
    with Device() as device, NewestFrame(device, reconnect=False) as newest:
        device.items.put(SourceError("unplugged"))
        with pytest.raises(SourceError, match="unplugged"):
            newest.take(5)
        assert device.n_tries == 0


@pytest.mark.timed
def test_silence_is_an_interruption_and_an_error_where_nothing_can_be_opened_again() -> None:
    with (
        Device() as device,
        Feed() as feed,
        NewestFrame(device) as newest,
        NewestFrame(feed) as hopeless,
    ):
        assert newest.take(1.5) is None
        assert not newest.is_interrupted
        assert newest.take(0.7) is None
        assert newest.is_interrupted
        with pytest.raises(SourceError, match="feed has sent no frame for 2 s; check"):
            hopeless.take(0)
        device.put(1)
        assert not newest.is_interrupted


@pytest.mark.timed
@pytest.mark.parametrize("state", ["waiting", "reading", "reconnecting"])
def test_the_thread_ends_within_a_second(state: str) -> None:
    before_it = set(threading.enumerate())
    with Device() as device, NewestFrame(device) as newest:
        if state == "reading":
            device.put(3)
        if state == "reconnecting":
            device.items.put(SourceError("unplugged"))
            newest.take(0.1)
        before = time.monotonic()
        newest.close()
        assert time.monotonic() - before < 1
        assert set(threading.enumerate()) <= before_it
        newest.close()
