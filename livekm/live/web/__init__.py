"""The live picture as a page for browsers, and as pictures and numbers for other programs."""

from livekm.live.web.address import Address, read_address
from livekm.live.web.front import WebFront, segments_state

__all__ = ["Address", "WebFront", "read_address", "segments_state"]
