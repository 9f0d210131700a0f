"""Write what ``--explain`` asks for: k-means on one picture, step by step."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from livekm import figures
from livekm.cli.options import Settings
from livekm.cli.output_streams import say
from livekm.core.lesson import Lesson, make_lesson
from livekm.errors import SourceError, printable
from livekm.outputs import CONTAINERS, is_image_row, open_sink
from livekm.outputs.whole_file import WholeFile
from livekm.sources import Source

_SECONDS = 2  # that a page stays, the last one three times
_HELD = 4  # frames of a page in a clip: players go through a slower one by leaps


def write(settings: Settings, source: Source, n_clusters: int) -> None:
    """Write the lesson about the first frame of a source.

    Raises
    ------
    SourceError
        If there is no frame.
    SinkError
        If the file cannot be written.
    """
    name = Path(settings.explain or "")
    is_moving = name.suffix.lower() in CONTAINERS or is_image_row(name)
    if not is_moving and name.suffix.lower() != ".html":
        figures.check_format(name.suffix)
    frame = next(iter(source), None)
    if frame is None:
        raise SourceError(f"{source.info.name} has no frame to explain")
    lesson = make_lesson(frame.image, n_clusters, settings.seeding, settings.seed)
    if is_moving:
        _write_pages(settings, name, lesson)
    else:
        with WholeFile(name, overwrite=settings.overwrite, source=source.info.path) as whole:
            if name.suffix.lower() == ".html":
                whole.write(figures.lesson_html(lesson).encode())
            else:
                whole.write(figures.render(figures.lesson_sheet(lesson), name.suffix))
    if not settings.quiet:
        end = lesson.steps[-1]
        say(f"{printable(str(name))}: {end.iteration} iterations, mse {end.mse:.4g}")


def _write_pages(settings: Settings, name: Path, lesson: Lesson) -> None:
    # A row of images has no time, and a GIF would be as many times larger.
    held = 1 if is_image_row(name) or name.suffix.lower() == ".gif" else _HELD
    with open_sink(name, fps=Fraction(held, _SECONDS), overwrite=settings.overwrite) as sink:
        for page in figures.lesson_pages(lesson):
            for _ in range(held):
                sink.write(page)
        if not is_image_row(name):
            for _ in range(2 * held):
                sink.write(page)
