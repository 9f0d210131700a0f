"""Centers that stay where they are, in the place of those that are trained."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from livekm.core.identity import Identity
from livekm.core.places import Places
from livekm.core.sample import Centers, Sample
from livekm.core.scene_change import SceneChange
from livekm.frame import Image


class FixedCenters:
    """Holds colours that are fixed, in the place of a `livekm.core.trainer.Trainer`.

    Parameters
    ----------
    centers : (d, k) float32
        In steps of the feature space.

    Attributes
    ----------
    last_frame : (points, pixels, places) or None
        What `step` was given last.
    """

    def __init__(self, centers: Centers, bits: int, identity: Identity) -> None:
        self.centers = centers
        self.mse: float = 0.0
        self.identity = identity
        self._bits = bits
        self.last_frame: tuple[npt.NDArray[np.float32], Image, Places | None] | None = None
        self._scene = SceneChange()

    def step(
        self, points: npt.NDArray[np.float32], pixels: Image, places: Places | None = None
    ) -> bool:
        """Tell whether the next frame is a cut."""
        self.last_frame = points, pixels, places
        self.mse = Sample(points, self._bits).fit(self.centers).mse
        return self._scene.observe(pixels, places)
