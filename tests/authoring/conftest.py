"""What the tests of this room share: a small site that compiles at once."""

import pytest

from tests.support.small_site import SmallSite


@pytest.fixture
def site(tmp_path):
    return SmallSite(tmp_path / "site")
