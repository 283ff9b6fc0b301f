"""A ledger restored from its backup: what was published since then is named, and taken in again once."""

import os
import shutil
import time
from pathlib import Path

import pytest

from receiver.core.delivery import Status
from receiver.store import ledger

EARLIER = 40 * 86_400  # seconds


def restore(home, backup):
    home.close()
    for path in home.ledger.path.parent.glob("ledger.db*"):
        path.unlink()
    home.close()
    shutil.copy(backup, home.settings.data / "ledger.db")
    ledger.create(home.settings.ledger)


def back_up(home):
    backup = home.root / "backup.db"
    assert home.receiver("backup", str(backup)).exit_code == 0
    return backup


def published(home, entry):
    return [path for output in entry.outputs if (path := Path(output.target)).is_file()]


def named(told):
    return {
        line.split("  ")[1].removesuffix(" lies in the output, and the ledger does not say that it was published")
        for line in told.stdout.splitlines()[:-1]
    }


@pytest.mark.parametrize("originals", ["", '[retention]\noriginals = "30d"'])
def test_what_was_published_after_the_backup_is_named_moved_away_and_accepted_once_more(home, originals):
    if originals:
        home.section(originals)
    home.deliver(source_id="before")
    backup = back_up(home)
    lost = home.deliver(source_id="after")
    restore(home, backup)

    told = home.receiver("verify")
    assert told.exit_code == 1
    assert named(told) == {str(path) for path in published(home, lost)}
    assert all(line.startswith(lost.id) for line in told.stdout.splitlines()[:-1])
    assert "Backup and restore" in told.stderr

    refused = home.deliver(source_id="after")
    assert (refused.status, refused.code) == (Status.REFUSED, "name-taken")
    assert named(home.receiver("verify")) == {str(path) for path in published(home, lost)}
    (home.root / "aside").mkdir()
    for path in published(home, lost):
        path.rename(home.root / "aside" / path.name)
    again = home.deliver(source_id="after")
    assert (again.id, again.status, again.version) == (lost.id, Status.PUBLISHED, 1)
    assert home.deliver(source_id="after").attempts[-1].outcome == "duplicate"
    for path in published(home, lost):
        if path.suffix == ".tif":
            assert path.read_bytes() == (home.root / "aside" / path.name).read_bytes()
    assert len(published(home, again)) == len(published(home, lost)) == 3
    assert home.waiting() == set()
    assert home.receiver("verify").exit_code == 0


def test_a_retry_that_was_refused_meanwhile_is_published_by_a_replay(home):
    backup = back_up_of_nothing(home)
    lost = home.deliver()
    restore(home, backup)
    home.deliver()
    for path in published(home, lost):
        path.unlink()
    assert home.receiver("replay", lost.id).exit_code == 0
    assert home.receiver("verify").exit_code == 0


def back_up_of_nothing(home):
    assert home.ledger.search() == []
    return back_up(home)


def test_what_the_importing_system_lays_beside_or_calls_anew_is_no_finding(home):
    entry = home.deliver()
    folder = home.settings.output / "referrals"
    record = next(path for path in published(home, entry) if path.suffix == ".hl7")
    record.rename(record.with_suffix(".hl7.done"))
    (folder / "done").mkdir()
    shutil.move(record.with_suffix(".hl7.done"), folder / "done" / f"{entry.id}-imported.hl7")
    (folder / f"{entry.id}.ack").write_text("MSA|AA")
    (folder / "import.lock").touch()
    (folder / ".hidden-ABCDEFGHIJKLMNOPQRST").touch()
    told = home.receiver("verify")
    assert (told.exit_code, told.stderr) == (0, "")


def test_an_id_is_told_apart_from_the_letters_around_it(home):
    home.configure('path = "{{ delivery.id }}.hl7"', 'path = "REF{{ delivery.id }}A/MDM.hl7"')
    backup = back_up_of_nothing(home)
    lost = home.deliver()
    assert home.receiver("verify").exit_code == 0
    restore(home, backup)
    assert named(home.receiver("verify")) == {str(path) for path in published(home, lost)}


def test_files_without_an_id_in_their_names_are_told_where_every_file_is_asked_for(home):
    for old in ('path = "{{ delivery.id }}.hl7"', 'path = "{{ delivery.id }}.json"'):
        home.configure(old, old.replace("delivery.id", "delivery.source_id"))
    home.deliver(source_id="before")
    backup = back_up(home)
    lost = home.deliver(source_id="after")
    (home.settings.output / "referrals" / "import.lock").touch()
    restore(home, backup)
    with_id = {str(path) for path in published(home, lost) if lost.id in path.name}
    assert named(home.receiver("verify")) == with_id
    lock = str(home.settings.output.absolute() / "referrals" / "import.lock")
    assert named(home.receiver("verify", "--every-file")) == {str(path) for path in published(home, lost)} | {lock}


def test_what_the_ledger_was_allowed_to_forget_is_no_finding(home):
    backup = back_up_of_nothing(home)
    entry = home.deliver()
    for path in published(home, entry):
        os.utime(path, (time.time() - EARLIER,) * 2)
    restore(home, backup)
    assert len(named(home.receiver("verify"))) == 3
    home.section('[retention]\nledger = "35d"')
    assert named(home.receiver("verify", "--every-file")) == set()


def test_what_a_process_left_that_is_gone_is_named(home):
    backup = back_up_of_nothing(home)
    lost = home.deliver()
    restore(home, backup)
    shutil.rmtree(home.folder)
    assert named(home.receiver("verify")) == {str(path) for path in published(home, lost)}


@pytest.fixture
def journalled(home):
    home.configure("[output]\n", "[output]\njournal = true\n")
    return home


def take(home):
    """Take all files away, as an importing system does; what is hidden it passes over."""
    taken = [path for path in home.settings.output.glob("referrals/*") if path.is_file()]
    for path in taken:
        path.unlink()
    return len(taken)


def test_what_was_taken_since_the_backup_is_never_published_twice(journalled):
    home = journalled
    home.deliver(source_id="before")
    backup = back_up(home)
    known = [home.deliver(source_id="one"), home.deliver(source_id="two", fax=b"II*\0 other pages")]
    waiting = home.deliver(source_id="low", confidence=0.1)
    assert take(home) == 9
    restore(home, backup)
    told = home.receiver("recover", "--after-restore")
    assert told.exit_code == 0, told.output
    assert "2 published since were added" in told.stdout
    assert "what came until 2026-01-02" in told.stdout
    for entry in known:
        again = home.ledger.find(entry.id)
        assert (again.status, again.version, again.outputs) == (Status.PUBLISHED, 1, entry.outputs)
        assert again.receipt() == entry.receipt()
        assert again.attempts[-1].outcome == "restored"
    home.deliver(source_id="one")
    home.deliver(source_id="two", fax=b"II*\0 other pages")
    assert take(home) == 0
    assert home.ledger.find(known[0].id).attempts[-1].outcome == "duplicate"
    assert home.deliver(source_id="one", fax=b"II*\0 corrected").version == 2
    assert home.ledger.find(waiting.id)  # of what lies in quarantine recovery has always told
    assert "0 published since were added" in home.receiver("recover", "--after-restore").stdout


def test_a_line_that_a_crash_has_torn_harms_no_other(journalled):
    home = journalled
    home.deliver(source_id="before")
    backup = back_up(home)
    home.deliver(source_id="one")
    (month,) = home.settings.output.glob("referrals/.published/*.jsonl")
    month.write_bytes(month.read_bytes() + month.read_bytes()[:100])
    home.deliver(source_id="two")
    restore(home, backup)
    assert "2 published since were added" in home.receiver("recover", "--after-restore").stdout


def test_the_journal_is_for_the_service_alone(journalled):
    journalled.deliver(source_id="one")
    folder = journalled.settings.output / "referrals" / ".published"
    (month,) = folder.glob("*.jsonl")
    assert [path.stat().st_mode & 0o777 for path in (folder, month)] == [0o700, 0o600]


def test_an_output_without_a_journal_is_told_and_has_none(home):
    home.deliver(source_id="one")
    assert not list(home.settings.output.rglob(".published"))
    told = home.receiver("recover", "--after-restore")
    assert told.exit_code == 1
    assert "has no journal ([output] journal)" in told.output


def test_a_version_that_was_given_again_is_told(journalled):
    home = journalled
    home.deliver(source_id="before")
    backup = back_up(home)
    lost = home.deliver(source_id="one")
    take(home)
    restore(home, backup)
    home.deliver(source_id="one", fax=b"II*\0 other pages")
    told = home.receiver("recover", "--after-restore")
    assert told.exit_code == 1
    assert f"{lost.id}  failed  another content is version 1 of its sourceId since the restore" in told.stdout


def test_months_go_with_the_ledgers_retention(journalled):
    home = journalled
    home.section('[retention]\nledger = "30d"')
    home.deliver(source_id="one")
    (month,) = home.settings.output.glob("referrals/.published/*.jsonl")
    old = month.with_name("2020-01.jsonl")
    shutil.copy(month, old)
    assert home.receiver("prune").exit_code == 0
    assert month.exists()
    assert not old.exists()
