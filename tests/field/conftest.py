"""What comes from the field, over one installation where it takes more than a function."""

import pytest

from tests.support.home import Home
from tests.support.mapped import Mapped


@pytest.fixture
def home(tmp_path):
    """One installation over the shipped referrals."""
    made = Home(tmp_path)
    yield made
    made.close()


@pytest.fixture
def mapped(tmp_path):
    """A folder for templates."""
    return Mapped(tmp_path)
