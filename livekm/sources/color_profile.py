"""Colours of a still image to sRGB, by its ICC profile."""

from __future__ import annotations

import io
import logging
from functools import cache

import numpy as np
import PIL.Image
from PIL import ImageCms

from livekm.frame import Image

_log = logging.getLogger(__name__)


def to_srgb(picture: PIL.Image.Image | Image, profile: bytes | None, name: str) -> Image:
    """Return (H, W, 3) uint8 BGR in sRGB.

    Parameters
    ----------
    picture : PIL.Image.Image or (H, W, 3) uint8 BGR
        The decoded picture.
    profile : bytes or None
        Its ICC profile; without one it is taken for sRGB.
    name : str
        Of the file, for a warning where the profile is none.
    """
    if isinstance(picture, np.ndarray):
        if not profile:
            return picture
        picture = PIL.Image.fromarray(np.ascontiguousarray(picture[:, :, ::-1]))
    else:
        picture = _opaque(picture)
    if profile:
        picture = _converted(picture, profile, name)
    return np.ascontiguousarray(np.asarray(picture.convert("RGB"))[:, :, ::-1])


def _opaque(picture: PIL.Image.Image) -> PIL.Image.Image:
    """Drop an alpha channel and a palette, keep the colours below."""
    if picture.mode in ("LA", "La"):
        return picture.convert("LA").getchannel(0)
    if picture.mode in ("L", "CMYK"):
        return picture
    if picture.mode == "PA" or "transparency" in picture.info:
        picture = picture.convert("RGBA")
    return picture.convert("RGB")


def _converted(picture: PIL.Image.Image, profile: bytes, name: str) -> PIL.Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return picture
        if source.profile.xcolor_space.strip() == "RGB" and picture.mode != "RGB":
            picture = picture.convert("RGB")
        found = ImageCms.profileToProfile(
            picture,
            source,
            _srgb(),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        found = None
    if found is None:
        _log.warning("%s: its colour profile cannot be used, it is taken for sRGB", name)
        return picture
    return found


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
