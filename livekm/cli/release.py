"""Which livekm this is."""

from __future__ import annotations

import subprocess
from importlib import metadata
from pathlib import Path

import livekm


def release() -> str:
    """Return the version, and the commit where it is known: ``0.1.0 (1a2b3c4)``.

    What was built from a checkout has a file that tells it; a checkout asks git.
    """
    version, commit = metadata.version("livekm"), commit_of(Path(livekm.__file__).parent)
    return f"{version} ({commit})" if commit else version


def commit_of(package: Path) -> str:
    """Return the commit that a package was built from, or is checked out at; "" where none is."""
    try:
        return (package / "commit.txt").read_text(encoding="utf-8").strip()
    except OSError:
        pass
    if not (package.parent / ".git").exists():
        return ""
    command = ["git", "-C", str(package), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
