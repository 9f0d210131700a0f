"""Run a livekm process for each clip, and read its reports."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, Queue
from typing import IO

from livekm.batch.job import Job, JobEvent, JobProgress, JobResult
from livekm.batch.protocol import REPORT_OPTION, STOP, Report
from livekm.core.threads import available_cores
from livekm.outputs.tables import SIDECARS

_SLICE = 0.1  # seconds between two looks at a process


def run_jobs(
    jobs: Sequence[Job],
    arguments: Sequence[str],
    *,
    workers: int = 1,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[JobEvent]:
    """Run livekm for each job in a process of its own, and yield what happens.

    A clip that fails, or whose process dies, leaves the others alone.

    Parameters
    ----------
    jobs : sequence of Job
    arguments : sequence of str
        Further arguments of the command line. Without ``--threads`` among them, the processes
        share the processors.
    workers : int, default 1
        Processes at a time.
    should_stop : callable, optional
        Tell whether to end; clips in work are then completed as partial.

    Yields
    ------
    event : JobProgress or JobResult
        For each job any number of the first and then one of the second; jobs in any order.
    """
    events: Queue[JobEvent | BaseException] = Queue()
    stop = threading.Event()
    shared = [*share_of_processors(workers), *arguments]

    def work(job: Job) -> None:
        try:
            events.put(run_job(job, shared, events.put, stop.is_set))
        except BaseException as error:
            events.put(error)

    with ThreadPoolExecutor(workers) as pool:
        try:
            for job in jobs:
                pool.submit(work, job)
            yield from collect(events, len(jobs), should_stop, stop.set)
        finally:
            stop.set()


def share_of_processors(n_clips: int) -> list[str]:
    """Return the arguments that limit each of `n_clips` clips in work to its share.

    Examples
    --------
    >>> share_of_processors(10**6)
    ['--threads=1']
    """
    return [] if n_clips == 1 else [f"--threads={max(1, available_cores() // n_clips)}"]


def collect(
    events: Queue[JobEvent | BaseException],
    n_jobs: int,
    should_stop: Callable[[], bool],
    stop: Callable[[], None],
) -> Iterator[JobEvent]:
    """Yield events until each of `n_jobs` has its result; call `stop` once on `should_stop`."""
    is_stopped = False
    while n_jobs:
        if should_stop() and not is_stopped:
            is_stopped = True
            stop()
        with contextlib.suppress(Empty):
            event = events.get(timeout=_SLICE)
            if isinstance(event, BaseException):
                raise event
            n_jobs -= isinstance(event, JobResult)
            yield event


def run_job(
    job: Job,
    arguments: Sequence[str],
    on_progress: Callable[[JobProgress], None] = lambda progress: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> JobResult:
    """Run livekm for one job in a process of its own, which ends when this one ends.

    Parameters
    ----------
    job : Job
    arguments : sequence of str
        Further arguments of the command line.
    on_progress : callable, optional
        Take each `JobProgress`.
    should_stop : callable, optional
        Tell whether to end; the clip is then completed as partial.
    """
    if should_stop():
        return JobResult(job, "not begun")
    start = time.perf_counter()
    texts: dict[str, list[str]] = {"detail": [], "warning": [], "failure": []}
    reason, n_frames, is_stopped = "", None, False
    try:
        with _Child(job, arguments) as child:
            for report in child.reports():
                if should_stop() and not is_stopped:
                    is_stopped = True
                    child.ask_to_stop()
                if report is None:
                    continue
                if report.kind == "progress":
                    n_frames = report.n_frames
                    on_progress(JobProgress(job, report.n_frames, report.total))
                else:
                    texts[report.kind].append(report.text)
            code, reason = child.wait()
    except OSError as error:
        code, reason = 1, f"{error.filename}: {error.strerror}; choose another folder"
    missing = [path for path in job.outputs.values() if not path.exists()]
    if code == 0 and missing:
        outcome, reason = "failed", f"{job.source}: the process ended without writing {missing[0]}"
    elif code == 0:
        outcome, reason = "done", ""
    elif is_stopped:
        outcome, reason = "interrupted", ""
    else:
        outcome, reason = "failed", "".join(texts["failure"]) or reason
    return JobResult(
        job,
        outcome,
        reason,
        n_frames,
        time.perf_counter() - start,
        tuple(texts["warning"]),
        tuple(texts["detail"]),
    )


class _Child:
    """A livekm process and its reports; a context manager that ends it."""

    def __init__(self, job: Job, arguments: Sequence[str]) -> None:
        for output in job.outputs.values():
            output.parent.mkdir(parents=True, exist_ok=True)
        self._job = job
        self._errors: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._reports: Queue[Report | None] = Queue()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _start(), REPORT_OPTION, *arguments, *_files(job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # pass a Ctrl-C of the terminal on from here, once
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *exception: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # ends a process that still works
        self._process.wait()
        self._reader.join()
        self._process.stdout.close()
        self._errors.close()

    def reports(self) -> Iterator[Report | None]:
        """Yield the reports until the process closes its stdout; None after a slice without."""
        while self._reader.is_alive() or not self._reports.empty():
            report = None
            with contextlib.suppress(Empty):
                report = self._reports.get(timeout=_SLICE)
            yield report

    def ask_to_stop(self) -> None:
        """Ask the process to complete what it has."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended
            self._process.stdin.write(STOP)
            self._process.stdin.flush()

    def wait(self) -> tuple[int, str]:
        """Return the exit code, and the last line of stderr or the signal that ended it."""
        code = self._process.wait()
        if code < 0:
            return code, f"{self._job.source}: the process ended by signal {-code}"
        self._errors.seek(0)
        lines = self._errors.read().strip().splitlines() or [f"exit code {code}"]
        return code, f"{self._job.source}: {lines[-1].removeprefix('livekm: ')}"

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            report = Report.from_line(line)
            if report is not None:
                self._reports.put(report)


def _start() -> str:
    """Return a program that runs the command of this very package.

    Leave the current folder out of its path: ``python -m`` would run a json.py that lies there.
    (``python -P`` does the same from 3.11 on.)
    """
    folder = str(Path(__file__).resolve().parents[2])  # where livekm is
    return (
        f"import sys; folder = {folder!r}; sys.path[:] = filter(None, sys.path); "
        "folder in sys.path or sys.path.insert(0, folder); "
        "from livekm.cli import main; sys.exit(main())"
    )


def _files(job: Job) -> list[str]:
    """Return the arguments that name a job's files."""
    output = [] if job.output is None else [f"--output={job.output}"]
    named = [f"--{name}={SIDECARS[name].to_text(path)}" for name, path in job.sidecars.items()]
    return [*output, *named, "--", str(job.source)]
