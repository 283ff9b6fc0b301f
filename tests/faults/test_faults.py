"""The seeded faults: each edit fits its file, and a few of each group are found; `make faults` judges all of them."""

import pytest

from receiver.core.faults import Severity
from tests.faults.catalogue import SITES, seeded
from tests.faults.seeding import Found, judge

EVERY = list(seeded())


def test_there_are_at_least_300_faults_and_each_edit_fits_its_file():
    assert len(EVERY) >= 300
    for each in EVERY:
        assert each.old in (SITES[each.site] / each.file).read_text(), each
        assert each.old != each.new, each


@pytest.mark.parametrize("each", EVERY[::40], ids=str)
def test_a_seeded_fault_is_found_by_check(each):
    found, told = judge(each)
    assert found in (Found.AT_ITS_LINE, Found.ELSEWHERE)
    assert all(fault.hint for fault in told if fault.severity is not Severity.INFO), told
