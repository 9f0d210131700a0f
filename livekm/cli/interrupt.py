"""Ctrl-C, SIGTERM and a closed terminal as a wish to end, so that outputs are completed."""

from __future__ import annotations

import _thread
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# SIGHUP, of a closed terminal, is unknown to Windows.
_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


class Interruption:
    """Whether the user wants to end; a callable, as `should_stop` takes it.

    Parameters
    ----------
    number : signal.Signals
        One of the signals that are handled.
    """

    def __init__(self, number: signal.Signals) -> None:
        self.requested = False
        self.insisted = False
        self._number = number

    def __call__(self) -> bool:
        """Tell whether to end.

        Raises
        ------
        KeyboardInterrupt
            If somebody insisted: an interruption is lost where it meets Python that C called.
        """
        if self.insisted:
            raise KeyboardInterrupt
        return self.requested

    def request(self) -> None:
        """Ask to end, as the first signal does."""
        self.requested = True

    def insist(self) -> None:
        """Interrupt the main thread, as the second signal does; from any thread.

        It is not a request too: the main thread might fulfil that before it is interrupted.
        """
        self.insisted = True
        _thread.interrupt_main(self._number)


@contextmanager
def interruption() -> Iterator[Interruption]:
    """Turn the first SIGINT, SIGTERM or SIGHUP into a request; a second one raises.

    A signal that is ignored stays so: nohup ignores SIGHUP to outlive the terminal, a shell script
    SIGINT for its background jobs. To be used in the main thread.

    Raises
    ------
    KeyboardInterrupt
        At the second signal, wherever the program is.
    """
    numbers = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    # One that is ignored would interrupt nothing where `insist` takes it; nobody sends this one.
    numbers = numbers or [signal.SIGABRT]
    state = Interruption(numbers[0])

    def note(number: int, frame: FrameType | None) -> None:
        if state.requested or state.insisted:
            raise KeyboardInterrupt
        state.requested = True

    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield state
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
