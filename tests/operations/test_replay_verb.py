"""`receiver replay`, `recover` and `token` as they are called."""

import re
from datetime import timedelta

import pytest

from receiver.core.delivery import Status
from receiver.site.config.tokens import Tokens
from tests.support.home import FAX, NOON

MRN = '"^[0-9]{6,10}[A-Z]?$"'


@pytest.fixture
def three_refused(home):
    return [home.deliver(source_id=f"S{n}", mrn=f"wrong{n}", at=NOON + n * timedelta(hours=1)) for n in range(3)]


def allow(home, pattern):
    schema = home.root / "site" / "schemas" / "referrals.fields.schema.json"
    schema.write_text(schema.read_text().replace(MRN, f'"{pattern}"'))
    home.close()


def test_all_of_a_status_are_replayed_the_oldest_first_each_with_its_result(home, three_refused):
    allow(home, "^wrong[01]$")
    told = home.receiver("replay", "--process", "referrals", "--status", "refused")
    lines = told.stdout.splitlines()
    assert told.exit_code == 1
    assert lines[:3] == [
        f"1/3  {three_refused[0].id}  published  version 1, 3 files",
        f"2/3  {three_refused[1].id}  published  version 1, 3 files",
        f"3/3  {three_refused[2].id}  refused  fields-invalid",
    ]
    assert lines[-1] == "3 deliveries: 2 published, 1 refused"
    assert "wrong2" not in told.output
    assert home.waiting() == {three_refused[2].id}
    assert home.receiver("replay", three_refused[0].id, three_refused[1].id).exit_code == 0


def test_only_those_since_a_time_are_replayed(home, three_refused):
    allow(home, ".")
    told = home.receiver("replay", "--status", "refused", "--since", "2026-01-02T13:30")
    assert told.exit_code == 0
    assert home.waiting() == {entry.id for entry in three_refused[:2]}


def test_the_ledger_tells_who_replayed(home, three_refused):
    allow(home, ".")
    home.receiver("replay", three_refused[0].id[:10], "--accept-confidence")
    attempt = home.ledger.find(three_refused[0].id).attempts[-1]
    assert re.fullmatch(r"replay by \S.*, low confidence accepted", attempt.note)
    assert attempt.peer == ""


def test_a_rehearsal_tells_the_difference_and_writes_nothing(home):
    home.section('[retention]\noriginals = "30d"')
    published = home.deliver()
    assert home.receiver("replay", "--dry-run", published.id).stdout == f"{published.id}  same\n"
    home.configure("fields.mrn", '"0" ~ fields.mrn', "referral.json.j2")
    before = home.outputs()
    told = home.receiver("replay", "--dry-run", "--status", "published")
    assert told.exit_code == 1
    assert told.stdout.splitlines()[0] == (
        f"{published.id}  different  expected is what was published, got what it would be now"
    )
    assert '"0142637A"' in told.stdout
    assert home.outputs() == before
    assert home.ledger.find(published.id).attempt_count == 1


def test_a_rehearsal_tells_the_verdict_on_what_waits(home, three_refused):
    allow(home, "^wrong0$")
    told = home.receiver("replay", "--dry-run", "--status", "refused")
    assert told.exit_code == 1
    assert told.stdout.splitlines()[-1] == "3 deliveries: 1 would be published, 2 would be refused"
    assert len(home.waiting()) == 3
    assert home.outputs() == {}


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--process", "referrals"),
        ("--status", "published"),
        ("--status", "committed"),
        ("AAAA", "--status", "held"),
        ("--dry-run",),
    ],
)
def test_a_replay_of_nothing_in_particular_is_misuse(home, three_refused, arguments):
    before = home.ledger.search()
    assert home.receiver("replay", *arguments).exit_code == 2
    assert home.ledger.search() == before


def test_an_unknown_id_ends_it_before_anything_is_done(home, three_refused):
    allow(home, ".")
    assert home.receiver("replay", three_refused[0].id, "ZZZZ0").exit_code == 1
    assert len(home.waiting()) == 3


def test_nothing_to_replay_is_fine(home):
    home.deliver()
    told = home.receiver("replay", "--status", "held")
    assert (told.exit_code, told.stdout) == (0, "0 deliveries\n")


def test_recover_finishes_what_a_crash_left_and_tells_it(home, monkeypatch):
    from receiver.delivery import receive

    def crash(*_):
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(receive.publish, "publish", crash)
        with pytest.raises(ZeroDivisionError):
            home.deliver()
    [entry] = home.ledger.search()
    assert entry.status is Status.COMMITTED
    home.close()
    told = home.receiver("recover")
    assert (told.exit_code, told.stdout.splitlines()) == (
        0,
        [f"{entry.id}  published", "1 published, 0 leftovers swept, 0 in quarantine settled, 0 failed"],
    )
    assert home.outputs()[f"referrals/{entry.id}.tif"] == FAX
    assert home.receiver("recover").stdout == "0 published, 0 leftovers swept, 0 in quarantine settled, 0 failed\n"


def test_recover_tells_what_it_could_not_finish(home, monkeypatch):
    from receiver.delivery import receive

    with monkeypatch.context() as patched:
        patched.setattr(receive.publish, "publish", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            home.deliver()
    [entry] = home.ledger.search()
    (home.settings.output / "referrals" / f"{entry.id}.tif").write_bytes(b"somebody else's")
    told = home.receiver("recover")
    assert told.exit_code == 1
    assert told.stdout.startswith(f"{entry.id}  failed  storage-failed: ")
    (home.settings.output / "referrals" / f"{entry.id}.tif").unlink()
    assert home.receiver("recover").exit_code == 0


def test_a_token_opens_the_door_by_the_line_that_is_printed_with_it(home):
    told, other = home.receiver("token"), home.receiver("token")
    token = told.stdout.removesuffix("\n")  # and nothing else, for TOKEN=$(receiver token)
    [digest] = re.fullmatch(r'process\.toml: +tokens = \["sha256:([0-9a-f]{64})"\]\n', told.stderr).groups()
    tokens = Tokens((bytes.fromhex(digest),))
    assert tokens.find(token) is not None
    assert tokens.find(token[:-1]) is None
    assert len(token) == 43
    assert told.stdout != other.stdout


def test_what_is_held_for_its_confidence_is_told_how_it_is_published(home):
    held = home.deliver(confidence=0.5)
    told = home.receiver("replay", held.id)
    assert told.exit_code == 1
    assert "replay --accept-confidence publishes it" in told.stdout
    assert "published" in home.receiver("replay", held.id, "--accept-confidence").stdout
    assert "--accept-confidence" not in home.receiver("replay", home.deliver(mrn="wrong").id).stdout


def test_replay_and_log_count_the_same_files(home, three_refused):
    allow(home, "^wrong[01]$")
    replayed = home.receiver("replay", three_refused[0].id).stdout
    files = re.search(r"(\d+) files", replayed)[1]
    assert home.receiver("log", "--status", "published").stdout.split()[-1] == files
