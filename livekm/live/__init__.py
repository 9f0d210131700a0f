"""The live window: a camera, a clip or an image, and the keys that change what is seen of it."""

from livekm.live.frames import live_frames
from livekm.live.loop import run
from livekm.live.summary import LiveSummary

__all__ = ["LiveSummary", "live_frames", "run"]
