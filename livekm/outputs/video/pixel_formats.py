"""Convert images to the pictures that encoders take."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any, ClassVar

import av
import cv2
import numpy as np
from av.filter import Graph
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from livekm.core.painting import Painting
from livekm.frame import Image, is_hd
from livekm.outputs.images.label_png import palette_picture

# swscale's default rounding is off by one level in luma and chroma, which decodes to an error of
# up to five levels in BGR. PyAV before 18 has no name for SWS_BILINEAR | SWS_ACCURATE_RND.
_ACCURATE = 0x2 | 0x40000


class Conversion:
    """Converts the images of one clip to pictures of a pixel format.

    Parameters
    ----------
    width, height : int
        Size of the pictures. Smaller images get their last column or row repeated.
    threads : int, optional
        How many threads convert; as many as there are processors by default.

    Attributes
    ----------
    color_tags : tuple of int, or None
        The colour tags of the stream: the number that H.273 gives to matrix, primaries
        and transfer, which is one for all of them, and the range. None where it is RGB.
    """

    color_tags: tuple[int, ColorRange] | None = None

    def __init__(self, width: int, height: int, threads: int | None = None) -> None:
        self._width, self._height = width, height
        self._threads = threads

    def __call__(self, image: Image | Painting) -> av.VideoFrame:
        """Return the picture of a (H, W, 3) uint8 BGR image, or of a painting."""
        if isinstance(image, Painting):
            return self._paint(image)
        height, width = image.shape[:2]
        below, beside = self._height - height, self._width - width
        if below or beside:
            image = cv2.copyMakeBorder(image, 0, below, 0, beside, cv2.BORDER_REPLICATE)  # type: ignore[assignment]
        buffer = np.ascontiguousarray(image)
        name = "bgra" if image.shape[2] == 4 else "bgr24"
        return self._convert(av.VideoFrame.from_numpy_buffer(buffer, name))

    def _convert(self, picture: av.VideoFrame) -> av.VideoFrame:
        """Return a picture of BGR in the pixel format."""
        raise NotImplementedError

    def _paint(self, painting: Painting) -> av.VideoFrame:
        """Return the picture of a painting."""
        return self(painting.paint())


class ToAnyYuv(Conversion):
    """Luma, chroma, and maybe alpha, in limited range.

    The matrix is the one that players assume where they ignore tags: see `is_hd`.
    """

    pixel_format: ClassVar[str]

    def __init__(self, width: int, height: int, threads: int | None = None) -> None:
        super().__init__(width, height, threads)
        is_709 = is_hd(width, height)
        self.color_tags: tuple[int, ColorRange] | None = (1 if is_709 else 6), ColorRange.MPEG
        self._matrix = Colorspace.ITU709 if is_709 else Colorspace.ITU601
        self._red, self._blue = (0.2126, 0.0722) if is_709 else (0.299, 0.114)
        self._reformatter = VideoReformatter()

    def _convert(self, picture: av.VideoFrame) -> av.VideoFrame:
        return self._reformatter.reformat(
            picture,
            format=self.pixel_format,
            interpolation=_ACCURATE,
            dst_colorspace=self._matrix,
            dst_color_range=ColorRange.MPEG,
            threads=self._threads,
        )


class ToYuv(ToAnyYuv):
    """Luma, and chroma at half the width and height, of which a painting is made at once."""

    pixel_format = "yuv420p"

    def _paint(self, painting: Painting) -> av.VideoFrame:
        if self._width % 2 or self._height % 2:
            return super()._paint(painting)
        labels = painting.labels
        below, beside = self._height - labels.shape[0], self._width - labels.shape[1]
        if below or beside:
            painting = replace(
                painting, labels=np.pad(labels, ((0, below), (0, beside)), mode="edge")
            )
        picture = av.VideoFrame(self._width, self._height, "yuv420p")
        y, u, v = (
            np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, -1)[:, : plane.width]
            for plane in picture.planes
        )
        painting.paint_yuv(y, u, v, red=self._red, blue=self._blue)
        return picture


class ToYuva(ToAnyYuv):
    """The same with alpha."""

    pixel_format = "yuva420p"


class ToDeepYuv(ToAnyYuv):
    """Luma and chroma of the whole size, ten bits each."""

    pixel_format = "yuv444p10le"


class ToDeepYuva(ToAnyYuv):
    """The same with alpha."""

    pixel_format = "yuva444p10le"


class ToBgr(Conversion):
    """Convert to BGR, which keeps every colour exactly."""

    def __init__(self, width: int, height: int, threads: int | None = None) -> None:
        super().__init__(width, height, threads)
        self._reformatter = VideoReformatter()

    def _convert(self, picture: av.VideoFrame) -> av.VideoFrame:
        return self._reformatter.reformat(picture, format="bgr0", threads=self._threads)


class AsBgr(Conversion):
    """Take BGR as it is."""

    def _convert(self, picture: av.VideoFrame) -> av.VideoFrame:
        return picture


class ToPalette(Conversion):
    """Convert to the 256 colours that fit each image best; exact where it has no more."""

    def __init__(self, width: int, height: int, threads: int | None = None) -> None:
        super().__init__(width, height, threads)
        self._graph = Graph()
        self._graph.threads = threads or 0
        source = self._graph.add_buffer(
            width=width,
            height=height,
            format=av.VideoFormat("bgr24", width, height),
            time_base=Fraction(1, 100),
        )
        add: Any = self._graph.add
        split, sink = add("split"), add("buffersink")
        palette = add("palettegen", "stats_mode=single:reserve_transparent=0")
        use = add("paletteuse", "new=1")
        source.link_to(split)
        split.link_to(palette, 0, 0)
        split.link_to(use, 1, 0)
        palette.link_to(use, 0, 1)
        use.link_to(sink)
        self._graph.configure()
        self._n = 0

    def _convert(self, picture: av.VideoFrame) -> av.VideoFrame:
        picture.pts, picture.time_base = self._n, Fraction(1, 100)  # the filters pair by time
        self._n += 1
        self._graph.push(picture)
        found = self._graph.pull()
        assert isinstance(found, av.VideoFrame)
        return found

    def _paint(self, painting: Painting) -> av.VideoFrame:
        # FFmpeg 8 shows the first colour where a palette holds another one twice.
        colors, slots = np.unique(painting.palette, axis=0, return_inverse=True)
        labels = painting.labels
        if len(colors) < len(slots):
            labels = slots.reshape(-1).astype(np.uint8)[labels]
        else:
            colors = painting.palette
        return palette_picture(labels, colors)


CONVERSIONS: dict[str, type[Conversion]] = {
    "yuv420p": ToYuv,
    "bgr0": ToBgr,
    "bgr24": AsBgr,
    "bgra": AsBgr,
    "yuva420p": ToYuva,
    "yuv444p10le": ToDeepYuv,
    "yuva444p10le": ToDeepYuva,
    "pal8": ToPalette,
}
"""FFmpeg's name of a pixel format -> what makes pictures of it, from their width and height."""
