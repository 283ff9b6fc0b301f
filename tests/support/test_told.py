"""What is told at the end of a run is printed, and may fail it, whichever process has said it."""

import pytest

pytest_plugins = ["pytester"]

CONFTEST = """
from tests.support import told

def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput") or not session.config.getoption("numprocesses"):
        told.tell(session.config, "planted values", ["1 value found"], failed={failed})
"""


@pytest.mark.parametrize("failed", [True, False])
@pytest.mark.parametrize("processes", [0, 1])
def test_a_run_may_fail_by_what_is_told(pytester, processes, failed):
    pytester.makeconftest(CONFTEST.format(failed=failed))
    pytester.makepyfile("def test_passes(): pass")
    options = ["-p", "no:cacheprovider", "-p", "tests.support.told", "-n", str(processes)]
    result = pytester.runpytest_inprocess(*options)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*planted values*", "1 value found"])
    assert result.ret == (pytest.ExitCode.TESTS_FAILED if failed else pytest.ExitCode.OK)
