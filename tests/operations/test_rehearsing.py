"""A replay that is only rehearsed: what it would do, and do to what was published."""

import pytest

from receiver.core.problems import Code
from receiver.operations.rehearsal import Result, rehearse
from tests.support.home import FAX, metadata

KEEP = '[retention]\noriginals = "30d"'
JSON = "referral.json.j2"


def everything(home):
    """What is on disk, but for the ledger's own files, and what the ledger says."""
    files = {path: path.read_bytes() for path in home.root.rglob("*") if path.is_file() and "ledger" not in path.name}
    return files, home.ledger.search()


@pytest.fixture
def published(home):
    home.section(KEEP)
    return home.deliver()


def test_the_same_configuration_makes_the_same_of_what_was_published(home, published):
    before = everything(home)
    assert rehearse(home.context, published).result is Result.SAME
    assert everything(home) == before


def test_a_record_that_would_be_another_is_told_field_by_field(home, published):
    home.configure("fields.mrn", '"0000" ~ fields.mrn', JSON)
    rehearsed = rehearse(home.context, published)
    assert rehearsed.result is Result.DIFFERENT
    [told] = rehearsed.lines
    assert told.startswith(f"{published.id}.json")
    assert '"142637A"' in told
    assert '"0000142637A"' in told


def test_a_record_that_was_taken_away_is_compared_by_its_digest(home, published):
    for path in home.settings.output.rglob("*.json"):
        path.unlink()
    assert rehearse(home.context, published).result is Result.SAME
    home.configure("fields.mrn", '"0000" ~ fields.mrn', JSON)
    rehearsed = rehearse(home.context, published)
    assert rehearsed.lines == (
        f"{published.id}.json: differs (what was published is not there any more to be compared)",
    )


def test_a_file_that_downstream_has_changed_is_not_taken_for_what_was_published(home, published):
    home.configure("fields.mrn", '"0000" ~ fields.mrn', JSON)
    [record] = home.settings.output.rglob("*.json")
    record.write_text("changed downstream")
    [told] = rehearse(home.context, published).lines
    assert "not there any more" in told


def test_files_that_come_go_or_get_another_name_are_told(home, published):
    home.configure('path = "{{ delivery.id }}.json"', 'path = "{{ delivery.id }}.referral.json"')
    home.configure("directory =", 'marker = "{{ delivery.id }}.done"\ndirectory =')
    assert set(rehearse(home.context, published).lines) == {
        f"{published.id}.json: is called {published.id}.referral.json now",
        f"{published.id}.done: is new",
    }
    home.configure(
        '[[records]]\ntemplate = "mdm_t02.hl7.j2"', '[[records]]\nwhen = "false"\ntemplate = "mdm_t02.hl7.j2"'
    )
    assert f"{published.id}.hl7: is not written any more" in rehearse(home.context, published).lines


def test_another_output_folder_is_told(home, published):
    home.configure('directory = "referrals"', 'directory = "elsewhere"')
    [told] = rehearse(home.context, published).lines
    assert told.startswith("output folder: was ")


def test_what_was_published_and_would_be_refused_today_is_told_with_every_violation(home, published):
    home.configure('types = ["image/tiff", "application/pdf"]', 'types = ["application/pdf"]')
    rehearsed = rehearse(home.context, published)
    assert (rehearsed.result, rehearsed.problem.code) == (Result.REFUSED, Code.PART_TYPE)


def test_a_later_version_is_compared_with_its_own_version(home):
    home.section(KEEP)
    home.deliver()
    second = home.deliver(patient_name="Ada B. Example")
    assert second.version == 2
    assert rehearse(home.context, second).result is Result.SAME


def test_without_its_originals_nothing_can_be_compared(home):
    published = home.deliver()
    rehearsed = rehearse(home.context, published)
    assert rehearsed.result is Result.FAILED
    assert "[retention] originals" in rehearsed.problem.detail


def test_the_verdict_on_what_waits_in_quarantine_is_told_and_nothing_is_written(home):
    held = home.deliver(confidence=0.5)
    refused = home.deliver(source_id="S2", mrn="wrong")
    before = everything(home)
    assert rehearse(home.context, held).result is Result.HELD
    assert rehearse(home.context, refused).result is Result.REFUSED
    accepted = rehearse(home.context, held, accept_confidence=True)
    assert accepted.result is Result.PUBLISHED
    assert set(accepted.lines) == {f"{held.id}{suffix}" for suffix in (".tif", ".hl7", ".json")}
    assert everything(home) == before


def test_a_name_that_is_taken_would_be_refused(home):
    held = home.deliver(confidence=0.5)
    (home.settings.output / "referrals" / f"{held.id}.tif").write_bytes(FAX)
    rehearsed = rehearse(home.context, held, accept_confidence=True)
    assert (rehearsed.result, rehearsed.problem.code) == (Result.REFUSED, Code.NAME_TAKEN)


@pytest.mark.parametrize(("policy", "result"), [("refuse", Result.REFUSED), ("ignore", Result.BEFORE)])
def test_a_source_id_that_was_published_meanwhile_counts(home, policy, result):
    held = home.deliver(confidence=0.5)
    home.deliver()
    home.section(f'[delivery]\nsame_source_id = "{policy}"')
    assert rehearse(home.context, held, accept_confidence=True).result is result


def test_what_was_published_under_another_id_meanwhile_is_told(home):
    refused = home.deliver(metadata().replace(b'"sourceId"', b'"documentId"'))
    home.configure('source_id = "sourceId"', 'source_id = "documentId"')
    schema = home.root / "site" / "schemas" / "nextstep-metadata.schema.json"
    schema.write_text(schema.read_text().replace("sourceId", "documentId"))
    published = home.deliver(metadata().replace(b'"sourceId"', b'"documentId"'))
    rehearsed = rehearse(home.context, refused)
    assert (rehearsed.result, rehearsed.lines) == (Result.BEFORE, (f"as {published.id}",))
