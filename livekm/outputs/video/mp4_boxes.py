"""Move and cut the boxes of MP4 and MOV files (ISO/IEC 14496-12) where FFmpeg cannot.

FFmpeg writes no file that both survives a killed process, by fragments, and has its index in front,
where a browser that still loads the file finds it.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

_HEAD = struct.Struct(">I4s")  # a box's length, with its head, and its kind
_CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl")  # boxes of boxes, down to the offsets
_ENDLESS = b"\xff" * 4  # the length of an edit
_OFFSETS = {b"stco": ">u4", b"co64": ">u8"}  # lists of where the packets lie in the file
_BLOCK = 1 << 20  # bytes that are moved at a time


def cut_last_fragment(path: Path) -> None:
    """Cut off a fragment that is not whole; leave files of other formats alone.

    The first index was written before the length of the clip was known, and some readers take its
    edit lists, of no length, by the word.
    """
    with path.open("r+b") as file:
        size = file.seek(0, 2)
        boxes = list(_boxes(file, 0, size))
        if not boxes or boxes[0][0] != b"ftyp":
            return
        whole = [box for box in boxes if box[1] + box[2] <= size]
        if whole[-1][0] == b"moof":  # the head of a fragment without its packets
            whole.pop()
        file.truncate(whole[-1][1] + whole[-1][2])
        for kind, start, length in whole:
            if kind == b"moov":
                _lengthen_edits(file, start, length)


def _lengthen_edits(file: BinaryIO, start: int, length: int) -> None:
    for kind, at, size in _boxes(file, start + _HEAD.size, start + length):
        if kind in (b"trak", b"edts"):
            _lengthen_edits(file, at, size)
        elif kind == b"elst":
            file.seek(at + _HEAD.size)
            version, n_edits = struct.unpack(">B3xI", file.read(8))
            last = at + 16 + 12 * (n_edits - 1)  # of each the length, the begin and the rate
            file.seek(last)
            if version == 0 and n_edits and file.read(4) == bytes(4):
                file.seek(last)
                file.write(_ENDLESS)


def put_index_first(path: Path) -> None:
    """Move the index of a complete file from its end behind its first box, in place.

    The file is left as it is where there is no index at its end, or where it is so large that
    offsets of 32 bits would no longer do.
    """
    with path.open("r+b") as file:
        size = file.seek(0, 2)
        (_, _, first_end), *_, (kind, start, length) = _boxes(file, 0, size)
        if kind != b"moov" or start + length != size:
            return
        file.seek(start)
        index = bytearray(file.read(length))
        if _shift_offsets(index, length):
            _insert(file, first_end, start, bytes(index))


def _boxes(file: BinaryIO, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and length of each box; the last one may be longer than the file."""
    while at + _HEAD.size <= end:
        file.seek(at)
        length, kind = _HEAD.unpack(file.read(_HEAD.size))
        if length == 1:  # it follows, in 64 bits
            length = int.from_bytes(file.read(8), "big")
        if length < _HEAD.size:
            return
        yield kind, at, length
        at += length


def _shift_offsets(index: bytearray, by: int) -> bool:
    """Add to all offsets of packets in an index; return False if one becomes too large."""
    tables = []
    for kind, at, count in _offset_tables(index):
        table = np.frombuffer(index, _OFFSETS[kind], count, at)
        if count and int(table.max()) + by > np.iinfo(table.dtype).max:
            return False
        tables.append(table)
    for table in tables:
        table += table.dtype.type(by)
    return True


def _offset_tables(
    index: bytearray, at: int = 0, end: int | None = None
) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind of each table of offsets, where its numbers begin, and how many there are."""
    content = io.BytesIO(index)
    for kind, start, length in _boxes(content, at, len(index) if end is None else end):
        if kind in _CONTAINERS:
            yield from _offset_tables(index, start + _HEAD.size, start + length)
        elif kind in _OFFSETS:  # a version and flags, the number, the offsets
            yield kind, start + 16, int.from_bytes(index[start + 12 : start + 16], "big")


def _insert(file: BinaryIO, at: int, end: int, content: bytes) -> None:
    """Write `content` at a place of a file; what lies from there to `end` follows it."""
    waiting = bytearray(content)
    while at < end:
        file.seek(at)
        block = file.read(min(_BLOCK, end - at))
        waiting += block
        file.seek(at)
        file.write(waiting[: len(block)])
        del waiting[: len(block)]
        at += len(block)
    file.write(waiting)
