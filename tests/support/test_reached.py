"""A property whose assertions most examples never reach fails, however green each example is."""

import pytest

pytest_plugins = ["pytester"]

PROPERTY = """
import pytest
from hypothesis import assume, given, strategies as st

@given(st.integers(0, 9))
def test_property(number):
    {body}
"""


@pytest.mark.parametrize(
    ("body", "failed"),
    [
        ("assert number < 10", 0),
        ("if number > 7:\n        assert number < 10", 1),
        ("for each in []:\n        assert each", 1),
        ("assume(number > 7)\n    assert number > 7", 0),
        ("int(number)", 0),
        ("with pytest.raises(ValueError):\n        int('x')", 0),
    ],
)
def test_a_property_is_judged_by_the_examples_that_reach_an_assertion(pytester, body, failed):
    pytester.makepyfile(PROPERTY.format(body=body))
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "tests.support.reached")
    result.assert_outcomes(passed=1 - failed, failed=failed)
    if failed:
        result.stdout.fnmatch_lines(["only * of * examples reach an assertion: *"])
