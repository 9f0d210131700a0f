"""Read FLV files that were joined end to end: FFmpeg stops at the second one's header."""

from __future__ import annotations

import io
from pathlib import Path

_SIGNATURE = b"FLV\x01"
_HEADER = 13  # bytes: the signature, flags, the header's length, and the size of no tag before it
_TAG_HEADER = 11
_TAG_END = 4  # bytes behind each tag, which repeat its size


def is_joined_flv(path: Path) -> bool:
    """Tell whether a file is an FLV and has another one behind it."""
    return len(_tag_ranges(path)) > 1


def open_joined_flv(path: Path) -> io.RawIOBase:
    """Open the file without the headers of its second and later parts."""
    ranges = _tag_ranges(path)
    return _Spliced(path, [(0, _HEADER), *ranges])


def _tag_ranges(path: Path) -> list[tuple[int, int]]:
    """Return where the tags of each part begin and end; nothing where the file is no FLV."""
    ranges: list[tuple[int, int]] = []
    with path.open("rb") as file:
        if file.read(len(_SIGNATURE)) != _SIGNATURE:
            return []
        size = path.stat().st_size
        start = end = _HEADER
        while end + _TAG_HEADER < size:
            file.seek(end)
            head = file.read(4)
            if head == _SIGNATURE:
                ranges.append((start, end))
                start = end = end + _HEADER
                continue
            if head[0] & 0x1F not in (8, 9, 18):  # sound, picture, data: else FFmpeg looks on
                break
            end += _TAG_HEADER + int.from_bytes(head[1:4], "big") + _TAG_END
    return [*ranges, (start, size)]


class _Spliced(io.RawIOBase):
    """Parts of a file as one."""

    def __init__(self, path: Path, ranges: list[tuple[int, int]]) -> None:
        self._file = path.open("rb")
        self._ranges = ranges
        self._size = sum(end - start for start, end in ranges)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        left = self._at
        for start, end in self._ranges:
            if left < end - start:
                self._file.seek(start + left)
                data = self._file.read(min(len(buffer), end - start - left))
                buffer[: len(data)] = data
                self._at += len(data)
                return len(data)
            left -= end - start
        return 0

    def close(self) -> None:
        self._file.close()
        super().close()
