"""Encode labels as images with a palette."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import numpy as np
import numpy.typing as npt


def palette_picture(labels: npt.NDArray[np.uint8], palette: npt.NDArray[np.uint8]) -> av.VideoFrame:
    """Return a picture whose pixel values are the labels and whose colours the palette.

    Parameters
    ----------
    labels : (H, W) uint8
    palette : (k, 3) uint8, BGR
    """
    colors = np.zeros((256, 4), np.uint8)  # alpha, red, green, blue
    colors[:, 0] = 255
    colors[: len(palette), 1:] = palette[:, ::-1]
    picture: Any = (np.ascontiguousarray(labels), colors)  # PyAV's stub lacks this form
    return av.VideoFrame.from_ndarray(picture, format="pal8")


def encode_label_png(labels: npt.NDArray[np.uint8], palette: npt.NDArray[np.uint8]) -> bytes:
    """Return a palettised PNG whose pixel values are the labels and whose colours the palette.

    Parameters
    ----------
    labels : (H, W) uint8
    palette : (k, 3) uint8, BGR

    Examples
    --------
    >>> data = encode_label_png(np.zeros((2, 2), np.uint8), np.zeros((1, 3), np.uint8))
    >>> data[1:4]
    b'PNG'
    """
    height, width = labels.shape
    encoder: Any = av.CodecContext.create("png", "w")
    encoder.width, encoder.height = width, height
    encoder.pix_fmt = "pal8"
    encoder.time_base = Fraction(1)
    return b"".join(
        bytes(packet)
        for packet in [*encoder.encode(palette_picture(labels, palette)), *encoder.encode(None)]
    )
