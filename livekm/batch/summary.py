"""Make a table of the results of many clips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from livekm.batch.job import JobResult
from livekm.errors import printable


def summary(results: Sequence[JobResult], seconds: float) -> str:
    """Return a table: a line for each clip, and one for all.

    Parameters
    ----------
    results : sequence of JobResult
    seconds : float
        The time of the whole run.
    """
    names = [printable(str(result.job.source)) for result in results]
    width = max(len("clip"), *map(len, names))
    lines = [f"{'clip':{width}s} {'frames':>7s} {'seconds':>8s} {'fps':>6s} {'MB':>7s}  result"]
    for name, result in zip(names, results, strict=True):
        target, frames = result.job.output, result.n_frames
        fps = f"{frames / result.seconds:.0f}" if frames and result.seconds else ""
        size = f"{target.stat().st_size / 1e6:.1f}" if target and target.exists() else ""
        lines.append(
            f"{name:{width}s} {'' if frames is None else frames:>7} "
            f"{result.seconds:8.1f} {fps:>6s} {size:>7s}  {_outcome(result)}"
        )
    counts = Counter(result.outcome for result in results)
    total = ", ".join(f"{n} {outcome}" for outcome, n in counts.items())
    return "\n".join([*lines, f"{total} in {seconds:.0f} s"])


def _outcome(result: JobResult) -> str:
    n = len(result.warnings)
    return f"{result.outcome}, {n} warning{'s' if n > 1 else ''}" if n else result.outcome
