"""Read a live source in a thread and keep its newest frame."""

from __future__ import annotations

import logging
import time
from threading import Event, Lock
from typing import Protocol, runtime_checkable

from livekm.channel import Channel, Work
from livekm.context import Closing
from livekm.errors import SourceError
from livekm.frame import Frame
from livekm.sources.base import Source

_SILENT = 2.0  # seconds without a frame, after which a source counts as interrupted
_RETRY = 0.5  # seconds from one try to open it again to the next
_GRACE = 0.1  # seconds for the thread to end by itself,
_PATIENCE = 0.1  # and once its source is closed

_log = logging.getLogger(__name__)


@runtime_checkable
class Reopenable(Protocol):
    """A live source that can be opened again when it failed, as `CameraSource` can.

    Attributes
    ----------
    opened_at : float
        The `time.monotonic` at which `Frame.time` is 0.
    """

    opened_at: float

    def reopen(self) -> None:
        """Open it again; raise `SourceError` if that fails."""


class NewestFrame(Closing):
    """Read a live source in a thread and keep its newest frame only.

    Who is slower than the source misses frames but never sees the past. Used as a context
    manager; the thread ends with the block, within a second.

    Parameters
    ----------
    source : Source
        Live and not read yet. The caller opens it and closes it afterwards; where it waits for a
        frame when the block ends, it is closed here, to end the wait.
    reconnect : bool, default True
        Open a source that is `Reopenable` again and again when it fails, until it is back. All
        else that fails ends the stream: `take` raises what was raised.

    Examples
    --------
    A robot that looks twice a second, at what is there now:

    >>> from livekm.sources import CameraSource
    >>> with CameraSource(0) as camera, NewestFrame(camera) as newest:  # doctest: +SKIP
    ...     while not newest.is_over:
    ...         frame = newest.take()
    ...         print(f"{frame.index}: {1e3 * newest.age:.0f} ms old")
    ...         time.sleep(0.5)
    """

    def __init__(self, source: Source, *, reconnect: bool = True) -> None:
        self._source = source
        device = source if isinstance(source, Reopenable) else None
        self._device = device if reconnect else None
        self._opened_at = None if device is None else device.opened_at
        self._channel: Channel[tuple[Frame, float]] = Channel(1, newest=True)
        self._work: Work | None = None
        self._stop = Event()
        self._taken_from: float | None = None
        self._state = Lock()  # guards what follows
        self._last_arrival = time.monotonic()
        self._failed = False

    def __enter__(self) -> NewestFrame:
        self._last_arrival = time.monotonic()
        self._work = Work(self._read, "read")
        return self

    def take(self, timeout: float | None = None) -> Frame | None:
        """Return the newest frame that was not taken yet, or wait for the next.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most; without it, until there is a frame or the source ends.

        Returns
        -------
        Frame or None
            None if none came in time, or at the end.

        Raises
        ------
        BaseException
            Whatever ended the thread, after the last frame was taken.
        SourceError
            If the source is interrupted and shall not be opened again.
        """
        newest = self._channel.take(timeout)
        if newest is not None:
            frame, self._taken_from = newest
            return frame
        if self._device is None and self.is_interrupted:
            raise SourceError(
                f"{self._source.info.name} has sent no frame for {_SILENT:g} s; "
                "check its cable or connection and open it again"
            )
        return None

    def discard(self) -> None:
        """Forget what came until now, without counting it as dropped."""
        self._channel.discard()

    @property
    def n_dropped(self) -> int:
        """Frames that came and went between two calls of `take`."""
        return self._channel.n_dropped

    @property
    def age(self) -> float | None:
        """Seconds since the frame that was last taken was captured; None before the first."""
        return None if self._taken_from is None else time.monotonic() - self._taken_from

    @property
    def is_interrupted(self) -> bool:
        """Whether the source failed and is not back yet, or has sent nothing for 2 seconds."""
        with self._state:
            silence = time.monotonic() - self._last_arrival
            is_away = self._failed or silence > _SILENT
        return is_away and not self._channel.is_over

    @property
    def is_over(self) -> bool:
        """Whether the source has ended and its last frame was taken."""
        return self._channel.is_over and self._channel.error is None

    def close(self) -> None:
        """End the thread, or leave it to itself where it can't be. Closing twice is allowed."""
        self._stop.set()
        if self._work is not None and not self._work.wait(_GRACE):  # it waits for a frame
            self._source.close()
            self._work.wait(_PATIENCE)

    def _read(self) -> None:
        try:
            self._read_all()
        except BaseException as error:
            self._channel.end(error)
        else:
            self._channel.end()

    def _read_all(self) -> None:
        while not self._stop.is_set():
            try:
                for frame in self._source:
                    self._keep(frame)
                    if self._stop.is_set():
                        break
            except SourceError as error:
                if self._device is None:
                    raise
                _log.info("%s", error)
                self._reconnect(self._device)
            else:
                return

    def _keep(self, frame: Frame) -> None:
        now = time.monotonic()
        captured_at = now if self._opened_at is None else self._opened_at + frame.time
        with self._state:
            self._last_arrival = now
            self._failed = False
        self._channel.put((frame, captured_at))

    def _reconnect(self, device: Reopenable) -> None:
        with self._state:
            self._failed = True
        while not self._stop.wait(_RETRY):
            try:
                device.reopen()
            except SourceError:
                continue
            return
