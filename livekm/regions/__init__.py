"""Regions: pieces of a frame that people would outline, or connected pieces of one colour."""

from livekm.core.region_segmentation import RegionSegmentation
from livekm.regions.listing import Region, are_listed, find_regions, regions_of
from livekm.regions.segmenter import RegionSegmenter

__all__ = [
    "Region",
    "RegionSegmentation",
    "RegionSegmenter",
    "are_listed",
    "find_regions",
    "regions_of",
]
