"""Every fifth system call of a delivery and of a recovery; `make crash` hits each of them."""

import pytest

from tests.crash import syscalls
from tests.support.required import require

EVERY = 5


@pytest.fixture
def bench(tmp_path):
    require(syscalls.possible())
    return syscalls.bench(tmp_path)


@pytest.mark.parametrize("prepared", syscalls.PREPARED)
def test_a_delivery_that_is_hit_at_any_call_is_wholly_absent_or_wholly_there_once(prepared, bench, violations):
    assert violations(f"system calls of a {prepared}", syscalls.deliveries(bench, prepared, EVERY)) == []


def test_a_recovery_that_is_killed_twice_at_any_call_is_finished_by_the_third(bench, violations):
    assert violations("system calls of a recovery, killed twice", syscalls.recoveries(bench, EVERY)) == []
