"""The journal of an output: what is written where, to the last byte, and what is not read."""

import errno
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from receiver.core.batches import Addition, Batch, BatchStatus, Closing
from receiver.core.problems import Code, Problem
from receiver.store import journal
from receiver.store.rows import NO_ROOTS
from tests.store.test_small_parts import AT, ENTRY
from tests.support.place import Sent, deliver, open_files

BATCH = Batch("scans", "daily", 1, BatchStatus.COMMITTED, AT, AT, None, "time", 1, 4)


@pytest.fixture
def entry(tmp_path):
    journal.ensure_folder(tmp_path)
    return ENTRY._replace(output=str(tmp_path))


def failing(number: int) -> Any:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number), "/output/Jane Invented")

    return fail


def ids(folder) -> list[str]:
    return [each.id for each in journal.read(folder, NO_ROOTS)]


def test_a_line_of_which_a_full_disk_takes_a_part_is_gone_on_with_or_told(tmp_path, entry, monkeypatch):
    """A torn line would cost a restored ledger its delivery, and nobody would have been told."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, content: write(file, content[:100]))
    journal.note(entry, AT, NO_ROOTS)
    assert ids(tmp_path) == [entry.id]
    rest = [40]

    def filling(file: int, content: bytes) -> int:
        if not rest:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(file, content[: rest.pop()])

    monkeypatch.setattr(os, "write", filling)
    with pytest.raises(Problem) as told:
        journal.note(entry._replace(id="B" * 20), AT, NO_ROOTS)
    assert told.value.code is Code.DISK_FULL
    assert ids(tmp_path) == [entry.id]
    assert open_files(tmp_path) == 0


@pytest.mark.parametrize(("number", "told"), [(errno.ENOENT, False), (errno.ENOTDIR, False), (errno.EACCES, True)])
def test_a_journal_that_goes_meanwhile_is_no_problem_and_one_that_cannot_be_opened_is(
    tmp_path, entry, monkeypatch, number, told
):
    monkeypatch.setattr(os, "open", failing(number))
    if told:
        with pytest.raises(Problem, match="open the journal of an output"):
            journal.note(entry, AT, NO_ROOTS)
    else:
        journal.note(entry, AT, NO_ROOTS)


def test_an_output_without_a_journal_costs_no_attempt_to_open_one(place, monkeypatch):
    monkeypatch.setattr(journal, "_append", failing(errno.EIO))
    deliver(place, Sent())
    journal.ensure_folder(place.output)
    with pytest.raises(OSError, match="Input/output"):
        deliver(place, Sent(source_id="another"))


def test_a_delivery_that_has_records_in_a_batch_waits_whether_that_is_told_or_seen(tmp_path, entry):
    addition = Addition("daily", Closing(count=1), ())
    journal.note(entry._replace(additions=(addition,)), AT, NO_ROOTS)
    journal.note(entry._replace(id="B" * 20), AT, NO_ROOTS)
    assert ids(tmp_path) == ["B" * 20]
    journal.note_batch(str(tmp_path), BATCH, [(entry.id, 4, "ab")], AT, NO_ROOTS)
    assert ids(tmp_path) == [entry.id, "B" * 20]


def test_what_no_line_tells_is_passed_over_and_what_a_newer_program_wrote_is_refused(tmp_path, entry):
    journal.note(entry, AT, NO_ROOTS)
    month = tmp_path / journal.FOLDER / "2026-03.jsonl"
    month.write_bytes(b"{}\n\n[]\nnull\n" + month.read_bytes())
    assert ids(tmp_path) == [entry.id]
    (tmp_path / journal.FOLDER / "note.jsonl").write_text("of a person")
    assert ids(tmp_path) == [entry.id]
    month.write_text('{"dataVersion": 99}')
    with pytest.raises(Problem, match="newer program"):
        ids(tmp_path)


def test_a_month_is_over_once_the_next_one_has_begun(tmp_path, entry):
    journal.note(entry, AT, NO_ROOTS)
    assert journal.prune(tmp_path, datetime(2026, 3, 31, 23, tzinfo=UTC)) == 0
    assert journal.prune(tmp_path, datetime(2026, 4, 1, tzinfo=UTC)) == 1
    assert ids(tmp_path) == []


def test_a_journal_that_is_there_is_closed_to_others_again(tmp_path, entry):
    folder = tmp_path / journal.FOLDER
    folder.chmod(0o755)
    journal.ensure_folder(tmp_path)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_journal_that_cannot_be_closed_to_others_or_read_is_told(tmp_path, entry, monkeypatch):
    (tmp_path / journal.FOLDER / "2026-03.jsonl").mkdir()
    with pytest.raises(Problem, match="read the journal of an output"):
        ids(tmp_path)
    monkeypatch.setattr(Path, "chmod", failing(errno.EPERM))
    with pytest.raises(Problem, match="close the journal to others"):
        journal.ensure_folder(tmp_path)


def test_people_can_search_a_journal_for_a_source_id(tmp_path, entry):
    journal.note(entry, AT, NO_ROOTS)
    assert '"sourceId": "42é"' in (tmp_path / journal.FOLDER / "2026-03.jsonl").read_text(encoding="utf-8")


def test_of_a_delivery_that_was_published_twice_the_later_month_counts(tmp_path, entry, monkeypatch):
    journal.note(entry, AT, NO_ROOTS)
    journal.note(entry._replace(version=4), AT.replace(month=4), NO_ROOTS)
    glob = Path.glob
    monkeypatch.setattr(Path, "glob", lambda folder, pattern: sorted(glob(folder, pattern), reverse=True))
    assert [each.version for each in journal.read(tmp_path, NO_ROOTS)] == [4]


def test_a_batch_that_was_never_closed_counts_as_closed_when_it_was_published(tmp_path, entry):
    later = AT.replace(hour=13)
    journal.note_batch(str(tmp_path), BATCH, [], later, NO_ROOTS)
    journal.note_batch(str(tmp_path), replace(BATCH, number=2, closed_at=None), [], later, NO_ROOTS)
    found = [batch for batch, _ in journal.batches(tmp_path, NO_ROOTS)]
    assert [(each.opened_at, each.closed_at, each.published_at) for each in found] == [
        (AT, AT, later),
        (AT, later, later),
    ]
