"""A crash at every step of a replay and of a pruning: nothing is lost, nothing is there twice."""

import shutil
from datetime import timedelta
from itertools import count

from receiver.authoring.cases.cases import processes
from receiver.core.delivery import Replay, Status
from receiver.delivery.context import open_unrecovered
from receiver.operations.replay import Result, replay
from receiver.operations.retention import prune
from receiver.store import quarantine
from tests.support import dying
from tests.support.home import FAX, NOON, metadata

ACCEPTING = Replay(NOON + timedelta(days=9), "an operator", accept_confidence=True)


def crashes(home, work):
    """Do `work` on the same data again and again, each time dying one step later; yield the context as it is then."""
    home.close()
    compiled = processes(home.settings)
    before = home.root / "before"
    shutil.copytree(home.settings.data, before)
    for step in count():
        shutil.rmtree(home.settings.data)
        shutil.copytree(before, home.settings.data)
        context = open_unrecovered(home.settings, compiled)
        ended = dying.run(lambda context=context: work(context), step)
        assert not context.recover().failed
        yield context, ended
        context.ledger.close()
        if ended:
            assert step > 30
            return


def waiting(context):
    """The ids in quarantine; each is whole."""
    found = {place.name for place in quarantine.places(context.settings.data)}
    for id_ in found:
        parts = quarantine.load(context.settings.data, "referrals", id_).parts
        assert parts[0].path.read_bytes() == FAX
    assert found == {entry.id for entry in context.ledger.search() if entry.status in (Status.HELD, Status.REFUSED)}
    return found


def published(context):
    return {entry.id for entry in context.ledger.search() if entry.status is Status.PUBLISHED}


def test_a_crash_at_any_step_of_a_replay_leaves_the_delivery_waiting_or_published(home):
    held = home.deliver(confidence=0.5)
    answers = []
    for context, ended in crashes(home, lambda context: replay(context, held, ACCEPTING)):
        assert waiting(context) ^ published(context) == {held.id}
        answers.append(published(context) == {held.id})
        assert answers[-1] or (not ended and home.outputs() == {})
        again = replay(context, context.ledger.find(held.id), ACCEPTING)
        assert again.result is (Result.BEFORE if answers[-1] else Result.PUBLISHED)
        assert (again.entry.version, again.entry.received_at) == (1, NOON)
        assert len(home.outputs()) == 3
        assert waiting(context) == set()
    assert answers == sorted(answers), "what is published once stays published"


def test_a_crash_at_any_step_of_a_replay_under_another_id_leaves_it_in_one_place(home):
    refused = home.deliver(metadata().replace(b'"sourceId"', b'"documentId"'))
    home.configure('source_id = "sourceId"', 'source_id = "documentId"')
    schema = home.root / "site" / "schemas" / "nextstep-metadata.schema.json"
    schema.write_text(schema.read_text().replace("sourceId", "documentId"))
    for context, ended in crashes(home, lambda context: replay(context, refused, ACCEPTING)):
        assert waiting(context) <= {refused.id}
        assert waiting(context) or published(context), "lost"
        assert not (ended and waiting(context))
        old = context.ledger.find(refused.id)
        if waiting(context):
            replay(context, old, ACCEPTING)
        [id_] = published(context)
        assert id_ != refused.id
        assert len(home.outputs()) == 3
        assert waiting(context) == set()
        assert context.ledger.find(refused.id).status is Status.DISCARDED


def test_a_crash_at_any_step_of_a_pruning_never_removes_what_its_row_says_is_there(home):
    home.section('[retention]\nquarantine = "1d"\noriginals = "1d"\nledger = "30d"')
    home.deliver(source_id="P1", at=NOON - timedelta(days=99))
    refused = home.deliver(source_id="R1", mrn="wrong")
    held = home.deliver(source_id="H1", confidence=0.5)
    after = NOON + timedelta(days=2)
    for context, ended in crashes(home, lambda context: list(prune(context, after))):
        left = waiting(context)
        gone = {refused.id, held.id} - left
        assert all(context.ledger.find(id_).status is Status.DISCARDED for id_ in gone)
        assert not (ended and left)
        assert len(home.outputs()) == 3
        list(prune(context, after))
        assert waiting(context) == set()
