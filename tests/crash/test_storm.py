"""A short storm in every run; `make soak` lets a long one go over the service."""

from tests.crash import storm


def test_no_kill_loses_doubles_or_tears_a_delivery(tmp_path):
    result = storm.run(tmp_path, kills=8, seed=8, pause=1.2)
    assert result.faults == [], storm.summary(result)
    assert sum(result.kills.values()) == 8
    assert len(result.receipts) > 20
