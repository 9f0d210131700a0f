"""Many clips at once: which inputs become which outputs, and a process for each clip."""

from __future__ import annotations

import glob
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

CLIP_SUFFIXES = frozenset(
    ".3gp .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .ogv .ts .webm .wmv".split()  # noqa: SIM905
)
_KEPT_SUFFIXES = frozenset((".mp4", ".mov", ".mkv"))  # of outputs; others become .mp4
_SLICE = 0.1  # seconds from one look at a process to the next


@dataclass(frozen=True, slots=True)
class Job:
    """One clip and where it goes."""

    source: Path
    target: Path


@dataclass(frozen=True, slots=True)
class JobResult:
    """What became of a clip.

    Attributes
    ----------
    job : Job
    outcome : str
        ``"done"``, ``"skipped"`` since its output is there, ``"interrupted"``, or what failed.
    n_frames : int or None
    seconds : float
    """

    job: Job
    outcome: str
    n_frames: int | None = None
    seconds: float = 0.0

    @property
    def has_failed(self) -> bool:
        """Whether there is no output because something went wrong."""
        return self.outcome not in ("done", "skipped", "interrupted")


def is_archive(inputs: Sequence[str]) -> bool:
    """Tell whether the inputs are many clips: several names, or a folder or pattern of clips."""
    if len(inputs) > 1:
        return True
    return not Path(inputs[0]).is_file() and any(True for _ in _expand(inputs[0], None))


def plan_jobs(inputs: Sequence[str], folder: Path, suffix: str = "") -> list[Job]:
    """Return what is to be done, in the order of the inputs.

    Parameters
    ----------
    inputs : sequence of str
        Clips; folders, in which all clips are found, however deep; patterns (``night/**/*.mp4``).
    folder : Path
        Of the outputs. The folders below an input folder are made below it again. What lies in it
        is no input.
    suffix : str
        Is added to the names of the clips. Outputs are MP4, MOV or Matroska, as the inputs are;
        of other inputs MP4.

    Raises
    ------
    ValueError
        If there is no clip, or if two would have the same output.
    """
    jobs: dict[Path, Job] = {}
    for name in inputs:
        found = 0
        for source, below in _expand(name, folder):
            kind = source.suffix.lower()
            ending = source.suffix if kind in _KEPT_SUFFIXES else ".mp4"
            target = folder / below.with_name(f"{below.stem}{suffix}{ending}")
            before = jobs.get(target)
            if before is not None and before.source.resolve() != source.resolve():
                raise ValueError(
                    f"{before.source} and {source} would both become {target}; rename one of them"
                )
            jobs[target] = Job(source, target)
            found += 1
        if not found:
            raise ValueError(f"{name}: there is no clip; check its name and folder")
    return list(jobs.values())


def _expand(name: str, folder: Path | None) -> Iterable[tuple[Path, Path]]:
    """Yield each clip that `name` stands for, and its place below the `folder` of the outputs."""
    path = Path(name)
    if path.is_file():
        yield path, Path(path.name)
        return
    found = path.rglob("*") if path.is_dir() else map(Path, glob.glob(name, recursive=True))  # noqa: PTH207
    own = None if folder is None else folder.resolve()
    for clip in sorted(found):
        is_clip = clip.suffix.lower() in CLIP_SUFFIXES and clip.is_file()
        # A name with ".part" or ".partial" is not complete: livekm's own, of an earlier run.
        is_whole = not clip.name.startswith(".") and ".partial" not in clip.suffixes
        if is_clip and is_whole and own not in clip.resolve().parents:
            yield clip, clip.relative_to(path) if path.is_dir() else Path(clip.name)


def run_jobs(
    jobs: Sequence[Job],
    arguments: Sequence[str],
    *,
    workers: int = 1,
    skip_existing: bool = False,
    on_result: Callable[[JobResult], None] = lambda result: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> list[JobResult]:
    """Run ``livekm SOURCE -o TARGET`` for each job, in processes of their own.

    What happens to one clip, even to its process, leaves the others alone.

    Parameters
    ----------
    jobs : sequence of Job
    arguments : sequence of str
        Further arguments of the command line.
    workers : int, default 1
        Processes at a time.
    skip_existing : bool, default False
        Whether a clip whose output is there counts as done.
    on_result : callable, optional
        Is called with each `JobResult` as it comes.
    should_stop : callable, optional
        Asked again and again whether to end; clips in work then are completed as partial.

    Returns
    -------
    results : list of JobResult
        In the order of the jobs.
    """

    def work(job: Job) -> JobResult:
        if should_stop():
            return JobResult(job, "interrupted")
        if skip_existing and job.target.exists():
            return JobResult(job, "skipped")
        return _run(job, arguments, should_stop)

    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(work, job) for job in jobs]
        for future in as_completed(futures):
            on_result(future.result())
        return [future.result() for future in futures]


def _run(job: Job, arguments: Sequence[str], should_stop: Callable[[], bool]) -> JobResult:
    start = time.perf_counter()
    try:
        job.target.parent.mkdir(parents=True, exist_ok=True)
        process = subprocess.Popen(
            [sys.executable, "-m", "livekm", str(job.source), "-o", str(job.target), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a Ctrl-C of the terminal comes from here, and once
        )
    except OSError as error:
        return JobResult(job, f"{job.target}: {error.strerror}")
    is_stopped = False
    while True:
        try:
            out, err = process.communicate(timeout=_SLICE)
            break
        except subprocess.TimeoutExpired:
            if should_stop() and not is_stopped:
                process.terminate()
                is_stopped = True
    seconds = time.perf_counter() - start
    counted = re.search(r": (\d+) frames?", out)
    n_frames = int(counted[1]) if counted else None
    if process.returncode == 0:
        return JobResult(job, "done", n_frames, seconds)
    if is_stopped:
        return JobResult(job, "interrupted", n_frames, seconds)
    said = [line for line in err.splitlines() if line.startswith("livekm: ")]
    died = f"the process ended by signal {-process.returncode}"
    why = died if process.returncode < 0 else f"exit code {process.returncode}"
    return JobResult(job, said[-1][8:] if said else why, n_frames, seconds)
