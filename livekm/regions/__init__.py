"""Connected regions of the segments."""

from livekm.regions.connected import Region, find_regions

__all__ = ["Region", "find_regions"]
