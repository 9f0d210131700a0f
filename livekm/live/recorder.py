"""What the window shows as a clip, written while it is shown."""

from __future__ import annotations

import itertools
import time
from contextlib import suppress
from pathlib import Path
from queue import Full, Queue
from threading import Thread

from livekm.context import Closing
from livekm.errors import SinkError
from livekm.frame import Frame, Image, VideoInfo
from livekm.outputs.video.formats import EncoderOptions
from livekm.outputs.video.sink import ClipSink

_FAST = EncoderOptions(preset="ultrafast")
_WAITING = 8  # images that may wait for the encoder; a further one is dropped


class Recorder(Closing):
    """Writes images to ``livekm-1.mp4``, or -2 and so on, in a thread; never keeps a loop waiting.

    Each image is shown from the moment at which it was written until the next one, so that the clip
    plays as fast as the window did, whatever the loop took. Where the encoder cannot follow,
    images are left out. An image of another size begins another file.

    Parameters
    ----------
    folder : Path

    Attributes
    ----------
    paths : list of Path
        The files, in order.
    n_dropped : int
        Images that were left out.
    """

    def __init__(self, folder: Path) -> None:
        self.paths: list[Path] = []
        self.n_dropped = 0
        self._folder = folder
        self._thread: Thread | None = None
        self._queue: Queue[Frame | None] = Queue(_WAITING)
        self._error: BaseException | None = None
        self._shape: tuple[int, ...] = ()
        self._count = 0
        self._started_at = 0.0

    @property
    def is_recording(self) -> bool:
        """Whether images are written."""
        return self._thread is not None

    @property
    def seconds(self) -> float | None:
        """Seconds since the recording was started; None where there is none."""
        return time.monotonic() - self._started_at if self.is_recording else None

    def start(self) -> None:
        """Begin with the next image; nothing happens where it has begun."""
        if self._thread is None:
            self._started_at = time.monotonic()
            self._begin()

    def _begin(self) -> None:
        self._queue = Queue(_WAITING)
        self._thread = Thread(target=self._run, name="livekm recorder", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Complete the file.

        Raises
        ------
        SinkError
            If it could not be written.
        """
        thread, self._thread = self._thread, None
        if thread is None:
            return
        while thread.is_alive():
            with suppress(Full):
                self._queue.put(None, timeout=0.1)
                break
        thread.join()
        self._raise()

    def close(self) -> None:
        """Complete the file, if one is being written."""
        self.stop()

    def abort(self) -> None:
        """Complete the file all the same: what was seen until an error is worth keeping."""
        with suppress(SinkError):
            self.stop()

    def write(self, image: Image) -> None:
        """Take a copy of `image`, (H, W, 3) uint8 BGR, to be shown from now on."""
        if self._thread is None:
            return
        self._raise()
        if image.shape != self._shape and self._count:
            self.stop()
            self._begin()
        self._shape = image.shape
        try:
            self._queue.put_nowait(Frame(image.copy(), self._count, time.monotonic()))
            self._count += 1
        except Full:
            self.n_dropped += 1

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            self._thread = None
            raise error

    def _run(self) -> None:
        try:
            first = self._queue.get()
            if first is None:
                return
            height, width = first.image.shape[:2]
            info = VideoInfo("recording", width, height, is_live=True)
            with ClipSink(_free_name(self._folder), info, encoder=_FAST) as sink:
                for frame in itertools.chain([first], iter(self._queue.get, None)):
                    sink.write(frame.image, frame.time, frame.index)
            if sink.path is not None:
                self.paths.append(sink.path)
        except BaseException as error:
            self._error = error


def _free_name(folder: Path) -> Path:
    """Return the first of ``livekm-1.mp4``, ``livekm-2.mp4``, ... that does not exist."""
    names = (folder / f"livekm-{number}.mp4" for number in itertools.count(1))
    return next(name for name in names if not name.exists())
