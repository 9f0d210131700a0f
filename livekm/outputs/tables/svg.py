"""Write the regions of an image as SVG."""

from __future__ import annotations

from itertools import pairwise

from livekm.core.segmentation import Segmentation
from livekm.errors import UsageError
from livekm.frame import Frame
from livekm.outputs.tables.region_base import RegionWriter, html_color
from livekm.regions import Region


class SvgFile(RegionWriter):
    """Write an ``.svg`` of one image: a path for each region, whose borders neighbours share.

    Parameters
    ----------
    part, info, min_area, selection
        As of `RegionWriter`.
    """

    _holds_one = True

    def _write(self, frame: Frame, segmentation: Segmentation) -> None:
        if self.n_frames:
            raise UsageError(f"{self.target} holds one image, a second one came")
        height, width = segmentation.labels.shape
        text = encode_svg(self._found(segmentation), width, height)
        self._path.write_text(text, encoding="utf-8")

    def _finish(self) -> None:
        """Do nothing: the image is complete."""


def encode_svg(regions: list[Region], width: int, height: int) -> str:
    """Return the text of an SVG, in which a pixel is a unit."""
    paths = "".join(
        f'<path id="region-{region.id}" fill="{html_color(region)}" d="{_path(region)}"/>\n'
        for region in regions
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">\n'
        # Without crispEdges, what is below shines through along the borders.
        f'<g fill-rule="evenodd" shape-rendering="crispEdges">\n{paths}</g>\n</svg>\n'
    )


def _path(region: Region) -> str:
    """Return the lines around a region, whose corners are right angles."""
    words = []
    for ring in region.rings:
        points = ring.tolist()
        words.append("M{} {}".format(*points[0]))
        for (x, y), (next_x, next_y) in pairwise(points):
            words.append(f"h{next_x - x}" if next_x != x else f"v{next_y - y}")
        words.append("z")
    return "".join(words)
