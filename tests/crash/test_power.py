"""Power cuts at every sixth step; `make crash` cuts at each. A broken promise must turn the run red."""

import power
import pytest

pytestmark = pytest.mark.skipif(bool(power.possible()), reason=power.possible())
EVERY = 6


def test_a_power_cut_at_any_step_loses_nothing_that_was_answered(tmp_path):
    cuts = list(power.cuts(tmp_path, every=EVERY))
    assert len(cuts) > 25
    assert [(where, found) for where, found in cuts if found] == []


@pytest.mark.parametrize("promise", ["file", "folder", "synchronous"])
def test_a_promise_to_the_disk_that_is_broken_is_seen(promise, tmp_path):
    assert any(found for _, found in power.cuts(tmp_path, weaken=promise, every=EVERY))
