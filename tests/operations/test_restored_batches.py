"""A ledger restored from its backup, whose batches went on since."""

import shutil
from datetime import UTC, datetime

import pytest

from receiver.core.batches import BatchStatus
from receiver.delivery import batches
from receiver.store.recover import complete
from receiver.store.sqlite import schema
from tests.support.batch_site import PROCESS, BatchSite, deliver

JOURNAL = PROCESS.replace("[[records]]", "[output]\njournal = true\n[[records]]", 1)


@pytest.fixture
def restored(tmp_path):
    """Two records wait, a backup is taken, four more come, and the backup is put back."""
    site = BatchSite.at(tmp_path, JOURNAL)
    context = site.context()
    for source_id in "12":
        deliver(context, source_id)
    context.ledger.close()
    backup = tmp_path / "backup.db"
    shutil.copy(schema.path_of(site.settings.ledger), backup)
    context = site.context()
    for source_id in "34567":
        deliver(context, source_id)
    for stage in context.stages.values():
        stage.close()
    context.ledger.close()
    shutil.copy(backup, schema.path_of(site.settings.ledger))
    site.context().ledger.close()
    return site


def test_what_was_published_with_a_batch_is_not_published_again(restored):
    context = restored.context()
    assert context.ledger.batches.unpublished()[0].count == 2  # as the backup has it
    done = complete(context.ledger, [restored.output], datetime.now(UTC))
    assert {"index/daily/1", "index/daily/2"} <= set(done.added)
    assert [(each.number, each.status) for each in context.ledger.batches.latest()] == [
        (2, BatchStatus.PUBLISHED),
        (1, BatchStatus.PUBLISHED),
    ]
    assert all(deliver(context, source_id).duplicate for source_id in "123456")
    assert complete(context.ledger, [restored.output], datetime.now(UTC)).added == []


def test_a_record_that_waited_is_taken_in_again_when_it_is_sent_again(restored):
    context = restored.context()
    complete(context.ledger, [restored.output], datetime.now(UTC))
    assert not deliver(context, "7").duplicate
    (batch,) = context.ledger.batches.unpublished()
    assert (batch.number, batch.count) == (3, 1)
    batches.close(context, batch, "test")
    assert restored.files()["index-3.csv"].count("\r\n") == 3


def test_no_line_of_the_journal_holds_a_value(restored):
    lines = "".join(path.read_text() for path in (restored.output / ".published").glob("*.jsonl"))
    assert "daily" in lines
    assert "Invented" not in lines
    assert "1.50" not in lines
