"""A short queue from one thread to another, with an end and an error, and work in a thread."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from threading import Condition, Event, Thread
from typing import Generic, TypeVar

_SLICE = 0.05  # seconds; on Windows a wait for a lock sees Ctrl-C only when it ends

_PREFIX = "livekm work: "

_Item = TypeVar("_Item")


class Channel(Generic[_Item]):
    """Hand items to another thread in order; at most `size` of them wait.

    The giving side calls `put` or `offer`, and `end` at last. The taking side calls `take` or
    iterates, and `give_up` where it wants no more.

    Parameters
    ----------
    size : int
    newest : bool, default False
        Whether `put` replaces the oldest item that waits, instead of waiting for room.

    Attributes
    ----------
    n_dropped : int
        Items that `offer` found no room for, or that newer ones replaced before they were taken.

    Examples
    --------
    >>> channel = Channel(2)
    >>> channel.put("a"), channel.put("b"), channel.offer("c")
    (True, True, False)
    >>> channel.end()
    >>> list(channel), channel.n_dropped
    (['a', 'b'], 1)
    """

    def __init__(self, size: int, *, newest: bool = False) -> None:
        self.n_dropped: int = 0
        self._size, self._newest = size, newest
        self._changed = Condition()  # guards what follows; re-entrant
        self._items: deque[_Item] = deque()
        self._n_replaced = 0
        self._has_ended = False
        self._is_given_up = False
        self._error: BaseException | None = None

    def put(self, item: _Item) -> bool:
        """Wait for room and add an item; return False if the taking side has given up.

        Raises
        ------
        BaseException
            What the taking side gave up with.
        """
        with self._changed:
            self._wait(lambda: self._is_given_up or self._newest or self._has_room())
            if self._is_given_up:
                self._raise()
                return False
            if not self._has_room():
                self._items.popleft()
                self._n_replaced += 1
            self._add(item)
            return True

    def offer(self, item: _Item) -> bool:
        """Add an item if there is room at once; return whether it was added."""
        with self._changed:
            fits = self._has_room() and not self._is_given_up
            if fits:
                self._add(item)
            else:
                self.n_dropped += 1
            return fits

    def end(self, error: BaseException | None = None) -> None:
        """Say that no more items come; `take` raises `error` after the last one."""
        with self._changed:
            self._has_ended, self._error = True, self._error or error
            self._changed.notify_all()

    def take(self, timeout: float | None = None) -> _Item | None:
        """Return the next item, or wait for it.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most; without it, until there is an item or an end.

        Returns
        -------
        item or None
            None if none came in time, or none will come.

        Raises
        ------
        BaseException
            What the giving side ended with, again at each call.
        """
        with self._changed:
            self._wait(lambda: bool(self._items) or self._is_closed(), timeout)
            if self._items:
                self.n_dropped += self._n_replaced
                self._n_replaced = 0
                self._changed.notify_all()
                return self._items.popleft()
            if self._is_closed():
                self._raise()
            return None

    def __iter__(self) -> Iterator[_Item]:
        """Yield the items until the end; raise what the giving side ended with."""
        while (item := self.take()) is not None:
            yield item

    def give_up(self, error: BaseException | None = None) -> None:
        """Say that no more items are taken; those that wait are lost, `put` raises `error`."""
        with self._changed:
            self._is_given_up, self._error = True, self._error or error
            self.discard()
            self._changed.notify_all()

    def discard(self) -> None:
        """Drop what waits without counting it."""
        with self._changed:
            self._items.clear()
            self._n_replaced = 0
            self._changed.notify_all()

    @property
    def is_over(self) -> bool:
        """Whether the last item was taken, and none will come."""
        with self._changed:
            return self._is_closed() and not self._items

    @property
    def error(self) -> BaseException | None:
        """What one side ended or gave up with."""
        return self._error

    def _has_room(self) -> bool:
        return len(self._items) < self._size

    def _is_closed(self) -> bool:
        return self._has_ended or self._is_given_up

    def _add(self, item: _Item) -> None:
        self._items.append(item)
        self._changed.notify_all()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _wait(self, is_done: Callable[[], bool], timeout: float | None = None) -> None:
        until = None if timeout is None else time.monotonic() + timeout
        while not is_done():
            left = _SLICE if until is None else min(_SLICE, until - time.monotonic())
            if left <= 0:
                return
            self._changed.wait(left)


class Work:
    """Run a function in a thread that does not keep the process from leaving.

    Parameters
    ----------
    function : callable
        Raises nothing: it tells a `Channel` what goes wrong.
    name : str
        Of the thread, behind a prefix that all have.
    """

    def __init__(self, function: Callable[[], None], name: str) -> None:
        self._function = function
        self._ended = Event()
        self._thread = Thread(target=self._run, name=f"{_PREFIX}{name}", daemon=True)
        self._thread.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the function to return; return whether it has.

        Without a timeout, a Ctrl-C meanwhile is raised when the function has returned: what it
        works on is closed next. `Thread.join` may take a thread for ended that is not, after a
        Ctrl-C.
        """
        try:
            return self._ended.wait(timeout)
        finally:
            if timeout is None:
                self._ended.wait()
            if self._ended.is_set():
                self._thread.join()

    def _run(self) -> None:
        try:
            self._function()
        finally:
            self._ended.set()


def is_work_left() -> bool:
    """Tell whether there is `Work` whose function has not returned."""
    return any(thread.name.startswith(_PREFIX) for thread in threading.enumerate())
