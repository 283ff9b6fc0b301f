"""A fill, a closing and a recovery of a batch at every sixth point; `make crash` hits each of them."""

import pytest

from tests.crash import batches, power, syscalls
from tests.support.required import require

EVERY = 6


@pytest.mark.parametrize("kind", batches.KINDS, ids=lambda kind: kind.name)
def test_each_record_is_in_one_batch_once_whatever_call_is_hit(kind, tmp_path, violations):
    require(syscalls.possible())
    assert violations(f"system calls of a {kind.name}", batches.hits(batches.bench(tmp_path), kind, EVERY)) == []


def test_a_recovery_of_a_batch_that_is_killed_twice_is_finished_by_the_third(tmp_path, violations):
    require(syscalls.possible())
    made = batches.bench(tmp_path)
    assert violations("system calls of a batch's recovery, killed twice", batches.recoveries(made, EVERY)) == []


def test_a_power_cut_at_any_step_of_a_batch_loses_no_record(tmp_path, violations):
    require(power.possible())
    assert violations("power cuts of a batch", batches.cuts(tmp_path, every=2 * EVERY)) == []


def test_a_commit_that_is_not_durable_is_seen_in_a_batch(tmp_path):
    require(power.possible())
    assert any(found for _, found in batches.cuts(tmp_path, weaken="synchronous", every=3))
