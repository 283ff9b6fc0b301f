import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent.parent / "keeping"))


@pytest.fixture
def home(tmp_path):
    """One installation whose only process tells people of its faults by a command, which writes down what it gets."""
    from home import Home

    made = Home(tmp_path)
    made.section(f'[notify]\ncommand = ["{Path(__file__).parent / "note_down"}", "{tmp_path / "told"}"]')
    yield made
    made.close()
