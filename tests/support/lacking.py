"""What a test needs and this machine has not."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def skip_unless_in_ci(reason: str) -> NoReturn:
    """Skip the test, with the reason; in CI, which installs all that is needed, let it fail."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
