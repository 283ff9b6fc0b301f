"""Kept deliveries, judged anew by today's configuration."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from receiver.core.delivery import Replay, Status
from receiver.core.problems import Code
from receiver.operations.replay import Result, replay
from receiver.store import quarantine
from tests.support.home import FAX, NOON, metadata

LATER = datetime(2026, 3, 4, 9, tzinfo=UTC)
HOW = Replay(LATER, "an operator")
ACCEPTING = Replay(LATER, "an operator", accept_confidence=True)
MRN = '"^[0-9]{6,10}[A-Z]?$"'


@pytest.mark.parametrize(
    ("how", "note"),
    [
        (HOW, "replay by an operator"),
        (ACCEPTING, "replay by an operator, low confidence accepted"),
        (Replay(LATER, "anna", accept_rules=True), "replay by anna, broken rules accepted"),
        (Replay(LATER, "anna", corrections={"mrn": "7"}), "replay by anna, 1 field corrected"),
        (
            Replay(LATER, "anna", True, {"mrn": "7", "dob": "x"}, True),
            "replay by anna, low confidence accepted, broken rules accepted, 2 fields corrected",
        ),
    ],
)
def test_the_ledger_is_told_what_was_accepted_and_how_much_was_corrected_and_no_value(how, note):
    assert how.note == note


def allow_any_mrn(home):
    schema = home.root / "site" / "schemas" / "referrals.fields.schema.json"
    text = schema.read_text()
    assert MRN in text
    schema.write_text(text.replace(MRN, '"."'))
    home.close()


def read_source_id_elsewhere(home):
    home.configure('source_id = "sourceId"', 'source_id = "documentId"')
    schema = home.root / "site" / "schemas" / "nextstep-metadata.schema.json"
    schema.write_text(schema.read_text().replace("sourceId", "documentId"))


def test_what_was_refused_is_published_once_the_configuration_is_repaired(home):
    refused = home.deliver(mrn="wrong")
    assert refused.status is Status.REFUSED
    allow_any_mrn(home)
    replayed = replay(home.context, refused, HOW)
    assert (replayed.result, replayed.entry.status, replayed.entry.version) == (
        Result.PUBLISHED,
        Status.PUBLISHED,
        1,
    )
    assert home.outputs()[f"referrals/{refused.id}.tif"] == FAX
    assert home.waiting() == set()


def test_it_keeps_the_time_at_which_it_was_first_received(home):
    home.deliver(mrn="wrong")
    refused = home.deliver(mrn="wrong", at=NOON + timedelta(days=3))
    allow_any_mrn(home)
    entry = replay(home.context, refused, HOW).entry
    assert entry.received_at == NOON
    assert [(attempt.at, attempt.outcome, attempt.note) for attempt in entry.attempts] == [
        (NOON, "refused", ""),
        (NOON + timedelta(days=3), "refused", ""),
        (LATER, "accepted", "replay by an operator"),
    ]
    message = home.outputs()[f"referrals/{entry.id}.hl7"]
    assert b"20260102120000" in message


def test_the_same_delivery_sent_again_after_its_replay_is_a_duplicate(home):
    refused = home.deliver(mrn="wrong")
    allow_any_mrn(home)
    replay(home.context, refused, HOW)
    before = home.outputs()
    again = home.deliver(mrn="wrong")
    assert (again.id, again.attempts[-1].outcome) == (refused.id, "duplicate")
    assert home.outputs() == before


def test_what_is_still_refused_stays_with_todays_reason(home):
    refused = home.deliver(mrn="wrong")
    home.configure('types = ["image/tiff", "application/pdf"]', 'types = ["application/pdf"]')
    replayed = replay(home.context, refused, HOW)
    assert (replayed.result, replayed.entry.code) == (Result.REFUSED, Code.PART_TYPE)
    kept = quarantine.load(home.settings.data, "referrals", refused.id)
    assert kept.entry.code is Code.PART_TYPE
    assert kept.parts[0].path.read_bytes() == FAX
    assert home.outputs() == {}


def test_a_part_that_is_too_large_today_stays_whole_with_that_reason(home):
    refused = home.deliver(mrn="wrong")
    home.configure('max_size = "200 MB"', "max_size = 5")
    replayed = replay(home.context, refused, HOW)
    assert (replayed.result, replayed.entry.code) == (Result.REFUSED, Code.PART_TOO_LARGE)
    kept = quarantine.load(home.settings.data, "referrals", refused.id)
    assert kept.parts[0].path.read_bytes() == FAX


def test_low_confidence_is_published_only_where_a_person_accepts_it(home):
    held = home.deliver(confidence=0.5)
    assert held.status is Status.HELD
    assert replay(home.context, held, HOW).result is Result.HELD
    accepted = replay(home.context, home.ledger.find(held.id), ACCEPTING)
    assert accepted.result is Result.PUBLISHED
    assert accepted.entry.attempts[-1].note == "replay by an operator, low confidence accepted"
    assert home.waiting() == set()


def test_accepting_the_confidence_accepts_nothing_else(home):
    refused = home.deliver(confidence=0.5, mrn="wrong")
    assert replay(home.context, refused, ACCEPTING).result is Result.REFUSED


def test_a_delivery_whose_source_id_can_be_read_today_waits_no_longer_under_its_old_id(home):
    renamed = metadata().replace(b'"sourceId"', b'"documentId"')
    refused = home.deliver(renamed)
    assert (refused.source_id, refused.status) == ("", Status.REFUSED)
    read_source_id_elsewhere(home)
    replayed = replay(home.context, refused, HOW)
    assert (replayed.result, replayed.entry.source_id) == (Result.PUBLISHED, "S1")
    assert replayed.entry.id != refused.id
    old = home.ledger.find(refused.id)
    assert old.status is Status.DISCARDED
    assert old.attempts[-1].note == f"replay by an operator: it is {replayed.entry.id} now"
    assert home.waiting() == set()
    assert replayed.entry.received_at == NOON


def test_a_replay_that_died_before_it_settled_the_old_id_is_settled_by_the_next(home, monkeypatch):
    renamed = metadata().replace(b'"sourceId"', b'"documentId"')
    refused = home.deliver(renamed)
    read_source_id_elsewhere(home)
    with monkeypatch.context() as patched:
        patched.setattr(quarantine, "let_go", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            replay(home.context, refused, HOW)
    before = home.outputs()
    assert home.waiting() == {refused.id}
    assert replay(home.context, refused, HOW).result is Result.BEFORE
    assert home.outputs() == before
    assert home.waiting() == set()
    assert home.ledger.find(refused.id).status is Status.DISCARDED


def test_a_source_id_that_can_be_read_today_moves_what_is_still_refused_too(home):
    renamed = metadata(mrn="wrong").replace(b'"sourceId"', b'"documentId"')
    refused = home.deliver(renamed)
    read_source_id_elsewhere(home)
    replayed = replay(home.context, refused, HOW)
    assert (replayed.result, replayed.entry.source_id) == (Result.REFUSED, "S1")
    assert home.waiting() == {replayed.entry.id}
    assert home.ledger.find(refused.id).status is Status.DISCARDED


def test_what_is_ignored_for_its_source_id_waits_no_longer(home):
    refused = home.deliver(mrn="wrong")
    published = home.deliver()
    home.section('[delivery]\nsame_source_id = "ignore"')
    allow_any_mrn(home)
    replayed = replay(home.context, refused, HOW)
    assert (replayed.result, replayed.entry.id) == (Result.BEFORE, published.id)
    assert home.ledger.find(refused.id).status is Status.DISCARDED
    assert home.waiting() == set()


def test_versions_follow_the_order_of_publication(home):
    refused = home.deliver(mrn="wrong")
    home.deliver()
    allow_any_mrn(home)
    assert replay(home.context, refused, HOW).entry.version == 2


def test_what_was_published_stays_as_it_is(home):
    published = home.deliver()
    before = home.outputs()
    assert replay(home.context, published, HOW).result is Result.BEFORE
    assert home.outputs() == before
    assert home.ledger.find(published.id).attempt_count == 1


def test_a_damaged_part_is_not_published(home):
    held = home.deliver(confidence=0.5)
    kept = quarantine.load(home.settings.data, "referrals", held.id)
    kept.parts[0].path.write_bytes(b"II*\0 something else")
    replayed = replay(home.context, held, ACCEPTING)
    assert (replayed.result, replayed.problem.code) == (Result.FAILED, Code.STORAGE_FAILED)
    assert home.outputs() == {}
    assert home.ledger.find(held.id) == held


def test_what_is_not_kept_any_more_and_what_has_no_process_fails_and_stays(home):
    held = home.deliver(confidence=0.5)
    (home.settings.data / "quarantine" / "referrals" / held.id).rename(home.root / "taken")
    assert replay(home.context, held, ACCEPTING).result is Result.FAILED
    (home.root / "taken").rename(home.settings.data / "quarantine" / "referrals" / held.id)
    home.folder.rename(home.folder.with_name("others"))
    home.close()
    assert replay(home.context, held, ACCEPTING).problem.code is Code.NO_SUCH_PROCESS
    assert home.waiting() == {held.id}


def test_a_kept_file_keeps_the_name_and_type_it_came_with(home):
    held = home.deliver(confidence=0.5)
    home.section('[retention]\noriginals = "30d"')
    replay(home.context, held, ACCEPTING)
    told = json.loads((home.settings.data / "originals" / "referrals" / held.id / "delivery.json").read_text())
    assert [(part["filename"], part["type"]) for part in told["parts"]] == [
        ("scan.tif", "image/tiff"),
        ("metadata.json", "application/json"),
    ]


def test_many_replays_of_one_delivery_at_once_publish_it_once(home):
    held = home.deliver(confidence=0.5)
    context = home.context
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(replay(context, held, ACCEPTING).result)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count(Result.PUBLISHED) == 1
    assert set(results) <= {Result.PUBLISHED, Result.BEFORE, Result.FAILED}
    entry = home.ledger.find(held.id)
    assert (entry.status, entry.version) == (Status.PUBLISHED, 1)
    assert len(home.outputs()) == 3
