"""The OpenCV window."""

from livekm.live.window.window import Window
from livekm.live.window.x11 import has_display

__all__ = ["Window", "has_display"]
