"""Where frames come from: a camera, a clip, still images, the built-in street scene."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2  # noqa: F401 - where PyAV is loaded before OpenCV, OpenCV's window hangs

from livekm.errors import UsageError
from livekm.sources.base import Source
from livekm.sources.camera import CameraSource
from livekm.sources.clip import ClipSource
from livekm.sources.demo.source import DemoSource
from livekm.sources.device import is_camera
from livekm.sources.files import READABLE_IMAGES
from livekm.sources.heif import is_heif_file
from livekm.sources.image import ImageSource
from livekm.sources.masked import MaskedSource
from livekm.sources.pipe import PipeSource, RawVideo
from livekm.sources.section import SectionSource
from livekm.sources.sequence import SequenceSource, is_pattern

__all__ = [
    "CameraSource",
    "ClipSource",
    "DemoSource",
    "ImageSource",
    "MaskedSource",
    "PipeSource",
    "RawVideo",
    "SectionSource",
    "SequenceSource",
    "Source",
    "open_source",
]


def open_source(
    source: int | str | Path,
    *,
    width: int | None = None,
    height: int | None = None,
    fps: float | Fraction | None = None,
    seed: int = 0,
    threads: int | None = None,
    raw: str | None = None,
    alpha: bool = False,
) -> Source:
    """Open whatever `source` names.

    Parameters
    ----------
    source : int, str or Path
        A camera's index, device (``/dev/video0``, or a link to it) or URL (``rtsp://...``);
        ``"demo"`` for the built-in street scene; ``"-"`` for a video from stdin; an image file; a
        folder, glob (``night/*.png``) or printf pattern (``img%04d.png``) of images; anything else
        is a clip.
    width, height : int, optional
        Size in pixels to ask of a camera or to draw the demo at.
    fps : float or Fraction, optional
        Frames a second to ask of a camera, to draw the demo at, or to show images in a row at.
    seed : int
        Which street the demo shows; other sources have no chance in them.
    threads : int, optional
        How many threads decode a clip; as many as there are processors by default.
    raw : str, optional
        What comes in by stdin, where that is raw video: ``640x480@25:bgr24``.
    alpha : bool, default False
        Whether a clip's transparent pixels do not count: see `Frame.mask`. Those of a still image
        never do.

    Returns
    -------
    Source
        To be used as a context manager, or closed.

    Raises
    ------
    SourceError
        If there is nothing to read.
    ValueError
        If `width`, `height` or `fps` is given for a source that has its own.

    Examples
    --------
    >>> with open_source("demo", width=64, height=48) as source:
    ...     frame = next(iter(source))
    >>> frame.image.shape
    (48, 64, 3)
    """
    if isinstance(source, int) or is_camera(str(source)):
        device = source if isinstance(source, int) else str(source)
        rate = None if fps is None else float(fps)
        return CameraSource(device, width=width, height=height, fps=rate)
    if source == "demo":
        return DemoSource(**_given(width=width, height=height, fps=fps), seed=seed)

    if raw is not None and source != "-":
        raise UsageError(f"{source}: raw video comes in by stdin only; leave raw out")
    if width is not None or height is not None:
        raise UsageError(f"{source}: width and height are for cameras and the demo; leave them out")
    if source == "-":
        if fps is not None:
            raise UsageError("-: a video from stdin has its own rate; leave fps out")
        return PipeSource(
            raw=None if raw is None else RawVideo.read(raw), threads=threads, alpha=alpha
        )
    path = Path(source)
    if path.is_dir() or (not path.exists() and is_pattern(str(source))):
        return SequenceSource(source, **_given(fps=fps))
    if fps is not None:
        raise UsageError(
            f"{source}: fps is for cameras, the demo and image sequences; leave it out"
        )
    if path.suffix.lower() in READABLE_IMAGES or is_heif_file(path):
        return ImageSource(source)
    return ClipSource(source, threads=threads, alpha=alpha)


def _given(**options: Any) -> dict[str, Any]:
    """Leave out what was not asked for, so that a source's own defaults hold."""
    return {name: value for name, value in options.items() if value is not None}
