"""What the tests of this room share: a small site that compiles at once."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def site(tmp_path):
    from small_site import SmallSite

    return SmallSite(tmp_path / "site")
