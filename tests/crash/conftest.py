"""Tells at the end of a run how many points of a delivery were hit, and what could not be."""

from collections.abc import Callable, Iterable

import pytest

from tests.crash import power, syscalls
from tests.support import told

HIT = pytest.StashKey[list[str]]()
Hits = Iterable[tuple[object, list[str] | None]]


def pytest_configure(config: pytest.Config) -> None:
    config.stash[HIT] = []


@pytest.fixture
def violations(pytestconfig) -> Callable[[str, Hits], list[tuple[str, list[str]]]]:
    """Go through hits of a kind, count them for the summary, and return what was found where it must not be."""

    def go_through(kind: str, hits: Hits) -> list[tuple[str, list[str]]]:
        every = list(hits)
        found = [(str(point), found) for point, found in every if found]
        hit = sum(found is not None for _, found in every)
        pytestconfig.stash[HIT].append(f"{hit} of {len(every)} {kind}, {len(found)} with violations")
        assert hit > 15
        return found

    return go_through


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Say what was hit; and where a tool is missing, what therefore was not, in words that nobody overlooks."""
    missing = {"system calls": syscalls.possible(), "power cuts": power.possible()}
    lines = session.config.stash[HIT] + [f"NO {kind}: {reason}" for kind, reason in missing.items() if reason]
    if lines:
        told.tell(session.config, "crash points (make crash hits each)", lines)
