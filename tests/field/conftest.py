"""What comes from the field, over one installation where it takes more than a function."""

import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parents[1] / room) for room in ("keeping", "mapping")]


@pytest.fixture
def home(tmp_path):
    """One installation over the shipped referrals."""
    from home import Home

    made = Home(tmp_path)
    yield made
    made.close()


@pytest.fixture
def mapped(tmp_path):
    """A folder for templates."""
    from mapped import Mapped

    return Mapped(tmp_path)
