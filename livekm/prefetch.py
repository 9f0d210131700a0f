"""Reading ahead and writing behind, in threads of their own, through short queues.

Decoders and encoders release the GIL, so that they work beside the segmentation. A full queue
makes the faster side wait, which bounds the memory; frames keep their order.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

from livekm.core.painting import Painting
from livekm.frame import Frame, Image
from livekm.outputs.base import Sink
from livekm.sources.base import Source

_LENGTH = 2  # frames in a queue: more take memory and save no time
_SLICE = 0.05  # seconds after which who waits looks whether the other side is still there

_Item = TypeVar("_Item")


class _Channel(Generic[_Item]):
    """A bounded queue between two threads, either of which may end or fail."""

    def __init__(self) -> None:
        self._queue: Queue[_Item] = Queue(_LENGTH)
        self.is_over = Event()  # nothing more will be put
        self.is_given_up = Event()  # nothing more will be taken
        self.error: BaseException | None = None

    def put(self, item: _Item) -> bool:
        """Wait for room; tell whether the item was taken over."""
        while not self.is_given_up.is_set():
            with suppress(Full):
                self._queue.put(item, timeout=_SLICE)
                return True
        return False

    def __iter__(self) -> Iterator[_Item]:
        while not self.is_given_up.is_set():
            was_over = self.is_over.is_set()
            try:
                yield self._queue.get(timeout=0 if was_over else _SLICE)
            except Empty:
                if was_over:
                    return


def _wait(ended: Event, thread: Thread) -> None:
    """Wait for a thread, which sets `ended` last; a Ctrl-C meanwhile is raised afterwards.

    What the thread works on is closed next. A `join` that Ctrl-C ends may take it for ended.
    """
    try:
        ended.wait()
    finally:
        ended.wait()
        thread.join()


class ReadAhead(Source):
    """Reads a source in a thread; the caller opens the source and closes it afterwards.

    Parameters
    ----------
    source : Source
    """

    def __init__(self, source: Source) -> None:
        self.info = source.info
        self._source = source
        self._channel: _Channel[Frame] = _Channel()
        self._thread = Thread(target=self._run, name="livekm reader", daemon=True)

    def __iter__(self) -> Iterator[Frame]:
        """Yield the source's frames in order; raise what reading them raised."""
        self._thread.start()
        yield from self._channel
        if self._channel.error is not None:
            raise self._channel.error

    def close(self) -> None:
        """End the thread."""
        self._channel.is_given_up.set()
        if self._thread.ident is not None:
            _wait(self._channel.is_over, self._thread)

    def _run(self) -> None:
        try:
            for frame in self._source:
                if not self._channel.put(frame):
                    return
        except BaseException as error:
            self._channel.error = error
        finally:
            self._channel.is_over.set()


class WriteBehind(Sink):
    """Writes to a sink in a thread; the caller opens the sink and closes it afterwards.

    Parameters
    ----------
    sink : Sink
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._channel: _Channel[tuple[Image | Painting, float | None, int | None]] = _Channel()
        self._is_idle = Event()
        self._thread = Thread(target=self._run, name="livekm writer", daemon=True)
        self._thread.start()

    def write(
        self, image: Image | Painting, time: float | None = None, index: int | None = None
    ) -> None:
        """Hand `image` over; raise what writing an earlier one raised."""
        if not self._channel.put((image, time, index)):
            self._raise()

    def close(self) -> None:
        """Wait until the last image is written; raise what writing raised."""
        self._channel.is_over.set()
        try:
            self._is_idle.wait()
        finally:
            self.abort()
        if self._channel.error is not None:
            self._raise()

    def abort(self) -> None:
        """Give up what waits."""
        self._channel.is_given_up.set()
        _wait(self._is_idle, self._thread)

    def _raise(self) -> None:
        assert self._channel.error is not None
        raise self._channel.error

    def _run(self) -> None:
        try:
            for image, time, index in self._channel:
                self._sink.write(image, time, index)
        except BaseException as error:
            self._channel.error = error
            self._channel.is_given_up.set()
        finally:
            self._is_idle.set()
