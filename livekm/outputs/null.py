"""Count images and keep none."""

from __future__ import annotations

from livekm.core.painting import Painting
from livekm.frame import Image
from livekm.outputs.base import Sink
from livekm.outputs.checks import as_image


class NullSink(Sink):
    """Count the images and drop them: for benchmarks, and where only statistics are wanted."""

    n_frames: int = 0

    def write(
        self, image: Image | Painting, time: float | None = None, index: int | None = None
    ) -> None:
        """Count `image`; raise `ValueError` if it is not (H, W, 3) uint8, or with alpha."""
        as_image(image, alpha=True)
        self.n_frames += 1

    def _end(self, *, is_partial: bool) -> None:
        """Do nothing: there is no file."""
