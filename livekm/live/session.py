"""A live session without a window: frames and commands in, pictures out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from livekm.context import Closing
from livekm.core.rests import Rest
from livekm.core.segmentation import Segmentation
from livekm.core.segmenter import Segmenter
from livekm.core.suggestion import Suggestion
from livekm.frame import Image
from livekm.live.hud import HelpGroups, Hud
from livekm.live.pace import AutoScale
from livekm.live.presentation import Look, Presentation
from livekm.live.processing import Processing
from livekm.live.saving import Saving
from livekm.live.settings import LiveSettings
from livekm.live.status import describe, status_lines
from livekm.timing import StageTimer

_HELD_SECONDS = 0.1  # between two drawings of a picture that is held


class Session(Closing):
    """A live session: what a front, such as the window, needs to show frames and to obey.

    A front gives frames to `processing`, has them looked at (`look`) and drawn in the size in which
    it shows pictures (`draw`), and passes on what the user wants: clicks (`click`) and commands
    (`livekm.live.commands.do`). The end of the ``with`` block completes a recording.

    Parameters
    ----------
    segmenter : Segmenter
    view : str
        A key of `livekm.views.VIEWS`.
    scale : float or AutoScale
        Frames are resized by this factor first.
    folder : Path
        Where snapshots and recordings go.
    help_groups : mapping of str to sequence of (str, str)
        Each key and what it does, by what such keys are about; for the help.
    mirror : bool, default False
        Whether to begin with left and right exchanged.
    rest, colors
        As of `LiveSettings`.
    are_ready : callable, optional
        Tells whether the kernels for a colour space are compiled; as long as they are not, the
        picture is shown as it is.

    Attributes
    ----------
    is_running : bool
        False once the user has quit.
    segmenter, settings, processing, hud, saving
        What commands change; see their classes.
    timer : StageTimer
        Of the last frames.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        view: str,
        scale: float | AutoScale,
        folder: Path,
        help_groups: HelpGroups,
        *,
        mirror: bool = False,
        rest: Rest | None = None,
        colors: npt.NDArray[np.uint8] | None = None,
        are_ready: Callable[[str], bool] = lambda color_space: True,
    ) -> None:
        self.is_running = True
        self.segmenter = segmenter
        self.settings: LiveSettings = LiveSettings(
            view, is_mirrored=mirror, rest=rest, colors=colors
        )
        if rest is not None and rest not in self.settings.rests:
            self.settings.rests = (rest, *self.settings.rests)
        if isinstance(scale, AutoScale):
            self.settings.auto_scale = scale
        else:
            self.settings.scale = scale
        self.timer: StageTimer = StageTimer(memory=30)
        self.processing: Processing = Processing(segmenter, self.settings, self.timer, are_ready)
        self.hud: Hud = Hud(self.settings, help_groups)
        self.saving: Saving = Saving(folder, self.hud)
        self._presentation = Presentation(self.settings, self.hud)
        self._gone: set[int] = set()
        self._told: Suggestion | None = None

    def patience(self) -> float:
        """Return the seconds for which a held picture need not be drawn again."""
        return _HELD_SECONDS if self.processing.is_settled() else 0.0

    def interrupt(self, reason: str | None) -> None:
        """Say across the picture why it stands still; None when it moves."""
        if reason and not self.hud.banner:
            self.processing.hold()
        self.hud.banner = reason

    def click(self, x: int, y: int) -> None:
        """Isolate the segment at a pixel of the last picture, or of its strip; undo a second time.

        Several segments can be chosen one by one.
        """
        found = self.processing.segmentation
        if found is None:
            return
        label = self._presentation.label_at(x, y, found)
        if label is not None:
            self.toggle(int(found.ids[label]))

    def toggle(self, identity: int) -> None:
        """Isolate the segment of an id; undo a second time. Raise ValueError if there is none."""
        found, chosen = self.processing.segmentation, self.settings.chosen
        if found is None:
            return
        if identity not in chosen and identity not in found.ids:
            raise ValueError(f"there is no segment {identity} in this frame")
        chosen ^= {identity}
        if chosen:
            text = describe(identity, found)
            self.hud.say(text if identity in chosen else f"{text}, no longer")
        else:
            self.hud.say("all segments")

    def look(self) -> Look | None:
        """Return the view of the last frame, without the HUD; None before the first."""
        done = self.processing
        if done.source_frame is None or done.frame is None:
            return None
        with self.timer.stage("view"):
            return self._presentation.look(done.source_frame, done.frame, done.segmentation)

    def draw(self, look: Look, room: tuple[int, int], progress: Sequence[str] = ()) -> Image:
        """Return the picture that is shown, (H, W, 3) uint8 BGR; record it.

        Parameters
        ----------
        look : Look
        room : (int, int)
            Width and height of the picture; `Look.wanted_size` where the front leaves it free.
        progress : sequence of str
            How well the front keeps up with the source, for the HUD.
        """
        done = self.processing
        if done.segmentation is not None:
            self._tell_what_is_gone(done.segmentation)
            self._tell_suggestion()
        with self.timer.stage("draw"):
            image = self._presentation.lay_out(look, room)
            lines = status_lines(
                self.settings,
                self.segmenter,
                done.segmentation,
                self.timer,
                progress,
                is_interrupted=bool(self.hud.banner),
            )
            self.hud.draw(image, lines, done.segmentation)
            self.saving.record(look, image)
            self.hud.draw_aids(image, self.saving.recorder.seconds)
        return image

    def _tell_what_is_gone(self, segmentation: Segmentation) -> None:
        """Say which isolated segments are there no more, and which are there again."""
        gone = self.settings.chosen - set(segmentation.ids.tolist())
        back = (self._gone - gone) & self.settings.chosen
        for ids, what in ((gone - self._gone, "gone"), (back, "back")):
            if ids:
                verb = "is" if len(ids) == 1 else "are"
                self.hud.say(f"{', '.join(map(str, sorted(ids)))} {verb} {what}")
        self._gone = gone

    def _tell_suggestion(self) -> None:
        """Say how many clusters suit the picture, where that was asked."""
        suggestion = self.segmenter.suggestion
        if suggestion is not None and suggestion is not self._told:
            self.hud.say(str(suggestion))
        self._told = suggestion

    def close(self) -> None:
        """Complete a recording."""
        self.saving.close()

    def abort(self) -> None:
        """Complete a recording all the same."""
        self.saving.abort()
