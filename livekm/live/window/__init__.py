"""The OpenCV window."""

from livekm.live.window.absent import NoWindow
from livekm.live.window.window import Window, why_no_window

__all__ = ["NoWindow", "Window", "why_no_window"]
