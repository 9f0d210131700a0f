"""The summary of a live session."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from livekm.live.choice import Choice


@dataclass(frozen=True, slots=True)
class LiveSummary:
    """The summary of a live session: frames, rate, age, recordings.

    Attributes
    ----------
    n_frames : int
        Frames shown.
    n_dropped : int
        Frames of a camera that came while the loop was busy, or frames of a clip that were left
        out to keep its speed.
    fps : float or None
        Frames a second, the mean over the last 10,000 frames.
    p95_ms : float or None
        The 95th percentile of the time from frame to frame, over the same frames.
    age_ms : float or None
        Milliseconds from a frame's capture to the screen, the median over the last frames. None
        for a clip.
    max_age_ms : float or None
        The age of the oldest of all.
    recordings : tuple of Path
        The files that were recorded.
    n_not_recorded : int
        Frames that the recordings' encoder left out to keep up.
    choice : Choice or None
        What the user chose in the window; None where nothing was changed.
    """

    n_frames: int
    n_dropped: int
    fps: float | None
    p95_ms: float | None
    age_ms: float | None = None
    max_age_ms: float | None = None
    recordings: tuple[Path, ...] = ()
    n_not_recorded: int = 0
    choice: Choice | None = None

    def to_text(self, name: str) -> str:
        """Return one line about the source of that name, and one about recordings."""
        parts = [f"{name}: {_frames(self.n_frames)}"]
        if self.fps is not None:
            parts.append(f"{self.fps:.1f} frames a second")
            parts.append(f"{1e3 / self.fps:.1f} ms a frame (95 % below {self.p95_ms:.1f})")
        if self.n_dropped:
            parts.append(f"{self.n_dropped} dropped")
        if self.age_ms is not None:
            parts.append(f"{self.age_ms:.0f} ms old on the screen")
        lines = [", ".join(parts)]
        if self.recordings:
            missing = f", {_frames(self.n_not_recorded)} left out" if self.n_not_recorded else ""
            lines.append(f"recorded {', '.join(map(str, self.recordings))}{missing}")
        return "\n".join(lines)


def _frames(n: int) -> str:
    return f"{n} frame" if n == 1 else f"{n} frames"
