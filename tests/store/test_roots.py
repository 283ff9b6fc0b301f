"""Paths in rows are told from named folders on: these may be mounted elsewhere on another host, and may be moved."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from receiver.core.batches import Addition, Closing
from receiver.core.delivery import Kind, Output, Record, Status
from receiver.store import batches, journal, ledger, publish, recover, rows
from receiver.store.rows import NO_ROOTS, Roots
from receiver.store.sqlite import schema
from tests.store.test_ledger import plain, tried
from tests.support.place import AT, Place, Sent, deliver, entry_of

ROOTS = Roots(output=Path("/srv/receiver/output"), data=Path("/srv/receiver"))
TABLES = ("deliveries", "batches", "claims")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/srv/receiver/output/a/1.hl7", "output/a/1.hl7"),  # the deeper one, though it lies in the other
        ("/srv/receiver/stage/4f", "data/stage/4f"),
        ("/srv/receiver/output", "output"),
        ("/srv/receiver/outputs/a", "data/outputs/a"),
        ("/srv/receiver2/a", "/srv/receiver2/a"),
        ("/mnt/import/1.hl7", "/mnt/import/1.hl7"),  # an output folder that is configured as absolute
        ("/mnt/srv/receiver/output/1", "/mnt/srv/receiver/output/1"),
        ("", ""),
    ],
)
def test_a_path_is_told_from_the_deepest_root_on_and_read_as_it_was(path, told):
    assert ROOTS.relative(path) == told
    assert ROOTS.absolute(told) == path


def test_the_roots_are_the_folders_that_are_configured():
    settings = SimpleNamespace(output=Path("/srv/out"), data=Path("/srv/data"))
    assert Roots.of(settings).folders == {"output": "/srv/out", "data": "/srv/data"}


def test_each_host_reads_a_path_where_it_has_the_root():
    other = Roots(output=Path("/mnt/out"), data=Path("/mnt/data"))
    assert other.absolute(ROOTS.relative("/srv/receiver/output/a/1.hl7")) == "/mnt/out/a/1.hl7"
    assert other.absolute("/srv/receiver/output/1.hl7") == "/srv/receiver/output/1.hl7"
    assert NO_ROOTS.absolute("output/1.hl7") == "output/1.hl7"


def texts(place: Place) -> str:
    """Return all that the tables with paths hold."""
    read = place.ledger.connections.read
    return "\n".join(str(read(lambda c, t=table: c.execute(f"SELECT * FROM {t}").fetchall())) for table in TABLES)


def with_something_of_everything(place: Place) -> None:
    """Publish deliveries and a batch, and accept one that is not published: some go to another output folder."""
    further = f"{place.output}/further"
    journal.ensure_folder(place.output)
    deliver(place, Sent("S1", keep=True))
    addition = Addition("daily", Closing(count=1), (Record("", b"row\n", "daily"),))
    place.ledger.commit(plain(9)._replace(additions=(addition,)), tried())
    place.ledger.published([place.ledger.find("ID9")], AT)
    with place.stage.open() as staged:
        file = Output(Kind.RECORD, staged.add(b"row\n").name, "index", f"{place.output}/index", 4, "ab")
        assert batches.publish(place.ledger, staged, place.ledger.batches.latest()[0], file, place.output)
    with place.stage.open() as staged:
        entry = entry_of(place, staged, Sent("S2", name="deep/{id}", keep=True), 1)
        content = staged.add(b"elsewhere")
        (place.output / "further").mkdir()
        other = Output(Kind.RECORD, content.name, "further/x", f"{further}/x", 9, content.sha256, root=further)
        publish.commit(place.ledger, staged, entry._replace(outputs=(*entry.outputs, other)))


@pytest.mark.both_ledgers
def test_no_row_holds_where_a_folder_is(place, tmp_path):
    with_something_of_everything(place)
    found = texts(place)
    assert str(tmp_path) not in found
    assert '"target":"output/further/x"' in found
    assert '"root":"output/further"' in found
    lines = "".join(path.read_text() for path in (place.output / ".published").glob("*.jsonl"))
    assert str(tmp_path) not in lines
    (noted,) = [each for each in journal.read(place.output, place.ledger.roots) if each.outputs[1:]]
    assert noted.outputs == place.ledger.find(Sent("S1").id).outputs


@pytest.mark.both_ledgers
def test_an_installation_goes_on_where_it_was_moved_to(place, tmp_path):
    """A delivery that was accepted before the move is published after it, and known again."""
    (tmp_path / "here").mkdir()
    here = Place.at(tmp_path / "here", place.url if place.url.startswith("postgres") else "")
    with_something_of_everything(here)
    here.ledger.close()
    (tmp_path / "here").rename(tmp_path / "there")
    there = Place.at(tmp_path / "there", here.url if here.url.startswith("postgres") else "")
    with closing(there.ledger):
        sent = Sent("S2", name="deep/{id}")
        assert there.recover().finished == [sent.id]
        assert there.outputs() >= set(sent.files())
        assert (there.output / "further/x").read_bytes() == b"elsewhere"
        assert (there.data / "originals" / "referrals" / sent.id).is_dir()
        entry = there.ledger.find(Sent("S1").id)
        assert entry.status is Status.PUBLISHED
        assert all(Path(output.target).exists() for output in entry.outputs)
        assert deliver(there, replace(sent, keep=True)).duplicate


# rows of before ----------------------------------------------------------------------------------------------------


def as_before(place: Place) -> None:
    """Make the ledger one of before: its rows have absolute paths."""

    def operation(connection) -> None:
        for table in ("deliveries", "batches"):
            connection.execute(f"ALTER TABLE {table} RENAME COLUMN stage_folder TO stage")
        if place.ledger.path is None:
            connection.execute("UPDATE ledger_version SET number = 3")

    place.ledger.connections.write(operation)
    if place.ledger.path:
        place.ledger.connections.write(
            lambda connection: connection.execute(f"PRAGMA user_version = {schema.RELATIVE - 1}")
        )
    place.ledger.close()


@pytest.fixture
def older(place, tmp_path) -> Place:
    """One installation, whose data folder is named by a link, with a ledger of before."""
    linked = tmp_path / "línked"
    linked.symlink_to(tmp_path)
    made = replace(place, data=linked / "var", output=linked / "output")
    made.ledger = ledger.Ledger(place.url)
    with_something_of_everything(made)
    as_before(made)
    place.ledger.close()  # its incarnation ends: others finish what it has accepted
    return made


@pytest.mark.both_ledgers
def test_rows_of_before_are_told_from_the_roots_on_once_they_are_brought_up_to_date(older, tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "AT_ONCE", 1)
    roots = Roots(output=older.output, data=older.data)
    for _ in range(2):
        ledger.create(older.url, roots)
    with closing(ledger.Ledger(older.url, roots)) as opened:
        now = replace(older, ledger=opened)
        assert str(tmp_path) not in texts(now)
        (accepted,) = opened.unfinished()
        assert accepted.output == str(older.output)
        assert {output.root for output in accepted.outputs} == {"", f"{older.output}/further"}
        (batch,) = opened.batches.latest()
        assert batch.file.target == f"{older.output}/index"
        assert recover.recover(opened, older.data, [older.stage.root]).finished == [accepted.id]


def test_a_ledger_of_before_is_not_used_before_it_is_brought_up_to_date(older):
    with pytest.raises(ledger.Problem, match="start the service, which brings it up to date"):
        ledger.Ledger(older.url).search()


def test_a_program_of_before_reads_and_writes_nothing_any_more(older):
    """It would take a path that is told from a root on for one that is gone, and the delivery for published."""
    ledger.create(older.url, Roots(output=older.output, data=older.data))
    with closing(schema.connect(older.ledger.path)) as connection:
        for before in ("SELECT stage FROM deliveries", "UPDATE deliveries SET status = 'x' WHERE stage = 'y'"):
            with pytest.raises(schema.apsw.SQLError):
                connection.execute(before)
