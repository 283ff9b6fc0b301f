"""The order of steps on the disk: each begins when the one before it is durable, which only a power cut would tell."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from receiver.store import durable, originals, publish
from receiver.store.publish import finish
from receiver.store.sqlite import schema
from tests.support.place import Place, Sent, deliver, entry_of, refuse

SENT = Sent()


@pytest.fixture
def steps(monkeypatch):
    """Every fsync, rename and commit, in order."""
    seen: list[str] = []
    fsync, rename, connect = os.fsync, durable.rename_new, schema.connect

    def syncing(descriptor: int) -> None:
        seen.append(f"sync {Path(f'/proc/self/fd/{descriptor}').readlink()}")
        fsync(descriptor)

    def renaming(source: str, target: str) -> None:
        rename(source, target)
        seen.append(f"rename {target}")

    def connecting(path: Path):
        connection = connect(path)
        connection.exec_trace = lambda _, statement, __: seen.append(statement) or True
        return connection

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(durable, "rename_new", renaming)
    monkeypatch.setattr(schema, "connect", connecting)
    return seen


def shortened(steps: list[str], place: Place) -> list[str]:
    """Keep what reaches the disk, with short names."""
    names = {str(place.output): "output", str(place.data): "var", SENT.id: "ID"}
    for folder in {Path(step.split(" ", 1)[1]).parent for step in steps if step.startswith("sync")}:
        if folder.parent == place.stage.root:
            names[str(folder)] = "STAGED"
    short = [step for step in steps if step.startswith(("sync", "rename", "COMMIT"))]
    for name in sorted(names, key=len, reverse=True):
        short = [step.replace(name, names[name]) for step in short]
    return short


def deliver_to_the_end(place: Place, sent: Sent) -> None:
    """Deliver, and have the mark written, for which a delivery does not wait."""
    deliver(place, sent)
    place.ledger.connections.flush()


def test_a_delivery_is_durable_before_its_row_and_each_kind_of_file_before_the_next(tmp_path, steps):
    place = Place.at(tmp_path)
    steps.clear()
    deliver_to_the_end(place, SENT)
    assert shortened(steps, place) == [
        "sync STAGED/1.tif",
        "sync STAGED/3",
        "sync STAGED/4",
        "sync STAGED/5",
        "sync STAGED",
        "sync var/stage",
        "COMMIT",
        "rename output/ID.tif",
        "sync output",
        "rename output/ID.hl7",
        "rename output/ID.json",
        "sync output",
        "rename output/ID.done",
        "sync output",
        "COMMIT",
    ]
    place.ledger.close()


def test_a_folder_that_is_used_again_needs_no_name_made_durable_but_those_in_it(tmp_path, steps):
    place = Place.at(tmp_path)
    deliver_to_the_end(place, Sent("S0"))
    steps.clear()
    deliver(place, SENT)
    short = shortened(steps, place)
    assert short[: short.index("COMMIT")] == [
        "sync STAGED/6.tif",
        "sync STAGED/8",
        "sync STAGED/9",
        "sync STAGED/10",
        "sync STAGED",
    ]
    place.ledger.close()


def test_a_folder_whose_first_delivery_came_to_nothing_is_made_durable_by_the_next(tmp_path, steps):
    place = Place.at(tmp_path)
    with place.stage.open() as staged:
        staged.add(b"in vain")
    deliver(place, SENT)
    assert place.ledger.find(SENT.id).stage == str(staged.folder)
    assert "sync var/stage" in shortened(steps, place)
    place.ledger.close()


def test_originals_are_durable_before_the_row_and_in_place_before_the_mark(tmp_path, steps):
    place = Place.at(tmp_path)
    steps.clear()
    deliver_to_the_end(place, replace(SENT, keep=True))
    short = shortened(steps, place)
    accepted = short.index("COMMIT")
    before = {
        "sync STAGED/1.tif",
        "sync STAGED/2.json",
        "sync STAGED/6.originals/delivery.json",
        "sync STAGED/6.originals",
    }
    assert before < set(short[:accepted])
    assert short[-3:] == ["rename var/originals/referrals/ID", "sync var/originals/referrals", "COMMIT"]
    place.ledger.close()


def test_a_refused_delivery_is_durable_in_quarantine_before_its_row(tmp_path, steps):
    place = Place.at(tmp_path)
    steps.clear()
    refuse(place, SENT)
    assert shortened(steps, place) == [
        "sync var/quarantine",
        "sync STAGED/1.tif",
        "sync STAGED/2.json",
        "sync STAGED/problem.json",
        "sync STAGED",
        "sync var/stage",
        "rename var/quarantine/referrals/ID",
        "sync var/quarantine/referrals",
        "COMMIT",
    ]
    place.ledger.close()


def test_the_row_is_written_with_the_fsync_and_the_mark_without(tmp_path, steps):
    place = Place.at(tmp_path)
    deliver_to_the_end(place, SENT)
    steps.clear()
    deliver_to_the_end(place, Sent("S2"))
    said = [step.lower() for step in steps if "synchronous" in step.lower() or step == "COMMIT"]
    assert ["full" in said[0], said[1], "normal" in said[2], said[3]] == [True, "commit", True, "commit"]
    place.ledger.close()


def test_originals_are_laid_out_anew_with_a_new_version(place):
    sent = replace(SENT, keep=True)
    with place.stage.open() as staged:
        entry_of(place, staged, sent, 1)
        entry = entry_of(place, staged, sent, 1)
        publish.commit(place.ledger, staged, entry)
        publish.publish(place.ledger, staged, entry)
    assert len(originals.load(place.data, "referrals", sent.id).parts) == 2
    assert place.staged() == set()


@pytest.mark.both_ledgers
def test_what_another_one_has_finished_is_not_finished_again(place):
    deliver(place, SENT)
    assert finish(place.ledger, [place.ledger.find(SENT.id)]) == ([], {})
