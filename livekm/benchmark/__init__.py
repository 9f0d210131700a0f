"""How many frames a second this machine segments, and where the time goes."""

from livekm.benchmark.compare import compare, read_older
from livekm.benchmark.measure import WARM_UP, Sweep, run
from livekm.benchmark.report import Report

__all__ = ["WARM_UP", "Report", "Sweep", "compare", "read_older", "run"]
