"""What a test does where a program is missing that it needs: Xvfb, openbox, a C compiler."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

ALL_REQUIRED = bool(os.environ.get("LIVEKM_REQUIRE_TOOLS"))
"""Whether a missing program is an error, as in CI, so that no test is skipped in silence."""


def lack(reason: str) -> NoReturn:
    """Skip the test for what is missing, or fail it where nothing may be missing."""
    if ALL_REQUIRED:
        pytest.fail(reason)
    pytest.skip(reason)
