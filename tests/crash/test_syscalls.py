"""Every fifth system call of a delivery and of a recovery; `make crash` hits each of them."""

import shutil

import pytest
import syscalls

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace, which hits the calls")
EVERY = 5


@pytest.fixture
def bench(tmp_path):
    return syscalls.bench(tmp_path)


def test_a_delivery_that_is_hit_at_any_call_is_wholly_absent_or_wholly_there_once(bench):
    hits = list(syscalls.deliveries(bench, EVERY))
    assert len(hits) > 40
    assert [(str(point), found) for point, found in hits if found] == []


def test_a_recovery_that_is_killed_twice_at_any_call_is_finished_by_the_third(bench):
    hits = list(syscalls.recoveries(bench, EVERY))
    assert len(hits) > 15
    assert [(str(point), found) for point, found in hits if found] == []
