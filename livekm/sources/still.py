"""Read still images as players show them: upright, in sRGB, as far as they go."""

from __future__ import annotations

import ctypes
import io
import logging
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import av
import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
from PIL import ImageFile, _imaging

from livekm.errors import SourceError
from livekm.frame import Image, Mask
from livekm.sources.color_profile import to_srgb
from livekm.sources.depth import Samples, stated_range, to_8_bits
from livekm.sources.files import require_file
from livekm.sources.heif import is_heif, read_heif
from livekm.sources.opencv_log import quiet_opencv
from livekm.sources.orientation import EXIF, UPRIGHT, Orientation

_log = logging.getLogger(__name__)

# Modes of Pillow that hold eight bits a channel; it has none for 16 bits of colour.
_8_BITS = {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr"}

_ALPHA_MODES = {"LA", "La", "PA", "RGBA", "RGBa"}
Alpha = npt.NDArray[np.uint8]
"""(H, W) uint8, 255 where a pixel is opaque."""

# JPEGs in one file that are not pages: previews, a gain map for HDR screens.
_ONE_PICTURE = {"MPO"}

# OpenCV's libpng and libjpeg print what is wrong with a file; Pillow's do not.
_PRINTING = (b"\x89PNG", b"\xff\xd8")

_OPAQUE = 128  # alpha from which a pixel counts

_truncated_lock = Lock()


class Still(NamedTuple):
    """A still image, and which of its pixels are opaque.

    Attributes
    ----------
    image : (H, W, 3) uint8, BGR
        With the colours below what is transparent.
    opaque : (H, W) bool or None
        None where all are.
    """

    image: Image
    opaque: Mask | None


def read_still(path: str | Path) -> Still:
    """Read an image file as (H, W, 3) uint8 BGR, turned upright, in sRGB.

    Grey becomes three equal channels, what is transparent is told apart, the EXIF orientation and a
    colour profile are applied. 16 bits and floats become 8 bits by the range that the file states,
    see `livekm.sources.depth`. Of a damaged file what there is is read, of several pages the first,
    each with a warning.

    Raises
    ------
    SourceError
        If the file is missing, empty or no image.
    """
    path = Path(path)
    require_file(path)
    try:
        data = path.read_bytes()
        with _quiet_pillow():
            image, alpha = _read_heif(path, data) if is_heif(data) else _read(data, path.name)
    except MemoryError:
        raise
    except Exception as error:  # decoders raise whatever comes to hand
        raise SourceError(_not_an_image(path)) from error
    image = np.ascontiguousarray(image, np.uint8)
    if alpha is None or alpha.shape != image.shape[:2] or alpha.min() >= _OPAQUE:
        return Still(image, None)
    return Still(image, alpha >= _OPAQUE)


def _read(data: bytes, name: str) -> tuple[Image, Alpha | None]:
    try:
        header = PIL.Image.open(io.BytesIO(data))
    except PIL.Image.DecompressionBombError:  # it is only large
        return to_8_bits(_decode_deep(data), name), None
    except (OSError, ValueError, SyntaxError):
        if data.startswith(_PRINTING):
            raise
        return to_8_bits(_decode_deep(data), name), None  # of a kind that Pillow does not know
    n_pages = 1 if header.format in _ONE_PICTURE else getattr(header, "n_frames", 1)
    if n_pages > 1:
        _log.warning("%s: only the first of its %d pictures is taken", name, n_pages)
    if header.mode not in _8_BITS or _is_deep(header, data):
        image = to_8_bits(_deep(header, data, name), name, stated_range(header, data))
        alpha = _alpha(PIL.Image.open(io.BytesIO(data)))
        return to_srgb(image, header.info.get("icc_profile"), name), alpha
    picture = _load(header, data, name)
    image = to_srgb(picture, picture.info.get("icc_profile"), name)
    return _orientation(picture).apply(image), _alpha(picture)


def _alpha(picture: PIL.Image.Image) -> Alpha | None:
    """Return how opaque each pixel is, turned upright; None where there is no alpha."""
    has_alpha = picture.mode in _ALPHA_MODES or "transparency" in picture.info
    if not has_alpha:
        return None
    try:
        alpha = np.asarray(picture.convert("RGBA").getchannel("A"))
    except (OSError, ValueError, SyntaxError):  # a damaged picture of more than eight bits
        return None
    return _orientation(picture).apply(alpha)


def _read_heif(path: Path, data: bytes) -> tuple[Image, Alpha | None]:
    try:
        image, profile = read_heif(path, data)
    except (av.FFmpegError, KeyError, IndexError, StopIteration) as error:
        raise ValueError("not an image") from error  # a StopIteration would end a generator
    return to_srgb(image, profile, path.name), None


def _is_deep(header: PIL.Image.Image, data: bytes) -> bool:
    """Tell whether a file has more than eight bits, of which Pillow would drop the lower ones."""
    if header.format == "PNG":
        return data[24] == 16  # the depth in the header, which always comes first
    bits = getattr(header, "tag_v2", {}).get(258, 8)
    return (max(bits) if isinstance(bits, tuple) else int(bits)) > 8


def _orientation(picture: PIL.Image.Image) -> Orientation:
    """Return how a loaded picture is turned; Pillow turns a TIFF itself, and tells AVIF's way."""
    try:
        return EXIF.get(picture.getexif().get(0x112, 1), UPRIGHT)
    except (OSError, ValueError, SyntaxError, struct.error):  # the block is damaged
        return UPRIGHT


def _load(header: PIL.Image.Image, data: bytes, name: str) -> PIL.Image.Image:
    """Decode a picture, of a damaged one what there is."""
    try:
        header.load()
    except (OSError, ValueError, SyntaxError):
        with _truncated_lock:
            before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, True
            try:
                header = PIL.Image.open(io.BytesIO(data))
                header.load()
            finally:
                ImageFile.LOAD_TRUNCATED_IMAGES = before
        _log.warning("%s: damaged or cut off, it is read as far as it goes", name)
    return header


def _deep(header: PIL.Image.Image, data: bytes, name: str) -> Samples:
    """Decode a picture of more than eight bits, of a damaged PNG what there is."""
    if header.format == "PNG":
        try:
            header.load()
            PIL.Image.open(io.BytesIO(data)).verify()  # checksums, of which `load` thinks little
        except (OSError, ValueError, SyntaxError):
            picture = _load(PIL.Image.open(io.BytesIO(data)), data, name)
            is_grey = picture.mode.startswith("I")
            return (
                np.asarray(picture) if is_grey else np.asarray(picture.convert("RGB"))[:, :, ::-1]
            )
    return _decode_deep(data)


def _decode_deep(data: bytes) -> Samples:
    """Decode by OpenCV, with as many bits as there are; upright as far as it knows."""
    buffer = np.frombuffer(data, np.uint8)
    with quiet_opencv():
        samples = cv2.imdecode(buffer, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
        if samples is None:  # it does not make colours of floats and 32 bits
            samples = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED)
    if samples is None:
        raise ValueError("not an image")
    return samples


@contextmanager
def _quiet_pillow() -> Iterator[None]:
    """Keep back what Pillow warns of: a broken EXIF block, a large picture."""
    _quiet_libtiff()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@cache
def _quiet_libtiff() -> None:
    """Keep Pillow's libtiff from printing what is wrong with a file; Pillow raises it."""
    with suppress(OSError, AttributeError):  # a Pillow that is linked in another way
        ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler(None)


def _not_an_image(path: Path) -> str:
    return f"{path}: not an image that can be read; convert it to PNG or JPEG"
