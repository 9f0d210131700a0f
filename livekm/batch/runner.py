"""A run over many clips, on this machine or on a cluster."""

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
    workers: int = 1,
    scheduler: str | None = None,
    skip_existing: bool = False,
    quiet: bool = False,
    should_stop: Callable[[], bool] = lambda: False,
) -> list[JobResult]:
    """Do what is to be done with each clip, and show how far it is.

    Parameters
    ----------
    jobs : sequence of Job
    arguments : sequence of str
        Further arguments of the command line, for each clip.
    workers : int, default 1
        Clips at a time on this machine.
    scheduler : str, optional
        The address of a Dask scheduler, whose workers do the clips instead.
    skip_existing : bool, default False
        Whether outputs that are there stay: of a clip that lacks a file, only this is written.
    quiet : bool, default False
        Whether no progress is shown.
    should_stop : callable, optional
        Asked again and again whether to end; clips in work then are completed as partial.

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
    if scheduler:
        events = dask_cluster.run_jobs(todo, arguments, scheduler, should_stop=should_stop)
    else:
        _make_folders(todo)
        events = processes.run_jobs(todo, arguments, workers=workers, should_stop=should_stop)
    with BatchProgress(len(todo), hidden=quiet) as progress:
        for event in events:
            progress.show(event)
            if isinstance(event, JobResult):
                results[event.job] = event
    return [results[job] for job in waiting]


def _make_folders(jobs: Sequence[Job]) -> None:
    """Make those of all outputs; what is wrong with one is said at once, not for each clip."""
    try:
        for folder in sorted({path.parent for job in jobs for path in job.outputs.values()}):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(
            f"cannot make the folder {error.filename}: {error.strerror}; choose another"
        ) from error
