"""The processing scale at which a frame loop holds its rate."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

_SCALES = (1.0, 0.75, 0.5, 0.375, 0.25)
_WINDOW = 10  # frames whose median decides
_FULL, _ROOM = 0.95, 0.7  # parts of a period: lower the scale above, raise it below


class AutoScale:
    """Lowers the scale when frames take longer than their period, and raises it when they need not.

    The time of a frame is assumed to grow with its pixels. The scale rises only where the expected
    time leaves room, so that it does not swing; after a rise that had to be undone, the next one
    waits twice as long.

    Parameters
    ----------
    fps : float or None
        Frames a second that are wanted; None, for no matter, leaves the scale at 1.

    Attributes
    ----------
    scale : float

    Examples
    --------
    >>> pace = AutoScale(fps=25)
    >>> for _ in range(20):
    ...     pace.note(seconds=0.1 * pace.scale**2)  # 100 ms at full size: 10 frames a second
    >>> pace.scale
    0.5
    """

    def __init__(self, fps: float | None) -> None:
        self.scale: float = 1.0
        self._period = 1 / fps if fps else math.inf
        self._times: deque[float] = deque(maxlen=_WINDOW)
        self._calm = 0  # windows in a row with room for the next larger scale
        self._patience = 2  # windows that it takes to go up
        self._rose = False

    def note(self, seconds: float) -> None:
        """Take the time of the last frame, without waiting, and choose the next one's scale."""
        self._times.append(seconds)
        if len(self._times) < _WINDOW:
            return
        load = float(np.median(self._times)) / self._period
        place = _SCALES.index(self.scale)
        if load > _FULL:
            if self._rose:
                self._patience = min(64, 2 * self._patience)
            fitting = [s for s in _SCALES if load * (s / self.scale) ** 2 <= _FULL]
            self._go(max(fitting, default=_SCALES[-1]), rose=False)
        elif place > 0 and load * (_SCALES[place - 1] / self.scale) ** 2 < _ROOM:
            self._calm += 1
            if self._calm >= self._patience:
                self._go(_SCALES[place - 1], rose=True)
            else:
                self._times.clear()
        else:
            self._calm = 0
            self._rose = False
            self._times.clear()

    def _go(self, scale: float, *, rose: bool) -> None:
        self._rose = rose
        self._calm = 0
        self.scale = scale
        self._times.clear()
