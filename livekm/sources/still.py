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

import av
import cv2
import numpy as np
import PIL.Image
from PIL import ImageFile, _imaging

from livekm.errors import SourceError
from livekm.frame import Image
from livekm.sources.color_profile import to_srgb
from livekm.sources.depth import Samples, stated_range, to_8_bits
from livekm.sources.files import require_file
from livekm.sources.heif import is_heif, read_heif
from livekm.sources.opencv_log import quiet_opencv
from livekm.sources.orientation import EXIF, UPRIGHT, Orientation

_log = logging.getLogger(__name__)

# Modes of Pillow that hold eight bits a channel; it has none for 16 bits of colour.
_8_BITS = {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr"}

# JPEGs in one file that are not pages: previews, a gain map for HDR screens.
_ONE_PICTURE = {"MPO"}

# OpenCV's libpng and libjpeg print what is wrong with a file; Pillow's do not.
_PRINTING = (b"\x89PNG", b"\xff\xd8")

_truncated_lock = Lock()


def read_image(path: str | Path) -> Image:
    """Read an image file as (H, W, 3) uint8 BGR, turned upright, in sRGB.

    Grey becomes three equal channels, an alpha channel is dropped, the EXIF orientation and a
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
            image = _read_heif(path, data) if is_heif(data) else _read(data, path.name)
    except MemoryError:
        raise
    except Exception as error:  # decoders raise whatever comes to hand
        raise SourceError(_not_an_image(path)) from error
    return np.ascontiguousarray(image, np.uint8)


def _read(data: bytes, name: str) -> Image:
    try:
        header = PIL.Image.open(io.BytesIO(data))
    except PIL.Image.DecompressionBombError:  # it is only large
        return to_8_bits(_decode_deep(data), name)
    except (OSError, ValueError, SyntaxError):
        if data.startswith(_PRINTING):
            raise
        return to_8_bits(_decode_deep(data), name)  # of a kind that Pillow does not know
    n_pages = 1 if header.format in _ONE_PICTURE else getattr(header, "n_frames", 1)
    if n_pages > 1:
        _log.warning("%s: only the first of its %d pictures is taken", name, n_pages)
    if header.mode not in _8_BITS or _is_deep(header, data):
        image = to_8_bits(_deep(header, data, name), name, stated_range(header, data))
        return to_srgb(image, header.info.get("icc_profile"), name)
    picture = _load(header, data, name)
    image = to_srgb(picture, picture.info.get("icc_profile"), name)
    return _orientation(picture).apply(image)


def _read_heif(path: Path, data: bytes) -> Image:
    try:
        image, profile = read_heif(path, data)
    except (av.FFmpegError, KeyError, IndexError, StopIteration) as error:
        raise ValueError("not an image") from error  # a StopIteration would end a generator
    return to_srgb(image, profile, path.name)


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
