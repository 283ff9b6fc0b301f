"""What several test rooms share."""

import gc
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent / room) for room in ("service", "crash")]


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    """One running service over the shipped site, for tests that leave it as they found it."""
    from running import Service

    running = Service(tmp_path_factory.mktemp("service") / "data").start()
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def garbage():
    """Collect garbage as often as ever, also after a verb that was called in this process."""
    usual = gc.get_threshold()
    yield
    gc.set_threshold(*usual)
