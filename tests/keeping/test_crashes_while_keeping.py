"""A crash at every step of a replay and of a pruning: nothing is lost, nothing is there twice."""

import shutil
from datetime import timedelta
from itertools import count

import dying
from home import FAX, NOON, metadata

from receiver.authoring.cases.site import processes
from receiver.core.delivery import Replay, Status
from receiver.delivery.context import unrecovered
from receiver.operations.replay.replaying import Result, replay
from receiver.operations.retention.retention import prune
from receiver.store import quarantine

ACCEPTING = Replay(NOON + timedelta(days=9), "an operator", accept_confidence=True)


def crashes(home, work):
    """Do `work` on the same data again and again, each time dying one step later; yield the house as it is then."""
    home.close()
    compiled = processes(home.settings)
    before = home.root / "before"
    shutil.copytree(home.settings.data, before)
    for step in count():
        shutil.rmtree(home.settings.data)
        shutil.copytree(before, home.settings.data)
        house = unrecovered(home.settings, compiled)
        ended = dying.run(lambda house=house: work(house), step)
        assert not house.recover().failed
        yield house, ended
        house.ledger.close()
        if ended:
            assert step > 30
            return


def waiting(house):
    """The ids in quarantine; each is whole."""
    found = {place.name for place in quarantine.places(house.settings.data)}
    for id_ in found:
        parts = quarantine.load(house.settings.data, "referrals", id_).parts
        assert parts[0].path.read_bytes() == FAX
    assert found == {entry.id for entry in house.ledger.search() if entry.status in (Status.HELD, Status.REFUSED)}
    return found


def published(house):
    return {entry.id for entry in house.ledger.search() if entry.status is Status.PUBLISHED}


def test_a_crash_at_any_step_of_a_replay_leaves_the_delivery_waiting_or_published(home):
    held = home.deliver(confidence=0.5)
    answers = []
    for house, ended in crashes(home, lambda house: replay(house, held, ACCEPTING)):
        assert waiting(house) ^ published(house) == {held.id}
        answers.append(published(house) == {held.id})
        assert answers[-1] or (not ended and home.outputs() == {})
        again = replay(house, house.ledger.find(held.id), ACCEPTING)
        assert again.result is (Result.BEFORE if answers[-1] else Result.PUBLISHED)
        assert (again.entry.version, again.entry.received_at) == (1, NOON)
        assert len(home.outputs()) == 3
        assert waiting(house) == set()
    assert answers == sorted(answers), "what is published once stays published"


def test_a_crash_at_any_step_of_a_replay_under_another_id_leaves_it_in_one_place(home):
    refused = home.deliver(metadata().replace(b'"sourceId"', b'"documentId"'))
    home.configure('source_id = "sourceId"', 'source_id = "documentId"')
    schema = home.root / "site" / "schemas" / "nextstep-metadata.schema.json"
    schema.write_text(schema.read_text().replace("sourceId", "documentId"))
    for house, ended in crashes(home, lambda house: replay(house, refused, ACCEPTING)):
        assert waiting(house) <= {refused.id}
        assert waiting(house) or published(house), "lost"
        assert not (ended and waiting(house))
        old = house.ledger.find(refused.id)
        if waiting(house):
            replay(house, old, ACCEPTING)
        [id_] = published(house)
        assert id_ != refused.id
        assert len(home.outputs()) == 3
        assert waiting(house) == set()
        assert house.ledger.find(refused.id).status is Status.DISCARDED


def test_a_crash_at_any_step_of_a_pruning_never_removes_what_its_row_says_is_there(home):
    home.section('[retention]\nquarantine = "1d"\noriginals = "1d"\nledger = "30d"')
    home.deliver(source_id="P1", at=NOON - timedelta(days=99))
    refused = home.deliver(source_id="R1", mrn="wrong")
    held = home.deliver(source_id="H1", confidence=0.5)
    after = NOON + timedelta(days=2)
    for house, ended in crashes(home, lambda house: list(prune(house, after))):
        left = waiting(house)
        gone = {refused.id, held.id} - left
        assert all(house.ledger.find(id_).status is Status.DISCARDED for id_ in gone)
        assert not (ended and left)
        assert len(home.outputs()) == 3
        list(prune(house, after))
        assert waiting(house) == set()
