"""Many clips: which inputs become which outputs, a process for each clip, and a summary."""

from livekm.batch.plan import is_batch, plan_jobs
from livekm.batch.runner import run
from livekm.batch.summary import summary

__all__ = ["is_batch", "plan_jobs", "run", "summary"]
