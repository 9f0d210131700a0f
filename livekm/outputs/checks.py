"""Check the images that sinks get."""

from __future__ import annotations

import numpy as np

from livekm.core.painting import Painting
from livekm.frame import Image


def as_image(picture: Image | Painting, *, alpha: bool = False) -> Image:
    """Return a picture as an image; raise `ValueError` unless it is (H, W, 3) uint8, not empty.

    With `alpha`, a fourth channel is taken as well.

    Examples
    --------
    >>> as_image(np.zeros((2, 4), np.uint8))
    Traceback (most recent call last):
    ValueError: expected an image of shape (H, W, 3) and dtype uint8, got (2, 4) and uint8
    """
    image = picture.paint() if isinstance(picture, Painting) else picture
    if not isinstance(image, np.ndarray):
        raise ValueError(  # noqa: TRY004 - one kind of error for every image that does not fit
            f"expected an image as a numpy array, got {type(image).__name__}"
        )
    channels = (3, 4) if alpha else (3,)
    if (
        image.ndim != 3
        or image.shape[2] not in channels
        or image.size == 0
        or image.dtype != np.uint8
    ):
        raise ValueError(
            "expected an image of shape (H, W, 3) and dtype uint8, "
            f"got {image.shape} and {image.dtype}"
        )
    return image
