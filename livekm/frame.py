"""Define the values that travel from a source to a sink."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from livekm.errors import printable
from livekm.thumbnail import to_png

Image: TypeAlias = npt.NDArray[np.uint8]
"""(H, W, 3) uint8, BGR."""

Mask: TypeAlias = npt.NDArray[np.bool_]
"""(H, W) bool."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a source.

    Attributes
    ----------
    image : (H, W, 3) uint8
        The picture in BGR order. It belongs to the receiver: no source writes to it again.
    index : int
        Place in the source, from 0. Frames that were skipped or dropped leave gaps.
    time : float
        Presentation time in seconds. For a clip it is the file's own, for a camera it counts
        from the moment the camera was opened.
    mask : (H, W) bool or None
        Which pixels count; None where all do.
    """

    image: Image
    index: int
    time: float
    mask: Mask | None = None

    def __repr__(self) -> str:
        height, width = self.image.shape[:2]
        return f"<Frame {self.index} at {self.time:.3f} s, {width}x{height}>"

    def _repr_png_(self) -> bytes:
        """Return what a notebook shows: the picture, scaled down."""
        return to_png(self.image)


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """Describes the frames of a source before the first one is read.

    Attributes
    ----------
    name : str
        A short name for people: a file's name, ``camera 0``, ``demo``. Bytes of a file's name
        that are not UTF-8 become U+FFFD; Python's surrogates for them cannot be drawn or written.
        Control characters are escaped.
    width, height : int
        Size of the frames in pixels, after rotation.
    fps : Fraction or None
        Frames a second, exact (29.97 is 30000/1001); None where it is not known.
    n_frames : int or None
        Number of frames as the container states it, which may be an estimate unless it is 1; None
        where it is not known or there is no end.
    time_base : Fraction or None
        The unit of the source's time stamps in seconds; None where there is none.
    pixel_aspect : Fraction
        Width of a pixel by its height, of the upright frames; above 1 where the picture is shown
        wider than it has columns for its rows.
    is_live : bool
        True for a camera or network stream: frames that are not taken in time are lost.
    is_still : bool
        True for an image, which has no time.
    is_variable : bool
        True where frames are known to come at another rate than `fps`, which is their mean.
    has_alpha : bool
        True for images of which some parts are transparent: these do not count.
    path : str or None
        The file behind the source, if there is one.
    """

    name: str
    width: int
    height: int
    fps: Fraction | None = None
    n_frames: int | None = None
    time_base: Fraction | None = None
    pixel_aspect: Fraction = Fraction(1)
    is_live: bool = False
    is_still: bool = False
    has_alpha: bool = False
    is_variable: bool = False
    path: str | None = None

    def __post_init__(self) -> None:
        name = re.sub("[\ud800-\udfff]", "\ufffd", self.name)
        object.__setattr__(self, "name", printable(name))

    def __repr__(self) -> str:
        rate = "" if self.fps is None else f", {float(self.fps):.4g} frames/s"
        number = "" if self.n_frames is None else f", {self.n_frames} frames"
        return f"<VideoInfo of {self.name}: {self.width}x{self.height}{rate}{number}>"


def is_hd(width: int, height: int) -> bool:
    """Tell whether players take untagged colours of this size for BT.709, else for BT.601.

    The rule is mpv's; the size is the stored one, before it is turned.
    """
    return width >= 1280 or height > 576
