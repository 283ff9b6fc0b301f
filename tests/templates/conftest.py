"""A process's folder on disk, and what its templates become."""

import pytest

from tests.support.mapped import Mapped


@pytest.fixture
def mapped(tmp_path):
    return Mapped(tmp_path)
