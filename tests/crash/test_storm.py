"""A short storm in every run; `make soak` lets a long one go over the service."""

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.crash import hosts, storm


def test_no_kill_loses_doubles_or_tears_a_delivery():
    with TemporaryDirectory() as folder:  # one that another user may enter
        Path(folder).chmod(0o755)
        result = storm.run(Path(folder), kills=8, seed=8, pause=1.2, users=storm.who(), batch=7, accepted=21)
    assert result.faults == [], storm.summary(result)
    assert sum(result.kills.values()) == 8
    assert len(result.receipts) > 20
    assert result.batches > 2


def test_no_host_that_is_lost_loses_or_doubles_a_delivery(tmp_path):
    result = hosts.run(tmp_path, count=2, kills=2, seed=3, pause=0.5)
    assert result.faults == [], hosts.summary(result)
    assert len(result.receipts) > 5
