"""Run livekm processes, each for one clip after the other, and read their reports."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from pathlib import Path
from queue import Empty, Queue, SimpleQueue

from livekm.batch.job import Job, JobEvent, JobProgress, JobResult
from livekm.batch.protocol import REPORT_OPTION, STOP, Report, to_line
from livekm.core.threads import available_cores
from livekm.outputs.tables import SIDECARS

_SLICE = 0.1  # seconds between two looks at a process
_MOST_LINES = 100  # of its stderr that are kept


def run_jobs(
    jobs: Sequence[Job],
    arguments: Sequence[str],
    *,
    workers: int = 1,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[JobEvent]:
    """Run livekm for each job, and yield what happens.

    A process takes one clip after the other, since it needs a second to start. A clip that fails,
    or whose process dies, leaves the others alone: the next one gets another process.

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

    idle: SimpleQueue[Worker] = SimpleQueue()

    def work(job: Job) -> None:
        worker = idle.get()
        try:
            events.put(run_job(job, shared, events.put, stop.is_set, worker))
        except BaseException as error:
            events.put(error)
        finally:
            idle.put(worker)

    with ExitStack() as ending, ThreadPoolExecutor(workers) as pool:
        for _ in range(workers):
            idle.put(ending.enter_context(Worker()))
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
    worker: Worker | None = None,
) -> JobResult:
    """Run livekm for one job in another process, which ends when this one ends.

    Parameters
    ----------
    job : Job
    arguments : sequence of str
        Further arguments of the command line.
    on_progress : callable, optional
        Take each `JobProgress`.
    should_stop : callable, optional
        Tell whether to end; the clip is then completed as partial.
    worker : Worker, optional
        Does it; one that ends behind it by default.
    """
    if should_stop():
        return JobResult(job, "not begun")
    start = time.perf_counter()
    texts: dict[str, list[str]] = {"detail": [], "warning": [], "failure": []}
    reason, n_frames, is_stopped = "", None, False
    try:
        with nullcontext(worker) if worker else Worker() as at_work:
            at_work.begin(job, arguments)
            for report in at_work.reports():
                if should_stop() and not is_stopped:
                    is_stopped = True
                    at_work.ask_to_stop()
                if report is None:
                    continue
                if report.kind == "progress":
                    n_frames = report.n_frames
                    on_progress(JobProgress(job, report.n_frames, report.total))
                else:
                    texts[report.kind].append(report.text)
            code, reason = at_work.end()
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


class Worker:
    """A livekm process that takes one job after the other; a context manager that ends it.

    It is started for its first job, and anew for the next one if it has died.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._readers: list[threading.Thread] = []
        self._reports: SimpleQueue[Report | None] = SimpleQueue()
        self._errors: deque[str] = deque(maxlen=_MOST_LINES)
        self._job: Job | None = None
        self._code: int | None = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *exception: object) -> None:
        self._leave()

    def begin(self, job: Job, arguments: Sequence[str]) -> None:
        """Begin with a job."""
        for output in job.outputs.values():
            output.parent.mkdir(parents=True, exist_ok=True)
        self._job, self._code = job, None
        self._errors.clear()
        command_line = [REPORT_OPTION, *arguments, *_files(job)]
        if self._process is None or not self._say(to_line(command_line)):
            self._leave()
            self._start(command_line)

    def reports(self) -> Iterator[Report | None]:
        """Yield the reports until the job or the process ends; None after a slice without."""
        while True:
            report = None
            with contextlib.suppress(Empty):
                report = self._reports.get(timeout=_SLICE)
                if report is None:  # the process has ended
                    self._leave()
                    return
                if report.kind == "end":
                    self._code = int(report.text)
                    return
            yield report

    def ask_to_stop(self) -> None:
        """Ask the process to complete what it has."""
        self._say(STOP)

    def end(self) -> tuple[int, str]:
        """Return the exit code, and the last line of stderr or the signal that ended it."""
        assert self._job is not None
        assert self._code is not None
        if self._code < 0:
            return self._code, f"{self._job.source}: the process ended by signal {-self._code}"
        last = next((line for line in reversed(self._errors) if line.strip()), "")
        reason = last.strip().removeprefix("livekm: ") or f"exit code {self._code}"
        return self._code, f"{self._job.source}: {reason}"

    def _start(self, command_line: Sequence[str]) -> None:
        process = self._process = subprocess.Popen(
            [sys.executable, "-c", _start(), *command_line],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # pass a Ctrl-C of the terminal on from here, once
        )
        self._readers = [
            threading.Thread(target=read, args=(process,), daemon=True)
            for read in (self._read_errors, self._read_reports)
        ]
        for reader in self._readers:
            reader.start()

    def _say(self, line: str) -> bool:
        """Write to the process; tell whether it listens."""
        if self._process is None or self._process.poll() is not None:
            return False
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except OSError:  # it has ended
            return False
        return True

    def _leave(self) -> None:
        """Wait for the end of the process, which ends by itself if it still works."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        self._code = process.wait()
        for reader in self._readers:
            reader.join()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()
        self._reports = SimpleQueue()  # without what the next process did not say

    def _read_reports(self, process: subprocess.Popen[str]) -> None:
        reports = self._reports
        assert process.stdout is not None
        for line in process.stdout:
            report = Report.from_line(line)
            if report is not None:
                reports.put(report)
        reports.put(None)

    def _read_errors(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self._errors.append(line)


def _start() -> str:
    """Return a program that runs the command of this very package.

    Leave the current folder out of its path: ``python -m`` would run a json.py that lies there.
    (``python -P`` does the same from 3.11 on.)
    """
    folder = str(Path(__file__).resolve().parents[2])  # where livekm is
    return (
        f"import sys; folder = {folder!r}; sys.path[:] = filter(None, sys.path); "
        "folder in sys.path or sys.path.insert(0, folder); "
        "from livekm.cli import main; sys.exit(main(is_served=True))"
    )


def _files(job: Job) -> list[str]:
    """Return the arguments that name a job's files."""
    output = [] if job.output is None else [f"--output={job.output}"]
    named = [f"--{name}={SIDECARS[name].to_text(path)}" for name, path in job.sidecars.items()]
    return [*output, *named, "--", str(job.source)]
