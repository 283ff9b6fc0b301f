"""The file of a batch that downstream has lost is published again, the very same, or not at all."""

import pytest
from click.testing import CliRunner

from receiver import cli
from receiver.core.batches import BatchStatus
from receiver.core.problems import Problem
from receiver.operations.rehearsal import Result, rehearse
from receiver.operations.republish import republish_batch
from receiver.store import batches as publication
from tests.support.batch_site import PROCESS, TEMPLATES, BatchSite, deliver

KEEPING = PROCESS + '[retention]\noriginals = "1d"\n'


@pytest.fixture
def site(tmp_path):
    return BatchSite.at(tmp_path, KEEPING)


def lose(site):
    """Publish a batch, and return its file, which downstream has lost."""
    context = site.context()
    for source_id in "123":
        deliver(context, source_id, document=True, amount=f"{source_id}.50")
    content = (site.output / "index-1.csv").read_bytes()
    (site.output / "index-1.csv").unlink()
    return context, content


def batch(context):
    return context.ledger.batches.find("index", "daily", 1)


def test_a_lost_file_is_published_again_as_it_was(site):
    context, content = lose(site)
    assert republish_batch(context, batch(context), dry_run=True).again == 1
    assert list(site.files()) == []
    assert republish_batch(context, batch(context)).again == 1
    assert (site.output / "index-1.csv").read_bytes() == content
    assert batch(context).status is BatchStatus.PUBLISHED
    assert republish_batch(context, batch(context)).there == 1


def test_a_crash_on_the_way_is_finished_by_recovery(site, monkeypatch):
    context, content = lose(site)

    def fails(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(publication, "release", fails)
        with pytest.raises(KeyboardInterrupt):
            republish_batch(context, batch(context))
    assert batch(context).status is BatchStatus.COMMITTED
    context.recover()
    assert (site.output / "index-1.csv").read_bytes() == content


ROW = TEMPLATES["row.csv.j2"].replace("fields.name", "fields.name | upper")


@pytest.mark.parametrize(
    ("name", "text"), [("header.csv.j2", "NAME,AMOUNT,DOCUMENT\n"), ("row.csv.j2", ROW)], ids=["header", "record"]
)
def test_what_would_be_another_file_is_refused(site, name, text):
    context, _ = lose(site)
    context.ledger.close()
    site.write(name, text)
    changed = site.context()
    with pytest.raises(Problem, match="another file"):
        republish_batch(changed, batch(changed))
    assert site.files() == {}


def test_without_originals_it_is_refused(tmp_path):
    context, _ = lose(BatchSite.at(tmp_path))
    with pytest.raises(Problem):
        republish_batch(context, batch(context))


def test_a_rehearsal_tells_of_a_record_in_a_batch_that_would_be_another(site):
    context = site.context()
    entry = context.ledger.find(deliver(context, "1").id)
    assert rehearse(context, entry).result is Result.SAME
    context.ledger.close()
    site.write("row.csv.j2", ROW)
    told = rehearse(site.context(), entry)
    assert told.result is Result.DIFFERENT
    assert told.lines == ("batch daily: what is added to it differs",)


def test_the_verb_takes_the_name_of_a_batch(site):
    lose(site)
    environment = {"RECEIVER_SITE": str(site.root), "RECEIVER_DATA": str(site.root / "var")}
    done = CliRunner().invoke(cli.main, ["republish", "index/daily/1"], env=environment, catch_exceptions=False)
    assert done.exit_code == 0
    assert "published again" in done.output
    assert list(site.files()) == ["index-1.csv"]


def test_reconcile_tells_whose_records_wait(site):
    context = site.context()
    for source_id in "1234":
        deliver(context, source_id)
    listing = site.root / "list.json"
    listing.write_text('["1", "4", "5"]')
    environment = {"RECEIVER_SITE": str(site.root), "RECEIVER_DATA": str(site.root / "var")}
    done = CliRunner().invoke(cli.main, ["reconcile", str(listing), "--json"], env=environment, catch_exceptions=False)
    assert '"inBatch": ["4"]' in done.output
    assert '"missing": ["5"]' in done.output
