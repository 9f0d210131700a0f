"""The drawing of the demo's streets: flat colours in perspective, nothing stored."""

from livekm.sources.demo.scene import Street
from livekm.sources.demo.theme import AVENUE, COUNTRY, Theme

__all__ = ["AVENUE", "COUNTRY", "Street", "Theme"]
