"""A snapshot: the view, the frame and its labels as three files of one number."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

import cv2

from livekm.core.segmentation import Segmentation
from livekm.frame import Frame, Image
from livekm.outputs.images.label_png import encode_label_png


def save_snapshot(folder: Path, view: Image, frame: Frame, segmentation: Segmentation) -> Path:
    """Write ``livekm-1.png``, ``livekm-1-frame.png`` and ``livekm-1-labels.png``, or -2 and so on.

    Files that exist are kept.

    Parameters
    ----------
    folder : Path
    view : (H, W, 3) uint8, BGR
        The view without the HUD.
    frame : Frame
    segmentation : Segmentation
        Its labels become the pixel values of a palettised PNG.

    Returns
    -------
    path : Path
        The first of the three.

    Raises
    ------
    OSError
        If they cannot be written.
    """
    contents = {
        "": _png(view),
        "-frame": _png(frame.image),
        "-labels": encode_label_png(segmentation.labels, segmentation.palette),
    }
    return save_files(folder, {f"{part}.png": data for part, data in contents.items()})


def save_files(folder: Path, contents: Mapping[str, bytes]) -> Path:
    """Write each of several contents, by the end of its name, with the next free number.

    Returns
    -------
    path : Path
        The first of the files: ``livekm-1`` and the end of its name, or -2 and so on.

    Raises
    ------
    OSError
        If they cannot be written.
    """
    for number in itertools.count(1):
        paths = [folder / f"livekm-{number}{end}" for end in contents]
        if any(path.exists() for path in paths):
            continue
        for path, data in zip(paths, contents.values(), strict=True):
            with path.open("xb") as file:
                file.write(data)
        return paths[0]
    raise AssertionError


def _png(image: Image) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()
