"""Record what the window shows as a clip."""

from __future__ import annotations

import itertools
import time
from contextlib import suppress
from pathlib import Path

from livekm.channel import Channel, Work
from livekm.context import Closing
from livekm.errors import SinkError
from livekm.frame import Image, VideoInfo
from livekm.live.letterbox import letterboxed
from livekm.outputs.video.formats import EncoderOptions
from livekm.outputs.video.sink import ClipSink

_FAST = EncoderOptions(preset="ultrafast")
_WAITING = 8  # images that may wait for the encoder; a further one is dropped


class Recorder(Closing):
    """Write images to ``livekm-1.mp4``, or -2 and so on, in a thread; never keeps a loop waiting.

    Each image is shown from the moment at which it was written until the next one, so that the clip
    plays as fast as the window did, whatever the loop took. Where the encoder cannot follow,
    images are left out. One of another size is fitted into that of the first, between black
    borders.

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
        self.n_dropped: int = 0
        self._folder = folder
        self._channel: Channel[tuple[Image, float]] = Channel(_WAITING)
        self._work: Work | None = None
        self._size: tuple[int, int] | None = None
        self._started_at = 0.0

    @property
    def is_recording(self) -> bool:
        """Whether images are written."""
        return self._work is not None

    @property
    def seconds(self) -> float | None:
        """Seconds since the recording was started; None where there is none."""
        return time.monotonic() - self._started_at if self.is_recording else None

    def start(self) -> None:
        """Begin with the next image; nothing happens where it has begun."""
        if self._work is None:
            self._started_at = time.monotonic()
            self._channel = Channel(_WAITING)
            self._size = None
            self._work = Work(self._write_all, "record")

    def stop(self) -> None:
        """Complete the file.

        Raises
        ------
        SinkError
            If it could not be written; what there is of it is kept as a partial file.
        """
        work, self._work = self._work, None
        if work is None:
            return
        self._channel.end()
        work.wait()
        if self._channel.error is not None:
            raise self._channel.error

    def close(self) -> None:
        """Complete the file, if one is being written."""
        self.stop()

    def abort(self) -> None:
        """Complete the file all the same: what was seen until an error is worth keeping."""
        with suppress(SinkError):
            self.stop()

    def write(self, image: Image) -> None:
        """Take a copy of `image`, (H, W, 3) uint8 BGR, to be shown from now on."""
        if self._work is None:
            return
        if self._channel.error is not None:
            self.stop()
        if self._size is None:
            self._size = image.shape[1], image.shape[0]
        fitted = letterboxed(image, self._size)
        if not self._channel.offer((fitted.copy(), time.monotonic())):
            self.n_dropped += 1

    def _write_all(self) -> None:
        try:
            first = self._channel.take()
            if first is None:
                return
            height, width = first[0].shape[:2]
            info = VideoInfo("recording", width, height, is_live=True)
            sink = ClipSink(_free_name(self._folder), info, encoder=_FAST)
            try:
                with sink:
                    for image, moment in itertools.chain([first], self._channel):
                        sink.write(image, moment)
            finally:
                if sink.path is not None:
                    self.paths.append(sink.path)
        except BaseException as error:
            self._channel.give_up(error)


def _free_name(folder: Path) -> Path:
    """Return the first of ``livekm-1.mp4``, ``livekm-2.mp4``, ... that does not exist."""
    names = (folder / f"livekm-{number}.mp4" for number in itertools.count(1))
    return next(name for name in names if not name.exists())
