"""Whether the ledger and the disk agree, by the small parts of it: what differs, is gone, or is only under way."""

import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace as Given

import pytest

from receiver.core.batches import BatchStatus
from receiver.core.delivery import Kind, Role, Status
from receiver.core.problems import Code, Problem
from receiver.operations import verify
from receiver.operations.verify import Finding, Tally
from receiver.store.entry import DamagedRow

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "record.hl7"
    path.write_bytes(b"record")
    return path


DIGEST = hashlib.sha256(b"record").hexdigest()


def test_a_file_is_told_by_its_digest_gone_or_not_to_be_read(file):
    assert verify._digest(file) == DIGEST
    assert verify._digest(file.with_name("none")) is None
    assert verify._digest(file.parent) == ""


@pytest.mark.parametrize(
    ("sha256", "name", "tallied", "told"),
    [
        (DIGEST, "record.hl7", (1, 0), []),
        ("0" * 64, "record.hl7", (0, 0), ["the record r.hl7 differs from what was published"]),
        (DIGEST, "none", (0, 1), []),
    ],
)
def test_a_published_file_agrees_differs_or_was_taken(file, sha256, name, tallied, told):
    output = Given(kind=Kind.RECORD, target=str(file.with_name(name)), sha256=sha256, path="r.hl7")
    kept = Given(kind=Kind.ORIGINALS, target=str(file.with_name("none")), sha256="", path="")
    tally = Tally()
    assert list(verify._published(Given(outputs=[output, kept]), tally)) == told
    assert (tally.agree, tally.taken) == tallied


@pytest.mark.parametrize(
    ("sha256", "name", "agree", "told"),
    [
        (DIGEST, "record.hl7", 1, []),
        ("0" * 64, "record.hl7", 0, ["its kept file record.hl7 differs"]),
        (DIGEST, "none", 0, ["its kept file none is gone"]),
    ],
)
def test_a_kept_file_agrees_differs_or_is_gone(file, sha256, name, agree, told):
    tally = Tally()
    part = Given(path=file.with_name(name), file=name, sha256=sha256, role=Role.DOCUMENT)
    assert list(verify._parts([part], tally)) == told
    assert tally.agree == agree


@pytest.mark.parametrize(
    ("now", "unchanged"),
    [
        (None, False),
        (Given(status=Status.HELD, attempt_count=2), True),
        (Given(status=Status.HELD, attempt_count=3), False),
        (Given(status=Status.DISCARDED, attempt_count=2), False),
    ],
)
def test_what_somebody_has_moved_on_with_is_no_finding(monkeypatch, now, unchanged):
    entry, tally = Given(id="ID", status=Status.HELD, attempt_count=2), Tally()
    monkeypatch.setattr(verify, "_judge", lambda *_: iter(["differs"]))
    verify._look(Given(find=lambda _: now), entry, Path(), tally)
    assert tally.findings == ([Finding("ID", "differs")] if unchanged else [])
    monkeypatch.setattr(verify, "_judge", lambda *_: iter([]))
    verify._look(Given(find=lambda _: pytest.fail("asked")), entry, Path(), tally)


def damaged(_id):
    raise DamagedRow("ID", None)


@pytest.mark.parametrize(
    ("find", "kept", "accepted"),
    [
        (damaged, True, True),
        (lambda _: None, False, False),
        (lambda _: Given(status=Status.HELD), True, False),
        (lambda _: Given(status=Status.REFUSED), True, False),
        (lambda _: Given(status=Status.PUBLISHED), False, True),
        (lambda _: Given(status=Status.DISCARDED), False, False),
    ],
)
def test_a_row_that_is_damaged_makes_no_file_unknown(find, kept, accepted):
    assert verify._is_kept(Given(find=find), "ID") is kept
    assert verify._accepted(Given(find=find), "ID") is accepted


@pytest.mark.parametrize("known", [True, False])
def test_what_is_just_being_published_is_looked_at_again_a_moment_later(monkeypatch, tmp_path, known):
    under_way = Given(id="A", status=Status.COMMITTED)
    held, now, slept, looked = Given(id="B", status=Status.HELD), Given(id="A"), [], []
    monkeypatch.setattr(verify, "time", Given(sleep=slept.append))
    monkeypatch.setattr(verify, "_look", lambda _ledger, entry, *_: looked.append(entry))
    monkeypatch.setattr(verify.quarantine, "places", lambda _: [])
    ledger = Given(find=lambda _: now if known else None)
    assert verify.verify(ledger, tmp_path, [under_way, held]).deliveries == 2
    assert (looked, slept) == ([held, now if known else under_way], [verify.MOMENT])
    verify.verify(ledger, tmp_path, [held])
    assert len(slept) == 1


def test_what_lies_in_quarantine_without_a_row_is_a_finding(monkeypatch, tmp_path):
    for name in ("known", "unknown"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(
        verify.quarantine, "places", lambda data: [data / name for name in ("known", "unknown", "gone")]
    )
    ledger = Given(find=lambda id_: Given(status=Status.HELD) if id_ == "known" else None)
    assert [each.id for each in verify.verify(ledger, tmp_path, []).findings] == ["unknown"]


@pytest.mark.parametrize(
    ("status", "has_originals", "described", "told"),
    [
        (Status.HELD, False, False, ["kept in quarantine"]),
        (Status.REFUSED, False, False, ["kept in quarantine"]),
        (Status.COMMITTED, True, True, ["is accepted and not yet published: run receiver recover"]),
        (Status.PUBLISHED, True, True, ["published", "kept in originals"]),
        (Status.PUBLISHED, True, False, ["published"]),
        (Status.PUBLISHED, False, True, ["published"]),
        (Status.PUBLISHED, False, False, ["published"]),
        (Status.DISCARDED, True, True, []),
    ],
)
def test_a_delivery_is_judged_by_where_it_must_lie(monkeypatch, tmp_path, status, has_originals, described, told):
    folder = tmp_path / "originals/scans/ID"
    if described:
        folder.mkdir(parents=True)
        (folder / verify.originals.DESCRIPTION).write_text("{}")
    monkeypatch.setattr(verify, "_published", lambda *_: iter(["published"]))
    monkeypatch.setattr(verify, "_kept", lambda _entry, path, _tally: iter([f"kept in {path.parents[2].name}"]))
    entry = Given(id="ID", process="scans", status=status, of_kind=lambda _: [None, "originals"][: 2 * has_originals])
    assert list(verify._judge(entry, tmp_path, Tally())) == told


@pytest.mark.parametrize(
    ("parts", "lines", "told"),
    [
        (["a", "b"], ["b", "a"], ["parts"]),
        (["a", "b"], ["a"], ["is kept with other parts than the ledger tells", "parts"]),
        (None, ["a"], ["is kept, and its folder cannot be read: It is damaged."]),
    ],
)
def test_what_is_kept_has_the_parts_of_its_row(monkeypatch, parts, lines, told):
    def load(_path):
        if parts is None:
            raise Problem(Code.STORAGE_FAILED, "It is damaged.")
        return Given(parts=[Given(sha256=each) for each in parts])

    monkeypatch.setattr(verify, "kept", Given(load=load))
    monkeypatch.setattr(verify, "_parts", lambda *_: iter(["parts"]))
    entry = Given(parts=[Given(sha256=each) for each in lines])
    assert list(verify._kept(entry, Path(), Tally())) == told


BATCH = Given(id="B", process="p", name="n", number=1, count=2, status=BatchStatus.CLOSED)
OPEN = Given(**vars(BATCH) | {"status": BatchStatus.OPEN})


@pytest.mark.parametrize(
    ("batch", "records", "moved", "told"),
    [
        (OPEN, 2, False, []),
        (OPEN, 1, False, ["has 1 records, and is to have 2"]),
        (OPEN, 1, True, []),
        (BATCH, 1, False, ["has 1 records, and is to have 2"]),
        (BATCH, 2, False, ["is closed and not yet published: the log says why, receiver batch close tries it again"]),
        (BATCH, 2, True, []),
    ],
)
def test_a_batch_that_waits_has_its_records_and_is_published_once_closed(batch, records, moved, told):
    batches = Given(contents=lambda _: iter(range(records)), find=lambda *_: "another" if moved else batch)
    assert list(verify._waiting(Given(batches=batches), batch)) == told


def test_a_batch_whose_records_cannot_be_read_is_a_finding():
    def contents(_batch):
        raise Problem(Code.STORAGE_FAILED, "It is damaged.")

    assert list(verify._waiting(Given(batches=Given(contents=contents)), OPEN)) == ["It is damaged."]


def published(id_, target, sha256=DIGEST, age=0):
    file = Given(target=str(target), sha256=sha256, path=f"{id_}.csv")
    return Given(id=id_, status=BatchStatus.PUBLISHED, file=file, opened_at=NOON - timedelta(days=age))


def test_batches_are_verified_back_to_a_day(monkeypatch, file):
    asked, tally = [], Tally()
    latest = [
        published("same", file),
        published("taken", file.with_name("none")),
        published("other", file, "0" * 64, age=1),
        published("older", file, "0" * 64, age=2),
    ]
    empty = Given(id="empty", status=BatchStatus.PUBLISHED, file=None, opened_at=NOON)
    monkeypatch.setattr(verify, "_waiting", lambda _ledger, batch: iter([f"{batch.id} waits"]))
    batches = Given(latest=lambda *given: asked.append(given) or [empty, *latest])
    verify.verify_batches(Given(batches=batches), "p", NOON - timedelta(days=1), tally)
    assert asked == [("p", verify.MOST_BATCHES)]
    assert (tally.agree, tally.taken) == (1, 1)
    assert tally.findings == [
        Finding("empty", "empty waits"),
        Finding("other", "its file other.csv differs from what was published"),
    ]
    verify.verify_batches(Given(batches=batches), "p", None, tally)
    assert tally.findings[-1].id == "older"


def test_a_file_that_is_taken_meanwhile_is_as_old_as_now(file):
    os.utime(file, (NOON.timestamp(),) * 2)
    assert verify._written(file, NOON + timedelta(days=9)) == NOON
    assert verify._written(file.with_name("none"), NOON) == NOON


@pytest.mark.parametrize(("age", "told"), [(1, True), (2, False), (3, False)])
def test_what_the_ledger_may_have_forgotten_is_not_asked_for(monkeypatch, tmp_path, age, told):
    folder, root = tmp_path / "output/scans", tmp_path / "output"
    (folder / "parts").mkdir(parents=True)
    path = folder / "parts/record.hl7"
    path.write_bytes(b"")
    os.utime(path, ((NOON - timedelta(days=age)).timestamp(),) * 2)
    (root / "stray").write_bytes(b"")
    monkeypatch.setattr(verify, "_outputs", lambda _: {folder: timedelta(days=2)})
    found = list(verify._remembered(Given(output=root), NOON))
    assert found == [*([(path, "parts/record.hl7")] if told else []), (root / "stray", "stray")]
    monkeypatch.setattr(verify, "_outputs", lambda _: {folder: None})
    assert (path, "parts/record.hl7") in list(verify._remembered(Given(output=root), NOON))


ID, OTHER, THIRD = "A" * 20, "B" * 20, "C" * 20


def test_a_file_is_unknown_if_no_id_in_its_name_was_accepted(monkeypatch):
    names = [f"x-{ID}.pdf", f"{OTHER}-{THIRD}.pdf", f"{OTHER}-{ID}.pdf", "cover.pdf"]
    monkeypatch.setattr(verify, "_remembered", lambda *_: [(Path("/out") / name, name) for name in names])
    ledger = Given(find=lambda id_: Given(status=Status.PUBLISHED) if id_ == ID else None)
    assert list(verify.unknown(ledger, None, NOON)) == [verify.Unknown(OTHER, Path(f"/out/{OTHER}-{THIRD}.pdf"))]


def test_a_file_without_an_id_is_unknown_if_nothing_published_is_it(monkeypatch):
    names = ["b.pdf", "d.pdf", "a.pdf", "e.pdf", "c.pdf", "of-a-delivery.pdf", "of-a-batch.csv", f"x-{ID}.pdf"]
    monkeypatch.setattr(verify, "_remembered", lambda *_: [(Path("/out") / name, name) for name in names])
    entries = [Given(outputs=[Given(target="/out/of-a-delivery.pdf")])]
    batches = [Given(file=None), Given(file=Given(target="/out/of-a-batch.csv"))]
    ledger = Given(batches=Given(latest=lambda limit: batches))
    found = list(verify.nameless(ledger, None, entries, NOON))
    assert found == [verify.Unknown("", Path("/out") / name) for name in ("a.pdf", "b.pdf", "c.pdf", "d.pdf", "e.pdf")]
