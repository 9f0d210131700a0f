"""Serve what is shown to browsers, where ``--serve`` asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from livekm.cli.options import Settings
from livekm.cli.output_streams import tell
from livekm.core.segmentation import Segmentation
from livekm.errors import UsageError
from livekm.frame import Frame
from livekm.live.web import segments_state
from livekm.outputs.checks import as_image
from livekm.views import View

if TYPE_CHECKING:
    from livekm.live.web.server import Server


@contextmanager
def served(settings: Settings) -> Iterator[Server | None]:
    """Serve while the block lasts, and say where; None where nothing is asked for.

    Raises
    ------
    UsageError
        If the library for it is missing.
    SinkError
        If the address cannot be had.
    """
    if settings.serve is None:
        yield None
        return
    try:
        from livekm.live.web.server import Server
    except ImportError as error:
        raise UsageError("--serve needs aiohttp: pip install 'livekm[web]'") from error
    with Server(settings.serve) as server:
        if not settings.quiet or "token" in server.url:
            tell(f"open {server.url}")
        yield server


def preview(server: Server | None, name: str, view: View) -> Callable[[Frame, Segmentation], None]:
    """Return what shows the frames of a run to those who watch."""

    def show(frame: Frame, segmentation: Segmentation) -> None:
        if server is not None and server.is_watched:
            image = as_image(view(frame, segmentation))
            server.publish(image, segments_state(name, segmentation))

    return show
