"""A live session without a window: frames and commands in, pictures out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from livekm.context import Closing
from livekm.core.region_segmentation import RegionSegmentation
from livekm.core.rests import Rest
from livekm.core.segmentation import Segmentation
from livekm.core.segmenter import Segmenter
from livekm.core.suggestion import Suggestion
from livekm.frame import Image
from livekm.live.choice import Choice
from livekm.live.controls import (
    Timeline,
    clusters_at,
    draw_line,
    slider,
    slider_part,
)
from livekm.live.hud import HelpGroups, Hud, draw_tip
from livekm.live.layout import Layout, bar_height, layout_in
from livekm.live.letterbox import Place
from livekm.live.naming import SegmentNaming
from livekm.live.pace import AutoScale
from livekm.live.presentation import Look, Presentation
from livekm.live.processing import Processing
from livekm.live.roi import RoiDrawing
from livekm.live.saving import Saving
from livekm.live.settings import LiveSettings
from livekm.live.status import Status, clock, describe, values_of_keys
from livekm.live.strip import Strip
from livekm.regions import RegionSegmenter
from livekm.timing import StageTimer

_HELD_SECONDS = 0.1  # between two drawings of a picture that is held
_TIP_SECONDS = 2.0  # for which it is said what the pointer rests on, in the picture

KeyGroups = Mapping[str, Sequence[tuple[str, str, str]]]
"""Each key, what it does and the command that it stands for, by what such keys are about."""


class Session(Closing):
    """A live session: what a front, such as the window, needs to show frames and to obey.

    A front gives frames to `processing`, has them looked at (`look`) and drawn in the size in which
    it shows pictures (`draw`), and passes on what the user wants: commands
    (`livekm.live.commands.do`), and what a pointing device does
    (`livekm.live.pointer.Pointer`). The end of the ``with`` block completes a recording.

    Parameters
    ----------
    segmenter : Segmenter
    view : str
        A key of `livekm.views.VIEWS`.
    scale : float or AutoScale
        Frames are resized by this factor first.
    folder : Path
        Where snapshots and recordings go.
    key_groups : mapping of str to sequence of (str, str, str)
        Each key, what it does and its command, by what such keys are about; for the help.
    regions : RegionSegmenter, optional
        Finds what the view ``regions`` shows.
    mirror : bool, default False
        Whether to begin with left and right exchanged.
    rest, colors, min_area
        As of `LiveSettings`.
    are_ready : callable, optional
        Tells whether the kernels for a colour space are compiled; as long as they are not, the
        picture is shown as it is.
    on_choice : callable, optional
        Is told what was chosen until now, when the user asks how to run that again.
    names_file : Path, optional
        The table of names that is kept up to date.

    Attributes
    ----------
    is_running : bool
        False once the user has quit.
    segmenter, settings, processing, hud, saving
        What commands change; see their classes.
    timer : StageTimer
        Of the last frames.
    timeline : Timeline or None
        Where a recorded source is; set by the front.
    layout : Layout
        Where the parts of the last picture lie.
    naming : SegmentNaming
        Takes all keys while a name is typed.
    roi : RoiDrawing
        Takes the pointer while the part that counts is drawn.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        view: str,
        scale: float | AutoScale,
        folder: Path,
        key_groups: KeyGroups,
        *,
        regions: RegionSegmenter | None = None,
        mirror: bool = False,
        rest: Rest | None = None,
        colors: npt.NDArray[np.uint8] | None = None,
        min_area: int | None = None,
        are_ready: Callable[[str], bool] = lambda color_space: True,
        on_choice: Callable[[Choice], None] | None = None,
        names_file: Path | None = None,
    ) -> None:
        self.is_running = True
        self.segmenter = segmenter
        self.settings: LiveSettings = LiveSettings(
            view, is_mirrored=mirror, rest=rest, colors=colors, min_area=min_area
        )
        if rest is not None and rest not in self.settings.rests:
            self.settings.rests = (rest, *self.settings.rests)
        if isinstance(scale, AutoScale):
            self.settings.auto_scale = scale
        else:
            self.settings.scale = scale
        self.timer: StageTimer = StageTimer(memory=30)
        self.timeline: Timeline | None = None
        self.regions: RegionSegmenter = RegionSegmenter() if regions is None else regions
        self.layout: Layout = Layout(Place(0, 0, 1, 1))
        self.on_choice = on_choice
        self.processing: Processing = Processing(
            segmenter, self.settings, self.timer, are_ready, self.regions
        )
        self.hud: Hud = Hud(self.settings)
        self.saving: Saving = Saving(folder, self.hud)
        self.naming: SegmentNaming = SegmentNaming(
            segmenter, self.processing, self.hud, self.saving, names_file
        )
        self._key_groups = key_groups
        self._presentation = Presentation(self.settings)
        self.roi: RoiDrawing = RoiDrawing(
            self.settings, segmenter, self.processing, self._presentation, self.hud
        )
        self._status = Status(self.settings, segmenter, self.timer)
        self._strip = Strip()
        self._pointer: tuple[int, int] | None = None
        self._pointed_at = 0.0
        self._gone: set[int] = set()
        self._told: Suggestion | None = None

    @property
    def rows_below(self) -> int:
        """The rows that a front should add to the picture's height, for the controls."""
        has_bar = self.settings.hud != "hidden"
        return bar_height(has_line=self.timeline is not None) if has_bar else 0

    @property
    def choice(self) -> Choice:
        """What was chosen until now."""
        frozen = self.segmenter.palette
        file = None if frozen is None else self.saving.palette_file(frozen)
        return Choice.of(self.segmenter, self.settings, self.processing.segmentation, file)

    def patience(self) -> float:
        """Return the seconds for which a held picture need not be drawn again."""
        return _HELD_SECONDS if self.processing.is_settled() else 0.0

    def interrupt(self, reason: str | None) -> None:
        """Say across the picture why it stands still; None when it moves."""
        if reason and not self.hud.banner:
            self.processing.hold()
        self.hud.banner = reason

    def point_at(self, place: tuple[int, int] | None) -> None:
        """Take the x and y of the pointer in the last picture; None where it has left."""
        if place != self._pointer:
            self._pointer, self._pointed_at = place, time.monotonic()

    def part_at(self, x: int) -> float:
        """Return the part of the view's width at a column of the last picture."""
        return self._presentation.part_at(x)

    def id_at(self, x: int, y: int) -> int | None:
        """Return the id of the segment at a pixel of the last picture, or of its strip."""
        found, strip = self.processing.shown, self.layout.strip
        if found is None:
            return None
        if strip is not None and (x, y) in strip:
            part = self._strip.part_at(x - strip.left)
            return part.ids[0] if part and len(part.ids) == 1 else None
        label = self._presentation.label_at(x, y, found)
        return None if label is None else int(found.ids[label])

    def select(self, identity: int, *, drops: bool = False) -> None:
        """Isolate the segment of an id beside those that are, or leave it out.

        Raises
        ------
        ValueError
            If there is none.
        """
        found, settings = self.processing.shown, self.settings
        if found is None:
            return
        if identity not in settings.chosen and identity not in found.ids:
            raise ValueError(f"there is no {found.noun} {identity} in this frame")
        if not settings.chosen:
            settings.drops = drops
        change = settings.chosen.add if drops == settings.drops else settings.chosen.discard
        change(identity)
        text = describe(identity, found)
        if settings.chosen:
            self.hud.say(f"without {text}" if drops else text)
        else:
            self.hud.say(f"all {found.noun}s")

    def look(self) -> Look | None:
        """Return the view of the last frame, without the HUD; None before the first."""
        done = self.processing
        if done.full_frame is None:
            return None
        segmentation = None if done.shown is None else done.segmentation
        return self._presentation.look(done.full_frame, segmentation)

    def draw(self, look: Look, room: tuple[int, int], progress: Sequence[str] = ()) -> Image:
        """Return the picture that is shown, (H, W, 3) uint8 BGR; record it.

        Parameters
        ----------
        look : Look
        room : (int, int)
            Width and height of it: `Look.wanted_size` and `rows_below` more where the front leaves
            it free.
        progress : sequence of str
            How well the front keeps up with the source, for the HUD.
        """
        found = self.processing.shown
        if found is not None:
            self._tell_what_is_gone(found)
            self._tell_suggestion()
        has_bar, has_line = self.settings.hud != "hidden", self.timeline is not None
        layout = self.layout = layout_in(room, has_bar=has_bar, has_line=has_line)
        canvas: Image = np.empty((room[1], room[0], 3), np.uint8)
        with self.timer.stage("view"):
            self._presentation.lay_out(look, canvas, layout.picture)
        with self.timer.stage("draw"):
            picture = layout.picture.of(canvas)
            lines = self._status.lines(
                found, progress, is_interrupted=bool(self.hud.banner), timeline=self.timeline
            )
            self.hud.draw(picture, lines, look.captions)
            self._draw_bar(canvas, layout, found)
            self.saving.record(look, canvas)
            self.hud.draw_aids(picture, self.saving.recorder.seconds, self._help())
            self._draw_tip(canvas)
            self.roi.draw(canvas)
        return canvas

    def _draw_bar(
        self, canvas: Image, layout: Layout, found: Segmentation | RegionSegmentation | None
    ) -> None:
        """Draw progress line, strip and slider, those that there are."""
        settings = self.settings
        if layout.line and self.timeline:
            draw_line(layout.line.of(canvas), self.timeline)
        if layout.slider:
            place = layout.slider
            knob_at = self.segmenter.n_clusters
            place.of(canvas)[:] = slider(place.width, place.height, knob_at)
        if layout.strip and found is None:
            layout.strip.of(canvas)[:] = 0
        elif layout.strip and found is not None:
            place = layout.strip
            size = place.width, place.height
            place.of(canvas)[:] = self._strip.image(
                size, found, settings.view, settings.selection, settings.colors
            )

    def _help(self) -> HelpGroups:
        """Return each key with what it does and its current value."""
        if not self.settings.help_page:
            return {}
        values = values_of_keys(self.settings, self.segmenter)

        def value(command: str) -> str:
            return values.get(command, values.get(command.partition(":")[0], ""))

        return {
            group: [(label, meaning, value(command)) for label, meaning, command in rows]
            for group, rows in self._key_groups.items()
        }

    def _draw_tip(self, canvas: Image) -> None:
        """Say beside the pointer what it is on; in the picture only while it has just moved."""
        if self._pointer is None:
            return
        is_fresh = time.monotonic() - self._pointed_at < _TIP_SECONDS
        is_shown = is_fresh if self._pointer in self.layout.picture else True
        text = self._tip(*self._pointer)
        if is_shown and text and self.settings.hud != "hidden":
            draw_tip(canvas, text, self._pointer)

    def _tip(self, x: int, y: int) -> str:
        """Return what is at a pixel of the last picture."""
        layout, timeline, found = self.layout, self.timeline, self.processing.shown
        if layout.line and (x, y) in layout.line and timeline and timeline.duration:
            at = clock(layout.line.part_at(x) * timeline.duration)
            return f"{at} of {clock(timeline.duration)}"
        if layout.slider and (x, y) in layout.slider:
            part = slider_part(x - layout.slider.left, layout.slider.width)
            return f"k {clusters_at(part)}"
        if found is None:
            return ""
        identity = self.id_at(x, y)
        if identity is not None:
            return describe(identity, found)
        if layout.strip and (x, y) in layout.strip:
            part_of = self._strip.part_at(x - layout.strip.left)
            if part_of:
                share = 100 * found.shares[np.isin(found.ids, part_of.ids)].sum()
                return f"{len(part_of.ids)} more · {share:.0f} %"
        return ""

    def _tell_what_is_gone(self, found: Segmentation | RegionSegmentation) -> None:
        """Say which isolated segments are there no more, and which are there again."""
        gone = self.settings.chosen - set(found.ids.tolist())
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

    def seek(self, seconds: float) -> None:
        """Go to a time of a recorded source."""
        timeline = self.timeline
        if timeline is None:
            self.hud.say("only clips have other places to go to")
            return
        latest = timeline.duration if timeline.duration is not None else float("inf")
        target = min(max(seconds, 0.0), latest)
        self.settings.seek_to = target
        self.timeline = replace(timeline, position=target, is_at_end=False)
        self.hud.say(clock(target))

    def close(self) -> None:
        """Complete a recording."""
        self.saving.close()

    def abort(self) -> None:
        """Complete a recording all the same."""
        self.saving.abort()
