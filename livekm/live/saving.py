"""Save snapshots and recordings, and tell the user about them."""

from __future__ import annotations

from pathlib import Path

from livekm.context import Closing
from livekm.core.segmentation import Segmentation
from livekm.frame import Frame, Image
from livekm.live.hud import Hud
from livekm.live.letterbox import resized
from livekm.live.presentation import Look
from livekm.live.recorder import Recorder
from livekm.live.snapshot import save_snapshot


class Saving(Closing):
    """Writes snapshots and recordings into a folder and says so in the HUD.

    Parameters
    ----------
    folder : Path
    hud : Hud

    Attributes
    ----------
    recorder : Recorder
    """

    def __init__(self, folder: Path, hud: Hud) -> None:
        self.recorder: Recorder = Recorder(folder)
        self._folder = folder
        self._hud = hud
        self._with_hud = False

    def save_snapshot(self, look: Look, frame: Frame, segmentation: Segmentation) -> None:
        """Write the view without the HUD, the frame and its labels as files."""
        try:
            path = save_snapshot(self._folder, look.image, frame, segmentation)
        except OSError as error:
            self._hud.say(f"snapshot failed: {error.strerror or error}", is_long=True)
        else:
            others = "-frame.png, -labels.png"
            self._hud.say(f"saved {path.name}, {others} in {path.parent.resolve()}", is_long=True)

    def toggle_recording(self, *, with_hud: bool) -> None:
        """Record the view, or it with the HUD over it; or complete the recording."""
        if self.recorder.is_recording:
            self.stop_recording()
        else:
            self._with_hud = with_hud
            self.recorder.start()
            self._hud.say("recording")

    def stop_recording(self) -> None:
        """Complete the recording, if there is one."""
        before = len(self.recorder.paths)
        self.recorder.stop()
        for path in self.recorder.paths[before:]:
            self._hud.say(f"recorded {path.resolve()}", is_long=True)

    def record(self, look: Look, drawn: Image) -> None:
        """Take the next picture, if there is a recording.

        Parameters
        ----------
        look : Look
            The view without the HUD.
        drawn : (H, W, 3) uint8, BGR
            As it is shown, with the HUD.
        """
        if self.recorder.is_recording:
            self.recorder.write(drawn if self._with_hud else resized(look.image, look.full_size))

    def close(self) -> None:
        """Complete the recording."""
        self.stop_recording()

    def abort(self) -> None:
        """Complete the recording all the same: what was seen until an error is worth keeping."""
        self.recorder.abort()
