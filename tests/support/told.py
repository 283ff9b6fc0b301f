"""What a run says at its end besides its tests, and whether it has failed by that, out of all processes that it ran in.

A worker of pytest-xdist hands its reports to the process that has started it; this is handed over beside them.
"""

import pytest

LINES = pytest.StashKey[dict[str, list[str]]]()  # by the title under which they are printed
FAILED = pytest.StashKey[list[str]]()  # the titles of what has failed the run


def tell(config: pytest.Config, title: str, lines: list[str], *, failed: bool = False) -> None:
    """Have lines printed at the end of the run; what another process has said as well is said once."""
    said = config.stash[LINES].setdefault(title, [])
    said += [line for line in lines if line not in said]
    config.stash[FAILED] += [title] if failed else []


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LINES], config.stash[FAILED] = {}, []


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run, or hand over what is said to the process that prints it."""
    stash = session.config.stash
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["told"] = (stash[LINES], stash[FAILED])
    elif stash[FAILED]:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take over what a worker has said; one that died said nothing, and has failed the run by that."""
    lines, failed = getattr(node, "workeroutput", {}).get("told", ({}, []))
    for title, said in lines.items():
        tell(node.config, title, said, failed=title in failed)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for title, lines in config.stash[LINES].items():
        terminalreporter.section(title)
        for line in lines:
            terminalreporter.line(line, red=title in config.stash[FAILED])
