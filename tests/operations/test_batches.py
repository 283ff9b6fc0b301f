"""What housekeeping, metrics, verification and retention do with batches."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from receiver.core.batches import BatchStatus, Closing
from receiver.delivery import batches
from receiver.delivery.context import ContextHolder
from receiver.operations import health, metrics, retention
from receiver.operations.verify import Tally, verify_batches
from tests.support.batch_site import PROCESS, BatchSite, deliver


@pytest.fixture
def site(tmp_path):
    return BatchSite.at(tmp_path)


def test_housekeeping_publishes_what_a_dead_worker_has_closed(site, monkeypatch):
    context = site.context()
    monkeypatch.setattr(batches, "publish_closed_by", lambda *_: None)  # as if it had been killed before
    for source_id in "123":
        deliver(context, source_id)
    assert site.files() == {}
    retention.look(context)
    assert list(site.files()) == ["index-1.csv"]


def test_housekeeping_closes_a_batch_whose_time_is_over(tmp_path):
    site = BatchSite.at(tmp_path, PROCESS.replace('after = "1d"', 'after = "1m"'))
    context = site.context()
    deliver(context, "1")
    retention.look(context)
    assert site.files() == {}
    old = (datetime.now(UTC) - timedelta(minutes=2)).isoformat(timespec="microseconds").replace("+00:00", "Z")
    context.ledger.connections.write(
        lambda connection: connection.execute("UPDATE batches SET opened_at = ?", (old,)).fetchall()
    )
    retention.look(context)
    assert list(site.files()) == ["index-1.csv"]


def gauges(context) -> dict[str, float]:
    told = "".join(
        f"{sample.name} {sample.value}\n"
        for metric in metrics.Standing(ContextHolder(context)).collect()
        for sample in metric.samples
        if "batch" in sample.name
    )
    return {name: float(value) for name, value in re.findall(r"(\S+) (\S+)\n", told)}


def test_metrics_tell_what_waits_in_batches(site, monkeypatch):
    context = site.context()
    assert gauges(context) == {"receiver_batches_open": 0, "receiver_batches_closed": 0, "receiver_batch_records": 0}
    monkeypatch.setattr(batches, "publish_closed_by", lambda *_: None)
    for source_id in "1234":
        deliver(context, source_id)
    told = gauges(context)
    assert told.pop("receiver_batch_oldest_timestamp_seconds") > 0
    assert told == {"receiver_batches_open": 1, "receiver_batches_closed": 1, "receiver_batch_records": 4}


def test_a_process_without_batches_has_no_gauges_of_them(tmp_path):
    plain = PROCESS.split("[batches")[0].replace('batch = "daily"', 'path = "{{ delivery.id }}.csv"')
    site = BatchSite.at(tmp_path, plain, {"row.csv.j2": "{{ fields.name }}\n"})
    assert [each.batches for each in health.survey(site.context())] == [None]


def found(context) -> list[str]:
    tally = Tally()
    verify_batches(context.ledger, None, None, tally)
    return [f"{each.id}: {each.what}" for each in tally.findings]


def test_verify_finds_a_changed_file_and_a_batch_that_is_stuck(site, monkeypatch):
    context = site.context()
    for source_id in "1234":
        deliver(context, source_id)
    assert found(context) == []
    (site.output / "index-1.csv").write_text("something else")
    assert "differs" in found(context)[0]
    (site.output / "index-1.csv").unlink()
    assert found(context) == []  # taken by the importing system
    (open_,) = context.ledger.batches.unpublished()
    context.ledger.batches.close(open_, "test")
    assert "not yet published" in found(context)[0]


def test_verify_finds_a_record_that_is_damaged_in_the_ledger(site):
    context = site.context()
    deliver(context, "1")
    context.ledger.connections.write(
        lambda connection: connection.execute("UPDATE batch_records SET content = x'00'").fetchall()
    )
    assert "damaged" in found(context)[0]
    (batch,) = context.ledger.batches.unpublished()
    assert batches.close(context, batch, "test").status is BatchStatus.CLOSED
    assert site.files() == {}


def test_pruning_forgets_published_batches_and_no_other(tmp_path):
    site = BatchSite.at(tmp_path, PROCESS + '[retention]\nledger = "30d"\n')
    context = site.context()
    for source_id in "1234":
        deliver(context, source_id)
    later = datetime.now(UTC) + timedelta(days=31)
    assert all(done.problem is None for done in retention.prune(context, later))
    assert [batch.number for batch in context.ledger.batches.latest()] == [2]


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("closing", "passed", "due"),
    [
        (Closing(after=timedelta(minutes=15)), timedelta(minutes=14, seconds=59), False),
        (Closing(after=timedelta(minutes=15)), timedelta(minutes=15), True),
        (Closing(count=5), timedelta(days=900), False),
        (Closing(after=timedelta(days=1)), timedelta(seconds=-30), False),  # the clock was corrected
        (Closing(after=timedelta(days=1)), timedelta(hours=-2), True),  # it was set back: not kept open for longer
    ],
)
def test_a_batch_is_due(closing, passed, due):
    assert closing.is_due(NOON, NOON + passed) is due


@pytest.mark.parametrize(
    ("zone", "opened", "closes"),
    [
        ("UTC", "2026-03-02T12:00Z", "2026-03-02T18:00Z"),
        ("UTC", "2026-03-02T18:00Z", "2026-03-03T18:00Z"),
        ("Europe/Berlin", "2026-03-02T12:00Z", "2026-03-02T17:00Z"),
        ("Europe/Berlin", "2026-03-28T18:00Z", "2026-03-29T16:00Z"),  # the clocks go forward in between
        ("America/New_York", "2026-10-31T23:00Z", "2026-11-01T23:00Z"),  # and back
    ],
)
def test_a_batch_closes_at_a_time_of_the_host(zone, opened, closes, monkeypatch):
    import time
    from datetime import time as time_of_day

    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        due_at = Closing(at=time_of_day(18)).due_at(datetime.fromisoformat(opened))
        assert due_at == datetime.fromisoformat(closes)
    finally:
        monkeypatch.undo()
        time.tzset()
