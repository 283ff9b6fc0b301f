from pathlib import Path

import pytest

from tests.support.schema_folder import Schemas


@pytest.fixture
def schemas(tmp_path: Path) -> Schemas:
    return Schemas(tmp_path)
