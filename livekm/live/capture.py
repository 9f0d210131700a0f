"""The newest frame of a live source, read by a thread."""

from __future__ import annotations

import logging
import time
from threading import Condition, Event, Thread
from typing import Protocol, runtime_checkable

from livekm.context import Closing
from livekm.errors import SourceError
from livekm.frame import Frame
from livekm.sources.base import Source

_SILENT = 2.0  # seconds without a frame, after which a source counts as interrupted
_RETRY = 0.5  # seconds from one try to open it again to the next
_JOIN = 0.5  # seconds for it to end once its source is closed
_GRACE = 0.1  # seconds for the thread to see by itself that it is to end

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
    """Reads a live source in a thread and keeps its newest frame only.

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

    Attributes
    ----------
    n_dropped : int
        Frames that came and went between two calls of `take`.

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
        self.n_dropped = 0
        self._source = source
        device = source if isinstance(source, Reopenable) else None
        self._device = device if reconnect else None
        self._opened_at = None if device is None else device.opened_at
        self._thread = Thread(target=self._run, name="livekm capture", daemon=True)
        self._stop = Event()
        self._changed = Condition()  # guards what follows
        self._newest: tuple[Frame, float] | None = None
        self._n_unseen = 0
        self._taken_from: float | None = None
        self._last_arrival = time.monotonic()
        self._failed = False
        self._over = False
        self._error: BaseException | None = None

    def __enter__(self) -> NewestFrame:
        self._last_arrival = time.monotonic()
        self._thread.start()
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
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._over, timeout)
            if self._newest is not None:
                (frame, self._taken_from), self._newest = self._newest, None
                self.n_dropped += self._n_unseen - 1
                self._n_unseen = 0
                return frame
            if self._error is not None:
                raise self._error
        if self._device is None and self.is_interrupted:
            raise SourceError(
                f"{self._source.info.name} has sent no frame for {_SILENT:g} s; "
                "check its cable or connection and open it again"
            )
        return None

    def discard(self) -> None:
        """Forget what came until now, without counting it as dropped."""
        with self._changed:
            self._newest = None
            self._n_unseen = 0

    @property
    def age(self) -> float | None:
        """Seconds since the frame that was last taken was captured; None before the first."""
        return None if self._taken_from is None else time.monotonic() - self._taken_from

    @property
    def is_interrupted(self) -> bool:
        """Whether the source failed and is not back yet, or has sent nothing for 2 seconds."""
        with self._changed:
            silence = time.monotonic() - self._last_arrival
            return not self._over and (self._failed or silence > _SILENT)

    @property
    def is_over(self) -> bool:
        """Whether the source has ended and its last frame was taken."""
        with self._changed:
            return self._over and self._newest is None and self._error is None

    def close(self) -> None:
        """End the thread. Closing twice is allowed."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_GRACE)
        if self._thread.is_alive():  # it waits for a frame
            self._source.close()
            self._thread.join(_JOIN)

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            self._read_all()
        except BaseException as caught:
            error = caught
        with self._changed:
            self._error, self._over = error, True
            self._changed.notify_all()

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
        with self._changed:
            self._newest = frame, captured_at
            self._n_unseen += 1
            self._last_arrival = now
            self._failed = False
            self._changed.notify_all()

    def _reconnect(self, device: Reopenable) -> None:
        with self._changed:
            self._failed = True
        while not self._stop.wait(_RETRY):
            try:
                device.reopen()
            except SourceError:
                continue
            return
