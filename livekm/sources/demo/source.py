"""The built-in moving street scene: a source that needs no camera, no file and no network."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import count

import cv2
import numpy as np

from livekm.errors import UsageError
from livekm.frame import Frame, Image, VideoInfo
from livekm.sources.demo import AVENUE, COUNTRY, Street
from livekm.sources.stream import FrameStream, frame_rate

SCENE_SECONDS = 8
"""Time from one scene cut to the next."""

_NOISE_SIGMA = 3.0
_NOISE_SIZE = 768


class DemoSource(FrameStream):
    """A drive through two streets by turns, with cars, drifting clouds and sensor noise.

    The scene is cut every 8 seconds. A frame depends on `seed`, the size, `fps` and its index
    and on nothing else.

    Parameters
    ----------
    width, height : int
        Size in pixels, at least 16.
    fps : float or Fraction
        Frames a second.
    seed : int
        Which houses, clouds, cars and noise.
    n_frames : int, optional
        Number of frames; endless where it is left out.

    Raises
    ------
    ValueError
        If a size, `fps`, `seed` or `n_frames` is out of range.

    Examples
    --------
    >>> with DemoSource(width=64, height=48, n_frames=2) as source:
    ...     [frame.time for frame in source]
    [0.0, 0.0333...]
    """

    def __init__(
        self,
        width: int = 960,
        height: int = 540,
        fps: float | Fraction = 30,
        seed: int = 0,
        n_frames: int | None = None,
    ) -> None:
        if width < 16 or height < 16:
            raise UsageError(f"the demo's width and height are at least 16, not {width}x{height}")
        if seed < 0:
            raise UsageError(f"seed must be 0 or more, not {seed}")
        if n_frames is not None and n_frames < 1:
            raise UsageError(f"n_frames must be 1 or more, not {n_frames}")
        fps = frame_rate(fps)
        info = VideoInfo("demo", width, height, fps=fps, n_frames=n_frames, time_base=1 / fps)
        super().__init__(info, _draw_frames(info, fps, seed))


def _draw_frames(info: VideoInfo, fps: Fraction, seed: int) -> Iterator[Frame]:
    streets = [
        Street(theme, info.width, info.height, np.random.default_rng((seed, number)))
        for number, theme in enumerate((AVENUE, COUNTRY))
    ]
    noise = _make_noise(info.width, info.height, np.random.default_rng((seed, len(streets))))
    for index in count() if info.n_frames is None else range(info.n_frames):
        time = float(index / fps)
        image = streets[int(time // SCENE_SECONDS) % len(streets)].draw(time)
        _change_light(image, time)
        _add_noise(image, noise, np.random.default_rng((seed, 3, index)))
        yield Frame(image, index, time)


def _change_light(image: Image, time: float) -> None:
    """Let the light swell and fade by a few percent, as behind thin clouds."""
    gain = 1.0 + 0.05 * np.sin(2 * np.pi * time / 9)
    cv2.convertScaleAbs(image, dst=image, alpha=float(gain))


def _make_noise(width: int, height: int, rng: np.random.Generator) -> tuple[Image, Image]:
    """Make two images of noise, to add and to subtract, larger than a frame to be shifted."""
    tile = rng.normal(0, _NOISE_SIGMA, (_NOISE_SIZE, _NOISE_SIZE, 3)).round().astype(np.int8)
    repeats = (height // _NOISE_SIZE + 2, width // _NOISE_SIZE + 2, 1)
    plus, minus = (np.tile(part.astype(np.uint8), repeats) for part in
                   (np.maximum(tile, 0), np.maximum(-tile, 0)))  # fmt: skip
    return plus, minus


def _add_noise(image: Image, noise: tuple[Image, Image], rng: np.random.Generator) -> None:
    height, width = image.shape[:2]
    y, x = rng.integers(0, _NOISE_SIZE, 2)
    plus, minus = (plane[y : y + height, x : x + width] for plane in noise)
    cv2.add(image, plus, dst=image)
    cv2.subtract(image, minus, dst=image)
