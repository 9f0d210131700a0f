"""Save snapshots and recordings, and tell the user about them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from livekm.context import Closing
from livekm.core.names import add_to_table
from livekm.core.segmentation import Segmentation
from livekm.errors import SourceError
from livekm.frame import Image
from livekm.live.hud import Hud
from livekm.live.presentation import Look, in_size
from livekm.live.recorder import Recorder
from livekm.live.snapshot import save_files, save_snapshot
from livekm.outputs.palettes import encode_palette

_PALETTE = ".gpl"


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
        self._palettes: list[tuple[Path, npt.NDArray[np.uint8]]] = []

    def save_snapshot(self, look: Look, segmentation: Segmentation) -> None:
        """Write the view without the HUD, the frame and its labels, in the source's size."""
        height, width = look.frame.image.shape[:2]
        labeled = in_size(segmentation, (width, height))
        try:
            path = save_snapshot(self._folder, look.image(), look.frame, labeled)
        except OSError as error:
            self._hud.say(f"snapshot failed: {error.strerror or error}", is_long=True)
        else:
            others = "-frame.png, -labels.png"
            self._hud.say(f"saved {path.name}, {others} in {path.parent.resolve()}", is_long=True)

    def save_palette(self, segmentation: Segmentation) -> None:
        """Write the colours as a palette file."""
        content = encode_palette(segmentation.palette, _PALETTE)
        try:
            path = save_files(self._folder, {_PALETTE: content})
        except OSError as error:
            self._hud.say(f"palette failed: {error.strerror or error}", is_long=True)
        else:
            self._palettes.append((path, segmentation.palette))
            self._hud.say(f"saved {path.resolve()}", is_long=True)

    def save_name(self, path: Path, name: str, color: tuple[int, int, int]) -> None:
        """Add a name to a table of names."""
        try:
            add_to_table(path, name, color)
        except (OSError, SourceError) as error:
            reason = getattr(error, "strerror", None) or error
            self._hud.say(f"names not written: {reason}", is_long=True)
        else:
            self._hud.say(f"saved {path.resolve()}", is_long=True)

    def palette_file(self, palette: npt.NDArray[np.uint8]) -> Path | None:
        """Return the last file into which these colours were written; None if there is none."""
        found = (path for path, colors in self._palettes[::-1] if np.array_equal(colors, palette))
        return next(found, None)

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
            self.recorder.write(drawn if self._with_hud else look.image())

    def close(self) -> None:
        """Complete the recording."""
        self.stop_recording()

    def abort(self) -> None:
        """Complete the recording all the same: what was seen until an error is worth keeping."""
        self.recorder.abort()
