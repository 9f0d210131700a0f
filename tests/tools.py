"""What a test does where a program is missing that it needs: Xvfb, openbox, a C compiler."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

ALL_REQUIRED = bool(os.environ.get("LIVEKM_REQUIRE_TOOLS"))
"""Whether a missing program is an error, as in CI, so that no test is skipped in silence."""


def lack(reason: str) -> NoReturn:
    """Skip the test for what is missing, or fail it where nothing may be missing."""
    if ALL_REQUIRED:
        pytest.fail(reason)
    pytest.skip(reason)


def needs_tools(*names: str) -> pytest.MarkDecorator:
    """Return the mark of tests that need programs."""
    missing = [name for name in names if shutil.which(name) is None]
    reason = f"needs {', '.join(missing)}"
    if missing and ALL_REQUIRED:
        raise RuntimeError(reason)
    return pytest.mark.skipif(bool(missing), reason=reason)
