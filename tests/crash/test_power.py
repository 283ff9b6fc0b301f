"""Power cuts at every sixth step; `make crash` cuts at each. A broken promise must turn the run red."""

import pytest

from tests.crash import power
from tests.support.required import require

EVERY = 6


@pytest.fixture(autouse=True)
def _possible():
    require(power.possible())


def test_a_power_cut_at_any_step_loses_nothing_that_was_answered(tmp_path, violations):
    assert violations("power cuts", power.cuts(tmp_path, every=EVERY)) == []


@pytest.mark.parametrize("promise", ["file", "folder", "synchronous", "names"])
def test_a_promise_to_the_disk_that_is_broken_is_seen(promise, tmp_path):
    assert any(found for _, found in power.cuts(tmp_path, weaken=promise, every=EVERY))
