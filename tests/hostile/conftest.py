"""One service for the whole table, over a site of its own, logging all it can."""

from pathlib import Path

import pytest
from running import Service

SITE = Path(__file__).parent / "site"


@pytest.fixture(scope="session")
def hostile(tmp_path_factory):
    data = tmp_path_factory.mktemp("hostile") / "data"
    running = Service(data, SITE, options=("--log-level", "debug")).start()
    yield running
    running.stop()
