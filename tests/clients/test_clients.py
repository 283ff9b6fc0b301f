"""A delivery by each client that people really use, from its first byte to the file in the output."""

import json
import shutil

import pytest

from tests.support.running import ROOT, TOKEN, Service

from .senders import SENDERS, Sender, Target

TIFF = b"II*\0" + bytes(range(256)) * 4
NAMES = [f"{sender.client}: {sender.way}" for sender in SENDERS]


@pytest.fixture(scope="module")
def taking(tmp_path_factory):
    """A service over the hostile tests' site, whose process writes the document's name into its record."""
    running = Service(tmp_path_factory.mktemp("clients") / "data", ROOT / "tests" / "hostile" / "site").start()
    yield running
    running.stop()


@pytest.mark.parametrize("sender", SENDERS, ids=NAMES)
def test_a_client_delivers(sender: Sender, taking, tmp_path):
    if missing := [program for program in sender.needs if not shutil.which(program)]:
        pytest.skip(f"{' and '.join(missing)} must be installed")
    if reason := sender.install():
        pytest.skip(reason)
    (tmp_path / "fax.tif").write_bytes(TIFF)
    source_id = f"client-{SENDERS.index(sender)}-"
    url = f"http://127.0.0.1:{taking.port}/api/nextstep/delivery/scans"
    assert sender.send(Target(url, TOKEN, source_id), tmp_path) == 200
    (record,) = (path for path in taking.output.rglob("*.json") if source_id in path.read_text())
    assert json.loads(record.read_text())["filename"] == sender.filename
    assert record.with_suffix(".tif").read_bytes() == TIFF
