"""Clips in work: a livekm process for each, and what it tells."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, Queue
from typing import IO

from livekm.batch.job import Job, JobEvent, JobProgress, JobResult
from livekm.batch.protocol import REPORT_OPTION, STOP, Report
from livekm.core.threads import available_cores
from livekm.outputs.tables import LABEL_FILES

_SLICE = 0.1  # seconds from one look at a process to the next


def run_jobs(
    jobs: Sequence[Job],
    arguments: Sequence[str],
    *,
    workers: int = 1,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[JobEvent]:
    """Run livekm for each job, in processes of their own, and yield what happens.

    What becomes of one clip, even of its process, leaves the others alone.

    Parameters
    ----------
    jobs : sequence of Job
    arguments : sequence of str
        Further arguments of the command line. Without ``--threads`` among them, the processes
        share the processors.
    workers : int, default 1
        Processes at a time.
    should_stop : callable, optional
        Asked again and again whether to end; clips in work then are completed as partial.

    Yields
    ------
    event : JobProgress or JobResult
        Of each job several and at the end one, of different jobs in any order.
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
    """Return the arguments by which one of `n_clips` clips in work leaves the others their share.

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
    """Yield events until each of `n_jobs` has its result; call `stop` once it is asked for."""
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
    """Run livekm for one job in a process of its own, which ends when this one does.

    Parameters
    ----------
    job : Job
    arguments : sequence of str
        Further arguments of the command line.
    on_progress : callable, optional
        Is called with each `JobProgress`.
    should_stop : callable, optional
        Asked again and again whether to end; the clip then is completed as partial.
    """
    if should_stop():
        return JobResult(job, "not begun")
    start = time.perf_counter()
    warnings: list[str] = []
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
                elif report.kind == "warning":
                    warnings.append(report.text)
                else:
                    reason = report.text
            code, last_words = child.wait()
    except OSError as error:
        code, last_words = 1, f"{error.filename}: {error.strerror}; choose another folder"
    if code == 0:
        outcome = "done"
    elif is_stopped:
        outcome, reason = "interrupted", ""
    else:
        outcome, reason = "failed", reason or last_words
    seconds = time.perf_counter() - start
    return JobResult(job, outcome, reason, n_frames, seconds, tuple(warnings))


class _Child:
    """A livekm process, its reports and its wish list; a context manager that ends it."""

    def __init__(self, job: Job, arguments: Sequence[str]) -> None:
        for output in job.outputs.values():
            output.parent.mkdir(parents=True, exist_ok=True)
        self._job = job
        self._errors: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._reports: Queue[Report | None] = Queue()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "livekm", REPORT_OPTION, *arguments, *_files(job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # a Ctrl-C of the terminal comes from here, and once
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *exception: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # which ends it, should it still work
        self._process.wait()
        self._reader.join()
        self._process.stdout.close()
        self._errors.close()

    def reports(self) -> Iterator[Report | None]:
        """Yield the reports until the process closes its output; None where it takes its time."""
        while self._reader.is_alive() or not self._reports.empty():
            report = None
            with contextlib.suppress(Empty):
                report = self._reports.get(timeout=_SLICE)
            yield report

    def ask_to_stop(self) -> None:
        """Let the process complete what it has."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended meanwhile
            self._process.stdin.write(STOP)
            self._process.stdin.flush()

    def wait(self) -> tuple[int, str]:
        """Return the exit code, and what the process said last, or what ended it."""
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


def _files(job: Job) -> list[str]:
    names = {option: str(path) for option, path in job.outputs.items()}
    if job.labels and job.labels.suffix.lower() not in LABEL_FILES:
        names["labels"] += "/"  # a folder, also where the clip's name has dots: 2024.11.02.mp4
    named = [f"--{option.replace('_', '-')}={name}" for option, name in names.items()]
    return [*named, "--", str(job.source)]
