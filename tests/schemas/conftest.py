from pathlib import Path

import pytest
from schema_folder import Schemas


@pytest.fixture
def schemas(tmp_path: Path) -> Schemas:
    return Schemas(tmp_path)
