"""The path of a delivery without a socket: what only a hand-made clock and configuration can show."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from receiver.core.delivery import Arrival, Replay, Section, Status
from receiver.core.problems import Code, Problem
from receiver.core.settings import Settings
from receiver.delivery import receive, render
from receiver.delivery.context import Context, open_context
from receiver.operations import replay, retention, verify
from receiver.site import compiling
from receiver.store import ledger, originals, quarantine
from receiver.store.kept import Kept
from receiver.store.staged import MEMORY_LIMIT

ROOT = Path(__file__).parent.parent.parent
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
ORIGINALS = '[retention]\noriginals = "30d"\n\n[output]'


@pytest.fixture
def house_of(tmp_path):
    """Return a function that opens a context over the referrals, their process.toml changed as asked."""

    def made(*changes: tuple[str, str]) -> Context:
        site = tmp_path / "site"
        if not site.exists():
            shutil.copytree(ROOT / "schemas", site / "schemas")
        shutil.rmtree(site / "mappings", ignore_errors=True)
        shutil.copytree(ROOT / "mappings" / "referrals", site / "mappings" / "referrals")
        process = site / "mappings" / "referrals" / "process.toml"
        text = process.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        process.write_text(text)
        settings = Settings.from_environment({"RECEIVER_SITE": str(site), "RECEIVER_DATA": str(tmp_path / "var")})
        ledger.create(settings.ledger)
        return open_context(settings, compiling.proven(settings, {"RECEIVER_TOKEN": "t" * 15 + "1"}))

    return made


def deliver(
    context: Context, source_id: str = "1", at: datetime = NOON, confidence: float = 1, more=(), **changed: str
):
    values = {"patient_name": "Ada Example", "patient_dob": "02/20/1964", "mrn": "142637A"} | changed
    fields = [{"name": name, "value": value, "confidence": confidence} for name, value in values.items()]
    metadata = json.dumps({"sourceId": source_id, "fields": fields}).encode()
    sections = [
        Section("file", "scan.tif", "image/tiff", content=[b"II*\0fax"]),
        Section("metadata", "metadata.json", "application/json", content=[metadata]),
        *more,
    ]
    return receive.receive(context, context.processes["referrals"], sections, Arrival(at, "127.0.0.1"))


def files(context: Context) -> set[Path]:
    return {path for path in context.settings.output.rglob("*") if path.is_file()}


def refusal(*args, **kwargs) -> Problem:
    with pytest.raises(Problem) as caught:
        deliver(*args, **kwargs)
    return caught.value


def test_a_clock_that_is_set_back_a_day_changes_nothing_but_times(house_of):
    context = house_of()
    first = deliver(context, "1", NOON)
    before = files(context)
    assert deliver(context, "1", NOON - timedelta(days=1)) == first._replace(duplicate=True)
    assert files(context) == before
    second = deliver(context, "2", NOON - timedelta(days=1))
    third = deliver(context, "1", NOON - timedelta(days=1), patient_name="Ada B. Example")
    assert (second.version, third.version) == (1, 2)
    assert context.ledger.unfinished() == []


def test_nothing_is_accepted_for_a_folder_of_the_output_that_leads_to_what_is_not_mounted(house_of, tmp_path):
    context = house_of(('path = "{{ delivery.id }}.hl7"', 'path = "archive/{{ delivery.id }}.hl7"'))
    folder = context.processes["referrals"].output
    (folder / "archive").symlink_to(tmp_path / "disk" / "archive")
    assert refusal(context).code is Code.STORAGE_FAILED
    assert (files(context), context.ledger.unfinished()) == (set(), [])
    (tmp_path / "disk" / "archive").mkdir(parents=True)
    receipt = deliver(context)
    assert (folder / "archive" / f"{receipt.id}.hl7").is_file()


def test_the_same_source_id_with_other_content_is_refused_where_the_process_says_so(house_of):
    context = house_of(("[output]", '[delivery]\nsame_source_id = "refuse"\n\n[output]'))
    first = deliver(context)
    assert refusal(context, patient_name="Ada B. Example").code is Code.SOURCE_ID_CONFLICT
    assert deliver(context) == first._replace(duplicate=True)


def test_the_same_source_id_with_other_content_is_ignored_where_the_process_says_so(house_of):
    context = house_of(("[output]", '[delivery]\nsame_source_id = "ignore"\n\n[output]'))
    first = deliver(context)
    before = files(context)
    assert deliver(context, patient_name="Ada B. Example") == first._replace(duplicate=True)
    assert files(context) == before


def test_a_failed_first_attempt_never_blocks_its_retry(house_of):
    assert refusal(house_of(), mrn="X").code is Code.FIELDS_INVALID
    repaired = house_of(('schema = "referrals.fields.schema.json"', ""))
    receipt = deliver(repaired, mrn="X")
    assert receipt.status is Status.PUBLISHED
    assert [attempt.outcome for attempt in repaired.ledger.find(receipt.id).attempts] == ["refused", "accepted"]
    assert not list(repaired.settings.data.glob("quarantine/referrals/*/problem.json"))


def test_an_invalid_delivery_is_held_where_the_process_says_so(house_of):
    context = house_of(("[output]", '[delivery]\non_invalid = "hold"\n\n[output]'))
    assert deliver(context, mrn="X").status is Status.HELD
    assert files(context) == set()


@pytest.mark.parametrize(("below", "status"), [("publish", Status.PUBLISHED), ("hold", Status.HELD)])
def test_low_confidence_is_published_or_held_as_the_process_says(house_of, below, status):
    context = house_of(('below = "hold"', f'below = "{below}"'))
    assert deliver(context, confidence=0.5).status is status


def test_low_confidence_is_refused_where_the_process_says_so(house_of):
    problem = refusal(house_of(('below = "hold"', 'below = "refuse"')), confidence=0.5)
    assert problem.code is Code.CONFIDENCE_LOW
    assert {violation.where for violation in problem.violations} == {
        "fields/patient_name",
        "fields/patient_dob",
        "fields/mrn",
    }


def test_a_record_is_left_out_where_its_condition_does_not_hold(house_of):
    context = house_of(('format = "json"\n', 'format = "json"\nwhen = "fields.date_of_encounter is defined"\n'))
    assert len(deliver(context).records) == 1
    assert len(deliver(context, "2", date_of_encounter="01/30/2018").records) == 2


def test_two_files_that_would_get_one_name_are_refused(house_of):
    problem = refusal(house_of(('path = "{{ delivery.id }}.json"', 'path = "{{ delivery.id }}.hl7"')))
    assert problem.code is Code.NAME_TAKEN


def test_a_file_and_a_folder_that_would_get_one_name_are_refused(house_of):
    problem = refusal(house_of(('path = "{{ delivery.id }}.json"', 'path = "{{ delivery.id }}.hl7/record.json"')))
    assert problem.code is Code.NAME_TAKEN


def test_a_foreign_file_where_a_folder_must_be_is_refused_before_anything_is_accepted(house_of):
    context = house_of(('path = "{{ delivery.id }}.json"', 'path = "{{ fields.mrn }}/record.json"'))
    first = deliver(context, "1")
    context.settings.output.joinpath(first.records[1].path).unlink()
    folder = context.settings.output.joinpath(first.records[1].path).parent
    folder.rmdir()
    folder.write_text("not ours")
    assert refusal(context, "2").code is Code.NAME_TAKEN
    assert folder.read_text() == "not ours"


def test_the_longest_name_leaves_room_for_the_number_of_a_namesake(house_of):
    pages = '[parts."page_*"]\nrole = "document"\nmany = true\nrequired = false\n\n[parts.metadata]'
    name = f'documents = "{"x" * 246}{{{{ document.suffix }}}}"'
    context = house_of(("[parts.metadata]", pages), ('documents = "{{ delivery.id }}{{ document.suffix }}"', name))
    sections = [Section(f"page_{number}", "", "image/tiff", content=[b"II*\0fax"]) for number in range(1, 12)]
    receipt = deliver(context, more=sections)
    assert sorted(len(Path(document.path).name) for document in receipt.documents)[-1] == 253


def test_a_name_is_never_overwritten(house_of):
    context = house_of(('path = "{{ delivery.id }}.json"', 'path = "{{ fields.mrn }}.json"'))
    first = deliver(context, "1")
    problem = refusal(context, "2")
    assert problem.code is Code.NAME_TAKEN
    assert context.settings.output.joinpath(first.records[1].path).exists()
    context.settings.output.joinpath(first.records[1].path).unlink()  # downstream has taken it
    assert deliver(context, "2").status is Status.PUBLISHED


def test_originals_are_kept_where_the_process_says_so(house_of):
    context = house_of(("[output]", '[retention]\noriginals = "30d"\n\n[output]'))
    receipt = deliver(context)
    document = context.settings.output / receipt.documents[0].path
    kept = context.settings.data / "originals" / "referrals" / receipt.id
    original = next(path for path in kept.iterdir() if path.suffix == ".tif")
    assert original.samefile(document)


def test_a_thousand_pages_of_one_name_are_named_one_after_the_other(house_of, monkeypatch):
    """Beginning from -2 with each page, half a million names would be tried."""
    context = house_of(("[parts.metadata]", '[parts."page_*"]\nrole = "document"\nmany = true\n\n[parts.metadata]'))
    tried = []
    folded = render._folded
    monkeypatch.setattr(render, "_folded", lambda path: tried.append(path) or folded(path))
    pages = [Section(f"page_{number}", "", "image/tiff", content=[b"II*\0fax"]) for number in range(1, 998)]
    receipt = deliver(context, more=pages)
    assert len({document.path for document in receipt.documents}) == len(pages) + 1
    assert len(tried) < 10 * len(pages)


def metadata_of(mrn: str, size: int) -> bytes:
    values = {"patient_name": "Ada Example", "patient_dob": "02/20/1964", "mrn": mrn}
    fields = [{"name": name, "value": value, "confidence": 1} for name, value in values.items()]
    return json.dumps({"sourceId": "1", "fields": fields}).encode().ljust(size)


def arriving(*metadata: bytes) -> list[Section]:
    document = Section("file", "scan.tif", "image/tiff", content=[b"II*\0fax"])
    return [
        *(Section("metadata", "m.json", "application/json", content=[each[:999], each[999:]]) for each in metadata),
        document,
    ]


def contents(kept: Kept) -> list[bytes]:
    return [part.path.read_bytes() for part in kept.parts]


@pytest.mark.parametrize("size", [0, MEMORY_LIMIT + 1], ids=["held in memory", "written to a file"])
def test_metadata_is_a_file_where_a_delivery_is_kept_and_is_judged_anew_from_there(house_of, size):
    context = house_of(("[output]", '[delivery]\non_invalid = "hold"\n\n[output]'))
    process, metadata = context.processes["referrals"], metadata_of("wrong", size)
    held = receive.receive(context, process, arriving(metadata), Arrival(NOON, "127.0.0.1"))
    kept = quarantine.load(context.settings.data, "referrals", held.id)
    assert contents(kept) == [b"II*\0fax", metadata]
    repaired = house_of(('schema = "referrals.fields.schema.json"', ""), ("[output]", ORIGINALS))
    told = replay.replay(repaired, repaired.ledger.find(held.id), Replay(NOON, "somebody"))
    assert told.result is replay.Result.PUBLISHED
    assert contents(originals.load(context.settings.data, "referrals", held.id)) == [b"II*\0fax", metadata]
    assert verify.verify(repaired.ledger, repaired.settings.data, [told.entry]).findings == []


@pytest.mark.parametrize("size", [0, MEMORY_LIMIT + 1], ids=["held in memory", "written to a file"])
def test_metadata_is_among_the_originals(house_of, size):
    context = house_of(("[output]", ORIGINALS))
    metadata = metadata_of("142637A", size)
    receipt = receive.receive(context, context.processes["referrals"], arriving(metadata), Arrival(NOON, "127.0.0.1"))
    assert contents(originals.load(context.settings.data, "referrals", receipt.id)) == [b"II*\0fax", metadata]


def test_metadata_that_comes_twice_is_kept_twice(house_of):
    context = house_of()
    came = metadata_of("142637A", 0), metadata_of("142637B", 0)
    with pytest.raises(Problem) as refused:
        receive.receive(context, context.processes["referrals"], arriving(*came), Arrival(NOON, "127.0.0.1"))
    kept = quarantine.load(context.settings.data, "referrals", refused.value.kept_as)
    assert sorted(contents(kept)) == sorted([b"II*\0fax", *came])


def test_a_receipt_tells_paths_below_the_output_and_whole_ones_elsewhere(house_of, tmp_path):
    inside = deliver(house_of())
    context = house_of(('directory = "referrals"', f'directory = "{tmp_path}/elsewhere"'))
    outside = deliver(context, "2")
    assert inside.documents[0].path == f"referrals/{inside.id}.tif"
    assert outside.documents[0].path == f"{tmp_path}/elsewhere/{outside.id}.tif"
    assert Path(outside.documents[0].path).is_file()


def test_a_field_without_a_confidence_is_held_where_a_minimum_applies(house_of):
    receipt = deliver(house_of(), confidence=None)
    assert (receipt.status, receipt.records) == (Status.HELD, ())
    accepting = house_of(('below = "hold"', 'unknown = "accept"\nbelow = "hold"'))
    assert deliver(accepting, source_id="2", confidence=None).status is Status.PUBLISHED


NEVER = [(f'format = "{form}"', f'format = "{form}"\nwhen = "delivery.version == 9"') for form in ("hl7", "json")]


@pytest.mark.parametrize(
    ("said", "status"), [(None, Status.HELD), ("hold", Status.HELD), ("publish", Status.PUBLISHED)]
)
def test_a_delivery_that_no_record_applies_to_is_held_unless_said_otherwise(house_of, said, status):
    said_so = [("[output]", f'[delivery]\nwithout_records = "{said}"\n\n[output]')] if said else []
    receipt = deliver(house_of(*NEVER, *said_so))
    assert (receipt.status, receipt.records) == (status, ())
    assert len(receipt.documents) == (status is Status.PUBLISHED)


def test_a_delivery_that_no_record_applies_to_can_be_refused(house_of):
    context = house_of(*NEVER, ("[output]", '[delivery]\nwithout_records = "refuse"\n\n[output]'))
    with pytest.raises(Problem) as raised:
        deliver(context)
    assert raised.value.code is Code.NO_RECORD
    assert [each.rule for each in raised.value.violations] == ["when"]


# what fails after the commit --------------------------------------------------------------------------------------


def failing(*_: object, **__: object) -> None:
    raise Problem(Code.DISK_FULL, "could not write to the ledger (its disk is full)")


@pytest.mark.parametrize("step", ["ledger.published", "release", "seal after"])
def test_what_is_committed_is_answered_as_accepted_whatever_fails_after(house_of, monkeypatch, step):
    context = house_of()
    with monkeypatch.context() as broken:
        if step == "ledger.published":
            broken.setattr(type(context.ledger), "published", failing)
        elif step == "release":
            broken.setattr("receiver.store.publish._place", failing)
        else:
            broken.setattr("receiver.store.staged.Staged.close", failing)
        receipt = deliver(context)
        assert (receipt.status, receipt.duplicate) == (Status.PUBLISHED, False)
        again = deliver(context)
        assert (again.id, again.status, again.duplicate) == (receipt.id, Status.PUBLISHED, True)
    context.recover()
    assert context.ledger.find(receipt.id).status is Status.PUBLISHED
    assert {path.name for path in context.processes["referrals"].output.rglob("*") if path.is_file()}


def test_what_was_refused_before_and_cannot_be_removed_is_answered_as_accepted(house_of, monkeypatch):
    assert refusal(house_of(), mrn="X").code is Code.FIELDS_INVALID
    repaired = house_of(('schema = "referrals.fields.schema.json"', ""))
    with monkeypatch.context() as broken:
        broken.setattr("receiver.store.kept.take_away", failing)
        receipt = deliver(repaired, mrn="X")
    assert (receipt.status, receipt.duplicate) == (Status.PUBLISHED, False)
    left = repaired.settings.data / "quarantine" / "referrals" / receipt.id
    assert left.is_dir()
    repaired.recover()
    assert not left.exists()


def test_a_commit_of_which_nobody_could_say_is_answered_by_what_the_ledger_says(house_of, monkeypatch):
    context = house_of()
    commit = type(context.ledger).commit

    def unclear(self, entry, attempt):
        commit(self, entry, attempt)
        raise ledger.CommitUnknownError(Code.STORAGE_FAILED, "could not use the ledger (IOError)")

    monkeypatch.setattr(type(context.ledger), "commit", unclear)
    assert deliver(context).status is Status.PUBLISHED


def test_a_note_that_a_duplicate_came_may_fail(house_of, monkeypatch):
    context = house_of()
    first = deliver(context)
    monkeypatch.setattr(type(context.ledger), "attempted", failing)
    assert (deliver(context).id, deliver(context).duplicate) == (first.id, True)


def test_housekeeping_finishes_what_was_accepted_and_not_published(house_of, monkeypatch):
    context = house_of()
    with monkeypatch.context() as broken:
        broken.setattr("receiver.store.publish._place", failing)
        receipt = deliver(context)
    monkeypatch.setattr(retention, "LOOK", -1)
    retention.look(context)
    assert context.ledger.find(receipt.id).status is Status.PUBLISHED
