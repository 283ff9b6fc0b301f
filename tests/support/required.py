"""What a test needs of the machine: it is left out where that is missing, saying so, but never on CI."""

import os

import pytest


def require(missing: str) -> None:
    """Leave the test out for the reason `missing`, if there is one; where CI is set it fails instead."""
    if missing and os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(f"{missing}; on CI nothing is left out: .ci/run installs it")
    if missing:
        pytest.skip(missing)
