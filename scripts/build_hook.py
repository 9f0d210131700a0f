"""Note the commit in what is built from a checkout: `livekm --version` tells it.

Hatchling runs this when it builds an archive of the sources or a wheel.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CommitHook(BuildHookInterface):
    """Puts ``livekm/commit.txt`` into the archive, and takes it out of the tree again."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the file; an archive of the sources has it already."""
        root = Path(self.root)
        self._file = root / "livekm" / "commit.txt"
        self._is_ours = (root / ".git").exists() and version != "editable"
        if self._is_ours:
            command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--exclude=*"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            self._file.write_text(done.stdout, encoding="utf-8")

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Leave the tree as it was."""
        if self._is_ours:
            self._file.unlink()
