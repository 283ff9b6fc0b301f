"""One service for the whole room, over a site of its own, logging all it can, and a host that nobody may call."""

import socket
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.running import Service

from .cases.building import PLANTED
from .cases.xml import NOBODY

SITE = Path(__file__).parent / "site"
TALKATIVE = ("--log-level", "debug", "--pythonpath", str(Path(__file__).parent / "talkative"))


@pytest.fixture(scope="session")
def nobody():
    """The host that documents and schemas refer to. Connections wait here until they are counted."""
    with closing(socket.create_server(NOBODY)) as listening:
        listening.setblocking(False)
        yield listening


@pytest.fixture(scope="session")
def hostile(tmp_path_factory, nobody):
    data = tmp_path_factory.mktemp("hostile") / "data"
    running = Service(data, SITE, options=TALKATIVE).start()
    yield running
    running.stop()
    told = running.log.read_bytes() + b"".join(path.read_bytes() for path in data.glob("ledger*"))
    assert [planted for planted in PLANTED if planted.encode() in told] == []
    with pytest.raises(BlockingIOError):
        nobody.accept()
