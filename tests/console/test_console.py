"""The console by its requests: who may see and do what, and what becomes of a correction."""

import html
import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from receiver.cli import log
from receiver.core.delivery import Status
from receiver.core.problems import Code, Problem
from receiver.operations import health
from receiver.store import accounts as accounts_module
from receiver.store import digests
from receiver.store.accounts import Role, User
from receiver.store.ledger import Ledger
from receiver.web.console import access, showing

from .conftest import HASH, NUMBERS, deliver, settled
from .sample import PASSWORD

OURS = {"Sec-Fetch-Site": "same-origin"}


def client(console, role: Role | None = Role.OPERATOR):
    made = console.test_client()
    if role:
        answer = log_in(made, f"{role} person")
        assert answer.status_code == 303, answer.text
    return made


def log_in(made, name: str, password: str = PASSWORD, address: str = "127.0.0.1"):
    form, base = {"name": name, "password": password}, {"REMOTE_ADDR": address}
    return made.post("/login", data=form, headers=OURS, environ_base=base)


def seen(settings, id_: str) -> str:
    return str(Ledger(settings.ledger).find(id_).attempt_count)


def act(made, settings, id_: str, action: str, **form: str):
    return made.post(f"/deliveries/{id_}/{action}", data={"seen": seen(settings, id_)} | form, headers=OURS)


PATHS = ["/", "/deliveries", "/deliveries/{held}", "/deliveries/{held}/documents/0/1.png", "/audit"]


@pytest.mark.parametrize("path", PATHS)
def test_nobody_sees_anything_without_a_login(console, ids, path):
    answer = client(console, None).get(path.format(**ids))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")


@pytest.mark.parametrize("path", [*PATHS, "/login", "/none", "/static/console.js"])
def test_every_answer_has_the_policy(console, ids, path):
    with client(console).get(path.format(**ids)) as answer:
        headers, answered = answer.headers, answer.get_data()
    assert answered
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert (headers["Cache-Control"] == "no-store") is ("static" not in path)


def test_the_session_is_new_with_each_login_and_no_script_reads_it(console):
    made = client(console, None)
    made.set_cookie("receiver_console", "chosen-by-somebody-else")
    first = log_in(made, "operator person").headers["Set-Cookie"]
    second = log_in(made, "operator person").headers["Set-Cookie"]
    assert "chosen" not in first
    assert first.split(";")[0] != second.split(";")[0]
    assert "HttpOnly" in first
    assert "SameSite=Strict" in first


def test_the_session_before_a_login_ends_with_it(console):
    made, other = client(console), console.test_client()
    other.set_cookie("receiver_console", made.get_cookie("receiver_console").value)
    assert other.get("/").status_code == 200
    log_in(made, "operator person")
    assert other.get("/").status_code == 303


def test_the_login_is_in_the_audit_and_looks_as_all_pages_do(console, accounts):
    with client(console, None).get("/static/console.js") as answer:
        assert answer.status_code == 200
    client(console)
    look = accounts.looks(person="operator person")[0]
    assert (look.event, look.note) == ("login", "127.0.0.1")


def test_who_fails_under_many_names_from_one_address_has_to_wait(console, monkeypatch):
    monkeypatch.setattr(accounts_module, "FROM_ONE", 3)
    monkeypatch.setattr(accounts_module, "WAIT", timedelta(minutes=30))
    monkeypatch.setattr(access, "_nobody", HASH)  # compared with in no time
    made = client(console, None)
    failed = [log_in(made, f"guess {number}", "wrong", "192.0.2.10").status_code for number in range(4)]
    assert failed == [401, 401, 401, 429]
    assert log_in(made, "guess 4", "wrong", "192.0.2.11").status_code == 401


@pytest.mark.parametrize(("seconds", "status"), [(0, 303), (0.5, 429), (1.5, 429)])
def test_who_has_to_wait_for_a_part_of_a_second_waits(console, accounts, monkeypatch, seconds, status):
    monkeypatch.setattr(accounts_module.Accounts, "wait", lambda *_: timedelta(seconds=seconds))
    answer = log_in(client(console, None), "operator person")
    assert answer.status_code == status
    assert status == 303 or f"Try again in {int(seconds) + 1} seconds." in answer.text


def test_nobody_is_let_in_who_is_not_there_whatever_the_password(console, monkeypatch):
    monkeypatch.setattr(access, "_fits", lambda *_: True)
    assert log_in(client(console, None), "nobody who is there", "any", "192.0.2.12").status_code == 401


def test_a_failed_login_is_in_the_audit_and_a_name_that_is_not_there_as_a_short_digest(console, accounts):
    made = client(console, None)
    log_in(made, "operator person", "wrong", "192.0.2.13")
    log_in(made, "perhaps-a-password", "wrong", "192.0.2.13")
    unknown, known = accounts.looks()[:2]
    assert (known.person, known.event, known.note) == ("operator person", "login-failed", "192.0.2.13")
    word, digest = unknown.person.split()
    assert (word, len(digest), unknown.event) == ("unknown", digests.SHOWN, "login-failed")


def test_a_login_over_a_socket_that_has_no_addresses_is_noted_without_one(console, accounts):
    made, form = client(console, None), {"name": "operator person", "password": PASSWORD}
    answer = made.post("/login", data=form, headers=OURS, environ_overrides={"REMOTE_ADDR": None})
    assert answer.status_code == 303
    assert accounts.looks(person="operator person")[0].note == ""


def test_a_session_ends_when_nobody_is_there_and_after_a_day(console, accounts):
    user, now = accounts.user("operator person"), datetime.now(UTC)
    id_ = accounts.begin(user, now)
    assert accounts.session(id_, now + timedelta(minutes=19)) == user
    assert accounts.session(id_, now + timedelta(minutes=38)) == user
    assert accounts.session(id_, now + timedelta(minutes=59)) is None
    for minutes in range(0, 610, 10):
        last = accounts.session(id_, now + timedelta(minutes=minutes))
    assert last is None


def test_another_password_or_role_ends_the_sessions(console, accounts):
    made = client(console)
    accounts.put(User("operator person", Role.AUDITOR, HASH))
    assert made.get("/").status_code == 303


def test_logging_out_ends_the_session(console, accounts):
    made = client(console)
    cookie = made.get_cookie("receiver_console").value
    assert made.post("/logout", headers=OURS).status_code == 303
    assert made.get_cookie("receiver_console") is None
    assert accounts.looks(person="operator person")[0].event == "logout"
    made.set_cookie("receiver_console", cookie)
    assert made.get("/").status_code == 303


def test_a_wrong_password_and_a_name_that_is_not_there_get_the_same_answer(console):
    made = client(console, None)
    wrong = log_in(made, "operator person", "wrong", "192.0.2.8")
    nobody = log_in(made, "nobody", "wrong", "192.0.2.8")
    assert wrong.status_code == nobody.status_code == 401
    assert wrong.text == nobody.text


def test_who_fails_again_and_again_has_to_wait_even_with_the_right_password(console, accounts):
    made = client(console, None)
    accounts.put(User("forgetful person", Role.OPERATOR, HASH))
    for _ in range(accounts_module.FAILURES):
        log_in(made, "forgetful person", "wrong", "192.0.2.9")
    answer = log_in(made, "forgetful person")
    assert answer.status_code == 429
    assert accounts.wait("owner person", "192.0.2.1", datetime.now(UTC)) == timedelta(0)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://elsewhere.example.org"},
        {"Origin": "null"},
        {},
    ],
)
def test_no_other_site_acts_in_a_users_name(console, settings, ids, headers):
    made = client(console)
    form = {"seen": seen(settings, ids["held"])}
    assert made.post(f"/deliveries/{ids['held']}/release", data=form, headers=headers).status_code == 403
    assert Ledger(settings.ledger).find(ids["held"]).status is Status.HELD


def test_a_browser_that_says_only_its_origin_is_believed(console, settings, ids):
    made = client(console)
    form = {"seen": seen(settings, ids["held"])}
    origin = {"Origin": "http://localhost"}
    assert made.post(f"/deliveries/{ids['held']}/release", data=form, headers=origin).status_code == 303


def test_an_auditor_sees_the_trail_and_no_value(console, ids):
    made = client(console, Role.AUDITOR)
    page = made.get(f"/deliveries/{ids['held']}").text
    assert "confidence-low" in page
    assert "00071234" not in page
    assert made.get(f"/deliveries/{ids['held']}/documents/0/1.png").status_code == 403
    assert made.get(f"/deliveries/{ids['held']}/rehearsal").status_code == 403


@pytest.mark.parametrize("action", ["release", "replay", "discard", "correct"])
def test_an_auditor_changes_nothing(console, settings, ids, action):
    made = client(console, Role.AUDITOR)
    assert act(made, settings, ids["held"], action).status_code == 403
    assert Ledger(settings.ledger).find(ids["held"]).status is Status.HELD


def test_an_operator_sees_page_fields_and_record_side_by_side(console, ids):
    made = client(console)
    page = made.get(f"/deliveries/{ids['held']}").text
    assert 'value="00071234"' in page
    assert "PID|1||00071234" in page
    image = made.get(f"/deliveries/{ids['held']}/documents/0/1.png")
    assert (image.content_type, image.data[:4]) == ("image/png", b"\x89PNG")
    assert made.get(f"/deliveries/{ids['held']}/documents/7/1.png").status_code == 404


def test_every_look_at_values_is_in_the_audit(console, accounts, ids):
    client(console).get(f"/deliveries/{ids['held']}")
    client(console, Role.AUDITOR).get(f"/deliveries/{ids['held']}")
    client(console).get(f"/deliveries/{ids['held']}/rehearsal")
    looks = [(look.person, look.event, look.note) for look in accounts.looks(delivery=ids["held"])]
    assert looks == [("operator person", "view", "rehearsal"), ("operator person", "view", "")]
    assert "operator person" in client(console, Role.AUDITOR).get("/audit").text


def test_a_thumbnail_is_smaller_than_its_page(console, ids):
    made, place = client(console), f"/deliveries/{ids['held']}/documents/0/1.png"
    assert len(made.get(f"{place}?small=1").data) < len(made.get(place).data)


def test_a_page_of_what_is_published_meanwhile_is_drawn_from_where_it_lies_then(console, ids, monkeypatch):
    find, faults = showing.document, [Problem(Code.STORAGE_FAILED, "It is in quarantine no longer.")]

    def document(*asked):
        if faults:
            raise faults.pop()
        return find(*asked)

    monkeypatch.setattr(showing, "document", document)
    answer = client(console).get(f"/deliveries/{ids['held']}/documents/0/1.png")
    assert (answer.status_code, answer.content_type, faults) == (200, "image/png", [])


def test_a_corrected_field_is_published_under_the_same_id(console, settings, accounts, ids):
    made = client(console)
    form = {"field.patient_name": "Ada Example", "field.mrn": "00071235"}
    answer = act(made, settings, ids["held"], "correct", **form)
    assert answer.status_code == 303, answer.text
    entry = settled(settings, ids["held"])
    assert entry.status is Status.PUBLISHED
    record = next(output for output in entry.outputs if output.path.endswith(".hl7"))
    assert b"PID|1||00071235^^^CLINIC" in (settings.output / record.path).read_bytes()
    assert entry.attempts[-1].note.endswith("1 field corrected")
    done, field = accounts.looks(delivery=entry.id)[:2]
    assert (done.event, done.note) == ("correct", "published")
    name, before, _, after = field.note.split()
    assert name == "mrn:"
    assert len(before) == len(after) == digests.SHOWN
    assert before != after


def test_what_a_person_has_said_is_not_doubted_where_something_else_is_refused(console, settings, ids):
    said = {"field.mrn": "00071235", "field.patient_dob": "soon"}
    page = act(client(console), settings, ids["held"], "correct", **said).text
    doubts = ["data-doubt" in page.partition(f'name="{name}"')[2].partition(">")[0] for name in said]
    assert doubts == [False, True]


def test_a_space_around_a_value_is_no_correction(console, settings, ids):
    answer = act(client(console), settings, ids["held"], "correct", **{"field.patient_name": " Ada Example "})
    assert answer.status_code == 200
    assert Ledger(settings.ledger).find(ids["held"]).status is Status.HELD


def test_a_field_that_did_not_come_can_be_said(console, settings, ids):
    answer = act(client(console), settings, ids["refused"], "correct", **{"field.mrn": "142637B"})
    assert answer.status_code == 303, answer.text
    assert settled(settings, ids["refused"]).status is Status.PUBLISHED


def test_a_correction_that_the_schema_refuses_is_shown_at_its_field_and_changes_nothing(console, settings, ids):
    answer = act(client(console), settings, ids["held"], "correct", **{"field.patient_dob": "not a day"})
    assert answer.status_code == 200
    row = answer.text.partition(">patient_dob<")[2].partition("data-place=")[0]
    assert 'class="message"' in row
    assert 'value="not a day"' in row
    assert Ledger(settings.ledger).find(ids["held"]).status is Status.HELD


def test_a_name_that_nobody_has_foreseen_is_not_in_the_audit(console, settings, service, accounts):
    source = f"N-{next(NUMBERS)}"
    deliver(service, source, {"mrn": ("00071234", 0.61), "sister of Ada": ("Bea", 0.9)})
    (entry,) = Ledger(settings.ledger).search(source_id=source)
    act(client(console), settings, entry.id, "correct", **{"field.sister of Ada": "Eve", "field.mrn": "00071235"})
    fields = {look.note.partition(":")[0] for look in accounts.looks(delivery=entry.id) if look.event == "field"}
    assert fields == {"a field", "mrn"}


def test_the_value_of_a_correction_is_nowhere_in_the_ledger(console, settings, ids):
    act(client(console), settings, ids["held"], "correct", **{"field.mrn": "99912345"})
    assert settled(settings, ids["held"]).status is Status.PUBLISHED
    for path in settings.data.glob("ledger.db*"):
        assert b"99912345" not in path.read_bytes()


def test_two_people_do_not_overwrite_each_other(console, settings, ids):
    one, other = client(console), client(console, Role.OWNER)
    form = {"seen": seen(settings, ids["held"]), "field.mrn": "00071235"}
    assert one.post(f"/deliveries/{ids['held']}/correct", data=form, headers=OURS).status_code == 303
    late = other.post(f"/deliveries/{ids['held']}/correct", data=form | {"field.mrn": "00071236"}, headers=OURS)
    assert late.status_code == 409


def test_a_release_publishes_what_somebody_has_looked_at(console, settings, ids):
    assert act(client(console), settings, ids["held"], "release").status_code == 303
    entry = settled(settings, ids["held"])
    assert entry.status is Status.PUBLISHED
    assert "operator person (console), low confidence accepted" in entry.attempts[-1].note


def test_what_is_discarded_says_who_and_why(console, settings, accounts, ids):
    assert act(client(console), settings, ids["refused"], "discard", reason="a test fax").status_code == 303
    entry = Ledger(settings.ledger).find(ids["refused"])
    assert entry.status is Status.DISCARDED
    assert entry.attempts[-1].note == "discarded by operator person (console): a test fax"
    assert accounts.looks(delivery=entry.id)[0].event == "discard"
    act(client(console), settings, ids["held"], "discard", reason="x" * 201)
    assert Ledger(settings.ledger).find(ids["held"]).attempts[-1].note.count("x") == 200
    assert act(client(console), settings, ids["published"], "discard", reason="x").status_code == 409


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ("overrule", "The delivery was judged without the rules that hold it."),
        ("release", "The delivery was released."),
        ("discard", "The delivery was discarded."),
        ("correct", "The delivery was corrected."),
    ],
)
def test_who_acts_is_led_to_the_delivery_and_told_what_was_done(console, settings, ids, action, told):
    made = client(console)
    answer = act(made, settings, ids["held"], action, reason="a test", **{"field.mrn": "00071235"})
    assert (answer.status_code, answer.location) == (303, f"/deliveries/{ids['held']}?done={action}")
    assert told in made.get(answer.location).text


def test_of_what_is_kept_no_longer_the_trail_is_shown_and_why_there_is_no_more(console, accounts, ids):
    made, why = client(console), "Its originals are not kept"
    page = made.get(f"/deliveries/{ids['published']}").text
    assert why in page
    assert "The delivery was" not in page
    assert "Fields</h2>" not in page
    assert accounts.looks(delivery=ids["published"]) == []
    found = made.post(f"/deliveries/{ids['published']}/region", data={"name": "mrn"}, headers=OURS)
    assert found.get_json()["said"].startswith(why)
    assert made.post(f"/deliveries/{ids['published']}/places", data={"name": "mrn"}, headers=OURS).status_code == 503


def test_who_has_a_delivery_judged_anew_is_in_the_audit(console, settings, accounts, ids):
    act(client(console), settings, ids["refused"], "replay")
    look = accounts.looks(delivery=ids["refused"])[0]
    assert (look.person, look.event, look.note) == ("operator person", "replay", "refused")


def test_what_is_published_by_now_is_not_said_to_wait(console, settings, ids):
    made, place = client(console), f"/deliveries/{ids['held']}"
    assert "<strong>confidence-low</strong>" in made.get(place).text
    act(made, settings, ids["held"], "release")
    assert settled(settings, ids["held"]).status is Status.PUBLISHED
    assert "<strong>confidence-low</strong>" not in made.get(place).text


@pytest.mark.parametrize("known", ["source", "held"])
def test_a_source_id_or_an_id_is_searched_by_post_and_stands_in_no_url(console, ids, known):
    answer = client(console).post("/deliveries", data={"known": f" {ids[known]}"}, headers=OURS)
    assert ids["held"] in answer.text
    assert ids["published"] not in answer.text
    assert ids["held"] in find(console, ids["held"].lower())


@pytest.mark.parametrize(
    "query", ["status=held", "process=referrals&status=held", "status=nonsense", "before=nonsense"]
)
def test_filters_stand_in_the_url(console, ids, query):
    page = client(console).get(f"/deliveries?{query}").text
    assert ids["held"] in page
    assert (ids["refused"] in page) == ("nonsense" in query)


def test_what_is_filtered_by_is_said_counted_and_taken_away_one_by_one(console, settings, ids):
    page = client(console).get("/deliveries?process=referrals&status=refused&since=2026-01-01").text
    count = Ledger(settings.ledger).count(process="referrals", status=Status.REFUSED, most=1000)
    assert f"<strong>{count}</strong> {'delivery' if count == 1 else 'deliveries'}" in page
    assert 'href="/deliveries?status=refused&amp;since=2026-01-01" aria-label="Without the filter: referrals"' in page
    assert "received since 2026-01-01" in page
    assert 'class="chip"' not in client(console).get("/deliveries?status=nonsense&before=nonsense").text


@pytest.mark.parametrize(("query", "seen"), [("since=2999-01-01", False), ("before=2999-01-01", True)])
def test_deliveries_are_filtered_by_when_they_came(console, ids, query, seen):
    page = client(console).get(f"/deliveries?{query}").text
    assert (ids["held"] in page) is seen
    assert ("Show all of them" in page) is not seen


@pytest.mark.parametrize("filters", ["process=referrals", "process=referrals&before=2999-01-01"])
def test_pages_of_a_list_lead_to_older_ones_and_back(console, ids, monkeypatch, filters):
    monkeypatch.setattr("receiver.web.console.listing.PAGE", 1)
    made = client(console)
    first = made.get(f"/deliveries?{filters}").text
    older = html.unescape(first.partition('<p class="links"><a href="')[2].partition('"')[0])
    assert ids["refused"] in first
    page = made.get(older).text
    assert ids["refused"] not in page
    assert f'<a href="/deliveries?{html.escape(filters)}">Newest</a>' in page


def test_what_is_searched_for_has_no_older_pages(console, ids, monkeypatch):
    monkeypatch.setattr("receiver.web.console.listing.PAGE", 1)
    assert "older=" in client(console).get("/deliveries").text
    assert "older=" not in find(console, ids["source"])


def test_more_than_are_counted_are_told_as_more(console, ids, monkeypatch):
    monkeypatch.setattr("receiver.web.console.listing.COUNTED", 1)
    assert "more than 1<" in client(console).get("/deliveries").text


def test_a_field_is_doubted_if_the_platform_is_less_sure_of_it_than_the_process_asks(console, settings, service):
    source, sure = f"D-{next(NUMBERS)}", {"patient_name": 0.80, "patient_dob": 0.79, "mrn": 0.89}
    values = {"patient_name": "Ada Example", "patient_dob": "02/20/1964", "mrn": "00071234"}
    deliver(service, source, {name: (values[name], confidence) for name, confidence in sure.items()})
    (entry,) = Ledger(settings.ledger).search(source_id=source)
    page = client(console).get(f"/deliveries/{entry.id}").text
    doubted = {name for name in sure if "data-doubt" in page.partition(f'name="field.{name}"')[2].partition(">")[0]}
    assert doubted == {"patient_dob", "mrn"}  # the process asks for 0.90 of an mrn, and 0.80 of others


def test_everybody_is_told_why_a_delivery_waits_and_an_operator_at_the_field(console, ids):
    refused = f"/deliveries/{ids['refused']}"
    for role in Role:
        page = client(console, role).get(refused).text
        assert "<strong>fields-invalid</strong>" in page
        assert "mrn&#34; is missing" in page
    row = page.partition('data-place="mrn"')[2].partition("data-place=")[0]
    assert "data-doubt" in row
    assert "is missing" in row


def find(console, value, role=Role.OPERATOR):
    return client(console, role).post("/deliveries", data={"known": value}, headers=OURS).text


def test_a_delivery_is_found_by_a_key_whatever_became_of_it(console, settings, ids):
    assert ids["held"] in find(console, " 00071234 ")
    assert ids["published"] in find(console, "142637A")
    assert ids["held"] not in find(console, "142637A")
    assert ids["held"] not in find(console, "7123")
    act(client(console), settings, ids["held"], "correct", **{"field.mrn": "55512345"})
    assert ids["held"] in find(console, "55512345")
    assert ids["held"] not in find(console, "00071234")


def test_an_auditor_cannot_ask_whether_a_value_is_there(console, ids):
    assert ids["held"] not in find(console, "00071234", Role.AUDITOR)


def test_a_search_is_in_the_audit_without_what_was_looked_for(console, accounts, settings, ids):
    find(console, "99955511")
    assert accounts.looks()[0].event == "search"
    for path in settings.data.glob("ledger.db*"):
        assert b"99955511" not in path.read_bytes()
        assert b"00071234" not in path.read_bytes()


def test_the_key_of_the_digests_is_for_the_services_user_alone(console, settings, ids):
    assert (settings.data / digests.FILE).stat().st_mode & 0o777 == 0o600


def test_what_a_rehearsal_says_is_shown(console, ids):
    page = client(console).get(f"/deliveries/{ids['held']}/rehearsal").text
    assert "would be published" in page
    assert ".hl7" in page


def test_the_page_of_now_counts_what_waits(console, ids):
    page = client(console).get("/").text
    assert "deliveries in the last 24 hours" in page
    assert "A delivery would be taken now" in page


def test_the_page_of_now_looks_and_tries_nothing(console, ids, monkeypatch):
    tried = []
    monkeypatch.setattr(health, "_stage", lambda root: tried.append(root) or "it can be written")
    assert "A delivery would be taken now" in client(console).get("/").text
    assert tried == []


def test_a_service_that_never_started_is_said(tmp_path, monkeypatch):
    from receiver.core.settings import Settings
    from receiver.store.accounts import Accounts
    from receiver.web.console import create_app

    settings = Settings.from_environment({"RECEIVER_DATA": str(tmp_path / "var")})
    made = create_app(settings)
    Accounts(Ledger(settings.ledger).connections).put(User("operator person", Role.OPERATOR, HASH))
    answer = client(made).get("/")
    assert answer.status_code == 503
    assert "has not started" in answer.text


def test_the_log_tells_who_looked(console, settings, ids, monkeypatch):
    client(console).get(f"/deliveries/{ids['held']}")
    for name, value in settings.variables().items():
        monkeypatch.setenv(name, value)
    said = CliRunner().invoke(log.command, ["--views"]).output
    assert ["operator", "person", "view", ids["held"]] in [line.split()[1:5] for line in said.splitlines()]
    rows = CliRunner().invoke(log.command, ["--views", "--json", "--limit", "1"]).output.splitlines()
    assert json.loads(rows[0])["delivery"] == ids["held"]
    assert CliRunner().invoke(log.command, ["--views", "--process", "referrals"]).exit_code == 2


@pytest.fixture
def lined(settings, service):
    """A held delivery with a table, of which the platform is not sure of one cell."""
    source = f"L-{next(NUMBERS)}"
    cells = [[("sku", "A1", 0.9), ("qty", 2, 0.9)], [("sku", "B7", 0.3), ("qty", 5, 0.9)]]
    lines = [
        {"cells": [dict(zip(("name", "value", "confidence"), cell, strict=True)) for cell in row]} for row in cells
    ]
    deliver(service, source, {}, lines=lines)
    return Ledger(settings.ledger).search(source_id=source)[0]


def test_a_cell_of_a_table_is_corrected_as_a_field_is(console, settings, accounts, lined):
    made = client(console)
    page = made.get(f"/deliveries/{lined.id}").text
    assert 'name="field./tables/items/1/sku" value="B7"' in page
    assert page.count("data-doubt") == 1
    form = {"field./tables/items/1/sku": "B1", "field./tables/items/1/qty": "6", "field./tables/items/0/sku": "A1"}
    assert act(made, settings, lined.id, "correct", **form).status_code == 303
    entry = Ledger(settings.ledger).find(lined.id)
    path = next(output.path for output in entry.outputs if output.path.endswith(".txt"))
    assert (settings.output / path).read_text() == "A1=2\nB1=6\n"
    fields = [look.note.partition(":")[0] for look in accounts.looks(delivery=lined.id) if look.event == "field"]
    assert len(fields) == 2


def test_of_a_long_table_so_many_rows_are_shown(console, lined, monkeypatch):
    monkeypatch.setattr(showing, "ROWS", 1)
    page = client(console).get(f"/deliveries/{lined.id}").text
    assert [f"/tables/items/{number}/sku" in page for number in range(2)] == [True, False]
    assert "1 more" in page


@pytest.mark.parametrize(
    ("name", "file", "found"), [("mrn", ".hl7", "00071234"), ("patient_dob", ".hl7", "19640220"), ("none", "", "")]
)
def test_a_field_is_found_in_its_records_by_what_the_template_makes_of_it(console, settings, ids, name, file, found):
    made = client(console)
    page = made.get(f"/deliveries/{ids['held']}").text
    places = made.post(f"/deliveries/{ids['held']}/places", data={"name": name}, headers=OURS).get_json()
    record = html.unescape(page.partition(".hl7</summary>")[2].partition(">")[2].partition("</pre>")[0]).split("\n")
    pieces = [record[place["line"]][place["start"] : place["end"]] for place in places if place["path"].endswith(file)]
    assert not found or found in pieces
    assert found or not places
