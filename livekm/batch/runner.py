"""Process many clips, on this machine or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from livekm.batch import dask_cluster, processes
from livekm.batch.job import Job, JobResult
from livekm.batch.progress import BatchProgress
from livekm.errors import SinkError


def run(
    jobs: Sequence[Job],
    arguments: Sequence[str],
    *,
    workers: int | str = 1,
    skip_existing: bool = False,
    quiet: bool = False,
    tell: Callable[[str], None] = lambda message: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> list[JobResult]:
    """Process each clip, and show how far it is.

    Parameters
    ----------
    jobs : sequence of Job
    arguments : sequence of str
        Further arguments of the command line, for each clip.
    workers : int or str, default 1
        How many clips are in work at a time on this machine, or the address of a Dask scheduler,
        whose workers process them.
    skip_existing : bool, default False
        Whether to keep outputs that exist; only the missing files of a clip are written.
    quiet : bool, default False
        Whether to tell failures only, and show no progress.
    tell : callable, optional
        Take a message for the user.
    should_stop : callable, optional
        Tell whether to end; clips in work are then completed as partial.

    Returns
    -------
    results : list of JobResult
        In the order of the jobs.

    Raises
    ------
    LivekmError
        If the folders of the outputs cannot be made, or the scheduler cannot be reached.
    """
    waiting = [job.remaining() for job in jobs] if skip_existing else jobs
    results = {job: JobResult(job, "skipped") for job in waiting if not job.outputs}
    todo = [job for job in waiting if job.outputs]
    if isinstance(workers, str):
        events = dask_cluster.run_jobs(todo, arguments, workers, should_stop=should_stop)
    else:
        _make_folders(todo)
        events = processes.run_jobs(todo, arguments, workers=workers, should_stop=should_stop)
    with BatchProgress(len(todo), tell, quiet=quiet) as progress:
        for event in events:
            progress.show(event)
            if isinstance(event, JobResult):
                results[event.job] = event
    return [results[job] for job in waiting]


def _make_folders(jobs: Sequence[Job]) -> None:
    """Make the folders of all outputs; tell a problem once, not for each clip."""
    try:
        for folder in sorted({path.parent for job in jobs for path in job.outputs.values()}):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(
            f"cannot make the folder {error.filename}: {error.strerror}; choose another"
        ) from error
