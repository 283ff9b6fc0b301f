from pathlib import Path

import pytest


@pytest.fixture
def any_json(tmp_path: Path) -> Path:
    """A folder of schemas with one that takes anything."""
    folder = tmp_path / "schemas"
    folder.mkdir(exist_ok=True)
    (folder / "any.json").write_text("true")
    return folder
