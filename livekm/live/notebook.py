"""The live picture in a notebook."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Iterable
from contextlib import suppress
from html import escape
from importlib import import_module
from pathlib import Path
from threading import Event, Thread
from typing import Any

from livekm.context import Closing
from livekm.core.painting import Painting
from livekm.core.segmentation import Segmentation
from livekm.core.segmenter import Segmenter
from livekm.errors import LivekmError, UsageError
from livekm.frame import Frame
from livekm.live.frames import live_frames
from livekm.sources import Source, open_source
from livekm.thumbnail import to_jpeg
from livekm.views import VIEWS, View

__all__ = ["Shown", "show"]

_RATE = 600_000  # bytes a second: of more than a million Jupyter's server drops a cell's output
_WAIT = 0.1  # seconds between two looks at whether all is over


class Shown(Closing):
    """A moving picture below the cell that called `show`, which makes it.

    It plays in a thread, so that other cells can run meanwhile. Running its cell again ends it.

    Attributes
    ----------
    view : callable
        What is shown of each frame; may be set at any time.
    segmentation : Segmentation or None
        Of the newest frame.
    """

    def __init__(
        self, source: Source, segmenter: Segmenter, view: View, width: int, max_frames: int | None
    ) -> None:
        self.view = view
        self.segmentation: Segmentation | None = None
        self._source, self._segmenter, self._width = source, segmenter, width
        self._max_frames = max_frames
        self._is_to_stop = Event()
        self._error: Exception | None = None
        self._shell, self._display = _shell()
        self._cell = _cell_of(self._shell)
        self._output = self._display({"text/plain": ""}, raw=True, display_id=True)
        self._thread = Thread(target=self._play, daemon=True)

    def __repr__(self) -> str:
        state = "playing" if self.is_playing else "ended"
        return f"<{self._source.info.name}, {state}>"

    @property
    def is_playing(self) -> bool:
        """Whether frames go on to come."""
        return self._thread.is_alive()

    @property
    def n_clusters(self) -> int:
        """The number of clusters k; may be set at any time."""
        return self._segmenter.n_clusters

    @n_clusters.setter
    def n_clusters(self, value: int) -> None:
        self._segmenter.n_clusters = value

    def stop(self) -> None:
        """End and release the source; the last picture stays."""
        self._is_to_stop.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._source.close()

    close = stop

    def wait(self) -> None:
        """Wait for the end of the source; interrupting the kernel ends it, too.

        The controls do nothing meanwhile: what they say reaches a kernel that is free.

        Raises
        ------
        SourceError
            If the source failed.
        """
        try:
            while self.is_playing:
                self._thread.join(_WAIT)
        except KeyboardInterrupt:
            self.stop()
        if self._error is not None:
            raise self._error

    def start(self) -> None:
        """Begin to play, with controls where ipywidgets is installed."""
        with suppress(ImportError):
            self._display(self._controls(import_module("ipywidgets")))
        if self._cell is not None:
            self._shell.events.register("pre_run_cell", self._end_before_its_cell)
        self._thread.start()

    def _frames(self) -> Iterable[tuple[Frame, Segmentation]]:
        if not self._source.info.is_still:
            return live_frames(
                self._source,
                self._segmenter,
                max_frames=self._max_frames,
                should_stop=self._is_to_stop.is_set,
            )
        with self._source:
            frame = next(iter(self._source))
        return [(frame, self._segmenter.fit(frame.image, mask=frame.mask))]

    def _play(self) -> None:
        try:
            for frame, segmentation in self._frames():
                begin = time.perf_counter()
                self.segmentation = segmentation
                size = self._show(frame, segmentation)
                if self._is_to_stop.wait(max(0.0, begin + size / _RATE - time.perf_counter())):
                    return
        except Exception as error:  # told below the picture, and by `wait`
            self._error = error
            text = str(error) if isinstance(error, LivekmError) else repr(error)
            page = f"<b>livekm: {escape(text)}</b>"
            self._display({"text/html": page, "text/plain": text}, raw=True)

    def _show(self, frame: Frame, segmentation: Segmentation) -> int:
        """Show a frame; return how many bytes that took."""
        shown = self.view(frame, segmentation)
        image = shown.paint() if isinstance(shown, Painting) else shown
        data = b64encode(to_jpeg(image, self._width)).decode()
        self._output.update({"image/jpeg": data, "text/plain": repr(frame)}, raw=True)
        return len(data)

    def _controls(self, widgets: Any) -> Any:
        """Return a slider for k and a button to stop."""
        k = widgets.IntSlider(self.n_clusters, 1, 32, description="k")
        stop = widgets.Button(description="Stop", icon="stop")
        k.observe(lambda change: setattr(self, "n_clusters", change["new"]), "value")
        stop.on_click(lambda _: self.stop())
        return widgets.HBox([k, stop])

    def _end_before_its_cell(self, info: Any = None) -> None:
        """End if the cell that is about to run is the one that this is shown below."""
        if getattr(info, "cell_id", None) == self._cell:
            self._shell.events.unregister("pre_run_cell", self._end_before_its_cell)
            self.stop()


def show(
    source: int | str | Path | Source = 0,
    segmenter: Segmenter | None = None,
    *,
    view: str | View = "segments",
    width: int = 640,
    max_frames: int | None = None,
) -> Shown:
    """Show a source below the cell of a notebook, segmented live.

    A still image is shown once. Of a camera the newest frame is taken, a clip plays at its own
    speed. With ipywidgets (``livekm[notebook]``) there are a slider for k and a button to stop.

    Parameters
    ----------
    source : int, str, Path or Source
        What `open_source` takes, or a source; by default camera 0.
    segmenter : Segmenter, optional
        One of 8 clusters by default.
    view : str or callable, default "segments"
        A name of `VIEWS`, or a view.
    width : int, default 640
        Pixels of the picture's longer side, at the most.
    max_frames : int, optional
        End after so many frames.

    Returns
    -------
    Shown
        With ``stop()``, ``wait()``, ``n_clusters``, ``view`` and the newest ``segmentation``.

    Raises
    ------
    UsageError
        Outside of a notebook, or for a view that there is not.
    SourceError
        If there is nothing to read.

    Examples
    --------
    In a notebook::

        shown = livekm.show("dashcam.mp4")
        shown.n_clusters = 12
        shown.stop()
    """
    if isinstance(view, str) and view not in VIEWS:
        raise UsageError(f"there is no view {view!r}; choose from {', '.join(VIEWS)}")
    _shell()  # tells before a camera is opened
    shown = Shown(
        source if isinstance(source, Source) else open_source(source),
        segmenter or Segmenter(),
        VIEWS[view] if isinstance(view, str) else view,
        width,
        max_frames,
    )
    shown.start()
    return shown


def _shell() -> tuple[Any, Any]:
    """Return IPython's shell and its function that displays."""
    try:
        shell = import_module("IPython").get_ipython()
    except ImportError:
        shell = None
    if shell is None or not hasattr(shell, "kernel"):
        raise UsageError("there is no notebook here: run_live(source) opens a window")
    return shell, import_module("IPython.display").display


def _cell_of(shell: Any) -> str | None:
    """Return the id of the cell that runs; None where the notebook tells none."""
    header = shell.get_parent()
    found = header.get("metadata", {}).get("cellId") if header else None
    return None if found is None else str(found)
