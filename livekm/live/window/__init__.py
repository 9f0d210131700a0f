"""The OpenCV window."""

from livekm.live.window.window import Window, why_no_window

__all__ = ["Window", "why_no_window"]
