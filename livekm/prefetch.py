"""Read ahead and write behind, in threads of their own, through short queues.

Decoders and encoders release the GIL, so that they work beside the segmentation. A full queue
makes the faster side wait, which bounds the memory; frames keep their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from livekm.channel import Channel, Work
from livekm.core.painting import Painting
from livekm.frame import Frame, Image
from livekm.outputs.base import Sink
from livekm.sources.base import Source

_LENGTH = 2  # frames in a queue: more take memory and save no time
_SLICE = 0.05  # seconds after which a wait for a frame asks whether to stop
_GRACE = 0.1  # seconds for the thread to end by itself,
_PATIENCE = 0.1  # and once the camera is closed
_LONGEST = 2.0  # seconds for a recorded frame, which is being decoded


class ReadAhead(Source):
    """Read a source in a thread; the caller opens the source and closes it afterwards.

    Where a camera keeps the thread waiting at the end, it is closed here to end the wait. A read
    that blocks all the same, in a network stream that stalls or on a disk that hangs, is left to
    itself.

    Parameters
    ----------
    source : Source
    should_stop : callable, optional
        Is asked while a frame is awaited whether to end.
    """

    def __init__(self, source: Source, *, should_stop: Callable[[], bool] = lambda: False) -> None:
        self.info = source.info
        self._source = source
        self._should_stop = should_stop
        self._channel: Channel[Frame] = Channel(_LENGTH)
        self._work: Work | None = None

    def __iter__(self) -> Iterator[Frame]:
        """Yield the source's frames in order; raise what reading them raised."""
        self._work = Work(self._read, "read")
        while True:
            frame = self._channel.take(_SLICE)
            if frame is not None:
                yield frame
            elif self._channel.is_over or self._should_stop():
                return

    def close(self) -> None:
        """End the thread."""
        self._channel.give_up()
        if self._work is None:
            return
        if not self.info.is_live:
            try:
                self._work.wait(_LONGEST)
            except KeyboardInterrupt:
                self._work.wait(_LONGEST)
                raise
        elif not self._work.wait(_GRACE):
            self._source.close()
            self._work.wait(_PATIENCE)

    def _read(self) -> None:
        try:
            for frame in self._source:
                if not self._channel.put(frame):
                    return
        except BaseException as error:
            self._channel.end(error)
        else:
            self._channel.end()


class WriteBehind(Sink):
    """Write to a sink in a thread; the caller opens the sink and closes it afterwards.

    Parameters
    ----------
    sink : Sink
    """

    def __init__(self, sink: Sink) -> None:
        super().__init__()
        self._sink = sink
        self._channel: Channel[tuple[Image | Painting, float | None, int | None]] = Channel(_LENGTH)
        self._work = Work(self._write_all, "write")

    def write(
        self, image: Image | Painting, time: float | None = None, index: int | None = None
    ) -> None:
        """Hand `image` over; raise what writing an earlier one raised."""
        self._channel.put((image, time, index))

    def close(self) -> None:
        """Wait until the last image is written; raise what writing raised."""
        self._channel.end()
        try:
            while not self._work.wait(_SLICE):
                pass
        finally:
            self.abort()
        if self._channel.error is not None:
            raise self._channel.error

    def keep(self) -> None:
        """Wait until the last image is written."""
        self.close()

    def abort(self) -> None:
        """Give up what waits."""
        self._channel.give_up()
        self._work.wait()

    def _write_all(self) -> None:
        try:
            for image, time, index in self._channel:
                self._sink.write(image, time, index)
        except BaseException as error:
            self._channel.give_up(error)
