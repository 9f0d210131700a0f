"""The segmentation of the newest frame, and of the held one after each change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from livekm.core.region_segmentation import RegionSegmentation
from livekm.core.segmentation import Segmentation
from livekm.core.segmenter import Segmenter
from livekm.frame import Frame, Mask
from livekm.live.settings import LiveSettings
from livekm.live.warmup import REGIONS
from livekm.pipeline import scaled, with_regions
from livekm.regions import RegionSegmenter
from livekm.timing import StageTimer

_SETTLING = 10  # times that a held frame is segmented, and again after a change, to converge


class Processing:
    """Scales, mirrors and segments frames, as soon as the kernels are compiled.

    Parameters
    ----------
    segmenter : Segmenter
    settings : LiveSettings
    timer : StageTimer
        Is told the times of the stages ``segment`` and ``regions``.
    are_ready : callable
        Tells whether the kernels for a colour space, or for `REGIONS`, are compiled.
    regions : RegionSegmenter
        Finds regions where the view shows them.

    Attributes
    ----------
    source_frame : Frame or None
        The last frame, as it came.
    full_frame : Frame or None
        The same, mirrored.
    frame : Frame or None
        The same, mirrored and scaled.
    segmentation : Segmentation or None
        Of `frame`; None until the kernels are compiled.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        settings: LiveSettings,
        timer: StageTimer,
        are_ready: Callable[[str], bool],
        regions: RegionSegmenter,
    ) -> None:
        self.source_frame: Frame | None = None
        self.full_frame: Frame | None = None
        self.frame: Frame | None = None
        self.segmentation: Segmentation | None = None
        self._segmenter = segmenter
        self._settings = settings
        self._timer = timer
        self._are_ready = are_ready
        self._regions = regions
        self._unsettled = _SETTLING

    def can_segment(self) -> bool:
        """Tell whether the kernels are compiled; where they are not, begin with it."""
        is_ready = self._are_ready(self._segmenter.color_space)
        return is_ready and (not self._settings.shows_regions or self._are_ready(REGIONS))

    @property
    def shown(self) -> Segmentation | RegionSegmentation | None:
        """What the view shows of the last frame, or None where that is yet to be found."""
        found = self.segmentation
        return found.regions if found is not None and self._settings.shows_regions else found

    def is_settled(self) -> bool:
        """Tell whether the held frame need not be segmented again."""
        is_found = not self._unsettled and self.shown is not None
        return is_found or not self.can_segment()

    def take(self, frame: Frame) -> None:
        """Segment the next frame."""
        self._settings.wants_step = False
        self.source_frame = frame
        self._update(frame)

    def settle(self) -> None:
        """Segment the held frame again after a change that shows in it."""
        if self.source_frame is None or not self.can_segment():
            return
        if self._unsettled or self.segmentation is None:
            self._unsettled = max(0, self._unsettled - 1)
            self._update(self.source_frame)
        elif self.shown is None:
            self._find_regions()

    def forget_regions(self) -> None:
        """Have the regions of the held frame found again."""
        if self.segmentation is not None:
            self.segmentation = replace(self.segmentation, regions=None)

    def note_change(self) -> None:
        """Have the held frame segmented until it has converged again."""
        self._unsettled = _SETTLING

    def hold(self) -> None:
        """Leave the held frame as it is until the next change."""
        self._unsettled = 0

    def note_load(self, seconds: float) -> None:
        """Take what the last frame took without waiting, for the automatic scale."""
        if self._settings.auto_scale is not None and self.segmentation is not None:
            self._settings.auto_scale.note(seconds)

    def _update(self, source: Frame) -> None:
        source = full = _within(source, self._settings.roi)
        if self._settings.is_mirrored:
            image = np.asarray(cv2.flip(source.image, 1), np.uint8)
            mask = None if source.mask is None else np.ascontiguousarray(source.mask[:, ::-1])
            full = Frame(image, source.index, source.time, mask)
        frame = scaled(full, self._settings.current_scale)
        self.full_frame, self.frame, self.segmentation = full, frame, None
        if self.can_segment():
            with self._timer.stage("segment"):
                self.segmentation = self._segmenter.update(frame.image, frame.mask)
                if self.segmentation.scene_cut and self._segmenter.is_auto:
                    self._segmenter.suggest(frame.image, frame.mask)
            if self._settings.shows_regions:
                self._find_regions()

    def _find_regions(self) -> None:
        assert self.frame is not None
        assert self.segmentation is not None
        with self._timer.stage("regions"):
            self.segmentation = with_regions(self.frame, self.segmentation, self._regions)


def _within(frame: Frame, roi: tuple[int, int, int, int] | None) -> Frame:
    """Return a frame of which only what lies in a rectangle counts."""
    if roi is None:
        return frame
    left, top, width, height = roi
    mask: Mask = np.zeros(frame.image.shape[:2], np.bool_)
    mask[top : top + height, left : left + width] = True
    if frame.mask is not None:
        mask &= frame.mask
    return replace(frame, mask=mask)
