import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent.parent / "store"))


@pytest.fixture
def home(tmp_path):
    """One installation over the shipped referrals, on a real disk."""
    from home import Home

    made = Home(tmp_path)
    yield made
    made.close()
