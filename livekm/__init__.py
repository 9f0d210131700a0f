"""Segment video by colour, live: streaming k-means for camera, clip and image."""

from livekm.core.segmentation import Segmentation
from livekm.core.segmenter import Segmenter
from livekm.errors import LivekmError, SinkError, SourceError
from livekm.frame import Frame, VideoInfo
from livekm.outputs import open_sink
from livekm.sources import open_source

__all__ = [
    "Frame",
    "LivekmError",
    "Segmentation",
    "Segmenter",
    "SinkError",
    "SourceError",
    "VideoInfo",
    "open_sink",
    "open_source",
]
