"""Write a file in one piece."""

from __future__ import annotations

import os

from livekm.outputs.atomic import PartFile, sink_errors
from livekm.outputs.base import Output


class WholeFile(Output):
    """Write a file in one piece, inside a ``with`` block.

    Once it was written it is complete, and gets its name however the block ends; without a `write`
    nothing is left. The parameters are those of `PartFile`.
    """

    _needs_frames = False
    _holds_one = True

    def __init__(
        self, target: str | os.PathLike[str], *, overwrite: bool = False, source: str | None = None
    ) -> None:
        super().__init__(PartFile(target, overwrite=overwrite, source=source))

    def write(self, content: bytes) -> None:
        """Write the whole content; raise `SinkError` if it cannot be written."""
        assert self._part is not None
        with sink_errors(self.target):
            self._part.path.write_bytes(content)
        self.n_frames = 1

    def close(self) -> None:
        """Give the file its name, if it was written."""
        self.keep()

    def _finish(self) -> None:
        """Do nothing: it is complete."""
