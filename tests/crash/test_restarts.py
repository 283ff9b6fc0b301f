"""A few restarts in every run; `python -m tests.crash.restarts` goes on for as long as asked."""

from tests.crash import restarts


def test_no_restart_loses_or_doubles_a_delivery_or_turns_a_sender_away(tmp_path):
    result = restarts.run(tmp_path, restarts=3, seed=5, pause=0.5)
    assert result.faults == [], restarts.summary(result)
    assert dict(result.kills) == {"HUP": 1, "USR2": 1, "TERM": 1}
    assert len(result.receipts) > 20
