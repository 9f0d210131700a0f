"""Colours that are told apart easily, one for each label."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

# Sasha Trubetskoy's list of distinct colours (sashamaps.net, 2017) without black, white and grey.
_LIST = """
    e6194b 3cb44b ffe119 4363d8 f58231 911eb4 42d4f4 f032e6 bfef45 fabed4
    469990 dcbeff 9a6324 fffac8 800000 aaffc3 808000 ffd8b1 000075
"""
_LEVELS = np.linspace(15, 255, 13).astype(np.uint8)  # of blue, green and red of further colours


@cache
def categorical_palette(n_colors: int) -> npt.NDArray[np.uint8]:
    """Return (n, 3) uint8 BGR, read-only: label i has the same colour whatever n is.

    After the list comes each time the colour that is farthest, in Lab, from all before it.

    Examples
    --------
    >>> categorical_palette(2).tolist()
    [[75, 25, 230], [75, 180, 60]]
    """
    colors = [np.frombuffer(bytes.fromhex(name), np.uint8)[::-1] for name in _LIST.split()]
    further = np.stack(np.meshgrid(_LEVELS, _LEVELS, _LEVELS), axis=-1).reshape(-1, 3)
    further_lab = _to_lab(further)
    nearest = np.full(len(further), np.inf)
    for lab in _to_lab(np.array(colors)):
        nearest = np.minimum(nearest, np.linalg.norm(further_lab - lab, axis=1))
    while len(colors) < n_colors:
        farthest = int(nearest.argmax())
        colors.append(further[farthest])
        distances = np.linalg.norm(further_lab - further_lab[farthest], axis=1)
        nearest = np.minimum(nearest, distances)
    palette = np.array(colors[:n_colors])
    palette.flags.writeable = False
    return palette


def _to_lab(colors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    image = colors[np.newaxis].astype(np.float32) / 255
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2Lab)[0], np.float32)
