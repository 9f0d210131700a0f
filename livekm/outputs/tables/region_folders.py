"""Write regions into a folder, a file for each frame: for YOLO, for LabelMe, or as SVG."""

from __future__ import annotations

import json
from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from livekm.core.segmentation import Segmentation
from livekm.frame import Frame, VideoInfo
from livekm.outputs.images.encoding import encode_image
from livekm.outputs.images.folder import EndsNumberedFiles, NumberedFiles
from livekm.outputs.tables.polygons import pixel_polygons
from livekm.outputs.tables.region_base import RegionWriter
from livekm.outputs.tables.svg import encode_svg
from livekm.regions import Region

_YOLO_DATA = "path: .\ntrain: images\nval: images\nnames:\n  0: region\n"
_LABELME_VERSION = "5.5.0"  # whose format it is


class RegionFolder(EndsNumberedFiles, RegionWriter):
    """Write a file for each frame, and ``frames.csv`` with their times.

    Parameters
    ----------
    part : PartFolder
    info, min_area, selection
        As of `RegionWriter`.
    """

    _pattern: ClassVar[str]
    _images: ClassVar[str] = ""  # the pattern of the frames' own pictures, if they are needed

    def _begin(self, info: VideoInfo) -> None:
        self._files = self._opened(self._made)

    def _made(self, path: Path) -> NumberedFiles:
        for pattern in (self._pattern, self._images):
            (path / pattern).parent.mkdir(exist_ok=True)
        return NumberedFiles(path, self._pattern)

    def _write(self, frame: Frame, segmentation: Segmentation) -> None:
        if self._images:
            picture = self._path / (self._images % self.n_frames)
            picture.write_bytes(encode_image(frame.image, picture))
        height, width = segmentation.labels.shape
        text = self._encode(self._found(segmentation), width, height)
        self._files.add(text.encode(), frame.index, frame.time)

    @abstractmethod
    def _encode(self, regions: list[Region], width: int, height: int) -> str:
        """Return the text of the file of one frame."""


class YoloFolder(RegionFolder):
    """Write a data set as YOLO takes it for segmentation: images, polygons, ``data.yaml``.

    All regions are of class 0. A polygon runs through the centres of the outermost pixels.
    """

    _pattern, _images = "labels/%06d.txt", "images/%06d.jpg"

    def _made(self, path: Path) -> NumberedFiles:
        (path / "data.yaml").write_text(_YOLO_DATA, encoding="utf-8")
        return super()._made(path)

    def _encode(self, regions: list[Region], width: int, height: int) -> str:
        lines = []
        for region in regions:
            for path in _polygons(region):
                places = ((path + 0.5) / (width, height)).reshape(-1).tolist()
                lines.append("0 " + " ".join(f"{place:.6f}" for place in places) + "\n")
        return "".join(lines)


class LabelmeFolder(RegionFolder):
    """Write LabelMe's file beside each frame's image; a shape's group is the region's id."""

    _pattern, _images = "%06d.json", "%06d.jpg"

    def _encode(self, regions: list[Region], width: int, height: int) -> str:
        shapes = [
            {
                "label": "region",
                "points": path.tolist(),
                "group_id": region.id,
                "description": "",
                "shape_type": "polygon",
                "flags": {},
                "mask": None,
            }
            for region in regions
            for path in _polygons(region)
        ]
        content: dict[str, object] = {
            "version": _LABELME_VERSION,
            "flags": {},
            "shapes": shapes,
            "imagePath": self._images % self.n_frames,
            "imageData": None,
            "imageHeight": height,
            "imageWidth": width,
        }
        return json.dumps(content) + "\n"


class SvgFolder(RegionFolder):
    """Write an SVG for each frame."""

    _pattern = "%06d.svg"

    def _encode(self, regions: list[Region], width: int, height: int) -> str:
        return encode_svg(regions, width, height)


def _polygons(region: Region) -> list[npt.NDArray[np.int32]]:
    """Return the polygons through the outermost pixels, of three corners at least."""
    paths = (path + region.box[:2] for path in pixel_polygons(region.mask))
    return [path if len(path) > 2 else np.repeat(path, 3, axis=0) for path in paths]
