"""Define the life-cycle of every output, and the sinks that take images."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import ClassVar, TypeVar

from livekm.context import Closing
from livekm.core.painting import Painting
from livekm.errors import SinkError
from livekm.frame import Image, VideoInfo
from livekm.outputs.atomic import PartFile, sink_errors
from livekm.outputs.stdout import StdoutPart

_Content = TypeVar("_Content")


class Output(Closing):
    """Write piece by piece to a file that gets its name once it is complete.

    Opening it checks the name and creates the part file. `close` writes what belongs at the end and
    gives the file its name; `keep`, where the run is interrupted or fails, gives it one that says
    ``partial``; `abort` leaves nothing. Leaving a ``with`` block does the one that fits.

    A kind of output implements `_finish`, and what else of `_rescue` and `_release` it needs, and
    writes inside `_writing`. These may raise OSError or FFmpeg's errors: `SinkError` is made of
    them here.

    Parameters
    ----------
    part : PartFile, optional
        Where to write.
    info : VideoInfo, optional
        What the frames come from.

    Attributes
    ----------
    path : Path or None
        The file, once it has its name; None where there is none.
    n_frames : int
        Frames that were written.
    """

    path: Path | None = None
    n_frames: int = 0
    _part: PartFile | None = None
    _needs_frames: ClassVar[bool] = True
    _holds_one: ClassVar[bool] = False  # and is complete with it

    def __init__(self, part: PartFile | None = None, info: VideoInfo | None = None) -> None:
        self._part = part
        self._is_open = True
        self._has_failed = False
        self._is_single = self._holds_one or (info is not None and info.n_frames == 1)

    @property
    def target(self) -> Path:
        """The name that was asked for."""
        assert self._part is not None
        return self._part.target

    @property
    def _path(self) -> Path:
        """Where it is written until it gets its name."""
        assert self._part is not None
        return self._part.path

    def _opened(self, open_at: Callable[[Path], _Content]) -> _Content:
        """Return what `open_at` makes of the part file, or leave nothing and raise SinkError."""
        try:
            with sink_errors(self.target):
                return open_at(self._path)
        except BaseException:
            assert self._part is not None
            self._part.discard()
            raise

    @property
    def name_was_taken(self) -> bool:
        """Whether others made a file of that name meanwhile, so that `path` is another one."""
        return self._part is not None and self._part.name_was_taken

    def close(self) -> None:
        """Complete the file and give it its name. Closing twice is allowed.

        Raises
        ------
        SinkError
            If it cannot be completed, or no frame was written. What can be read of it is kept under
            the name that says ``partial``.
        """
        self._end(is_partial=False)

    def keep(self) -> None:
        """Complete the file as far as it goes, under a name that says ``partial``.

        Where no frame was written, nothing is left. An output of one frame that was written is
        complete, and gets its name.

        Raises
        ------
        SinkError
            As `close`.
        """
        if self.n_frames:
            self._end(is_partial=not self._is_single)
        else:
            self.abort()

    def abort(self) -> None:
        """Leave nothing that has no name yet."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            self._release()
        finally:
            if self._part is not None:
                self._part.discard()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Write one frame within the block."""
        if not self._is_open:
            raise ValueError(f"{self.target} is closed")
        try:
            with sink_errors(self.target):
                yield
        except SinkError:
            self._has_failed = True
            raise
        self.n_frames += 1

    def _end(self, *, is_partial: bool) -> None:
        if not self._is_open:
            return
        try:
            if self._needs_frames and not self.n_frames:
                raise SinkError(f"no frame was written to {self.target}")
            with sink_errors(self.target):
                try:
                    self._finish()
                except Exception:
                    self._release()
                    if self.n_frames and self._rescue():
                        self._give_name(is_partial=True)
                    raise
                if self._has_failed:  # a line or a fragment may be cut off
                    self._rescue()
                    if self._part is not None and self._part.is_empty:
                        return
                self._give_name(is_partial=is_partial)
        finally:
            self.abort()

    def _give_name(self, *, is_partial: bool) -> None:
        if self._part is not None:
            self.path = self._part.commit(is_partial=is_partial)

    @abstractmethod
    def _finish(self) -> None:
        """Write what belongs at the end, and close the file."""

    def _rescue(self) -> bool:
        """Make a closed file readable that `_write` or `_finish` failed on; tell if it is."""
        return False

    @property
    def goes_to_stdout(self) -> bool:
        """Whether it is written to stdout, whose reader may be slow or end."""
        return isinstance(self._part, StdoutPart)

    def give_up(self) -> None:
        """End a write that waits for the reader of stdout; callable from any thread."""
        if isinstance(self._part, StdoutPart):
            self._part.give_up()

    def _release(self) -> None:
        """Close what is open, whatever state it is in; raise nothing. May be called again."""


_AnyOutput = TypeVar("_AnyOutput", bound=Output)


class OutputGroup(Closing):
    """End outputs together: where one fails, complete the others all the same.

    Attributes
    ----------
    outputs : list of Output
    """

    def __init__(self) -> None:
        self.outputs: list[Output] = []

    def add(self, output: _AnyOutput) -> _AnyOutput:
        """Take an output that is open; return it."""
        self.outputs.append(output)
        return output

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that have a name, in the order in which the outputs were added."""
        return tuple(output.path for output in self.outputs if output.path is not None)

    @property
    def renamed(self) -> tuple[tuple[Path, Path], ...]:
        """The names that others took meanwhile, each with the one that the file has instead."""
        return tuple((o.target, o.path) for o in self.outputs if o.name_was_taken and o.path)

    def close(self) -> None:
        """Complete all; raise the first error when all others are complete."""
        self.each(lambda output: output.close())

    def keep(self) -> None:
        """Keep what there is of all; raise the first error afterwards."""
        self.each(lambda output: output.keep())

    def abort(self) -> None:
        """Leave nothing of any."""
        self.each(lambda output: output.abort())

    def each(self, do: Callable[[Output], None]) -> None:
        """Call `do` with every output; raise the first error when all were called."""
        errors: list[Exception] = []
        for output in self.outputs:
            try:
                do(output)
            except Exception as error:  # noqa: PERF203 - the others go on
                errors.append(error)
        if errors:
            raise errors[0]


class Sink(Output):
    """Take images, one for each frame."""

    def __repr__(self) -> str:
        """Tell what was written, once it is complete."""
        return f"<{type(self).__name__}{f' {self.path}' if self.path else ''}>"

    @abstractmethod
    def write(
        self, image: Image | Painting, time: float | None = None, index: int | None = None
    ) -> None:
        """Take the next image.

        Parameters
        ----------
        image : (H, W, 3) uint8 BGR, or Painting
            A painting is painted as the sink needs it.
        time : float, optional
            When it is shown, in seconds, as of `Frame.time`; by default images follow each other
            at the sink's rate.
        index : int, optional
            Its number in the source, as of `Frame.index`; by default it counts the images.

        Raises
        ------
        SinkError
            If it cannot be written or shown.
        ValueError
            If the image or the time does not fit.
        """

    def _finish(self) -> None:
        """Do nothing: by default there is no file."""


class FileSink(Sink):
    """Write images to a file or a folder.

    Parameters
    ----------
    part : PartFile
        Where to write.
    info : VideoInfo
        What the frames come from.
    """

    def __init__(self, part: PartFile, info: VideoInfo) -> None:
        super().__init__(part, info)
        self._rate = info.fps or Fraction(25)

    def write(
        self, image: Image | Painting, time: float | None = None, index: int | None = None
    ) -> None:
        """Take the next image; see `Sink.write`."""
        number = self.n_frames if index is None else index
        with self._writing():
            self._write(image, float(number / self._rate) if time is None else time, number)

    @abstractmethod
    def _write(self, image: Image | Painting, time: float, index: int) -> None:
        """Write one image."""
