"""Many clips: which inputs become which outputs, a process for each clip, and a summary."""

from livekm.archive.plan import SIDECARS, is_archive, plan_jobs
from livekm.archive.runner import run
from livekm.archive.summary import summary

__all__ = ["SIDECARS", "is_archive", "plan_jobs", "run", "summary"]
