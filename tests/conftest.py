"""What several test rooms share."""

import gc
import signal

import hypothesis
import pytest

from tests.support import planted, told
from tests.support import postgres as postgres_server
from tests.support.running import Service

pytest_plugins = ["tests.support.reached"]

hypothesis.settings.register_profile("suite", deadline=None)  # one would judge how busy the machine is
hypothesis.settings.load_profile("suite")


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    """One running service over the shipped site, for tests that leave it as they found it."""
    running = Service(tmp_path_factory.mktemp("service") / "data").start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def postgres():
    """One PostgreSQL server, on which each test has tables of its own."""
    with postgres_server.running() as server:
        yield server


@pytest.fixture(scope="session", autouse=True)
def interrupted():
    """Let processes that tests start be ended by SIGINT, although a shell has these tests in its background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def garbage():
    """Collect garbage as often as ever, also after a verb that was called in this process."""
    usual = gc.get_threshold()
    yield
    gc.set_threshold(*usual)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(told)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in which a service has told a value that was sent to it; say what was looked for, where, and found."""
    verdict = planted.RUN.judged()
    if verdict.services or verdict.failed:
        told.tell(session.config, "planted values", [str(verdict), *verdict.found[:20]], failed=verdict.failed)
