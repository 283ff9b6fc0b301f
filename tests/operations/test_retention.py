"""What is removed once its time is over, and what never is."""

import os
import re
import shutil
import time
from datetime import timedelta
from types import SimpleNamespace as Given

import pytest

from receiver.core.delivery import Status
from receiver.core.problems import Code
from receiver.core.units import stamp
from receiver.operations import clock, retention
from receiver.operations.retention import prune
from receiver.site.config.model import RetentionConfig
from receiver.store import originals, quarantine
from tests.support.home import FAX, NOON, metadata

DAY = timedelta(days=1)


def pruned(home, after, **options):
    """Prune at a time after noon; return what was removed and kept of each kind. The clock itself was not set."""
    (home.settings.local / retention.FOLDER / clock.FILE).unlink(missing_ok=True)
    done = list(prune(home.context, NOON + after, **options))
    assert not [each.problem for each in done if each.problem]
    return {each.kind: (each.removed, each.kept) for each in done}


def kept_since(home, id_, moment):
    """Let the originals look as old as they are, by the clock of the test."""
    os.utime(originals.folder(home.settings.data, "referrals", id_), (moment.timestamp(),) * 2)


def publish_with_originals(home, **values):
    entry = home.deliver(**values)
    kept_since(home, entry.id, entry.received_at)
    return entry


@pytest.fixture
def published_at_noon(monkeypatch):
    """The ledger's clock, for what it dates itself."""
    from receiver.store import ledger, publish

    class Clock:
        now = staticmethod(lambda _zone: NOON)

    monkeypatch.setattr(ledger, "datetime", Clock)
    monkeypatch.setattr(publish, "datetime", Clock)


def test_nothing_is_removed_where_no_span_is_set(home):
    home.deliver()
    home.deliver(mrn="wrong", source_id="S2")
    home.deliver(confidence=0.5, source_id="S3")
    assert pruned(home, 10_000 * DAY) == {"originals": (0, 0), "quarantine": (0, 2), "ledger": (0, 3)}


def test_originals_go_when_their_time_is_over(home, published_at_noon):
    home.section('[retention]\noriginals = "30d"')
    entry = publish_with_originals(home)
    assert pruned(home, 30 * DAY)["originals"] == (0, 1)
    assert pruned(home, 31 * DAY, dry_run=True)["originals"] == (1, 0)
    assert originals.load(home.settings.data, "referrals", entry.id)
    before = home.outputs()
    assert pruned(home, 31 * DAY)["originals"] == (1, 0)
    assert list((home.settings.data / "originals" / "referrals").iterdir()) == []
    assert home.outputs() == before
    assert pruned(home, 31 * DAY)["originals"] == (0, 0)


def test_originals_that_a_backup_made_look_old_stay_for_their_time(home, published_at_noon):
    home.section('[retention]\noriginals = "30d"')
    entry = publish_with_originals(home)
    kept_since(home, entry.id, NOON - 1000 * DAY)
    assert pruned(home, 30 * DAY)["originals"] == (0, 1)


def test_originals_of_what_is_not_published_yet_stay(home):
    home.section('[retention]\noriginals = "30d"')
    entry = publish_with_originals(home)
    lost = "UPDATE deliveries SET status = 'committed', published_at = NULL"
    home.ledger.connections.write(lambda connection: connection.execute(lost).fetchall())
    assert pruned(home, 1000 * DAY)["originals"] == (0, 1)
    assert originals.load(home.settings.data, "referrals", entry.id)


def test_what_is_in_quarantine_goes_when_its_time_is_over_and_its_row_says_so(home, caplog):
    home.section('[retention]\nquarantine = "90d"')
    refused = home.deliver(mrn="wrong")
    held = home.deliver(confidence=0.5, source_id="S2")
    assert pruned(home, 90 * DAY)["quarantine"] == (0, 2)
    assert pruned(home, 91 * DAY, dry_run=True)["quarantine"] == (2, 0)
    assert home.waiting() == {refused.id, held.id}
    assert pruned(home, 91 * DAY)["quarantine"] == (2, 0)
    assert home.waiting() == set()
    for entry in (refused, held):
        now = home.ledger.find(entry.id)
        assert (now.status, now.code) == (Status.DISCARDED, entry.code)
        assert (now.attempts[-1].outcome, now.attempts[-1].note) == ("discarded", "prune: older than 90d")
    told = {"id": held.id, "process": "referrals", "was": "held", "reason": "older than 90d"}
    assert told in [record.fields for record in caplog.records if record.message == "discarded"]


def test_what_came_again_stays_for_its_time_anew(home):
    home.section('[retention]\nquarantine = "90d"')
    home.deliver(mrn="wrong")
    home.deliver(mrn="wrong", at=NOON + 50 * DAY)
    assert pruned(home, 91 * DAY)["quarantine"] == (0, 1)
    assert pruned(home, 141 * DAY)["quarantine"] == (1, 0)


def test_too_much_that_was_refused_goes_the_oldest_first_and_what_is_held_stays(home, caplog):
    size = len(FAX) + len(metadata("S0", mrn="wrong"))
    home.section(f"[retention]\nquarantine_size = {3 * size}")
    held = home.deliver(confidence=0.5, at=NOON - DAY, source_id="H0")
    refused = [home.deliver(source_id=f"S{n}", mrn="wrong", at=NOON + n * DAY) for n in range(5)]
    assert pruned(home, 5 * DAY, dry_run=True)["quarantine"] == (2, 4)
    assert pruned(home, 5 * DAY)["quarantine"] == (2, 4)
    assert home.waiting() == {held.id, *(entry.id for entry in refused[2:])}
    assert home.ledger.find(refused[0].id).status is Status.DISCARDED
    assert [record.fields["id"] for record in caplog.records] == [entry.id for entry in refused[:2]]
    assert home.deliver(source_id="S9", mrn="wrong").status is Status.REFUSED, "who is refused is told so, full or not"
    assert pruned(home, 5 * DAY)["quarantine"] == (1, 4)


def test_what_is_too_old_is_not_counted_among_what_is_too_much(home):
    size = len(FAX) + len(metadata("S0", mrn="wrong"))
    home.section(f'[retention]\nquarantine = "90d"\nquarantine_size = {2 * size}')
    for number, day in enumerate((0, 0, 0, 60, 60)):
        home.deliver(source_id=f"S{number}", mrn="wrong", at=NOON + day * DAY)
    assert pruned(home, 91 * DAY, dry_run=True)["quarantine"] == (3, 2)
    assert pruned(home, 91 * DAY)["quarantine"] == (3, 2)


def test_what_comes_again_while_it_is_looked_at_stays(home, monkeypatch):
    home.section('[retention]\nquarantine = "90d"')
    entry = home.deliver(mrn="wrong")
    waiting = home.ledger.waiting("referrals")
    home.deliver(mrn="wrong", at=NOON + 90 * DAY)
    monkeypatch.setattr(type(home.ledger), "waiting", lambda *_: waiting)
    assert pruned(home, 91 * DAY)["quarantine"] == (0, 1)
    assert home.ledger.find(entry.id).status is Status.REFUSED


def test_originals_stay_for_their_time_after_a_late_publication(home, monkeypatch):
    home.section('[retention]\noriginals = "30d"')
    entry = publish_with_originals(home)
    home.ledger._write(
        lambda connection: connection.execute("UPDATE deliveries SET published_at = ?", [stamp(NOON + 20 * DAY)])
    )
    assert pruned(home, 31 * DAY)["originals"] == (0, 1)
    assert pruned(home, 51 * DAY)["originals"] == (1, 0)
    assert not originals.folder(home.settings.data, "referrals", entry.id).exists()


def test_what_somebody_is_at_work_on_stays(home):
    from receiver.store.stage import lock_folder

    home.section('[retention]\nquarantine = "90d"')
    entry = home.deliver(mrn="wrong")
    lock = lock_folder(quarantine.folder(home.settings.data, "referrals", entry.id))
    assert pruned(home, 91 * DAY)["quarantine"] == (0, 1)
    os.close(lock)
    assert pruned(home, 91 * DAY)["quarantine"] == (1, 0)


@pytest.mark.parametrize(("found", "gone"), [(None, False), (NOON + DAY, False), (NOON, True)])
def test_one_goes_unless_its_row_is_gone_or_it_came_again(monkeypatch, found, gone):
    logged, entry = [], found and Given(id="ID", process="referrals", attempts=[Given(at=NOON), Given(at=found)])
    context = Given(ledger=Given(find=lambda _: entry), settings=Given(data="data"))
    monkeypatch.setattr(quarantine, "let_go", lambda *_: gone)
    monkeypatch.setattr("receiver.log.discarded", lambda *told: logged.append(told))
    waiting = Given(id="ID", since=NOON, status=Status.HELD)
    assert retention._let_go(context, waiting, NOON, "too old") is gone
    assert logged == ([("ID", "referrals", Status.HELD, "too old")] if gone else [])


@pytest.mark.parametrize("dry_run", [True, False])
def test_with_rows_go_their_journal_and_batches_and_it_is_logged(monkeypatch, dry_run):
    told = []
    monkeypatch.setattr(retention.journal, "prune", lambda *pruned: told.append(("journal", *pruned)))
    monkeypatch.setattr("receiver.log.pruned", lambda *logged: told.append(("log", *logged)))
    ledger = Given(
        prunable=lambda *_: 3,
        prune=lambda *pruned: told.append(("ledger", *pruned)) or 4,
        batches=Given(prune=lambda *pruned: told.append(("batches", *pruned))),
        counts=lambda: {("scans", "published"): 5, ("scans", "held"): 2, ("other", "held"): 90},
    )
    process = Given(name="scans", output="output")
    found = retention._ledger(Given(ledger=ledger), process, Given(ledger=DAY), NOON, dry_run=dry_run)
    assert found == ("kept for 1d", *((3, 4) if dry_run else (4, 7)))
    before = NOON - DAY
    done = [("ledger", "scans", before), ("journal", "output", before), ("batches", "scans", before)]
    assert told == ([] if dry_run else [*done, ("log", "scans", "rows of the ledger", 4)])


def test_a_discarded_delivery_may_come_again(home):
    home.section('[retention]\nquarantine = "90d"')
    home.deliver(mrn="wrong")
    pruned(home, 91 * DAY)
    again = home.deliver(mrn="wrong", at=NOON + 92 * DAY)
    assert (again.status, again.attempt_count, home.waiting()) == (Status.REFUSED, 3, {again.id})


def test_rows_go_when_their_time_is_over_but_not_those_of_what_waits(home):
    home.section('[retention]\nledger = "30d"')
    published = home.deliver()
    refused = home.deliver(source_id="S2", mrn="wrong")
    held = home.deliver(source_id="S3", confidence=0.5)
    young = home.deliver(source_id="S4", at=NOON + 5 * DAY)
    assert pruned(home, 30 * DAY)["ledger"] == (0, 4)
    assert pruned(home, 31 * DAY, dry_run=True)["ledger"] == (1, 3)
    assert pruned(home, 31 * DAY)["ledger"] == (1, 3)
    assert home.ledger.find(published.id) is None
    assert {entry.id for entry in home.ledger.search()} == {refused.id, held.id, young.id}


def test_rows_of_what_was_discarded_go_in_their_time(home):
    home.section('[retention]\nledger = "30d"\nquarantine = "1d"')
    entry = home.deliver(mrn="wrong")
    assert pruned(home, 31 * DAY)["ledger"] == (1, 0)
    assert home.ledger.find(entry.id) is None


def test_a_retry_is_known_as_long_as_the_ledger_promises(home):
    home.section('[retention]\nledger = "30d"')
    first = home.deliver()
    pruned(home, 30 * DAY)
    assert home.deliver(at=NOON + 30 * DAY).attempts[-1].outcome == "duplicate"
    pruned(home, 31 * DAY)
    refused = home.deliver(at=NOON + 31 * DAY)
    assert (refused.id, refused.code) == (first.id, Code.NAME_TAKEN), "its files are still there"


def test_one_kind_that_fails_keeps_no_other_back(home):
    home.section('[retention]\noriginals = "30d"\nledger = "30d"')
    home.deliver()
    folder = home.settings.data / "originals" / "referrals"
    shutil.rmtree(folder)
    folder.symlink_to(folder)  # a loop: it cannot be listed
    done = {each.kind: each for each in prune(home.context, NOON + 31 * DAY)}
    assert done["ledger"].removed == 1
    failed = done["originals"]
    assert failed.problem is not None
    assert failed == retention.Pruned("referrals", "originals", "", 0, 0, failed.problem)


def test_the_verb_tells_what_it_removes_by_process_and_kind(home):
    home.section('[retention]\nquarantine = "36h"\nquarantine_size = "2 GB"')
    home.deliver(mrn="wrong")
    home.deliver(source_id="S2")
    for arguments, heading in ((("prune", "--dry-run"), "WOULD GO"), (("prune",), "REMOVED")):
        told = home.receiver(*arguments)
        lines = [re.split(r"  +", line) for line in told.stdout.splitlines()]
        assert told.exit_code == 0
        assert lines == [
            ["PROCESS", "KIND", heading, "KEPT", "RULE"],
            ["referrals", "originals", "0", "0", "none are kept, what lies there stays"],
            ["referrals", "quarantine", "1", "0", "kept for 36h; refused ones up to 2 GB"],
            ["referrals", "ledger", "0", "2", "kept for good"],
        ]
    assert home.waiting() == set()


def test_what_a_removal_left_half_way_is_swept(home):
    home.section('[retention]\noriginals = "30d"')
    entry = publish_with_originals(home)
    aside = home.settings.data / "originals" / ".stage" / "half"
    aside.parent.mkdir()
    originals.folder(home.settings.data, "referrals", entry.id).rename(aside)
    (aside / "delivery.json").unlink()
    assert home.context.recover().swept == 1
    assert not aside.exists()


def test_a_thousand_young_originals_are_passed_over_without_the_ledger(home, monkeypatch):
    home.section('[retention]\noriginals = "30d"')
    folder = home.settings.data / "originals" / "referrals"
    folder.mkdir(parents=True)
    for number in range(1000):
        (folder / f"{number:020}").mkdir()
    monkeypatch.setattr(type(home.ledger), "find", lambda *_: pytest.fail("asked"))
    began = time.process_time()
    done = {each.kind: each for each in prune(home.context, NOON + 30 * DAY)}
    assert done["originals"].kept == 1000
    assert time.process_time() - began < 1


def test_originals_that_somebody_else_removes_meanwhile_are_not_counted_as_removed(home, monkeypatch):
    home.section('[retention]\noriginals = "30d"')
    gone = originals.folder(home.settings.data, "referrals", "A" * 20)
    monkeypatch.setattr(retention.folders, "within", lambda *_, **__: [gone])
    assert pruned(home, DAY)["originals"] == (0, 1)


def test_what_is_kept_of_a_process_that_is_configured_no_longer_is_told_and_stays(home):
    home.section('[retention]\nquarantine = "1d"')
    entry = home.deliver(mrn="wrong")
    shutil.copytree(home.folder, home.folder.with_name("others"))
    shutil.rmtree(home.folder)
    told = home.receiver("prune")
    assert told.exit_code == 0
    assert told.stderr.startswith("referrals: ")
    assert quarantine.load(home.settings.data, "referrals", entry.id)


class Boot:
    """The machine's time since its boot, which passes as the test says."""

    def __init__(self, monkeypatch):
        self.seconds = 5_000.0
        monkeypatch.setattr(clock.time, "clock_gettime", lambda _clock: self.seconds)

    def prune(self, home, at, passed=None, **options):
        """Prune at a time of the clock, when so much has passed in truth."""
        self.seconds += passed.total_seconds() if passed is not None else 0
        return {each.kind: each for each in prune(home.context, at, **options)}


@pytest.fixture
def boot(monkeypatch):
    return Boot(monkeypatch)


def test_a_held_delivery_stays_where_the_clock_jumps_forward(home, boot):
    home.section('[retention]\nquarantine = "30d"\nledger = "30d"')
    held, published = home.deliver(confidence=0.5), home.deliver(source_id="S2")
    boot.prune(home, NOON)
    wrong = NOON + 40 * DAY
    found = boot.prune(home, wrong, timedelta(hours=1))
    assert found["quarantine"].rule == "none goes for its age before 2026-02-18 12:00 UTC: the clock was set"
    assert home.waiting() == {held.id}
    assert home.ledger.find(published.id)
    for hours in range(1, 7 * 24):
        assert boot.prune(home, wrong + timedelta(hours=hours), timedelta(hours=1))["quarantine"].removed == 0
    boot.prune(home, NOON + 8 * DAY, timedelta(hours=1))  # somebody sets it right, which is a step as well
    assert boot.prune(home, NOON + 14 * DAY, 6 * DAY)["quarantine"].removed == 0
    assert home.waiting() == {held.id}
    found = boot.prune(home, NOON + 31 * DAY, 17 * DAY)
    assert found["quarantine"].removed == 1
    assert "clock" not in found["quarantine"].rule


def test_days_that_pass_are_no_step_and_neither_is_a_restart(home, boot):
    home.section('[retention]\nquarantine = "30d"')
    home.deliver(confidence=0.5)
    boot.prune(home, NOON)
    boot.prune(home, NOON + 30 * DAY, 30 * DAY)
    boot.seconds = 300.0  # the machine was started five minutes ago, and was off for another five
    assert boot.prune(home, NOON + 30 * DAY + timedelta(minutes=10))["quarantine"].removed == 1


def test_a_long_time_off_is_met_with_caution(home, boot):
    home.section('[retention]\nquarantine = "30d"')
    home.deliver(confidence=0.5)
    boot.prune(home, NOON)
    boot.seconds = 300.0
    assert boot.prune(home, NOON + 40 * DAY)["quarantine"].removed == 0


def test_nothing_goes_for_its_age_and_refused_ones_still_go_for_their_size_after_a_step():
    asked = RetentionConfig(DAY, DAY, 7, DAY)
    process = Given(config=Given(retention=asked))
    assert retention._ageless(process) == RetentionConfig(None, None, 7, None)


def test_a_clock_that_was_set_is_told_by_who_removes(home, boot, monkeypatch):
    told = []
    monkeypatch.setattr("receiver.log.clock_was_set", told.append)
    folder = home.settings.local / retention.FOLDER
    boot.prune(home, NOON, dry_run=True)
    assert not folder.exists()
    boot.prune(home, NOON)
    boot.prune(home, NOON + 40 * DAY, dry_run=True)
    assert told == []
    boot.prune(home, NOON + 40 * DAY)
    assert told == ["2026-02-18T12:00:00.000000Z"]


def test_a_dry_run_notes_nothing_of_the_clock(home, boot):
    home.section('[retention]\nquarantine = "30d"')
    home.deliver(confidence=0.5)
    boot.prune(home, NOON)
    assert "the clock was set" in boot.prune(home, NOON + 40 * DAY, dry_run=True)["quarantine"].rule
    assert boot.prune(home, NOON + DAY, DAY)["quarantine"].rule.startswith("kept for 30d")


def test_a_note_of_the_clock_that_cannot_be_read_is_met_with_caution(home, boot):
    home.section('[retention]\nquarantine = "30d"')
    home.deliver(confidence=0.5)
    boot.prune(home, NOON)
    (home.settings.local / retention.FOLDER / clock.FILE).write_text("[]")
    assert boot.prune(home, NOON + 40 * DAY, 40 * DAY)["quarantine"].removed == 0


def test_what_the_ledger_forgets_is_in_its_files_no_more(home):
    """A sourceId may name a patient: it goes from freed pages, from the index and from the log as well."""
    home.section('[retention]\nledger = "30d"')
    planted = "Planted-Patient-4711"
    for number in range(40):
        home.deliver(source_id=f"{planted}-{number}", at=NOON)
        home.deliver(source_id=f"{planted}-{number}", at=NOON)  # rows that grow leave their old place
    kept = home.deliver(source_id="kept", at=NOON + 20 * DAY)
    assert pruned(home, 31 * DAY)["ledger"] == (40, 1)
    files = sorted(home.ledger.path.parent.glob("ledger.db*"))
    assert {path.name: path.read_bytes().count(planted.encode()) for path in files} == {path.name: 0 for path in files}
    assert home.ledger.find(kept.id) == kept
