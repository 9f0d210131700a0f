"""Reading ahead and writing behind: order, bounds, errors, and an end in every case."""

from __future__ import annotations

import signal
import sys
import threading
import time

import numpy as np
import pytest

from livekm.context import GiveUp
from livekm.errors import SinkError, SourceError
from livekm.frame import Frame, VideoInfo
from livekm.outputs.base import Sink
from livekm.prefetch import ReadAhead, WriteBehind
from livekm.sources.base import Source

IMAGE = np.zeros((2, 2, 3), np.uint8)
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


class Numbers(Source):
    """Counts, and fails after the last number if it is told to."""

    def __init__(self, n: int, error: Exception | None = None) -> None:
        self.info = VideoInfo("numbers", 2, 2, n_frames=n)
        self.given = 0
        self._n, self._error = n, error

    def __iter__(self):
        for i in range(self._n):
            self.given += 1
            yield Frame(IMAGE, i, float(i))
        if self._error:
            raise self._error

    def close(self) -> None: ...


class Notes(Sink):
    """Notes what it is told, and fails at one index if it is told to."""

    def __init__(self, fails_at: int = -1, seconds: float = 0.0) -> None:
        self.events: list[object] = []
        self._fails_at, self._seconds = fails_at, seconds

    def write(self, image, moment=None, index=None) -> None:
        time.sleep(self._seconds)
        if index == self._fails_at:
            raise SinkError("disk full")
        self.events.append(index)

    def close(self) -> None:
        self.events.append("closed")

    def keep(self) -> None:
        self.events.append("kept")

    def abort(self) -> None:
        self.events.append("aborted")


def write_behind(sink: Sink, n: int, error: Exception | None = None) -> None:
    with sink, WriteBehind(sink) as behind:
        for frame in Numbers(n, error):
            behind.write(IMAGE, frame.time, frame.index)


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def test_frames_come_in_order_and_all():
    with ReadAhead(Numbers(50)) as frames:
        assert [frame.index for frame in frames] == list(range(50))


def test_a_slow_reader_bounds_what_waits():
    source = Numbers(1000)
    with ReadAhead(source) as frames:
        for frame in frames:
            time.sleep(0.01)
            assert source.given <= frame.index + 6
            if frame.index == 20:
                break


def test_what_reading_raises_comes_after_the_last_frame():
    with ReadAhead(Numbers(5, SourceError("gone"))) as frames:
        iterator = iter(frames)
        assert [next(iterator).index for _ in range(5)] == list(range(5))
        with pytest.raises(SourceError, match="gone"):
            next(iterator)


def test_a_source_that_is_never_read_ends_too():
    with ReadAhead(Numbers(5)):
        pass


def test_images_are_written_in_order_before_the_sink_is_closed():
    sink = Notes(seconds=0.005)
    write_behind(sink, 20)
    assert sink.events == [*range(20), "closed"]


def test_what_writing_raises_reaches_the_loop_and_the_output_is_kept():
    sink = Notes(fails_at=3)
    with pytest.raises(SinkError, match="disk full"):
        write_behind(sink, 1000)
    assert sink.events == [0, 1, 2, "kept"]


def test_what_writing_the_last_image_raises_is_not_lost():
    sink = Notes(fails_at=1, seconds=0.05)
    with pytest.raises(SinkError, match="disk full"):
        write_behind(sink, 2)
    assert sink.events == [0, "kept"]


def test_an_error_in_the_loop_keeps_all_that_was_handed_over():
    sink = Notes(seconds=0.01)
    with pytest.raises(SourceError, match="gone"):
        write_behind(sink, 5, SourceError("gone"))
    assert sink.events == [*range(5), "kept"]


def interrupt_main() -> None:
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    time.sleep(0.1)


@posix_only
def test_an_interruption_while_the_reader_ends_does_not_leave_it_at_work():
    class Interrupting(Numbers):
        def __iter__(self):
            yield Frame(IMAGE, 0, 0.0)
            is_left.wait()
            interrupt_main()
            self.given = 1

    is_left, source = threading.Event(), Interrupting(1)
    with pytest.raises(KeyboardInterrupt):
        read_one(source, is_left)
    assert source.given == 1


def read_one(source: Source, is_left: threading.Event) -> None:
    with ReadAhead(source) as frames:
        next(iter(frames))
        is_left.set()


@posix_only
@pytest.mark.parametrize(("error", "end"), [(KeyboardInterrupt, "kept"), (GiveUp, "aborted")])
def test_an_interruption_while_the_last_images_are_written_keeps_them_or_gives_up(error, end):
    def interrupt(number, frame):
        raise error

    class Interrupting(Notes):
        def write(self, image, moment=None, index=None) -> None:
            super().write(image, moment, index)
            if index == 2:
                interrupt_main()

    sink, before = Interrupting(), signal.signal(signal.SIGINT, interrupt)
    try:
        with pytest.raises(error):
            write_behind(sink, 4)
    finally:
        signal.signal(signal.SIGINT, before)
    assert sink.events[:3] == [0, 1, 2]
    assert sink.events[-1] == end
