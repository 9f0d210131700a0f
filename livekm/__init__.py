"""Segment video by colour, live: streaming k-means for camera, clip and image.

The names below are livekm's interface; the modules that they come from are private. A module is
imported when one of its names is first asked for. So the command can tell in one line that OpenCV
cannot be loaded, and a Ctrl-C meanwhile ends it quietly.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from livekm.core.painting import Painting
    from livekm.core.region_segmentation import RegionSegmentation
    from livekm.core.segmentation import Segmentation
    from livekm.core.segmenter import Segmenter, segment
    from livekm.core.selection import Selection
    from livekm.core.suggestion import Suggestion, suggest_n_clusters
    from livekm.errors import LivekmError, SinkError, SourceError, UsageError
    from livekm.files import ClipResult, convert
    from livekm.frame import Frame, Image, VideoInfo
    from livekm.live import LiveSummary
    from livekm.live import run as run_live
    from livekm.live.frames import live_frames
    from livekm.live.notebook import show
    from livekm.outputs import EncoderOptions, Sink, open_sink
    from livekm.regions import Region, find_regions
    from livekm.regions.segmenter import RegionSegmenter
    from livekm.sources import Source, open_source
    from livekm.views import VIEWS, View, selective

__version__ = "0.1.0"

__all__ = [
    "VIEWS",
    "ClipResult",
    "EncoderOptions",
    "Frame",
    "Image",
    "LiveSummary",
    "LivekmError",
    "Painting",
    "Region",
    "RegionSegmentation",
    "RegionSegmenter",
    "Segmentation",
    "Segmenter",
    "Selection",
    "Sink",
    "SinkError",
    "Source",
    "SourceError",
    "Suggestion",
    "UsageError",
    "VideoInfo",
    "View",
    "__version__",
    "convert",
    "find_regions",
    "live_frames",
    "open_sink",
    "open_source",
    "run_live",
    "segment",
    "selective",
    "show",
    "suggest_n_clusters",
]

_MODULES = {
    "VIEWS": "views",
    "ClipResult": "files",
    "EncoderOptions": "outputs",
    "Frame": "frame",
    "Image": "frame",
    "LiveSummary": "live",
    "LivekmError": "errors",
    "Painting": "core.painting",
    "Region": "regions",
    "RegionSegmentation": "core.region_segmentation",
    "RegionSegmenter": "regions.segmenter",
    "Segmentation": "core.segmentation",
    "Segmenter": "core.segmenter",
    "Selection": "core.selection",
    "Sink": "outputs",
    "SinkError": "errors",
    "Source": "sources",
    "SourceError": "errors",
    "Suggestion": "core.suggestion",
    "UsageError": "errors",
    "VideoInfo": "frame",
    "View": "views",
    "convert": "files",
    "find_regions": "regions",
    "live_frames": "live.frames",
    "open_sink": "outputs",
    "open_source": "sources",
    "run_live": "live",
    "segment": "core.segmenter",
    "selective": "views",
    "show": "live.notebook",
    "suggest_n_clusters": "core.suggestion",
}
_OTHER_NAMES = {"run_live": "run"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{_MODULES[name]}")
    return getattr(module, _OTHER_NAMES.get(name, name))


def __dir__() -> list[str]:
    return __all__
