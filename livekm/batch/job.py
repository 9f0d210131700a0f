"""One clip of many: where it goes, how far it is, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Job:
    """One clip and where it goes.

    Attributes
    ----------
    source : Path
    output : Path or None
        The segmented clip.
    labels, stats, figure, regions, save_palette : Path or None
        The sidecars that are asked for.
    """

    source: Path
    output: Path | None = None
    labels: Path | None = None
    stats: Path | None = None
    figure: Path | None = None
    regions: Path | None = None
    save_palette: Path | None = None

    @property
    def outputs(self) -> dict[str, Path]:
        """What is to be written, by the option of the command line that asks for it."""
        named = {field.name: getattr(self, field.name) for field in fields(self)[1:]}
        return {option: path for option, path in named.items() if path is not None}

    def remaining(self) -> Job:
        """Return the job without the outputs that are there, which are complete then."""
        left = {option: path for option, path in self.outputs.items() if not path.exists()}
        return Job(self.source, **left)

    def absolute(self) -> Job:
        """Return the job as it may be run in any folder."""
        outputs = {option: path.absolute() for option, path in self.outputs.items()}
        return Job(self.source.absolute(), **outputs)


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a clip in work is.

    Attributes
    ----------
    job : Job
    n_frames : int
    total : int or None
        Frames in all, as far as it is known.
    """

    job: Job
    n_frames: int
    total: int | None


@dataclass(frozen=True, slots=True)
class JobResult:
    """What became of a clip.

    Attributes
    ----------
    job : Job
    outcome : {"done", "skipped", "interrupted", "not begun", "failed"}
        Skipped is what was there already.
    reason : str
        Why it failed; in one line.
    n_frames : int or None
    seconds : float
    warnings : tuple of str
    """

    job: Job
    outcome: str
    reason: str = ""
    n_frames: int | None = None
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()


JobEvent: TypeAlias = JobProgress | JobResult
