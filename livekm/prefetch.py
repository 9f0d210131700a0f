"""Read ahead and write behind, in threads of their own, through short queues.

Decoders and encoders release the GIL, so that they work beside the segmentation. A full queue
makes the faster side wait, which bounds the memory; frames keep their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from livekm.channel import Channel, Work
from livekm.frame import Frame, VideoInfo
from livekm.outputs.base import Sink
from livekm.outputs.tables.base import Sidecar
from livekm.sources.base import Source

_LENGTH = 2  # frames in a queue: more take memory and save no time
_SLICE = 0.05  # seconds after which a wait for a frame asks whether to stop
_GRACE = 0.1  # seconds for the thread to end by itself,
_PATIENCE = 0.1  # and once the camera is closed
_LONGEST = 2.0  # seconds for a recorded frame, which is being decoded


class ReadAhead(Source):
    """Read a source in a thread; the caller opens the source and closes it afterwards.

    Where a camera or a pipe keeps the thread waiting at the end, it is interrupted. A read that
    blocks all the same, in a network stream that stalls or on a disk that hangs, is left to itself.

    Parameters
    ----------
    source : Source
    should_stop : callable, optional
        Is asked while a frame is awaited whether to end.
    """

    def __init__(self, source: Source, *, should_stop: Callable[[], bool] = lambda: False) -> None:
        self.info: VideoInfo = source.info
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
            self._source.interrupt()
            try:
                self._work.wait(_LONGEST)
            except KeyboardInterrupt:
                self._work.wait(_LONGEST)
                raise
        elif not self._work.wait(_GRACE):
            self._source.interrupt()
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
    """Write to an output in a thread; the caller opens the output and closes it afterwards.

    Parameters
    ----------
    output : Sink or Sidecar
    drops : bool, default False
        Whether the oldest frame that waits is dropped where there is no room for the next one;
        otherwise `write` waits.
    """

    def __init__(self, output: Sink | Sidecar, *, drops: bool = False) -> None:
        super().__init__()
        self._output: Any = output
        self._channel: Channel[tuple[Any, ...]] = Channel(_LENGTH, newest=drops)
        self._work = Work(self._write_all, "write")

    @property
    def n_dropped(self) -> int:
        """Frames that newer ones replaced before they were written."""
        return self._channel.n_dropped

    def write(self, *frame: Any, **named: Any) -> None:
        """Hand over what the output's `write` takes; raise what writing an earlier one raised."""
        self._channel.put((frame, named))

    def close(self) -> None:
        """Wait until the last frame is written; raise what writing raised."""
        self._channel.end()
        try:
            while not self._work.wait(_SLICE):
                pass
        finally:
            self.abort()
        if self._channel.error is not None:
            raise self._channel.error

    def keep(self) -> None:
        """Wait until the last frame is written."""
        self.close()

    def abort(self) -> None:
        """Give up what waits, also for a reader."""
        self._channel.give_up()
        if not self._work.wait(0):
            self._output.give_up()
        self._work.wait()

    def _write_all(self) -> None:
        try:
            for frame, named in self._channel:
                self._output.write(*frame, **named)
        except BaseException as error:
            self._channel.give_up(error)
