"""Take Ctrl-C, SIGTERM and a closed terminal as a request to end, so that outputs are completed."""

from __future__ import annotations

import _thread
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# SIGHUP, of a closed terminal, is unknown to Windows.
_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


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

    def __call__(self) -> bool:
        """Tell whether to end.

        Raises
        ------
        KeyboardInterrupt
            After `insist`: where Python code that C called was running, its interrupt was lost.
        """
        if self.insisted:
            raise KeyboardInterrupt
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


@contextmanager
def interruption() -> Iterator[Interruption]:
    """Turn the first SIGINT, SIGTERM or SIGHUP into a request; the second one raises.

    Leave ignored signals ignored: nohup ignores SIGHUP to outlive the terminal, a shell script
    ignores SIGINT for its background jobs. In a thread other than the main one, which alone may
    set signal handlers, leave all signals as they are.

    Raises
    ------
    KeyboardInterrupt
        At the second signal, wherever the program is.
    """
    numbers = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    # `insist` needs a signal that is not ignored; nobody sends this one.
    numbers = numbers or [signal.SIGABRT]
    state = Interruption(numbers[0])

    def note(number: int, frame: FrameType | None) -> None:
        if state.requested or state.insisted:
            raise KeyboardInterrupt
        state.requested = True

    is_main = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, note) for number in numbers if is_main}
    try:
        yield state
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
