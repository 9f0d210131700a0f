"""Segment video by colour, live: streaming k-means for camera, clip and image.

A module is imported when one of its names is first asked for. So the command can tell in one line
that OpenCV cannot be loaded, and a Ctrl-C meanwhile ends it quietly.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from livekm.core.segmentation import Segmentation
    from livekm.core.segmenter import Segmenter
    from livekm.errors import LivekmError, SinkError, SourceError, UsageError
    from livekm.frame import Frame, VideoInfo
    from livekm.outputs import open_sink
    from livekm.regions.segmentation import RegionSegmentation
    from livekm.regions.segmenter import RegionSegmenter
    from livekm.sources import open_source

__all__ = [
    "Frame",
    "LivekmError",
    "RegionSegmentation",
    "RegionSegmenter",
    "Segmentation",
    "Segmenter",
    "SinkError",
    "SourceError",
    "UsageError",
    "VideoInfo",
    "open_sink",
    "open_source",
]

_MODULES = {
    "Frame": "frame",
    "LivekmError": "errors",
    "RegionSegmentation": "regions.segmentation",
    "RegionSegmenter": "regions.segmenter",
    "Segmentation": "core.segmentation",
    "Segmenter": "core.segmenter",
    "SinkError": "errors",
    "SourceError": "errors",
    "UsageError": "errors",
    "VideoInfo": "frame",
    "open_sink": "outputs",
    "open_source": "sources",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
