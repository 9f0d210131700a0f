"""Run ``--benchmark``: measure, print, write, compare."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from livekm import benchmark, figures
from livekm.cli import build
from livekm.cli.interrupt import Interruption
from livekm.cli.options import Settings
from livekm.cli.output_streams import say
from livekm.core.segmenter import Segmenter
from livekm.errors import LivekmError, SinkError
from livekm.outputs.base import OutputGroup
from livekm.outputs.whole_file import WholeFile
from livekm.sources import Source


def run(settings: Settings, source: Source, stop: Interruption) -> None:
    """Measure the frame loop on a source.

    Raises
    ------
    SourceError
        If what to compare with cannot be read.
    SinkError
        If a file cannot be written.
    LivekmError
        If frames take longer than ``--fail-above`` lets them.
    """
    older = benchmark.read_older(settings.compare) if settings.compare else None
    if settings.plot:
        figures.check_format(Path(settings.plot).suffix)
    with OutputGroup() as outputs:

        def opened(name: str) -> WholeFile:
            whole = WholeFile(name, overwrite=settings.overwrite, source=source.info.path)
            return outputs.add(whole)

        json_file = opened(settings.json) if settings.json else None
        plot_file = opened(settings.plot) if settings.plot else None
        report = _measure(settings, source, stop)
        say(report.to_text())
        if json_file is not None:
            json_file.write(json.dumps(report.to_json()).encode() + b"\n")
        if plot_file is not None:
            plot_file.write(_page(report, Path(settings.plot or "").suffix))
    if outputs.renamed:
        raise SinkError("; ".join(f"{name} is {path} now" for name, path in outputs.renamed))
    if older is not None:
        _compare(settings, report, older)


def _page(report: benchmark.Report, suffix: str) -> bytes:
    first, *others = report.measurements
    if others:
        periods = {each.name: each.times_ms.get("frame", []) for each in report.measurements}
        known = {name: times for name, times in periods.items() if times}
        page = figures.sweep_figure(known, f"a frame of {report.source}", report.machine_line)
    else:
        page = figures.benchmark_figure(first.times_ms, report.headline, report.machine_line)
    return figures.render(page, suffix)


def _measure(settings: Settings, source: Source, stop: Interruption) -> benchmark.Report:
    def make_segmenter(n_clusters: int | None, threads: int | None) -> Segmenter:
        return build.segmenter(
            replace(
                settings,
                clusters=settings.clusters if n_clusters is None else n_clusters,
                threads=settings.threads if threads is None else threads,
            )
        )

    limits = {} if settings.frames is None else {"max_frames": settings.frames}
    return benchmark.run(
        source,
        make_segmenter,
        build.view(settings, source.info),
        make_regions=lambda: build.regions(settings),
        scale=settings.scale or 1.0,
        sweep=settings.sweep or benchmark.Sweep(),
        should_stop=stop,
        **limits,
    )


def _compare(settings: Settings, report: benchmark.Report, older: dict[str, object]) -> None:
    ratios = list(benchmark.compare(report, older))
    say("\n".join(map(str, ratios)) or f"nothing that {settings.compare} has was measured")
    limit = settings.fail_above
    slow = [ratio for ratio in ratios if limit is not None and ratio.ratio > limit]
    if slow:
        raise LivekmError(f"slower than {settings.compare}: {slow[0]}; --fail-above is {limit:g}")
