"""Convert decoded pictures to images: colours, orientation, fields, size."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from livekm.frame import Image, Mask, is_hd
from livekm.sources.decoding import Picture
from livekm.sources.hdr import is_hdr, tone_mapped
from livekm.sources.orientation import UPRIGHT, orientation_of

_OPAQUE = 128  # alpha from which a pixel counts
_UNSPECIFIED = 2  # H.273's number for "unknown", of the colour matrix

# swscale ignores the range of grey pictures; in limited range black is 16 and white 235.
_FROM_LIMITED = np.clip(np.rint((np.arange(256) - 16) * (255 / 219)), 0, 255).astype(np.uint8)


class Converter:
    """Converts pictures to upright BGR images, all of the first one's size.

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
        self.is_turned: bool = False
        self._threads = threads
        self._reformatter = VideoReformatter()
        self._shape: tuple[int, ...] | None = None
        self._orientation = UPRIGHT
        self._of: tuple[int, ...] = ()  # rotation and size of the pictures that have it

    def convert(self, picture: av.VideoFrame) -> Image:
        """Return (H, W, 3) uint8, BGR.

        The colours are converted by the matrix and range that the clip states. Where it does not
        state the matrix, it is the one that players take: see `is_hd`. HDR is tone-mapped.
        """
        image = self._hdr(picture) if is_hdr(picture) else self._sdr(picture)
        # Not for each picture: with the matrix, PyAV's picture refers to itself, and its megabytes
        # stay until Python looks for such circles, which so few objects do not give it a reason to.
        now = int(picture.rotation), picture.width, picture.height
        if now != self._of:
            self._of, self._orientation = now, orientation_of(picture)
        self.is_turned = self._orientation.is_transposed
        image = self._orientation.apply(image)
        if self._shape is None:
            self._shape = image.shape
        elif image.shape != self._shape:
            height, width = self._shape[:2]
            image = np.asarray(cv2.resize(image, (width, height)), np.uint8)
        return image

    def opaque(self, picture: av.VideoFrame) -> Mask | None:
        """Return which pixels of the picture that was converted last are opaque.

        (H, W) bool, upright and of the image's size; None where all are, or there is no alpha.
        """
        if not any(component.is_alpha for component in picture.format.components):
            return None
        rgba = self._reformatter.reformat(picture, format="rgba", threads=self._threads)
        alpha = self._orientation.apply(np.asarray(rgba.to_ndarray()[..., 3], np.uint8))
        if self._shape is not None and alpha.shape != self._shape[:2]:
            height, width = self._shape[:2]
            alpha = np.asarray(cv2.resize(alpha, (width, height)), np.uint8)
        mask = alpha >= _OPAQUE
        return None if mask.all() else mask

    def _hdr(self, picture: av.VideoFrame) -> Image:
        return tone_mapped(picture, self._reformatter, self._threads)

    def _sdr(self, picture: av.VideoFrame) -> Image:
        is_untagged = picture.colorspace == _UNSPECIFIED
        is_untagged_hd = is_untagged and is_hd(picture.width, picture.height)
        bgr = self._reformatter.reformat(
            picture,
            format="bgr24",
            # swscale takes a third of the time if it does not interpolate the chroma.
            interpolation=Interpolation.POINT,
            src_colorspace=Colorspace.ITU709 if is_untagged_hd else None,
            threads=self._threads,
        )
        image = _rows(bgr)
        if picture.format.name.startswith("gray") and picture.color_range == ColorRange.MPEG:
            image = np.asarray(cv2.LUT(image, _FROM_LIMITED), np.uint8)
        return image


def _rows(bgr: av.VideoFrame) -> Image:
    """Return a picture's memory as an array; copied only if its rows are padded."""
    plane = bgr.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]
    image = rows[: bgr.height, : 3 * bgr.width].reshape(bgr.height, bgr.width, 3)
    return np.ascontiguousarray(image)


def deinterlaced(pictures: Iterator[Picture]) -> Iterator[Picture]:
    """Make one whole picture of each that consists of two fields.

    Two fields were taken one after the other; woven together, what moves would be a comb, and
    its teeth segments. The filter is FFmpeg's bwdif, from the first such picture on; times and
    number of pictures stay. A filter takes pictures of one size and format: where these change,
    another one goes on.
    """
    graph: Any = None
    shape: tuple[object, ...] = ()
    waiting: deque[tuple[Picture, int | None]] = deque()  # with their time stamps, as pushed
    for picture in pictures:
        content = picture.content
        found = (content.width, content.height, content.format.name,
                 content.colorspace, content.color_range)  # fmt: skip
        if graph is not None and found != shape:
            yield from _flushed(graph, waiting)
            graph = None
        if graph is None and not content.interlaced_frame:
            yield picture
            continue
        if graph is None:
            graph, shape = _graph(content), found
        waiting.append((picture, content.pts))
        graph.push(content)
        yield from _pulled(graph, waiting)
    if graph is not None:
        yield from _flushed(graph, waiting)


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


def _flushed(graph: Any, waiting: deque[tuple[Picture, int | None]]) -> Iterator[Picture]:
    graph.push(None)
    yield from _pulled(graph, waiting)


def _pulled(graph: Any, waiting: deque[tuple[Picture, int | None]]) -> Iterator[Picture]:
    while True:
        try:
            content = graph.vpull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        picture, pts = waiting.popleft()  # the filter gives one for each, in order
        content.pts, content.time_base = pts, picture.content.time_base
        yield Picture(picture.index, content)
