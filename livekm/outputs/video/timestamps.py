"""Convert seconds to the integer time stamps of a clip, and these to durations."""

from __future__ import annotations

import math
from fractions import Fraction


class Timestamps:
    """Presentation times in ticks of a clip's time base.

    Times that are multiples of the time base keep their exact value. The origin moves to the first
    frame if that comes before 0, which MP4 would cut off, or if `from_zero` is set.

    Parameters
    ----------
    time_base : Fraction
        Seconds a tick.
    from_zero : bool
        Whether the first frame's time becomes 0.
    first_duration : Fraction
        Seconds that the only frame of a one-frame clip lasts.
    spacing : int, optional
        The least number of ticks between two frames, of a clip with coarse ticks: a frame that
        comes too early is delayed. Without it, two frames on one tick are an error.

    Examples
    --------
    >>> stamps = Timestamps(Fraction(1, 30000))
    >>> [stamps.stamp(n * 1001 / 30000) for n in (0, 1, 3)]
    [0, 1001, 3003]
    >>> [stamps.pop_duration(pts) for pts in (0, 1001, 3003)]
    [1001, 2002, 2002]
    """

    def __init__(
        self,
        time_base: Fraction,
        *,
        from_zero: bool = False,
        first_duration: Fraction = Fraction(1, 25),
        spacing: int | None = None,
    ) -> None:
        self.time_base = time_base
        self._from_zero = from_zero
        self._spacing = spacing
        self._last_time = -math.inf
        self._origin: int | None = None
        self._first: int | None = None
        self._last: int | None = None
        self._period = max(1, round(first_duration / time_base))
        self._durations: dict[int, int] = {}

    @property
    def origin(self) -> Fraction:
        """Return the time in seconds that became 0; known from the first stamp on."""
        return (self._origin or 0) * self.time_base

    @property
    def first(self) -> Fraction:
        """Return when the first frame is shown, in seconds of the clip."""
        return (self._first or 0) * self.time_base

    @property
    def last(self) -> Fraction:
        """Return when the last frame is shown, in seconds of the clip."""
        return (self._last or 0) * self.time_base

    @property
    def end(self) -> Fraction:
        """Return when the last frame ends, in seconds of the clip."""
        return self.last + self._period * self.time_base

    def stamp(self, time: float) -> int:
        """Return the stamp of the next frame, shown at `time` seconds.

        Raises
        ------
        ValueError
            If `time` is not finite or not at least one tick later than the time before; with a
            spacing, if it is not later.
        """
        if not math.isfinite(time):
            raise ValueError(f"expected a finite frame time in seconds, got {time}")
        ticks = round(time / self.time_base)
        if self._origin is None:
            self._origin = ticks if self._from_zero or ticks < 0 else 0
            self._first = ticks - self._origin
        pts = ticks - self._origin
        if self._last is not None:
            if self._spacing is not None and time > self._last_time:
                pts = max(pts, self._last + self._spacing)
            if pts <= self._last:
                raise ValueError(
                    f"frame times must increase, got {time:g} s after {self._last_time:g} s"
                )
            self._period = self._durations[self._last] = pts - self._last
        self._last, self._last_time = pts, time
        return pts

    def pop_duration(self, pts: int) -> int:
        """Return the ticks from `pts` to the next stamp; the last frame lasts as the one before."""
        return self._durations.pop(pts, self._period)
