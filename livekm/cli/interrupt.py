"""Take Ctrl-C, SIGTERM and a closed terminal as a request to end, so that outputs are completed."""

from __future__ import annotations

import _thread
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from livekm.context import GiveUp
from livekm.outputs.atomic import discard_part_files

INTERRUPTED = 130
"""The exit code of a run that the user ended."""

# SIGHUP, of a closed terminal, is unknown to Windows.
_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]

_PATIENCE = 2.0  # seconds in which a process that was interrupted cleans up by itself


class Interruption:
    """Tell whether the user wants to end; a callable, as `should_stop` takes it.

    Parameters
    ----------
    number : signal.Signals
        The signal that `insist` simulates.
    """

    def __init__(self, number: signal.Signals) -> None:
        self.requested: bool = False
        self.insisted: bool = False
        self._number = number
        self._is_over = threading.Event()

    def __call__(self) -> bool:
        """Tell whether to end.

        Raises
        ------
        GiveUp
            After `insist`: where Python code that C called was running, its interrupt was lost.
        """
        if self.insisted:
            raise GiveUp
        return self.requested

    def request(self) -> None:
        """Ask to end, as the first signal does."""
        self.requested = True

    def insist(self) -> None:
        """Interrupt the main thread, as the second signal does; callable from any thread.

        Do not set `requested`: the main thread could exit before the interrupt arrives.
        """
        self.insisted = True
        _thread.interrupt_main(self._number)
        self.leave_soon()

    def leave_soon(self) -> None:
        """End the process in a moment, without its part files, unless the run ends by itself.

        A read that blocks in C, on a disk that hangs or a pipe, ends at no signal.
        """
        threading.Thread(target=self._leave, name="livekm leave", daemon=True).start()

    def end(self) -> None:
        """Say that the run has ended."""
        self._is_over.set()

    def _leave(self) -> None:
        if not self._is_over.wait(_PATIENCE):
            discard_part_files()
            os._exit(INTERRUPTED)


@contextmanager
def interruption() -> Iterator[Interruption]:
    """Turn the first SIGINT, SIGTERM or SIGHUP into a request; the second one raises.

    Leave ignored signals ignored: nohup ignores SIGHUP to outlive the terminal, a shell script
    ignores SIGINT for its background jobs. In a thread other than the main one, which alone may
    set signal handlers, leave all signals as they are.

    Raises
    ------
    GiveUp
        At the second signal, wherever the program is. Where it does not get there within two
        seconds, the process ends.
    """
    numbers = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    # `insist` needs a signal that is not ignored; nobody sends this one.
    numbers = numbers or [signal.SIGABRT]
    state = Interruption(numbers[0])

    def note(number: int, frame: FrameType | None) -> None:
        if state.requested or state.insisted:
            raise GiveUp
        state.requested = True

    if threading.current_thread() is not threading.main_thread():
        yield state
        return
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        with _watched(state, numbers):
            yield state
    finally:
        state.end()
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _watched(state: Interruption, numbers: list[signal.Signals]) -> Iterator[None]:
    """Count the signals in a thread: handlers wait until C returns to the main thread."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)

    def count() -> None:
        n = 0
        while received := ours.recv(64):
            n += sum(number in numbers for number in received)
            if n > 1:
                state.leave_soon()

    thread = threading.Thread(target=count, name="livekm signals", daemon=True)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        theirs.close()
        thread.join()
        ours.close()
