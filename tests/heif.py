"""HEIC images for tests: a picture of HEVC, or a grid of them, in the boxes of ISO 23008-12."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

X265 = "log-level=none:bframes=0:frame-threads=1:pools=none"  # one picture needs no thread


def box(kind: str, *content: bytes) -> bytes:
    data = b"".join(content)
    return struct.pack(">I4s", 8 + len(data), kind.encode()) + data


def full_box(kind: str, *content: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *content)


def encode(image: npt.NDArray[np.uint8]) -> tuple[bytes, bytes]:
    """Return the decoder's configuration (hvcC) and the data of one picture."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as output:
        stream = output.add_stream("libx265", rate=25, options={"crf": "4", "x265-params": X265})
        stream.height, stream.width = image.shape[:2]
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(image, format="bgr24")
        frame.pts = 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode())
    file.seek(0)
    with av.open(file) as clip:
        (packet,) = [packet for packet in clip.demux(video=0) if packet.size]
        return bytes(clip.streams.video[0].codec_context.extradata), bytes(packet)


def write(
    path: Path,
    tiles: Sequence[npt.NDArray[np.uint8]],
    *,
    columns: int | None = None,
    size: tuple[int, int] | None = None,
    turn: int | None = None,
    mirror: int | None = None,
) -> Path:
    """Write an image: of one tile as it is, of more as a grid.

    Parameters
    ----------
    path : Path
    tiles : sequence of (H, W, 3) uint8 BGR
        All of one size, row by row.
    columns : int, optional
        Of the grid; without it there is none.
    size : tuple of int, optional
        Width and height of what is seen of the grid.
    turn : int, optional
        ``irot``: quarters of a turn to the left.
    mirror : int, optional
        ``imir``: 0 exchanges top and bottom, 1 left and right.
    """
    encoded = [encode(tile) for tile in tiles]
    height, width = tiles[0].shape[:2]
    properties = [box("hvcC", encoded[0][0]), full_box("ispe", struct.pack(">II", width, height))]
    items = [(i, "hvc1") for i in range(1, len(tiles) + 1)]
    primary, grid, references = 1, b"", b""
    if columns:
        primary, rows = len(tiles) + 1, len(tiles) // columns
        size = size or (columns * width, rows * height)
        grid = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, *size)
        items.append((primary, "grid"))
        properties.append(full_box("ispe", struct.pack(">II", *size)))
        ids = struct.pack(f">HH{len(tiles)}H", primary, len(tiles), *range(1, primary))
        references = full_box("iref", box("dimg", ids))
    seen = [3] if columns else [1, 2]  # the properties of the whole
    for kind, value in (("irot", turn), ("imir", mirror)):
        if value is not None:
            properties.append(box(kind, bytes([value])))
            seen.append(len(properties))
    owned = {item: [0x81, 2] for item in range(1, len(tiles) + 1)}
    owned[primary] = seen if columns else [0x81, 2, *seen[2:]]
    associations = b"".join(
        struct.pack(">HB", item, len(which)) + bytes(which) for item, which in owned.items()
    )
    entries = [
        full_box("infe", struct.pack(">HH4s", item, 0, kind.encode()), b"\0", version=2,
                 flags=int(bool(columns) and item != primary))
        for item, kind in items
    ]  # fmt: skip

    def meta(start: int) -> bytes:
        places, at = b"", start
        for item, (_, data) in enumerate(encoded, 1):
            places += struct.pack(">HHHHII", item, 0, 0, 1, at, len(data))
            at += len(data)
        if columns:
            places += struct.pack(">HHHHII", primary, 1, 0, 1, 0, len(grid))
        return full_box(
            "meta",
            full_box("hdlr", bytes(4), b"pict", bytes(13)),
            full_box("pitm", struct.pack(">H", primary)),
            full_box("iloc", b"\x44\0", struct.pack(">H", len(items)), places, version=1),
            full_box("iinf", struct.pack(">H", len(items)), *entries),
            references,
            box("iprp", box("ipco", *properties),
                full_box("ipma", struct.pack(">I", len(owned)), associations)),
            *([box("idat", grid)] if columns else []),
        )  # fmt: skip

    head = box("ftyp", b"heic", bytes(4), b"mif1heic")
    start = len(head) + len(meta(0)) + 8
    path.write_bytes(head + meta(start) + box("mdat", *(data for _, data in encoded)))
    return path
