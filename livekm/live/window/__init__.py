"""The OpenCV window."""

from livekm.live.window.sink import WindowSink
from livekm.live.window.x11 import has_display

__all__ = ["WindowSink", "has_display"]
