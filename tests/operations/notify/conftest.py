from pathlib import Path

import pytest

from tests.support.home import Home


@pytest.fixture
def home(tmp_path):
    """One installation whose only process tells people of its faults by a command, which writes down what it gets."""
    made = Home(tmp_path)
    made.section(f'[notify]\ncommand = ["{Path(__file__).parent / "note_down"}", "{tmp_path / "told"}"]')
    yield made
    made.close()
