"""Decoded pictures to images: colours, turns, fields, one size."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from livekm.frame import Image
from livekm.sources.decoding import Picture

_UNSPECIFIED = 2  # H.273's number for "unknown", of the colour matrix
_HD = 720  # rows from which on players take untagged colours for BT.709

# Degrees counter-clockwise, as a display matrix has them.
_TURNS = {
    90: cv2.ROTATE_90_COUNTERCLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_CLOCKWISE,
}

# swscale takes grey for full range, whatever its tag says: black is 16 and white 235 of this.
_FROM_LIMITED = np.clip(np.rint((np.arange(256) - 16) * (255 / 219)), 0, 255).astype(np.uint8)


class Converter:
    """Makes upright BGR images of pictures, all of the first one's size.

    Parameters
    ----------
    threads : int, optional
        How many threads convert; as many as there are processors by default.

    Attributes
    ----------
    is_turned : bool
        Whether the last image's width was its picture's height.
    """

    def __init__(self, threads: int | None = None) -> None:
        self.is_turned = False
        self._threads = threads
        self._reformatter = VideoReformatter()
        self._shape: tuple[int, ...] | None = None

    def convert(self, picture: av.VideoFrame) -> Image:
        """Return (H, W, 3) uint8, BGR.

        The colours are converted by the matrix and range that the clip states. Where it does not
        state the matrix, it is BT.709 from 720 rows on and BT.601 below, as players take it.
        """
        is_untagged_hd = picture.colorspace == _UNSPECIFIED and picture.height >= _HD
        bgr = self._reformatter.reformat(
            picture,
            format="bgr24",
            # Without interpolation of the colours swscale has a way that takes a third of the time.
            interpolation=Interpolation.POINT,
            src_colorspace=Colorspace.ITU709 if is_untagged_hd else None,
            threads=self._threads,
        )
        image = _rows(bgr)
        if picture.format.name.startswith("gray") and picture.color_range == ColorRange.MPEG:
            image = np.asarray(cv2.LUT(image, _FROM_LIMITED), np.uint8)
        degrees = picture.rotation % 360
        self.is_turned = degrees in (90, 270)
        turn = _TURNS.get(degrees)
        if turn is not None:
            image = np.asarray(cv2.rotate(image, turn), np.uint8)
        if self._shape is None:
            self._shape = image.shape
        elif image.shape != self._shape:
            height, width = self._shape[:2]
            image = np.asarray(cv2.resize(image, (width, height)), np.uint8)
        return image


def _rows(bgr: av.VideoFrame) -> Image:
    """Return a picture's memory as an array, without copying it where it has no padding."""
    plane = bgr.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]
    image = rows[: bgr.height, : 3 * bgr.width].reshape(bgr.height, bgr.width, 3)
    return np.ascontiguousarray(image)


def deinterlaced(pictures: Iterator[Picture]) -> Iterator[Picture]:
    """Make one whole picture of each that consists of two fields, where the first one does.

    Two fields were taken one after the other; woven together, what moves would be a comb, and
    its teeth segments. The filter is FFmpeg's bwdif; times and number of pictures stay.
    """
    first = next(pictures, None)
    if first is None:
        return
    if not first.content.interlaced_frame:
        yield first
        yield from pictures
        return
    graph = _graph(first.content)
    waiting: deque[tuple[Picture, int | None]] = deque()  # with their time stamps, as pushed
    for picture in chain((first,), pictures):
        waiting.append((picture, picture.content.pts))
        graph.push(picture.content)
        yield from _pulled(graph, waiting)
    graph.push(None)
    yield from _pulled(graph, waiting)


def _graph(picture: av.VideoFrame) -> Any:
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=picture.width,
        height=picture.height,
        format=picture.format,
        time_base=picture.time_base,
    )
    bwdif = graph.add("bwdif", "mode=send_frame:deint=interlaced")
    graph.link_nodes(source, bwdif, graph.add("buffersink")).configure()
    return graph


def _pulled(graph: Any, waiting: deque[tuple[Picture, int | None]]) -> Iterator[Picture]:
    while True:
        try:
            content = graph.vpull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        picture, pts = waiting.popleft()  # the filter gives one for each, in order
        content.pts, content.time_base = pts, picture.content.time_base
        yield Picture(picture.index, content)
