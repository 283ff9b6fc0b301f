"""The small parts of the store by themselves: rows, kept descriptions, journals, folders and files."""

import errno
import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from receiver.core.batches import Batch, BatchStatus
from receiver.core.delivery import Arrival, Kind, Output, Part, Replay, Role, Status
from receiver.core.problems import Code, Problem, Violation
from receiver.store import data_version, durable, folders, journal, kept, proposals, rows, stage
from receiver.store.entry import Attempt, DamagedRow, Entry, PartLine, to_dict
from receiver.store.rows import NO_ROOTS

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
REPLAY = Replay(AT, "anna", True, {"mrn": "7"}, True)


def output(kind: Kind, name: str) -> Output:
    return Output(kind, f"staged-{name}", name, f"/out/{name}", 7, "ab" * 32)


def part(folder: Path, name: str = "file", **changed) -> Part:
    given = {"filename": "é.tif", "type": "image/tiff", "role": Role.DOCUMENT, "suffix": ".tif", "size": 1}
    lies = {"folder": folder, "file": f"{name}.tif"}
    return Part(**{"name": name, **given, "sha256": "cd" * 32, **lies, "label": f"{name}!", **changed})


ENTRY = Entry(
    id="A" * 20,
    process="scans",
    source_id="42é",
    version=3,
    received_at=AT,
    peer="192.0.2.1",
    configuration="c" * 8,
    parts=(PartLine("file", "image/tiff", "document", 1, "cd" * 32),),
    outputs=tuple(output(kind, kind.value) for kind in Kind),
    output="/out",
    status=Status.PUBLISHED,
    committed_at=AT + timedelta(seconds=1),
    published_at=AT + timedelta(seconds=2),
    stage="/stage/x",
    code=Code.CONFIDENCE_LOW,
    violations=(Violation("a", "b", "c", "d"),),
    attempts=(Attempt(AT, "192.0.2.1", "accepted"), Attempt(AT, "", "held", "busy", "by anna")),
    attempt_count=9,
)


def test_a_row_is_told_whole():
    told = to_dict(ENTRY)
    outputs = {
        kind: [
            {
                "path": kind.value,
                "target": f"/out/{kind.value}",
                "staged": f"staged-{kind.value}",
                "size": 7,
                "sha256": "ab" * 32,
            }
        ]
        for kind in Kind
    }
    assert told == {
        "id": "A" * 20,
        "process": "scans",
        "sourceId": "42é",
        "version": 3,
        "status": "published",
        "code": "confidence-low",
        "receivedAt": "2026-03-01T12:00:00.000000Z",
        "committedAt": "2026-03-01T12:00:01.000000Z",
        "publishedAt": "2026-03-01T12:00:02.000000Z",
        "peer": "192.0.2.1",
        "configuration": "c" * 8,
        "parts": [{"name": "file", "type": "image/tiff", "role": "document", "size": 1, "sha256": "cd" * 32}],
        "documents": outputs[Kind.DOCUMENT],
        "records": outputs[Kind.RECORD],
        "marker": outputs[Kind.MARKER],
        "originals": outputs[Kind.ORIGINALS],
        "violations": [{"where": "a", "rule": "b", "message": "c", "schema": "d"}],
        "attempts": [
            {"at": "2026-03-01T12:00:00.000000Z", "peer": "192.0.2.1", "outcome": "accepted", "code": "", "note": ""},
            {"at": "2026-03-01T12:00:00.000000Z", "peer": "", "outcome": "held", "code": "busy", "note": "by anna"},
        ],
        "attemptCount": 9,
    }
    plain = to_dict(ENTRY._replace(code=None, committed_at=None, published_at=None))
    assert [plain[name] for name in ("code", "committedAt", "publishedAt")] == [None, None, None]


@pytest.mark.parametrize("status", Status)
def test_a_receipt_says_published_of_what_is_accepted(status):
    receipt = ENTRY._replace(status=status).receipt(duplicate=True)
    assert receipt.status is (Status.PUBLISHED if status is Status.COMMITTED else status)
    assert [each.kind for each in (*receipt.documents, *receipt.records)] == [Kind.DOCUMENT, Kind.RECORD]
    assert (receipt.id, receipt.process, receipt.source_id, receipt.version) == ("A" * 20, "scans", "42é", 3)
    assert receipt.duplicate
    assert not ENTRY.receipt().duplicate
    assert [ENTRY._replace(attempt_count=count).receipt().again for count in (1, 2)] == [False, True]


def test_files_that_are_imported_are_counted_and_found_by_their_kind():
    assert ENTRY.file_count == 2
    assert ENTRY.of_kind(Kind.MARKER) == [output(Kind.MARKER, "marker")]


@pytest.mark.parametrize("count", [20, 21, 22])
def test_the_first_five_and_the_last_fifteen_attempts_are_kept(count):
    entry = ENTRY._replace(attempts=(), attempt_count=0)
    for number in range(count):
        entry = entry.tried(Attempt(AT, str(number), "busy"), status=Status.HELD)
    numbers = [int(attempt.peer) for attempt in entry.attempts]
    assert numbers == ([*range(20)] if count == 20 else [*range(5), *range(count - 15, count)])
    assert (entry.attempt_count, entry.status) == (count, Status.HELD)


def test_an_attempt_is_what_arrived_or_who_replayed_it():
    assert Attempt.of(Arrival(AT, "192.0.2.1"), "held", "busy") == Attempt(AT, "192.0.2.1", "held", "busy", "")
    later = replace(REPLAY, at=AT + timedelta(1))
    assert Attempt.of(Arrival(AT, "192.0.2.1", later), "held", "busy") == Attempt(
        AT + timedelta(1), "", "held", "busy", later.note
    )
    assert ENTRY._replace(replay=REPLAY).arrival == Arrival(AT, "192.0.2.1", REPLAY)


@pytest.mark.parametrize(
    ("type_", "told"),
    [("image/tiff", "image/tiff"), ("text/xml", "text/xml"), ("application/dicom",) * 2, ("Ada/Example", "")],
)
def test_a_part_is_told_in_no_words_of_its_sender(tmp_path, type_, told):
    line = PartLine.of(part(tmp_path, "Ada", type=type_, label="part 1"))
    assert line == PartLine("part 1", told, "document", 1, "cd" * 32)


# kept deliveries ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("replay", [None, REPLAY])
@pytest.mark.parametrize("code", [None, Code.BUSY])
def test_what_is_kept_reads_as_it_was_described(tmp_path, replay, code):
    parts = [part(tmp_path), part(tmp_path, "b", charset="latin-1", filename=None, role=Role.METADATA)]
    entry = ENTRY._replace(replay=replay, code=code, status=Status.HELD)
    (tmp_path / "problem.json").write_bytes(kept.describe(entry, parts, "why"))
    found = kept.load(tmp_path / "problem.json")
    assert (found.folder, found.detail, found.parts) == (tmp_path, "why", tuple(parts))
    assert found.entry == Entry(
        id=entry.id,
        process="scans",
        source_id="42é",
        version=None,
        received_at=AT,
        peer="192.0.2.1",
        configuration="c" * 8,
        parts=tuple(map(PartLine.of, parts)),
        status=Status.HELD,
        code=code,
        violations=entry.violations,
        replay=replay,
    )


def test_a_description_of_before_reads_without_what_came_later(tmp_path):
    described = json.loads(kept.describe(ENTRY._replace(replay=REPLAY), [part(tmp_path)]))
    del described["parts"][0]["charset"], described["replay"]["corrections"], described["replay"]["acceptRules"]
    del described["dataVersion"]
    (tmp_path / "d.json").write_text(json.dumps(described))
    found = kept.load(tmp_path / "d.json")
    assert (found.parts[0].charset, found.entry.replay) == ("", Replay(AT, "anna", True, {}, False))


def test_a_description_of_a_newer_program_is_told_as_such(tmp_path):
    (tmp_path / "d.json").write_text('{"dataVersion": 99}')
    with pytest.raises(Problem, match=r"the d\.json of a kept delivery was written by a newer program"):
        kept.load(tmp_path / "d.json")


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"parts": 5}', '{"parts": [{}]}', "null"])
def test_a_damaged_description_is_a_problem_in_words(tmp_path, content):
    (tmp_path / "d.json").write_text(content)
    with pytest.raises(Problem, match="damaged"):
        kept.load(tmp_path / "d.json")


@pytest.mark.parametrize(("version", "known"), [(2, True), (1, True), (3, False), ("1", False), (None, False)])
def test_what_a_newer_program_wrote_is_refused(version, known):
    if known:
        data_version.require_known({"dataVersion": version}, "it")
    else:
        with pytest.raises(Problem, match="it was written by a newer program"):
            data_version.require_known({"dataVersion": version}, "it")
    data_version.require_known({}, "it")


# journals -------------------------------------------------------------------------------------------------------


def test_a_journal_tells_each_delivery_once_as_the_ledger_had_it(tmp_path):
    journal.ensure_folder(tmp_path)
    first, second = ENTRY._replace(output=str(tmp_path)), ENTRY._replace(output=str(tmp_path), id="B" * 20)
    journal.note(first, AT, NO_ROOTS)
    for later in (first._replace(version=4), second):
        journal.note(later, AT + timedelta(days=40), NO_ROOTS)
    found = {entry.id: entry for entry in journal.read(tmp_path, NO_ROOTS)}
    assert list(found) == ["A" * 20, "B" * 20]
    at = AT + timedelta(days=40)
    assert found["A" * 20] == Entry(
        id="A" * 20,
        process="scans",
        source_id="42é",
        version=4,
        received_at=AT,
        peer="192.0.2.1",
        configuration="c" * 8,
        parts=ENTRY.parts,
        outputs=ENTRY.outputs,
        status=Status.PUBLISHED,
        committed_at=at,
        published_at=at,
    )
    assert journal.is_kept(tmp_path)
    assert not journal.is_kept(tmp_path / "none")
    assert sorted(path.name for path in (tmp_path / ".published").iterdir()) == [
        "2026-03.jsonl",
        "2026-04.jsonl",
        "README",
    ]
    assert (tmp_path / ".published").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / ".published/2026-03.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_batch_and_its_records_are_read_back_as_they_were_published(tmp_path):
    journal.ensure_folder(tmp_path)
    closed, published = AT + timedelta(hours=1), AT + timedelta(hours=2)
    file = output(Kind.RECORD, "batch.csv")
    batch = Batch("scans", "daily", 3, BatchStatus.COMMITTED, AT, closed, None, "time", 2, 9, "/out", "/stage/x", file)
    records = [("A" * 20, 4, "ab" * 32), ("B" * 20, 5, "cd" * 32)]
    for folder in (tmp_path, tmp_path / "none"):
        journal.note_batch(str(folder), batch, records, published, NO_ROOTS)
    journal.note_batch(
        str(tmp_path), replace(batch, number=4, closed_at=None, file=None), records[:1], published, NO_ROOTS
    )
    as_published = replace(batch, status=BatchStatus.PUBLISHED, published_at=published, output="", stage="")
    empty = replace(as_published, number=4, closed_at=published, file=None, count=1)
    assert journal.batches(tmp_path, NO_ROOTS) == [(as_published, records), (empty, records[:1])]
    assert journal.batches(tmp_path / "none", NO_ROOTS) == []


def test_what_waits_in_a_batch_is_published_with_it_and_not_before(tmp_path):
    journal.ensure_folder(tmp_path)
    waiting, plain = (ENTRY._replace(output=str(tmp_path), id=letter * 20) for letter in "AB")
    journal.note(waiting, AT, NO_ROOTS, batched=True)
    journal.note(plain, AT, NO_ROOTS)
    assert [entry.id for entry in journal.read(tmp_path, NO_ROOTS)] == [plain.id]
    batch = Batch("scans", "daily", 1, BatchStatus.COMMITTED, AT, AT, None, "time", 1, 4)
    journal.note_batch(str(tmp_path), batch, [(waiting.id, 4, "ab" * 32)], AT, NO_ROOTS)
    assert [entry.id for entry in journal.read(tmp_path, NO_ROOTS)] == [waiting.id, plain.id]


def test_a_line_that_a_crash_has_torn_harms_no_other(tmp_path):
    journal.ensure_folder(tmp_path)
    entries = [ENTRY._replace(output=str(tmp_path), id=letter * 20) for letter in "AB"]
    journal.note(entries[0], AT, NO_ROOTS)
    month = tmp_path / ".published/2026-03.jsonl"
    month.write_bytes(month.read_bytes() + b'\n{"id": "torn')
    journal.note(entries[1], AT, NO_ROOTS)
    assert [entry.id for entry in journal.read(tmp_path, NO_ROOTS)] == ["A" * 20, "B" * 20]


def test_months_that_ended_before_are_forgotten(tmp_path):
    journal.ensure_folder(tmp_path)
    for month in (1, 2, 3):
        journal.note(ENTRY._replace(output=str(tmp_path)), AT.replace(month=month), NO_ROOTS)
    assert journal.prune(tmp_path, AT.replace(month=3)) == 2
    assert [path.name for path in sorted((tmp_path / ".published").glob("*.jsonl"))] == ["2026-03.jsonl"]


# proposals ------------------------------------------------------------------------------------------------------


def test_a_proposal_is_read_back_and_one_that_is_damaged_is_told_without_its_values(tmp_path):
    folder = tmp_path / "quarantine" / "scans" / ENTRY.id
    folder.mkdir(parents=True)
    assert proposals.find(tmp_path, ENTRY) is None
    for corrections in ({"mrn": "7é"}, {}):
        proposed = proposals.Proposal("ada", AT, corrections)
        proposals.propose(
            SimpleNamespace(hosts=None, alone=lambda entry, work: work(entry)), tmp_path, ENTRY, proposed
        )  # one host alone
        assert proposals.find(tmp_path, ENTRY) == proposed
    assert [path.name for path in folder.iterdir()] == ["proposal.json"]
    for damaged in ("{", '["secret"]', '{"by": "ada"}', '{"by": "ada", "at": 7, "corrections": {"mrn": "secret"}}'):
        (folder / "proposal.json").write_text(damaged)
        with pytest.raises(Problem, match="damaged") as told:
            proposals.find(tmp_path, ENTRY)
        assert "secret" not in str(told.value)


# folders and files ----------------------------------------------------------------------------------------------


def test_folders_are_listed_by_depth_without_hidden_ones_and_files(tmp_path):
    for name in ("a/b/c", "d", ".e/f"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "file").touch()
    assert sorted(path.name for path in folders.within(tmp_path, 1)) == ["a", "d"]
    assert [path.name for path in folders.within(tmp_path, 2)] == ["b"]
    assert [path.name for path in folders.within(tmp_path, 3)] == ["c"]
    assert folders.within(tmp_path / "none", 1) == []


def test_a_folder_goes_with_all_it_holds_and_a_link_alone(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").touch()
    (tmp_path / "kept").mkdir()
    (tmp_path / "a/link").symlink_to(tmp_path / "kept")
    folders.remove(tmp_path / "a")
    folders.remove(tmp_path / "none")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_folder_of_ours_has_a_readme_which_stays_as_somebody_changed_it(tmp_path):
    folders.ensure_folder(tmp_path / "a/b", "what it is\n")
    assert (tmp_path / "a/b/README").read_text() == "what it is\n"
    (tmp_path / "a/b/README").write_text("mine")
    folders.ensure_folder(tmp_path / "a/b", "what it is\n")
    assert (tmp_path / "a/b/README").read_text() == "mine"


def test_a_folder_is_copied_whole(tmp_path):
    (tmp_path / "a").mkdir()
    for name in "xy":
        (tmp_path / "a" / name).write_text(name)
    folders.copy_folder(tmp_path / "a", tmp_path / "b")
    assert {path.name: path.read_text() for path in (tmp_path / "b").iterdir()} == {"x": "x", "y": "y"}
    with pytest.raises(Problem):
        folders.copy_folder(tmp_path / "a", tmp_path / "b")


def test_a_group_is_told_by_its_name_or_number():
    assert folders.group_id(None) is None
    assert folders.group_id("0") == 0
    assert folders.group_id(folders.name_of(0)) == 0
    assert folders.name_of(2**31 - 7) == str(2**31 - 7)
    assert folders.is_member(os.getegid())


@pytest.mark.parametrize(
    ("number", "code", "detail"),
    [
        (errno.ENOSPC, Code.DISK_FULL, "could not try (ENOSPC: No space left on device)"),
        (errno.EDQUOT, Code.DISK_FULL, "could not try (EDQUOT: Disk quota exceeded)"),
        (errno.EIO, Code.STORAGE_FAILED, "could not try (EIO: Input/output error)"),
        (None, Code.STORAGE_FAILED, "could not try (unknown error)"),
    ],
)
def test_an_error_of_the_disk_is_a_problem_without_a_path(number, code, detail):
    error = OSError("secret") if number is None else OSError(number, "secret", "/secret")
    with pytest.raises(Problem) as caught, durable.storage("try"):
        raise error
    assert (caught.value.code, caught.value.detail, caught.value.__cause__) == (code, detail, None)
    with pytest.raises(KeyError), durable.storage("try"):
        raise KeyError


def test_a_new_file_is_never_an_old_one_and_is_made_durable_once(tmp_path):
    path = tmp_path / "a"
    with durable.NewFile(path, begun=b"one") as file:
        file.write(b"two")
        file.sync()
        with pytest.raises(Problem, match="closed"):
            file.sync()
    assert path.read_bytes() == b"onetwo"
    assert path.stat().st_mode & 0o777 == 0o640 & ~umask()
    with pytest.raises(Problem, match="could not create"):
        durable.NewFile(path)
    assert path.read_bytes() == b"onetwo"


def umask() -> int:
    found = os.umask(0)
    os.umask(found)
    return found


def test_a_large_file_is_on_its_way_to_the_disk_while_it_is_written(tmp_path, monkeypatch):
    begun = []
    monkeypatch.setattr(durable, "_sync_file_range", lambda _file, start, length, _flag: begun.append((start, length)))
    with durable.NewFile(tmp_path / "a") as file:
        file.write(b"x" * (durable.EARLY_WRITE - 1))
        assert begun == []
        file.write(b"x")
        file.write(b"y")
        file.start_writing()
        file.start_writing()
    assert begun == [(0, durable.EARLY_WRITE), (durable.EARLY_WRITE, 1)]


def test_files_are_closed_where_one_of_them_cannot_be_made_durable(tmp_path, monkeypatch):
    def fail(_file: int) -> None:
        raise OSError(errno.EIO, "")

    files = [durable.NewFile(tmp_path / name, begun=b"x") for name in "ab"]
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(Problem):
        durable.sync_files(files)
    assert [file._descriptor for file in files] == [-1, -1]


@pytest.mark.parametrize("number", [errno.EPERM, errno.EXDEV, errno.EMLINK, errno.EACCES, errno.ENOSYS])
def test_what_cannot_be_linked_is_copied(tmp_path, monkeypatch, number):
    def fail(*_: object) -> None:
        raise OSError(number, "")

    (tmp_path / "a").write_bytes(b"x" * (durable.COPY_CHUNK + 1))
    monkeypatch.setattr(os, "link", fail)
    durable.link_or_copy(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == (tmp_path / "a").read_bytes()


def test_any_other_error_of_a_link_is_a_problem(tmp_path):
    (tmp_path / "a").touch()
    (tmp_path / "b").touch()
    with pytest.raises(Problem, match="link a file"):
        durable.link_or_copy(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EIO])
def test_where_no_rename_is_without_overwriting_a_look_comes_first(tmp_path, monkeypatch, number):
    def fail(*_: object) -> None:
        raise OSError(number, "")

    monkeypatch.setattr(durable, "rename_new", fail)
    (tmp_path / "a").write_text("a")
    if number == errno.EIO:
        with pytest.raises(OSError, match="5"):
            durable.move_new(tmp_path / "a", tmp_path / "b")
        return
    durable.move_new(tmp_path / "a", tmp_path / "b")
    (tmp_path / "a").write_text("other")
    with pytest.raises(FileExistsError):
        durable.move_new(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "a"


def test_a_rename_leads_to_a_folder_of_the_same_file_system(tmp_path, monkeypatch):
    assert durable.leads_to(tmp_path, tmp_path)

    def refuse(number: int) -> None:
        def rename(*_: object) -> None:
            raise OSError(number, "")

        monkeypatch.setattr(Path, "rename", rename)

    refuse(errno.EXDEV)
    assert not durable.leads_to(tmp_path, tmp_path)
    refuse(errno.EACCES)
    with pytest.raises(Problem, match="reach a folder from the stage"):
        durable.leads_to(tmp_path, tmp_path)


# the stage ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sizes", "held"), [((100,), 1), ((101,), 0), ((60, 40), 2), ((60, 41), 1), ((60, 41, 40), 2)])
def test_of_one_delivery_so_much_is_in_memory_together(tmp_path, monkeypatch, sizes, held):
    monkeypatch.setattr("receiver.store.staged.MEMORY_LIMIT", 100)
    with stage.Stage(tmp_path / "stage").open() as staged:
        files = [staged.add(b"x" * size) for size in sizes]
        assert sum(file.held is not None for file in files) == held
        assert [file.name for file in files] == [str(number) for number in range(1, len(sizes) + 1)]
        staged.write()
        assert [file.path.stat().st_size for file in files] == [*sizes]


def test_a_name_of_the_stage_is_never_given_twice(tmp_path):
    given = set()
    made = stage.Stage(tmp_path / "stage")
    for _ in range(3):
        with made.open() as staged:
            names = {staged.add(b"x", ".tif").name, staged.free(".x").name, staged.part().name}
            assert not names & given
            given |= names
    assert len(given) == 9


@pytest.mark.parametrize("accepted", [True, False])
def test_a_folder_stays_where_a_delivery_rests_on_it_and_is_ready_for_the_next_else(tmp_path, accepted):
    made = stage.Stage(tmp_path / "stage")
    with made.open() as staged:
        staged.add(b"x")
        staged.write()
        staged.accepted = accepted
    assert (staged.folder / "1").exists() is accepted
    with made.open() as following:
        assert (following.folder == staged.folder) is not accepted
    made.close()
    assert staged.folder.exists() is accepted


def test_a_folder_of_a_delivery_that_failed_is_removed(tmp_path):
    made = stage.Stage(tmp_path / "stage")
    with pytest.raises(KeyError), made.open() as staged:
        raise KeyError
    assert not staged.folder.exists()


def test_a_stage_serves_the_folder_that_it_was_made_for(tmp_path):
    output, other = tmp_path / "out", tmp_path / "other"
    made = stage.stage_for(tmp_path / "data", output)
    other.mkdir()
    assert (made.serves(output), made.serves(other), made.serves(tmp_path / "away")) == (True, False, True)
    made.inside = True
    assert made.serves(output)
    folders.remove(made.root)
    assert not made.serves(output)


@pytest.mark.parametrize(("most", "kept_ready"), [(2, 2), (0, 0)])
def test_no_more_folders_lie_ready_than_are_needed(tmp_path, most, kept_ready):
    made = stage.Stage(tmp_path / "stage")
    made._spare._most = most
    with made.open() as one, made.open() as two, made.open() as three:
        used = [each.folder for each in (one, two, three)]
    assert sum(folder.exists() for folder in used) == kept_ready
    made.close()
    assert not any(folder.exists() for folder in used)


@pytest.mark.parametrize("as_bytes", [True, False])
@pytest.mark.parametrize(
    ("column", "value", "known"),
    [
        ("status", "nonsense", True),
        ("parts", "[", True),
        ("parts", "[5]", True),
        ("attempts", "5", True),
        ("documents", "[{}]", True),
        ("documents", '[{"target": null}]', True),
        ("received_at", "never", False),
    ],
)
def test_a_damaged_row_is_told_by_its_id_and_moment(column, value, known, as_bytes):
    values = dict(zip(rows.COLUMNS, rows.row(ENTRY, NO_ROOTS), strict=True)) | {column: value}
    found = [each.encode() if as_bytes and isinstance(each, str) else each for each in values.values()]
    with pytest.raises(DamagedRow) as caught:
        rows.entry(found, NO_ROOTS)
    assert (caught.value.id, caught.value.received_at) == (ENTRY.id, AT if known else None)


def test_a_row_of_other_columns_is_no_damaged_one():
    with pytest.raises(ValueError, match="zip"):
        rows.entry([*rows.row(ENTRY, NO_ROOTS), "more"], NO_ROOTS)


def test_a_row_reads_as_it_was_written_as_text_and_as_bytes():
    values = rows.row(ENTRY, NO_ROOTS)
    as_bytes = [each.encode() if isinstance(each, str) else each for each in values]
    assert rows.entry(values, NO_ROOTS) == rows.entry(as_bytes, NO_ROOTS) == ENTRY


def test_texts_of_rows_and_descriptions_are_plain_for_people_to_read(tmp_path):
    assert rows.list_text(["é", {"a": 1}]) == '["é",{"a":1}]'
    assert '"note":"é"' in rows.attempt_text(Attempt(AT, "", "held", note="é"))
    described = kept.describe(ENTRY, [part(tmp_path)])
    assert described.startswith(b'{\n  "dataVersion": 2,\n  "id": "AAAAAAAAAAAAAAAAAAAA",\n')
    assert '"sourceId": "42é"'.encode() in described
    assert described.endswith(b"\n}\n")
