"""`receiver republish`: downstream lost a set, or half of one, and gets the very same files once more."""

import multiprocessing
import os

import pytest

from receiver.core.delivery import Status
from receiver.store import publish


@pytest.fixture
def published(home):
    home.section('[retention]\noriginals = "30d"')
    return home.deliver()


def lose(home, *suffixes):
    for path in list((home.settings.output / "referrals").iterdir()):
        if path.suffix in suffixes:
            path.unlink()


def test_a_set_that_was_taken_and_lost_is_published_again(home, published):
    before = home.outputs()
    lose(home, ".tif", ".hl7", ".json")
    assert home.outputs() == {}
    told = home.receiver("republish", published.id[:8])
    assert (told.exit_code, told.stdout) == (
        0,
        f"{published.id}  published again  3 files, 0 lie in the output still\n",
    )
    assert home.outputs() == before
    entry = home.ledger.find(published.id)
    assert (entry.status, entry.version, entry.received_at) == (Status.PUBLISHED, 1, published.received_at)
    assert entry.attempts[-1].outcome == "republished"
    assert entry.attempts[-1].note.startswith("3 files again, by ")
    assert home.receiver("verify").exit_code == 0


def test_only_what_is_missing_is_written(home, published):
    before = home.outputs()
    kept = {path: path.stat().st_ino for path in (home.settings.output / "referrals").glob("*.hl7")}
    lose(home, ".tif")
    told = home.receiver("republish", published.id)
    assert "1 files, 2 lie in the output still" in told.stdout
    assert home.outputs() == before
    assert {path: path.stat().st_ino for path in kept} == kept
    assert "nothing is missing" in home.receiver("republish", published.id).stdout
    assert home.ledger.find(published.id).attempt_count == 2


def test_a_dry_run_writes_nothing(home, published):
    lose(home, ".tif", ".hl7")
    before = home.outputs()
    told = home.receiver("republish", published.id, "--dry-run")
    assert "would be published again  2 files" in told.stdout
    assert home.outputs() == before
    assert home.ledger.find(published.id) == published


def test_without_originals_it_is_refused_in_words(home):
    entry = home.deliver()
    lose(home, ".tif")
    told = home.receiver("republish", entry.id)
    assert told.exit_code == 1
    assert "Its originals are not kept, or not any more ([retention] originals)." in told.stdout


def test_what_would_be_other_files_today_is_refused(home, published):
    lose(home, ".json", ".tif")
    before = home.outputs()
    home.configure("fields.mrn", '"0" ~ fields.mrn', "referral.json.j2")
    told = home.receiver("republish", published.id)
    assert told.exit_code == 1
    assert "makes other files of it than were published" in told.stdout
    assert home.outputs() == before


def test_a_file_that_differs_is_never_written_over(home, published):
    lose(home, ".tif")
    (record,) = (home.settings.output / "referrals").glob("*.hl7")
    record.write_text("somebody's own")
    told = home.receiver("republish", published.id)
    assert told.exit_code == 1
    assert "move it away" in told.stdout
    assert record.read_text() == "somebody's own"


def test_what_was_never_published_is_refused(home):
    entry = home.deliver(mrn="wrong")
    told = home.receiver("republish", entry.id)
    assert told.exit_code == 1
    assert "receiver replay judges it anew" in told.stdout


def test_each_of_several_is_told_and_one_that_fails_stops_none(home, published):
    bare = home.deliver(source_id="S2", mrn="wrong")
    lose(home, ".tif")
    told = home.receiver("republish", bare.id, published.id)
    assert told.exit_code == 1
    assert [line.split("  ")[1] for line in told.stdout.splitlines()] == ["failed", "published again"]


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_crash_on_the_way_is_finished_by_recovery_exactly_once(home, published, after):
    """The process dies before the first, second or third file is in its place."""
    before = home.outputs()
    lose(home, ".tif", ".hl7", ".json")
    home.close()

    def die() -> None:
        moves = publish._move
        count = 0

        def move(source, output):
            nonlocal count
            if count == after:
                os._exit(9)
            count += 1
            return moves(source, output)

        publish._move = move
        home.receiver("republish", published.id)
        os._exit(0)

    process = multiprocessing.get_context("fork").Process(target=die)
    process.start()
    process.join()
    assert process.exitcode == 9
    assert len(home.outputs()) == after
    assert home.ledger.find(published.id).attempts[-1].outcome == "republished"  # whoever opens the context recovers
    assert home.outputs() == before
    assert home.ledger.find(published.id).status is Status.PUBLISHED
    assert (home.settings.data / "originals" / "referrals" / published.id).is_dir()
