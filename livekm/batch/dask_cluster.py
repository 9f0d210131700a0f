"""Process clips on a Dask cluster, whose workers start the processes that one machine would."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import replace
from queue import Queue
from typing import Any

from livekm.batch.job import Job, JobEvent, JobProgress, JobResult
from livekm.batch.processes import collect, run_job, share_of_processors
from livekm.errors import LivekmError

_log = logging.getLogger(__name__)

_PATIENCE = 10  # seconds to wait for the scheduler
_PERIOD = 0.5  # seconds between two questions of a worker whether to stop


def run_jobs(
    jobs: Sequence[Job],
    arguments: Sequence[str],
    scheduler: str,
    *,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[JobEvent]:
    """Run livekm for each job on the workers of a cluster, and yield what happens.

    A worker has as many clips in work as it has threads. The workers must see the files under the
    same names. If a worker dies, another one takes its clip; after three deaths (Dask's
    ``allowed-failures``) the clip has failed.

    Parameters
    ----------
    jobs : sequence of Job
    arguments : sequence of str
        Further arguments of the command line.
    scheduler : str
        The scheduler's address, ``tcp://10.0.0.1:8786``.
    should_stop : callable, optional
        Tell whether to end; clips in work are then completed as partial.

    Yields
    ------
    event : JobProgress or JobResult
        As `livekm.batch.processes.run_jobs` does.

    Raises
    ------
    LivekmError
        If the scheduler cannot be reached, or Dask is not installed.
    """
    try:
        import distributed  # slow to import, and optional
    except ImportError as error:
        raise LivekmError("a Dask cluster needs Dask: pip install 'livekm[cluster]'") from error
    # Dask's messages about workers that come and go would break the progress bar.
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = distributed.Client(scheduler, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise LivekmError(f"{scheduler}: no Dask scheduler answers there; check it runs") from error
    with client:
        yield from _run(client, jobs, arguments, should_stop)


def _run(
    client: Any, jobs: Sequence[Job], arguments: Sequence[str], should_stop: Callable[[], bool]
) -> Iterator[JobEvent]:
    import distributed

    if not client.scheduler_info()["workers"]:
        _log.warning("the cluster has no worker yet: start some by `dask worker ADDRESS`")
    events: Queue[JobEvent | BaseException] = Queue()
    run = f"livekm-{secrets.token_hex(4)}"  # names all that this run has on the cluster
    begun: set[int] = set()
    given_up: set[Job] = set()

    def note(event: tuple[float, tuple[int, int, int | None]]) -> None:
        number, n_frames, total = event[1]
        begun.add(number)
        events.put(JobProgress(jobs[number], n_frames, total))

    client.subscribe_topic(run, note)
    stop = distributed.Event(run, client=client)
    futures = []
    for number, job in enumerate(jobs):
        is_new = job.remaining() == job
        task = (job.absolute(), is_new, arguments, run, number)
        future = client.submit(_work, *task, key=f"{run}-{number}", pure=False)
        future.add_done_callback(lambda future, job=job: events.put(_result(future, job, given_up)))
        futures.append(future)

    def end() -> None:
        stop.set()
        waiting = [n for n in range(len(jobs)) if n not in begun]
        given_up.update(jobs[n] for n in waiting)
        client.cancel([futures[n] for n in waiting])

    try:
        yield from collect(events, len(jobs), should_stop, end)
    finally:
        if client.status == "running":  # not after the scheduler's end
            stop.set()


def _work(job: Job, is_new: bool, arguments: Sequence[str], run: str, number: int) -> JobResult:
    """Run a job on the calling worker; `is_new` if none of its outputs existed."""
    import distributed

    if is_new:
        job = job.remaining()  # a worker may have died after it completed some outputs
        if not job.outputs:
            return JobResult(job, "done")
    worker = distributed.get_worker()
    stop = distributed.Event(run)
    asked, answer = 0.0, False

    def should_stop() -> bool:
        nonlocal asked, answer
        if time.monotonic() - asked > _PERIOD:
            asked, answer = time.monotonic(), stop.is_set()
        return answer

    def tell(progress: JobProgress) -> None:
        worker.log_event(run, (number, progress.n_frames, progress.total))

    shared = share_of_processors(worker.state.nthreads)
    return run_job(job, [*shared, *arguments], tell, should_stop)


def _result(future: Any, job: Job, given_up: Container[Job]) -> JobResult:
    if job in given_up:
        return JobResult(job, "not begun")
    if future.cancelled():
        return JobResult(job, "failed", f"{job.source}: the scheduler has gone; start it again")
    error = future.exception()
    if error is None:
        result: JobResult = future.result()
        return replace(result, job=job)
    if type(error).__name__ == "KilledWorker":
        reason = "its workers died, one after the other; look at their memory and their logs"
    else:
        reason = " ".join(str(error).split()) or type(error).__name__
    return JobResult(job, "failed", f"{job.source}: {reason}")
