"""Regions: connected pieces of the segments, and those that people would outline."""

from livekm.regions.connected import Region, find_regions
from livekm.regions.segmentation import RegionSegmentation
from livekm.regions.segmenter import RegionSegmenter

__all__ = ["Region", "RegionSegmentation", "RegionSegmenter", "find_regions"]
