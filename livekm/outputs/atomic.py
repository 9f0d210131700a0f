"""Write beside the final name, and move there what is complete."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import secrets
import shutil
import stat
import weakref
from collections.abc import Iterator
from pathlib import Path

import av

from livekm.errors import SinkError

_LONGEST = 255  # bytes of a file's name, on all usual disks

_REMEDIES = {
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOSPC: "free some space, or choose another disk",
    errno.EFBIG: "choose another disk, or write less: no larger file is allowed",
}


@contextlib.contextmanager
def sink_errors(target: Path) -> Iterator[None]:
    """Raise what the system or FFmpeg refuses as a `SinkError` of path, cause and remedy."""
    try:
        yield
    except SinkError:  # is an OSError too
        raise
    except (OSError, av.FFmpegError) as error:
        remedy = _REMEDIES.get(error.errno or 0, "choose another folder")
        raise SinkError(f"cannot write {target}: {error.strerror or error}; {remedy}") from error


_part_files: weakref.WeakSet[PartFile] = weakref.WeakSet()  # those without a final name


def discard_part_files() -> None:
    """Delete all part files of this process, which is to leave at once; raise nothing."""
    for part in list(_part_files):
        with contextlib.suppress(OSError):
            part.discard()


class PartFile:
    """Create a file beside its final name, and move it there when it is complete.

    The constructor checks the target, so that hours of work never end at a missing folder, and
    creates the part file. Whatever happens later, even a killed process, the final name holds
    either what it held before or the complete output.

    Parameters
    ----------
    target : path
        The final name. A symbolic link is followed, the file it points to is replaced.
    overwrite : bool
        Whether an existing file may be replaced.
    source : str or None
        The file that is being read, which is never replaced.

    Attributes
    ----------
    target : Path
        The final name as it was given.
    path : Path
        Where to write: ``.NAME.part-RANDOM`` in the same folder.
    name_was_taken : bool
        Whether `commit` found that something had been put there meanwhile that must not be
        replaced, and so chose another name.

    Raises
    ------
    SinkError
        If the target exists, is a folder, a device, a pipe or the source itself, or cannot be
        written.
    """

    def __init__(
        self, target: str | os.PathLike[str], *, overwrite: bool = False, source: str | None = None
    ) -> None:
        self.target: Path = Path(target)
        self.name_was_taken: bool = False
        # Moving a file onto a symbolic link would replace the link.
        self._final = Path(os.path.realpath(self.target))
        self._overwrite, self._source = overwrite, source
        with sink_errors(self.target):
            self._check()
            part = _file_name(f".{self._final.name}", f".part-{secrets.token_hex(4)}")
            self.path: Path = self._final.with_name(part)
            # Only creating it tells for certain whether the folder can be written.
            self._create()
        _part_files.add(self)

    def _create(self) -> None:
        self.path.open("xb").close()

    def _check(self) -> None:
        if self._final.is_dir():
            raise SinkError(f"{self.target} is a folder; name a file in it")
        if _is_special(self.target):
            raise SinkError(f"{self.target} is a device or a pipe; name a file, or - for stdout")
        self._check_place()

    def _check_place(self) -> None:
        if not self._final.parent.is_dir():
            raise SinkError(
                f"cannot write {self.target}: there is no folder {self.target.parent}; "
                "create it or choose another"
            )
        if not self._exists():
            return
        if self._is_source(self._final):
            raise SinkError(f"{self.target} is the input itself; choose another name")
        if not self._overwrite:
            raise SinkError(f"{self.target} exists; add --overwrite or choose another name")

    def _exists(self) -> bool:
        """Tell whether something would be replaced."""
        return self._final.exists()

    def commit(self, *, is_partial: bool = False) -> Path | None:
        """Move the part file to its final name, or to one that says ``partial``, and return it.

        A partial file is called ``out.partial.mp4``, or ``out.partial-2.mp4`` where there is one
        already that must not be replaced. If the final name was taken meanwhile, what has it stays;
        the output is called ``out-2.mp4``, or by the next number that is free.

        Raises
        ------
        OSError
        """
        if is_partial:
            return self._put_beside(".partial", overwrite=self._overwrite)
        try:
            self._put(self._final, overwrite=self._overwrite)
        except FileExistsError:
            self.name_was_taken = True
            return self._put_beside()
        _part_files.discard(self)
        return self._as_named(self._final)

    def _put(self, name: Path, *, overwrite: bool) -> None:
        """Move the part file there; raise FileExistsError if what is there must not be replaced."""
        if not overwrite:
            _move_to_free(self.path, name)
        elif name.exists() and (not name.is_file() or self._is_source(name)):
            raise FileExistsError(name)
        else:
            self.path.replace(name)

    def _put_beside(self, word: str = "", *, overwrite: bool = False) -> Path:
        """Move the part file to ``outWORD.mp4``, ``outWORD-2.mp4`` or the next that is free."""
        for number in itertools.count(1 if word else 2):
            tail = f"{word}{'' if number == 1 else f'-{number}'}{self._final.suffix}"
            name = self._final.with_name(_file_name(self._final.stem, tail))
            with contextlib.suppress(FileExistsError):
                self._put(name, overwrite=overwrite)
                _part_files.discard(self)
                return self._as_named(name)
        raise AssertionError  # the numbers have no end

    def _as_named(self, path: Path) -> Path:
        """Return the path as the user names its folder, unless `target` leads to another one."""
        if self.target.is_symlink() or self.target.name != self._final.name:  # ".", ".."
            return path
        return self.target.with_name(path.name)

    def _is_source(self, path: Path) -> bool:
        source = self._source
        return source is not None and Path(source).exists() and path.samefile(source)

    @property
    def is_empty(self) -> bool:
        """Whether it is a file in which nothing is."""
        return self.path.is_file() and not self.path.stat().st_size

    def discard(self) -> None:
        """Delete the part file, if it is still there."""
        _part_files.discard(self)
        self._delete()

    def _delete(self) -> None:
        self.path.unlink(missing_ok=True)


class PartFolder(PartFile):
    """Do the same with a folder of files.

    A folder that exists is replaced as a whole if `overwrite` is given, but only one that a
    `PartFolder` made: it says so by an empty file `MARK`. An empty one always
    is. The old folder is moved aside first; a program that is killed just then leaves it as a
    hidden folder beside the new one.
    """

    MARK = ".livekm"

    def _delete(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def _put(self, name: Path, *, overwrite: bool) -> None:
        old = self.path.with_name(f"{self.path.name}-old")
        if overwrite and (name / self.MARK).exists() and not self._is_source(name):
            name.rename(old)
        with contextlib.suppress(OSError):  # it holds something, or is not there
            name.rmdir()
        try:
            self.path.rename(name)
        except OSError as error:  # which one depends on the system
            if os.path.lexists(name):
                raise FileExistsError(name) from error
            raise
        shutil.rmtree(old, ignore_errors=True)

    def _create(self) -> None:
        self.path.mkdir()
        (self.path / self.MARK).touch()

    def _check(self) -> None:
        if self._exists() and self._final.is_dir() and not (self._final / self.MARK).exists():
            if self.target == Path():
                raise SinkError("the files need a folder of their own; name one before them: out/")
            raise SinkError(f"{self.target} is a folder that livekm did not make; name another one")
        if self._final.exists() and not self._final.is_dir():
            raise SinkError(f"{self.target} is a file; name a folder")
        self._check_place()

    def _exists(self) -> bool:
        return super()._exists() and not (self._final.is_dir() and not any(self._final.iterdir()))

    def _is_source(self, path: Path) -> bool:
        source = Path(os.path.realpath(self._source)) if self._source else None  # or a pattern
        return source is not None and path in (source, *source.parents)


def _is_special(path: Path) -> bool:
    """Tell whether there is something that is neither a file nor a folder."""
    try:
        mode = path.stat().st_mode
    except OSError:  # nothing there, or nothing that can be looked at
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _move_to_free(path: Path, name: Path) -> None:
    """Give a file another name; raise FileExistsError, and replace nothing, if there is one."""
    try:
        os.link(path, name)  # unlike a rename, it looks and takes the name in one step
    except FileExistsError:
        raise
    except OSError as error:  # a disk without hard links, like FAT
        if os.path.lexists(name):
            raise FileExistsError(name) from error
        path.rename(name)
    else:
        path.unlink()


def _file_name(head: str, tail: str) -> str:
    """Return both together, without the end of a head that is too long for a file's name."""
    while len(os.fsencode(head + tail)) > _LONGEST:
        head = head[:-1]
    return head + tail
