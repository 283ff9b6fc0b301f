import pytest

from tests.support.home import Home


@pytest.fixture
def home(tmp_path):
    """One installation over the shipped referrals, on a real disk."""
    made = Home(tmp_path)
    yield made
    made.close()
