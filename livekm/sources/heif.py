"""HEIC images: FFmpeg decodes the pictures, here they are put together (ISO 23008-12).

A camera stores a large picture as a grid of tiles, which are streams of their own to FFmpeg.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from livekm.frame import Image
from livekm.sources.container import open_container, picture_stream
from livekm.sources.conversion import Converter

_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1"}


@dataclass(frozen=True, slots=True)
class _Item:
    """The image that a file shows.

    Attributes
    ----------
    tiles : list of int
        Numbers of the images of which it consists; empty where it is one itself.
    grid : bytes
        How these lie.
    properties : list of (bytes, bytes)
        Kinds and contents of its property boxes, in order.
    """

    tiles: list[int]
    grid: bytes
    properties: list[tuple[bytes, bytes]]


def is_heif(data: bytes) -> bool:
    """Tell whether a file is a HEIC image, by its first bytes."""
    return data[4:8] == b"ftyp" and data[8:12] in _BRANDS


def is_heif_file(path: Path) -> bool:
    """Tell whether a file is a HEIC image, whatever its name."""
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return is_heif(file.read(12))
    except OSError:  # said by what opens it
        return False


def read_heif(path: Path, data: bytes) -> tuple[Image, bytes | None]:
    """Return the image, (H, W, 3) uint8 BGR upright, and its colour profile if it has one.

    Raises
    ------
    ValueError, av.FFmpegError
        If it cannot be decoded, or is of a kind other than a picture or a grid.
    """
    item = _primary_item(data)
    profile = next(
        (value[4:] for kind, value in item.properties
         if kind == b"colr" and value[:4] in (b"prof", b"rICC")), None
    )  # fmt: skip
    if not item.tiles:
        with open_container(path) as container:
            stream = picture_stream(container)
            if stream is None:
                raise ValueError("no picture")
            return Converter().convert(next(container.decode(stream))), profile
    image = _joined(_decoded(path, item.tiles), item.grid)
    for kind, value in item.properties:
        if kind == b"irot":  # quarters of a turn to the left
            image = np.rot90(image, value[0] & 3)
        elif kind == b"imir":  # left and right, or top and bottom
            image = image[:, ::-1] if value[0] & 1 else image[::-1]
    return np.ascontiguousarray(image), profile


def _decoded(path: Path, numbers: list[int]) -> list[Image]:
    """Return the images of these numbers, in their order."""
    found: dict[int, Image] = {}
    with open_container(path) as container:
        streams = {stream.index: stream.id for stream in container.streams.video}
        for packet in container.demux(video=list(streams)):
            for picture in packet.decode():
                if isinstance(picture, av.VideoFrame):
                    found[streams[packet.stream.index]] = Converter().convert(picture)
    if not found.keys() >= set(numbers):
        raise ValueError("tiles are missing")
    return [found[number] for number in numbers]


def _joined(tiles: list[Image], grid: bytes) -> Image:
    """Put tiles together, row by row, and cut off what is beyond the picture's size."""
    rows, columns = grid[2] + 1, grid[3] + 1
    length = 4 if grid[1] & 1 else 2
    width, height = (
        int.from_bytes(grid[at : at + length], "big") for at in (4, 4 + length)
    )  # fmt: skip
    if len(tiles) != rows * columns:
        raise ValueError("the grid does not fit its tiles")
    lines = [np.hstack(tiles[row * columns : (row + 1) * columns]) for row in range(rows)]
    return np.vstack(lines)[:height, :width]


def _primary_item(data: bytes) -> _Item:
    meta = dict(_boxes(_child(data, b"meta")[4:]))
    number = int.from_bytes(meta[b"pitm"][4:], "big")
    kinds = dict(_kinds(meta[b"iinf"]))
    properties = _properties(meta[b"iprp"], number)
    if kinds.get(number) in (b"hvc1", b"av01", b"avc1"):
        return _Item([], b"", properties)
    if kinds.get(number) != b"grid":
        raise ValueError("neither a picture nor a grid")
    tiles = _references(meta[b"iref"], number)
    return _Item(tiles, _content(data, meta, number), properties)


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and content of each box."""
    at = 0
    while at + 8 <= len(data):
        size, kind, head = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        end = at + size if size else len(data)
        if end < at + head:
            raise ValueError("a box without a size")
        yield kind, data[at + head : end]
        at = end


def _child(data: bytes, wanted: bytes) -> bytes:
    for kind, content in _boxes(data):
        if kind == wanted:
            return content
    raise ValueError(f"no box {wanted.decode()}")


def _kinds(iinf: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and kind of each item."""
    for kind, entry in _boxes(iinf[6 if iinf[0] == 0 else 8 :]):
        if kind == b"infe" and entry[0] >= 2:
            length = 2 if entry[0] == 2 else 4
            yield int.from_bytes(entry[4 : 4 + length], "big"), entry[6 + length : 10 + length]


def _references(iref: bytes, number: int) -> list[int]:
    """Return the numbers of the images of which one is made."""
    length = 2 if iref[0] == 0 else 4
    for kind, content in _boxes(iref[4:]):
        if kind == b"dimg" and int.from_bytes(content[:length], "big") == number:
            content = content[length + 2 :]
            return [
                int.from_bytes(content[at : at + length], "big")
                for at in range(0, len(content), length)
            ]
    raise ValueError("a grid without tiles")


def _properties(iprp: bytes, number: int) -> list[tuple[bytes, bytes]]:
    parts = dict(_boxes(iprp))
    known, table = list(_boxes(parts[b"ipco"])), parts[b"ipma"]
    length, is_wide = (2 if table[0] == 0 else 4), table[3] & 1
    at = 8
    while at < len(table):
        item, n = int.from_bytes(table[at : at + length], "big"), table[at + length]
        at += length + 1
        step = 2 if is_wide else 1
        if item == number:
            bits = 0x7FFF if is_wide else 0x7F
            places = (table[at + i * step : at + (i + 1) * step] for i in range(n))
            indices = [int.from_bytes(place, "big") & bits for place in places]
            return [known[i - 1] for i in indices if 0 < i <= len(known)]
        at += n * step
    return []


def _content(data: bytes, meta: dict[bytes, bytes], number: int) -> bytes:
    """Return an item's data, from the file or the box ``idat``."""
    iloc = meta[b"iloc"]
    version, sizes = iloc[0], [iloc[4] >> 4, iloc[4] & 15, iloc[5] >> 4, iloc[5] & 15]
    at = 6

    def take(length: int) -> int:
        nonlocal at
        at += length
        return int.from_bytes(iloc[at - length : at], "big")

    for _ in range(take(2 if version < 2 else 4)):
        item = take(2 if version < 2 else 4)
        method = take(2) & 15 if version else 0
        take(2)  # which file; this one
        base = take(sizes[2])
        found = b""
        for _ in range(take(2)):
            if version:
                take(sizes[3])
            start, length = base + take(sizes[0]), take(sizes[1])
            found += (meta[b"idat"] if method == 1 else data)[start : start + length]
        if item == number:
            return found
    raise ValueError("a grid without data")
