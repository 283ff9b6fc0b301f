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
