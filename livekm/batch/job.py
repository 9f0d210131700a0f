"""One clip of many: its outputs, its progress, its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Job:
    """One clip and its outputs.

    Attributes
    ----------
    source : Path
    output : Path or None
        The segmented clip.
    sidecars : mapping
        Key of `livekm.outputs.tables.SIDECARS` -> the file.
    """

    source: Path
    output: Path | None = None
    sidecars: Mapping[str, Path] = field(default_factory=dict, hash=False)

    @property
    def outputs(self) -> dict[str, Path]:
        """All files to write, by the option of the command line that asks for each."""
        return {**({"output": self.output} if self.output else {}), **self.sidecars}

    def remaining(self) -> Job:
        """Return the job without the outputs that exist; these are complete."""
        left = {option: path for option, path in self.outputs.items() if not path.exists()}
        return Job(self.source, left.pop("output", None), left)

    def absolute(self) -> Job:
        """Return the job with absolute paths, for a process in any folder."""
        files = {option: path.absolute() for option, path in self.outputs.items()}
        return Job(self.source.absolute(), files.pop("output", None), files)


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
    """The end of the work on a clip.

    Attributes
    ----------
    job : Job
    outcome : {"done", "skipped", "interrupted", "not begun", "failed"}
        Skipped where every output existed before.
    reason : str
        Why it failed; in one line.
    n_frames : int or None
    seconds : float
    warnings : tuple of str
    details : tuple of str
        What ``--verbose`` shows besides.
    """

    job: Job
    outcome: str
    reason: str = ""
    n_frames: int | None = None
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    details: tuple[str, ...] = ()


JobEvent: TypeAlias = JobProgress | JobResult
