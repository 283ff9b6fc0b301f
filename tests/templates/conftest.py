"""A process's folder on disk, and what its templates become."""

from math import inf

import pytest

from receiver.formats import budget
from tests.support.mapped import Mapped


@pytest.fixture
def mapped(tmp_path):
    return Mapped(tmp_path)


@pytest.fixture(autouse=True)
def no_rendering():
    """Forget the count of earlier renderings: a filter that a test calls by itself would count on from there."""
    budget._thread.spent = budget._Spent(inf, inf)
