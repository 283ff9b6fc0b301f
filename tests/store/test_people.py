"""Users, sessions, the audit trail, jobs, reservations and keyed digests, on the ledger's own database."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from receiver.store import accounts as accounts_of
from receiver.store import digests, jobs
from receiver.store.accounts import FAILURES, FROM_ONE, IDLE, LONGEST, WAIT, Accounts, Role, User
from receiver.store.jobs import Job, Jobs, State
from receiver.store.reservations import LASTS, Reservations

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
ANNA = User("anna", Role.OPERATOR, "hash")


@pytest.fixture
def accounts(place) -> Accounts:
    return Accounts(place.ledger.connections)


@pytest.fixture
def kept(place) -> Jobs:
    return Jobs(place.ledger.connections)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("other", Role)
def test_a_role_may_do_what_those_before_it_may(role, other):
    order = [Role.AUDITOR, Role.OPERATOR, Role.OWNER]
    assert role.includes(other) is (order.index(role) >= order.index(other))


def test_users_are_added_changed_and_removed_with_their_sessions(accounts):
    accounts.put(ANNA)
    accounts.put(User("ada", Role.AUDITOR, "x"))
    assert accounts.users() == [User("ada", Role.AUDITOR, "x"), ANNA]
    assert (accounts.user("anna"), accounts.user("nobody")) == (ANNA, None)
    first, other = accounts.begin(ANNA, NOW), accounts.begin(User("ada", Role.AUDITOR, "x"), NOW)
    changed = User("anna", Role.OWNER, "new")
    accounts.put(changed)
    assert (accounts.user("anna"), accounts.session(first, NOW)) == (changed, None)
    second = accounts.begin(changed, NOW)
    assert accounts.remove("anna")
    assert not accounts.remove("anna")
    assert (accounts.session(second, NOW), accounts.user("anna")) == (None, None)
    assert accounts.session(other, NOW).name == "ada"


@pytest.mark.parametrize(
    ("after", "there"), [(timedelta(0), True), (IDLE, True), (IDLE + SECOND, False), (LONGEST, False)]
)
def test_a_session_ends_when_nobody_asks(accounts, after, there):
    accounts.put(ANNA)
    id_ = accounts.begin(ANNA, NOW)
    assert accounts.session(id_, NOW + after) == (ANNA if there else None)


def test_a_session_that_is_used_lasts_for_a_working_day(accounts):
    accounts.put(ANNA)
    id_, later = accounts.begin(ANNA, NOW), NOW
    while later < NOW + LONGEST - IDLE:
        later += IDLE
        assert accounts.session(id_, later) == ANNA
    assert accounts.session(id_, NOW + LONGEST) == ANNA
    assert accounts.session(id_, NOW + LONGEST + SECOND) is None


def test_that_a_session_was_seen_is_written_once_a_minute(accounts):
    accounts.put(ANNA)
    id_ = accounts.begin(ANNA, NOW)
    accounts.session(id_, NOW + MINUTE)
    assert accounts.session(id_, NOW + IDLE + SECOND) is None
    id_ = accounts.begin(ANNA, NOW)
    accounts.session(id_, NOW + MINUTE + SECOND)
    assert accounts.session(id_, NOW + IDLE + MINUTE) == ANNA


def test_a_session_ends_by_its_id_and_old_ones_are_forgotten(accounts, place):
    accounts.put(ANNA)
    one, two = accounts.begin(ANNA, NOW), accounts.begin(ANNA, NOW)
    accounts.end(one)
    assert (accounts.session(one, NOW), accounts.session(two, NOW), accounts.session("", NOW)) == (None, ANNA, None)
    accounts.begin(ANNA, NOW + LONGEST + SECOND)
    ids = place.ledger.connections.read(lambda each: each.execute("SELECT id FROM sessions").fetchall())
    assert len(ids) == 1
    assert two not in str(ids)


@pytest.mark.parametrize(
    ("events", "wait"),
    [
        (["login-failed"] * (FAILURES - 1), timedelta(0)),
        (["login-failed"] * FAILURES, WAIT),
        (["login-failed"] * (FAILURES + 2), 3 * WAIT),
        (["login-failed"] * FAILURES + ["login"], timedelta(0)),
        (["login-failed"] * FAILURES + ["login"] + ["login-failed"] * 4, timedelta(0)),
        (["login-failed"] * FAILURES + ["view"], WAIT),
    ],
)
def test_a_name_waits_after_failures_in_a_row(accounts, monkeypatch, events, wait):
    at_once(monkeypatch)
    for event in events:
        accounts.note("anna", event, note="192.0.2.1")
    assert accounts.wait("anna", "elsewhere", NOW) == wait
    assert accounts.wait("anna", "elsewhere", NOW + SECOND) == max(wait - SECOND, timedelta(0))
    assert accounts.wait("ada", "elsewhere", NOW) == timedelta(0)
    assert accounts.wait("anna", "elsewhere", NOW + timedelta(hours=1)) == timedelta(0)


@pytest.mark.parametrize(("count", "wait"), [(FROM_ONE - 1, timedelta(0)), (FROM_ONE, WAIT), (FROM_ONE + 1, 2 * WAIT)])
def test_an_address_waits_after_more_of_them(accounts, monkeypatch, count, wait):
    at_once(monkeypatch)
    for number in range(count):
        accounts.note(f"person {number}", "login-failed", note="192.0.2.1")
    assert accounts.wait("anna", "192.0.2.1", NOW) == wait


def at_once(monkeypatch, moment: datetime = NOW) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, _zone=None):
            return moment

    monkeypatch.setattr(accounts_of, "datetime", Clock)


def test_a_name_waits_from_its_last_failure_on(accounts, monkeypatch):
    for number in range(FAILURES):
        at_once(monkeypatch, NOW - (FAILURES - number) * SECOND)
        accounts.note("anna", "login-failed", note="192.0.2.1")
    assert accounts.wait("anna", "elsewhere", NOW) == WAIT - SECOND


@pytest.mark.parametrize(("ago", "wait"), [(timedelta(minutes=59), WAIT), (timedelta(minutes=61), timedelta(0))])
def test_failures_of_an_hour_ago_are_forgotten(accounts, monkeypatch, ago, wait):
    for moment in [NOW - ago] * (FAILURES - 1) + [NOW]:
        at_once(monkeypatch, moment)
        accounts.note("anna", "login-failed", note="192.0.2.1")
    assert accounts.wait("anna", "elsewhere", NOW) == wait


def test_the_trail_tells_seconds_in_utc(accounts, monkeypatch):
    at_once(monkeypatch, datetime(2026, 3, 1, 13, 0, 0, 5, timezone(timedelta(hours=1))))
    accounts.note("anna", "view")
    assert accounts.looks()[0].at == "2026-03-01T12:00:00+00:00"


def test_no_session_is_left_of_who_was_removed(accounts, place):
    accounts.put(ANNA)
    accounts.begin(ANNA, NOW)
    accounts.remove("anna")
    assert place.ledger.connections.read(lambda each: each.execute("SELECT count(*) FROM sessions").get) == 0


def test_a_desk_is_left_for_minutes_a_day_has_hours_and_a_failure_costs_seconds():
    """The numbers themselves: what is longer is a risk, and what is shorter keeps people from their work."""
    assert (IDLE, LONGEST, WAIT) == (20 * MINUTE, 600 * MINUTE, 30 * SECOND)
    assert (3 * MINUTE, timedelta(days=90), 5 * MINUTE) == (jobs.QUIET, jobs.KEPT, LASTS)


def test_the_id_of_a_session_cannot_be_guessed_and_is_not_kept(accounts, place):
    accounts.put(ANNA)
    ids = {accounts.begin(ANNA, NOW) for _ in range(3)}
    assert {len(each) for each in ids} == {43}  # 32 bytes, in the letters of base 64
    assert len(ids) == 3
    kept = place.ledger.connections.read(lambda each: each.execute("SELECT id FROM sessions").fetchall())
    assert ids & {id_ for (id_,) in kept} == set()


def test_the_trail_is_told_newest_first_by_person_and_delivery(accounts):
    for person, event, delivery in (("anna", "view", "A"), ("ada", "view", "A"), ("anna", "replay", "B")):
        accounts.note(person, event, delivery, "why")
    assert [(each.person, each.event, each.delivery, each.note) for each in accounts.looks()] == [
        ("anna", "replay", "B", "why"),
        ("ada", "view", "A", "why"),
        ("anna", "view", "A", "why"),
    ]
    assert [each.event for each in accounts.looks(person="anna")] == ["replay", "view"]
    assert [each.person for each in accounts.looks(delivery="A")] == ["ada", "anna"]
    assert [each.event for each in accounts.looks(person="anna", delivery="A")] == ["view"]
    assert len(accounts.looks(limit=2)) == 2


# jobs -----------------------------------------------------------------------------------------------------------


def test_a_job_is_kept_with_its_deliveries_in_their_order(kept):
    id_ = kept.begin("anna", "replay", "held", "why", [("B", 2), ("A", 1)])
    job = kept.find(id_)
    assert (job.id, job.person, job.action, job.filters, job.reason) == (id_, "anna", "replay", "held", "why")
    assert (job.state, job.began) == (State.TRYING, job.alive)
    assert [(each.delivery, each.seen, each.tried, each.outcome) for each in kept.items(id_)] == [
        ("B", 2, "", ""),
        ("A", 1, "", ""),
    ]
    assert (kept.find("nothing"), kept.items("nothing")) == (None, [])
    assert [each.id for each in kept.latest()] == [id_]


def test_a_job_moves_on_from_the_states_that_are_expected_alone(kept):
    id_ = kept.begin("anna", "replay", "", "", [("A", 1)])
    assert not kept.move(id_, [State.TRIED, State.DONE], State.RUNNING)
    assert kept.move(id_, [State.TRIED, State.TRYING], State.TRIED)
    assert kept.find(id_).state is State.TRIED
    assert not kept.move("nothing", [State.TRIED], State.DONE)


@pytest.mark.parametrize("state", State)
def test_what_became_of_a_delivery_is_noted_and_whether_the_job_goes_on(kept, state):
    id_ = kept.begin("anna", "replay", "", "", [("A", 1), ("B", 1)])
    other = kept.begin("anna", "replay", "", "", [("A", 1)])
    kept.move(id_, [State.TRYING], state)
    assert kept.note(id_, "A", "tried", "fine") is (state in (State.TRYING, State.RUNNING))
    kept.note(id_, "A", "outcome", "done")
    assert [(each.tried, each.outcome) for each in kept.items(id_)] == [("fine", "done"), ("", "")]
    assert [each.tried for each in kept.items(other)] == [""]


@pytest.mark.parametrize(
    ("state", "after", "gone"),
    [
        (State.RUNNING, jobs.QUIET, False),
        (State.RUNNING, jobs.QUIET + SECOND, True),
        (State.TRYING, jobs.QUIET + SECOND, True),
        (State.TRIED, jobs.QUIET + SECOND, False),
        (State.DONE, jobs.QUIET + SECOND, False),
        (State.STOPPED, jobs.QUIET + SECOND, False),
    ],
)
def test_a_job_without_a_sign_is_abandoned(state, after, gone):
    assert Job("1", "anna", "replay", "", "", state, NOW, NOW).is_abandoned(NOW + after) is gone


def test_an_abandoned_job_is_taken_over_once(kept, place):
    id_ = kept.begin("anna", "replay", "", "", [])
    past = (NOW - timedelta(days=1)).isoformat(timespec="seconds")
    place.ledger.connections.write(lambda each: each.execute("UPDATE jobs SET alive = ?", (past,)) and None)
    job = kept.find(id_)
    assert [kept.adopt(job), kept.adopt(job)] == [True, False]


def test_old_jobs_are_forgotten_with_their_deliveries(kept, place):
    old, new = (kept.begin("anna", "replay", "", "", [("A", 1)]) for _ in range(2))
    past = (datetime.now(UTC) - jobs.KEPT - MINUTE).isoformat(timespec="seconds")
    place.ledger.connections.write(
        lambda each: each.execute("UPDATE jobs SET began = ? WHERE id = ?", (past, old)) and None
    )
    kept.begin("anna", "replay", "", "", [])
    assert (kept.find(old), kept.items(old)) == (None, [])
    assert len(kept.items(new)) == 1


def test_the_newest_jobs_are_listed_and_no_more_than_a_page(kept, place, monkeypatch):
    ids = [kept.begin("anna", "replay", "", "", []) for _ in range(3)]
    for number, id_ in enumerate(ids):
        began = (NOW + number * MINUTE).isoformat(timespec="seconds")
        place.ledger.connections.write(
            lambda each, row=(began, id_): each.execute("UPDATE jobs SET began = ? WHERE id = ?", row) and None
        )
    monkeypatch.setattr(jobs, "LIST", 2)
    assert [each.id for each in kept.latest()] == ids[:0:-1]


def test_whoever_works_on_a_job_gives_a_sign_with_each_step_that_nobody_waits_for(kept, place, monkeypatch):
    id_ = kept.begin("anna", "replay", "", "", [("A", 1)])
    past = NOW.isoformat(timespec="seconds")
    write, durable = place.ledger.connections.write, []
    kept._write = lambda operation, **how: durable.append(how) or write(operation, **how)
    for step in (
        lambda: kept.note(id_, "A", "tried", "fine"),
        lambda: kept.move(id_, [State.TRYING], State.TRIED),
        lambda: kept.adopt(kept.find(id_)),
    ):
        write(lambda each: each.execute("UPDATE jobs SET alive = ?", (past,)) and None)
        assert step()
        assert kept.find(id_).alive > NOW
    assert durable == [{"durable": False}, {}, {}]


# reservations ---------------------------------------------------------------------------------------------------


def test_two_people_do_not_get_the_same_delivery(place):
    reserved = Reservations(place.ledger.connections)
    assert reserved.first(["A", "B"], "anna", NOW) == "A"
    assert reserved.first(["A", "B"], "ada", NOW) == "B"
    assert reserved.first(["A", "B"], "zoe", NOW) is None
    assert reserved.first(["A", "B"], "anna", NOW) == "A"
    assert reserved.first([], "anna", NOW) is None


@pytest.mark.parametrize(("after", "free"), [(5 * MINUTE, False), (5 * MINUTE + SECOND, True)])
def test_a_reservation_lasts_some_minutes(place, after, free):
    reserved = Reservations(place.ledger.connections)
    reserved.first(["A"], "anna", NOW)
    assert reserved.first(["A"], "ada", NOW + after) == ("A" if free else None)


def test_who_looks_again_keeps_it(place):
    reserved = Reservations(place.ledger.connections)
    reserved.first(["A"], "anna", NOW)
    reserved.first(["A"], "anna", NOW + LASTS)
    assert reserved.first(["A"], "ada", NOW + LASTS + SECOND) is None


# digests --------------------------------------------------------------------------------------------------------


def test_a_value_is_found_by_a_digest_of_this_folder_alone(tmp_path):
    (tmp_path / "other").mkdir()
    found = digests.digest(tmp_path, "mrn", " 7 ")
    assert found == digests.digest(tmp_path, "mrn", 7) != digests.digest(tmp_path, "mrn", 8)
    assert found != digests.digest(tmp_path, "dob", 7)
    assert found != digests.digest(tmp_path / "other", "mrn", 7)
    assert (tmp_path / "digests.key").stat().st_mode & 0o777 == 0o600
    assert len((tmp_path / "digests.key").read_bytes()) == digests.SIZE
    digests.key.cache_clear()
    assert digests.digest(tmp_path, "mrn", 7) == found
    assert [path.name for path in tmp_path.glob("*.key*")] + [path.name for path in tmp_path.glob(".d*")] == [
        "digests.key"
    ]


def test_fields_that_have_a_value_are_found(tmp_path):
    fields = {"mrn": "7", "codes": ["a", "b", "a", None, {}], "none": None, "blank": " ", "object": {"a": 1}, "zero": 0}
    names = ["mrn", "codes", "none", "blank", "object", "zero", "missing"]
    wanted = [("mrn", "7"), ("codes", "a"), ("codes", "b"), ("zero", 0)]
    assert digests.digests(tmp_path, names, fields) == tuple(sorted(digests.digest(tmp_path, *each) for each in wanted))
