"""Records of many deliveries in one file: kept at once, published once, in order and under a number without gaps."""

import errno
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from receiver.core.batches import Batch, BatchStatus
from receiver.core.delivery import Delivery, Record
from receiver.core.problems import Code, Problem
from receiver.delivery import batches
from receiver.store.batch_ledger import Batches
from tests.support.batch_site import AT, PROCESS, TEMPLATES, BatchSite, deliver, without_batches

HEADER = "name,amount,document\r\n"


def row(source_id: str, amount: str = "1.50") -> str:
    return f"Ada Invented,{amount},{source_id}\r\n"


@pytest.fixture
def site(tmp_path):
    return BatchSite.at(tmp_path)


def test_records_wait_until_the_batch_is_full_and_are_published_in_order(site):
    context = site.context()
    for source_id in ("1", "2"):
        deliver(context, source_id)
    assert site.files() == {}
    (batch,) = context.ledger.batches.unpublished()
    assert (batch.status, batch.count) == (BatchStatus.OPEN, 2)
    deliver(context, "3", amount="10")
    assert site.files() == {"index-1.csv": HEADER + row("1") + row("2") + row("3", "10") + "3,13.00,1\r\n"}
    assert context.ledger.batches.unpublished() == []


def test_the_document_is_published_at_once_and_its_record_waits(site):
    receipt = deliver(site.context(), "1", document=True)
    assert [path.suffix for path in site.output.rglob("*") if path.is_file()] == [".tif"]
    assert (len(receipt.documents), receipt.records) == (1, ())


def test_the_numbers_of_batches_have_no_gaps(site):
    context = site.context()
    for number in range(7):
        deliver(context, str(number))
    assert list(site.files()) == ["index-1.csv", "index-2.csv"]
    (batch,) = context.ledger.batches.unpublished()
    assert (batch.number, batch.count) == (3, 1)


def test_a_duplicate_adds_nothing(site):
    context = site.context()
    for _ in range(4):
        receipt = deliver(context, "1")
    assert receipt.duplicate
    assert context.ledger.batches.unpublished()[0].count == 1


def test_the_ledger_tells_where_the_record_of_a_delivery_is_and_what_is_in_a_batch(site):
    context = site.context()
    ids = [deliver(context, source_id).id for source_id in "1234"]
    found = context.ledger.batches.of_deliveries(ids)
    assert [[batch.number for batch in found[id_]] for id_ in ids] == [[1], [1], [1], [2]]
    first = context.ledger.batches.find("index", "daily", 1)
    assert [id_ for id_, _, _ in context.ledger.batches.deliveries(first)] == ids[:3]
    assert first.file.path == "index/index-1.csv"


def remembered(context) -> int:
    """Count what the ledger still has of the records of batches."""
    return context.ledger.connections.read(
        lambda connection: connection.execute("SELECT count(content) + count(exported) FROM batch_records").get
    )


def refuse(*_):
    raise Problem(Code.STORAGE_FAILED, "the disk is away")


def test_what_is_published_leaves_the_ledger_however_much_it_is(site, monkeypatch):
    monkeypatch.setattr("receiver.store.batch_ledger.AT_ONCE", 1)
    context = site.context()
    for source_id in "123":
        deliver(context, source_id)
    assert remembered(context) == 0


def test_what_could_not_leave_the_ledger_leaves_it_at_the_next_look(site, monkeypatch):
    context = site.context()
    with monkeypatch.context() as failing:
        failing.setattr(Batches, "_forget", refuse)
        for source_id in "123":
            deliver(context, source_id)
    assert (list(site.files()), remembered(context)) == (["index-1.csv"], 6)
    batches.look(context, datetime.now(UTC))
    assert remembered(context) == 0


def test_a_record_that_is_damaged_in_the_ledger_is_not_published(site, caplog):
    context = site.context()
    for source_id in "12":
        deliver(context, source_id)
    damage = "UPDATE batch_records SET content = x'00' WHERE place = 2"
    context.ledger.connections.write(lambda connection: connection.execute(damage))
    deliver(context, "3")
    assert site.files() == {}
    assert "batch not published" in caplog.text
    assert context.ledger.batches.unpublished()[0].status is BatchStatus.CLOSED


def test_a_batch_that_another_one_is_publishing_is_left_to_it(site, monkeypatch, caplog):
    context = site.context()
    with monkeypatch.context() as failing:
        failing.setattr(batches.batches, "release", refuse)
        for source_id in "123":
            deliver(context, source_id)
    assert "batch not published" in caplog.text
    assert context.ledger.batches.unpublished()[0].status is BatchStatus.COMMITTED
    with monkeypatch.context() as busy:
        busy.setattr(batches.batches, "finish_one", lambda *_: False)
        batches.look(context, datetime.now(UTC))
    assert site.files() == {}
    batches.look(context, datetime.now(UTC))
    assert list(site.files()) == ["index-1.csv"]


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_batch_belongs_to_the_group_of_the_folder_that_it_goes_to(site, tmp_path, monkeypatch, elsewhere):
    context, seen = site.context(), []
    process = replace(context.processes["index"], group=1, further={tmp_path: 2})
    if elsewhere:
        process.batches["daily"] = replace(process.batches["daily"], root=tmp_path)

    def publish(_ledger, _staged, _batch, file, *folder_and_group):
        seen.append((file.path, file.target, *folder_and_group))
        refuse()

    monkeypatch.setattr(batches.batches, "publish", publish)
    for source_id in "123":
        deliver(replace(context, processes={"index": process}), source_id)
    folder = tmp_path if elsewhere else process.output
    shown = f"{tmp_path}/index-1.csv" if elsewhere else "index/index-1.csv"
    assert seen == [(shown, f"{folder}/index-1.csv", folder, 2 if elsewhere else 1)]


def test_every_record_is_a_line_of_its_own_and_an_empty_header_is_none(site):
    site.write("row.csv.j2", TEMPLATES["row.csv.j2"].rstrip())
    site.write("header.csv.j2", "{% if batch.number > 1 %}name{% endif %}")
    context = site.context()
    for source_id in "123":
        deliver(context, source_id)
    assert site.files() == {"index-1.csv": row("1") + row("2") + row("3") + "3,4.50,1\r\n"}


def test_a_batch_closes_when_its_time_is_over(site):
    context = site.context()
    deliver(context, "1")
    batches.look(context, datetime.now(UTC))
    assert site.files() == {}
    batches.look(context, datetime.now(UTC) + timedelta(days=1))
    assert site.files() == {"index-1.csv": HEADER + row("1") + "1,1.50,1\r\n"}


def test_a_delivery_after_the_time_of_a_batch_goes_into_the_next(tmp_path):
    site = BatchSite.at(tmp_path, PROCESS.replace('after = "1d"', 'after = "1m"'))
    context = site.context()
    deliver(context, "1")
    context.ledger.connections.write(
        lambda connection: connection.execute("UPDATE batches SET opened_at = '2026-01-01T00:00:00.000000Z'")
    )
    deliver(context, "2")
    assert [(each.number, each.status) for each in context.ledger.batches.unpublished()] == [(2, BatchStatus.OPEN)]
    assert list(site.files()) == ["index-1.csv"]


def test_a_batch_never_exceeds_its_size(tmp_path):
    site = BatchSite.at(tmp_path, PROCESS.replace("count = 3", "count = 100, size = 50"))
    context = site.context()
    for source_id in "123":
        deliver(context, source_id)
    assert list(site.files()) == ["index-1.csv"]
    assert context.ledger.batches.find("index", "daily", 1).size == 2 * len(row("1"))


def test_many_threads_fill_batches_that_are_each_exactly_full(site):
    context = site.context()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: deliver(context, str(number)), range(60)))
    batches.look(context, datetime.now(UTC))
    files = site.files()
    assert sorted(files) == sorted(f"index-{number}.csv" for number in range(1, 21))
    rows = [line for text in files.values() for line in text.splitlines()[1:-1]]
    assert sorted(line.rpartition(",")[2] for line in rows) == sorted(map(str, range(60)))
    assert {len(text.splitlines()) for text in files.values()} == {5}


def test_a_value_that_the_trailer_cannot_add_up_is_a_fault_of_its_delivery(site):
    context = site.context()
    with pytest.raises(Problem) as refused:
        deliver(context, "1", amount="a lot")
    assert "a lot" not in str(refused.value) + str(refused.value.violations)
    assert context.ledger.batches.unpublished() == []


def test_a_value_that_the_name_of_the_file_cannot_have_is_a_fault_of_its_delivery(tmp_path):
    toml = PROCESS.replace("{{ batch.number }}", "{{ exported | sum_of('amount') }}").replace("trailer = ", "# ")
    site = BatchSite.at(tmp_path, toml)
    context = site.context()
    with pytest.raises(Problem):
        deliver(context, "1", amount="a lot")
    assert context.ledger.batches.unpublished() == []


def test_a_changed_template_leaves_records_as_they_are_and_makes_the_header_anew(site):
    deliver(site.context(), "1")
    site.write("header.csv.j2", "NAME,AMOUNT,DOCUMENT\n")
    site.write("row.csv.j2", TEMPLATES["row.csv.j2"].replace("fields.name", "fields.name | upper"))
    context = site.context()
    deliver(context, "2")
    deliver(context, "3")
    upper = row("2").replace("Ada Invented", "ADA INVENTED")
    assert site.files()["index-1.csv"].startswith("NAME,AMOUNT,DOCUMENT\r\n" + row("1") + upper)


def test_records_wait_for_a_batch_that_is_configured_no_longer(site, caplog):
    context = site.context()
    deliver(context, "1")
    (batch,) = context.ledger.batches.unpublished()
    batches.look(without_batches(context), datetime.now(UTC))
    assert "batch not published" in caplog.text
    batches.close(without_batches(context), batch, "test")
    assert context.ledger.batches.unpublished()[0].status is BatchStatus.CLOSED
    batches.look(context, datetime.now(UTC))
    assert list(site.files()) == ["index-1.csv"]


def test_a_file_in_the_way_holds_up_its_batch_and_those_behind_it(tmp_path):
    site = BatchSite.at(tmp_path, PROCESS.replace("index-{{ batch.number }}", "index"))
    context = site.context()
    for number in range(9):
        deliver(context, str(number))
    assert [batch.number for batch in context.ledger.batches.unpublished()] == [2, 3]
    for number in (2, 3):
        (site.output / "index.csv").unlink()
        batches.look(context, datetime.now(UTC))
        assert f",{number}\r\n" in site.files()["index.csv"]


def test_a_byte_order_mark_begins_the_file_and_no_record(tmp_path):
    toml = PROCESS.replace('batch = "daily"', 'batch = "daily"\nencoding = "utf-8-sig"')
    site = BatchSite.at(tmp_path, toml)
    context = site.context()
    for source_id in "123":
        deliver(context, source_id)
    content = (site.output / "index-1.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbfname")
    assert content.count(b"\xef\xbb\xbf") == 1


def test_old_batches_are_forgotten_and_their_numbers_are_not_given_again(site):
    context = site.context()
    for number in range(6):
        deliver(context, str(number))
    assert context.ledger.batches.prune("index", datetime.now(UTC) + timedelta(days=1)) == 2
    assert context.ledger.batches.latest() == []
    for number in range(6, 9):
        deliver(context, str(number))
    assert "index-3.csv" in site.files()


def test_a_record_that_a_delivery_left_behind_a_pruned_row_is_published_all_the_same(site):
    context = site.context()
    deliver(context, "1")
    context.ledger.prune("index", datetime.now(UTC) + timedelta(days=1))
    (batch,) = context.ledger.batches.unpublished()
    batches.close(context, batch, "test")
    assert row("1") in site.files()["index-1.csv"]


DELIVERY = Delivery("A" * 20, "index", "1", AT, 1)


@pytest.mark.parametrize(
    ("toml", "file"),
    [
        (PROCESS, f"{HEADER}x\r\ny\r\n2,3,1\r\n"),
        (PROCESS.replace("header = ", "# "), "x\r\ny\r\n2,3,1\r\n"),
        (PROCESS.replace("trailer = ", "# "), f"{HEADER}x\r\ny\r\n"),
    ],
)
def test_a_delivery_alone_makes_one_file_of_each_of_its_batches(tmp_path, toml, file):
    process = BatchSite.at(tmp_path, toml).context().processes["index"]
    records = [
        Record("", b"x", "daily", {"amount": "1"}),
        Record("alone.csv", b"z"),
        Record("", b"y\r\n", "daily", {"amount": "2"}),
    ]
    added = batches.additions(process, DELIVERY, records)
    assert [(each.batch, each.size) for each in added] == [("daily", 6)]
    assert batches.rendered_alone(process, DELIVERY, added) == (Record("index-1.csv", file.encode()),)


def test_the_batch_of_a_delivery_alone_is_the_first_of_its_name(site):
    process = site.context().processes["index"]
    (addition,) = batches.additions(process, DELIVERY, [Record("", b"x", "daily", {"amount": "1"})])
    batch = batches.alone(DELIVERY, addition)
    assert batch == Batch("index", "daily", 1, BatchStatus.CLOSED, AT, AT, None, "time", 1, 3)


def test_an_open_batch_is_not_published(monkeypatch):
    monkeypatch.setattr(batches.batches, "finish_one", lambda *_: pytest.fail("nothing of it is committed"))
    opened = Batch("index", "daily", 1, BatchStatus.OPEN, AT, None, None, "", 1, 3)
    ledger = SimpleNamespace(batches=SimpleNamespace(first=lambda *_: opened))
    batches.publish_next(SimpleNamespace(ledger=ledger), "index", "daily")


def test_a_batch_that_is_closed_by_hand_is_returned_as_it_is_then(site, monkeypatch):
    context = site.context()
    deliver(context, "1")
    (batch,) = context.ledger.batches.unpublished()
    closed = batches.close(context, batch, "test")
    assert (closed.status, closed.closed_by) == (BatchStatus.PUBLISHED, "test")
    monkeypatch.setattr(Batches, "find", lambda *_: None)  # forgotten at once
    assert batches.close(context, batch, "test") == batch


@pytest.mark.parametrize("gone", ["process", "batch"])
def test_a_batch_of_which_nothing_is_configured_has_no_rule(site, gone):
    context = site.context()
    deliver(context, "1")
    (batch,) = context.ledger.batches.unpublished()
    process, rule = batches.rule_of(context, batch)
    assert (process.name, rule.name) == ("index", "daily")
    without = replace(context, processes={}) if gone == "process" else without_batches(context)
    with pytest.raises(Problem, match="its process is gone, or has no such batch"):
        batches.rule_of(without, batch)


def test_a_batch_whose_file_cannot_be_written_waits_until_the_next_look(site, monkeypatch, caplog):
    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    context = site.context()
    with monkeypatch.context() as failing:
        failing.setattr(batches, "written", full)
        for source_id in "123":
            deliver(context, source_id)
    assert "batch not published" in caplog.text
    batches.look(context, datetime.now(UTC))
    assert list(site.files()) == ["index-1.csv"]


def test_only_an_open_batch_is_closed_for_its_time(monkeypatch):
    unpublished = [
        Batch("index", "daily", number, status, AT, AT, None, "", 1, 3) for number, status in enumerate(BatchStatus)
    ]
    looked, published = [], []
    monkeypatch.setattr(batches, "_close_if_due", lambda _context, batch, now: looked.append((batch.status, now)))
    monkeypatch.setattr(batches, "publish_next", lambda _context, *name: published.append(name))
    ledger = SimpleNamespace(forget_published=lambda: looked.append("forgotten"), unpublished=lambda: unpublished)
    batches.look(SimpleNamespace(ledger=SimpleNamespace(batches=ledger)), AT)
    assert looked == ["forgotten", (BatchStatus.OPEN, AT)]
    assert published == [("index", "daily")], "of each name once"


def test_a_batch_that_is_published_is_in_the_log(site, monkeypatch):
    logged = []
    monkeypatch.setattr("receiver.log.batch_published", logged.append)
    context = site.context()
    for source_id in "123":
        deliver(context, source_id)
    assert [batch.id for batch in logged] == ["index/daily/1"]
