"""Fixtures for the tests of the disk and the ledger."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.place import Place

LEDGERS = ("sqlite", "postgresql")


@pytest.fixture
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    """One installation, on SQLite unless the test is marked `both_ledgers`."""
    kind = getattr(request, "param", "sqlite")
    made = Place.at(tmp_path, request.getfixturevalue("postgres").new_url() if kind == "postgresql" else "")
    yield made
    made.ledger.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is marked `both_ledgers` once on each."""
    if metafunc.definition.get_closest_marker("both_ledgers"):
        metafunc.parametrize("place", LEDGERS, indirect=True)
