"""Two hosts that have mounted the shared disk at different paths work on the same deliveries."""

import copy
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from receiver.core.delivery import Replay, Status
from receiver.core.settings import Settings
from receiver.delivery.context import Context
from receiver.operations.replay import Result, replay
from receiver.operations.retention import prune
from tests.support.home import NOON, Home

KEPT = '[retention]\noriginals = "9y"\nquarantine = "30d"'


@pytest.fixture
def hosts(home, postgres, tmp_path):
    """Return two, each with paths of its own to one disk."""
    home.section(KEPT)
    other = copy.copy(home)
    mount = tmp_path.parent / f"{tmp_path.name}-mount"
    mount.symlink_to(tmp_path)
    shared = {"RECEIVER_LEDGER": postgres.new_url()}
    for each, root in ((home, home.root), (other, mount)):
        each.root = root
        each.environment = shared | {
            "RECEIVER_SITE": str(root / "site"),
            "RECEIVER_DATA": str(root / "var"),
            "RECEIVER_OUTPUT": str(root / "output"),
            "RECEIVER_LOCAL": str(home.root / f"local-{root.name}"),
        }
        each.settings = Settings.from_environment(each.environment)
    yield home, other
    home.close()
    other.close()
    mount.unlink()


def test_each_knows_finds_and_publishes_again_what_the_other_has_published(hosts: tuple[Home, Home]):
    one, two = hosts
    entry = one.deliver()
    assert entry.status is Status.PUBLISHED
    assert two.deliver().attempt_count == 2  # a retry, which writes nothing
    there = two.ledger.find(entry.id)
    assert {Path(output.target).is_relative_to(two.root) for output in there.outputs} == {True}
    assert {str(Path(output.target).relative_to(two.root)) for output in there.outputs} == {
        str(Path(output.target).relative_to(one.root)) for output in entry.outputs
    }
    shown = two.receiver("show", entry.id).stdout
    assert str(two.settings.output) in shown
    assert str(one.settings.output) not in shown
    assert two.receiver("verify").exit_code == 0
    before = one.outputs()
    for name in before:
        (one.settings.output / name).unlink()
    published = two.receiver("republish", entry.id)
    assert published.exit_code == 0, published.output
    assert one.outputs() == before
    assert one.receiver("verify").exit_code == 0


def test_what_one_has_kept_the_other_judges_anew(hosts: tuple[Home, Home]):
    one, two = hosts
    held = one.deliver(confidence=0.1)
    assert held.status is Status.HELD
    replayed = two.receiver("replay", held.id, "--accept-confidence")
    assert replayed.exit_code == 0, replayed.output
    assert one.ledger.find(held.id).status is Status.PUBLISHED
    assert one.waiting() == set()


def test_of_two_that_replay_the_same_at_once_one_publishes_it(hosts: tuple[Home, Home]):
    one, two = hosts
    held = [one.deliver(source_id=f"S{number}", confidence=0.1) for number in range(5)]
    contexts = [each.context for each in hosts]

    def replayed(context: Context) -> list[Result]:
        return [replay(context, each, Replay(NOON, "an operator", accept_confidence=True)).result for each in held]

    with ThreadPoolExecutor() as pool:
        results = list(pool.map(replayed, contexts))
    for entry, both in zip(held, zip(*results, strict=True), strict=True):
        assert sorted(both).count(Result.PUBLISHED) == 1, both
        now = two.ledger.find(entry.id)
        assert (now.status, now.version) == (Status.PUBLISHED, 1)
        assert all(Path(output.target).exists() for output in now.outputs)
    assert one.waiting() == set()
    assert contexts[0].recover().failed == {}


def test_retention_on_two_hosts_at_once_lets_each_go_once(hosts: tuple[Home, Home]):
    one, _two = hosts
    refused = [one.deliver(source_id=f"S{number}", mrn="wrong") for number in range(8)]
    contexts = [each.context for each in hosts]
    with ThreadPoolExecutor() as pool:
        pruned = list(pool.map(lambda context: list(prune(context, NOON + timedelta(days=999))), contexts))
    assert sum(each.removed for host in pruned for each in host if each.kind == "quarantine") == len(refused)
    assert one.waiting() == set()
    for entry in refused:
        attempts = [attempt.outcome for attempt in one.ledger.find(entry.id).attempts]
        assert attempts == ["refused", "discarded"]
