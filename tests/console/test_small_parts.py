"""The small parts of the console by themselves: who asks, what is shown of a value, how an action is told."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace as Given

import pytest
from flask import Flask
from werkzeug.exceptions import HTTPException, NotFound

from receiver.core.delivery import Status
from receiver.core.problems import Code, Problem
from receiver.core.settings import Settings
from receiver.operations import health, rehearsal, replay
from receiver.web import console
from receiver.web.console import access, acting, correcting, listing, overview, showing
from receiver.web.console.service import Service
from receiver.web.replies import NoSessions
from tests.support.home import Home


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://console"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": "http://console"}, True),
        ({"Origin": "http://console:81"}, False),
        ({"Origin": "http://elsewhere"}, False),
        ({"Origin": "null"}, False),
        ({}, False),
    ],
)
def test_an_action_comes_from_a_page_of_ours(headers, ours):
    with Flask(__name__).test_request_context("/", base_url="http://console", headers=headers):
        assert access._is_ours() is ours


@pytest.mark.parametrize(
    ("peer", "user", "seen"),
    [
        ("10.0.0.1", "anna", ("anna", "203.0.113.9", "https")),
        ("10.0.0.2", "anna", ("anna", "203.0.113.9", "https")),
        ("10.0.0.1", "", ("", "203.0.113.9", "https")),
        ("10.0.0.3", "anna", ("", "10.0.0.3", "http")),
        ("", "anna", ("", "", "http")),
    ],
)
def test_a_proxy_is_believed_if_it_is_trusted(peer, user, seen):
    found = []

    def app(environ, _start_response):
        found.append((environ[access.USER], environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]))

    settings = Given(console_proxies="10.0.0.1,10.0.0.2,", console_user="X-Remote-User")
    environ = {"REMOTE_ADDR": peer, "HTTP_X_REMOTE_USER": user, "wsgi.url_scheme": "http"}
    environ |= {"HTTP_X_FORWARDED_FOR": "198.51.100.7, 203.0.113.9", "HTTP_X_FORWARDED_PROTO": "https"}
    access.Proxied(app, settings)(environ, None)
    assert found == [seen]


def test_a_console_is_made_of_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("RECEIVER_DATA", str(tmp_path / "var"))
    monkeypatch.setenv("RECEIVER_LOG", "json")
    set_up = []
    monkeypatch.setattr("receiver.log.set_up", set_up.append)
    app = console.create_app()
    assert set_up == ["json"]
    assert app.extensions["service"].settings.data == tmp_path / "var"
    assert isinstance(app.session_interface, NoSessions)
    assert app.extensions["accounts"].user("ada") is None, "the ledger is there to be asked"
    assert {"accounts", "images", "jobs", "reservations", "runner"} < app.extensions.keys()


def test_a_console_is_made_of_what_it_is_given(monkeypatch, tmp_path):
    monkeypatch.setenv("RECEIVER_DATA", str(tmp_path / "other"))
    monkeypatch.setattr(showing, "failure", lambda status, detail: (f"{status} {detail}", status))
    app = console.create_app(Settings.from_environment({"RECEIVER_DATA": str(tmp_path / "var")}))
    assert app.extensions["service"].settings.data == tmp_path / "var"
    assert {showing.moment, showing.size} <= {*app.jinja_env.filters.values()}
    app.add_url_rule("/away", "away", refuse)
    made = app.test_client()
    assert made.get("/").location == "/login", "nobody is let in without a session"
    app.before_request_funcs.clear()
    answer = made.get("/away")
    assert (answer.status_code, answer.text) == (503, "503 The disk is away.")
    assert made.get("/none").text == f"404 {NotFound.description}"


def refuse():
    raise Problem(Code.STORAGE_FAILED, "The disk is away.")


class Nameless(HTTPException):
    code, description = None, None


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NotFound("It is gone."), (404, "It is gone.")),
        (NotFound(), (404, NotFound.description)),
        (Nameless(), (500, Nameless().name)),
    ],
)
def test_what_cannot_be_answered_is_told_on_a_page(monkeypatch, error, told):
    monkeypatch.setattr(showing, "failure", lambda status, detail: (status, detail))
    assert console._failed(error) == told


def test_a_disk_that_is_away_gets_no_folder_from_the_console(monkeypatch):
    opened = []
    monkeypatch.setattr("receiver.site.in_force.read", lambda _: "state")
    monkeypatch.setattr("receiver.web.console.service.processes_in_force", lambda settings, state: (settings, state))
    monkeypatch.setattr(
        "receiver.web.console.service.open_unrecovered",
        lambda *given, create: opened.append((*given, create)) or "context",
    )
    settings = Given(local=None)
    assert Service(settings)._opened() == "context"
    assert opened == [(settings, (settings, "state"), False)]


def test_the_audit_is_shown_of_a_person_and_a_delivery(monkeypatch):
    asked = []
    monkeypatch.setattr(overview, "accounts", lambda: Given(looks=lambda **given: asked.append(given) or ["look"]))
    monkeypatch.setattr(overview, "render_template", lambda _name, **shown: shown)
    with Flask(__name__).test_request_context("/audit?person=ada&delivery=ID"):
        assert overview.audit() == {"looks": ["look"], "person": "ada", "delivery": "ID"}
    with Flask(__name__).test_request_context("/audit"):
        assert overview.audit() == {"looks": ["look"], "person": "", "delivery": ""}
    assert asked == [{"person": "ada", "delivery": "ID"}, {"person": "", "delivery": ""}]


def test_the_first_page_tells_what_is_not_well(monkeypatch):
    checks = [health.Check("disk", True, "it is there"), health.Check("ledger", False, "it is away")]
    context = Given(ledger="ledger", processes=["a"])
    monkeypatch.setattr(overview, "service", lambda: Given(context=context))
    monkeypatch.setattr(showing, "bars", lambda *_: {"a": [1, 2]})
    monkeypatch.setattr(health, "checks", lambda _, look_only: checks if look_only else [])
    monkeypatch.setattr(health, "survey", lambda _: [Standing("a")])
    monkeypatch.setattr(overview, "render_template", lambda _name, **shown: shown)
    assert overview.now() == {"processes": [{"process": "a", "bars": [1, 2]}], "wrong": checks[1:]}


@dataclass
class Standing:
    process: str


@pytest.mark.parametrize(("length", "asked"), [(1_000, True), (1_001, False)])
def test_a_password_is_not_compared_beyond_its_length(monkeypatch, length, asked):
    compared = []
    verify = Given(verify=lambda hash_, password: compared.append((hash_, len(password))) or True)
    monkeypatch.setattr(access, "_hasher", verify)
    assert access._fits(Given(hash="h"), "x" * length) is asked
    assert compared == ([("h", length)] if asked else [])


def test_a_hash_that_is_none_fits_no_password():
    assert not access._fits(Given(hash="no hash"), "x")


def test_what_is_in_force_is_opened_anew_when_it_changes(monkeypatch):
    marks, opened = [(1, 1)], []
    monkeypatch.setattr("receiver.site.in_force.mark", lambda _: marks[-1])
    monkeypatch.setattr(Service, "_opened", lambda self: opened.append(self._lock.locked()) or marks[-1])
    service = Service(Given(local=None))
    assert (service.context, service.context) == ((1, 1), (1, 1))
    marks.append((1, 2))
    assert (service.context, opened) == ((1, 2), [True, True])  # by one thread at a time


def test_a_name_that_is_not_there_is_compared_too(monkeypatch):
    compared = []
    verify = Given(verify=lambda hash_, _password: compared.append(hash_) or True)
    monkeypatch.setattr(access, "_hasher", verify)
    access._fits(None, "x")
    assert compared == [access._nobody]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T10:30+02:00", datetime(2026, 3, 1, 8, 30, tzinfo=UTC)),
        ("0001-01-01T00:00+02:00", None),
        ("yesterday", None),
    ],
)
def test_a_moment_of_a_filter_is_read_in_utc(text, moment, monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        found = listing.moment_of(text)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert (found, found and found.utcoffset()) == (moment, moment and timedelta(0))


@pytest.mark.parametrize(
    ("name", "noted"),
    [
        ("mrn", "mrn"),
        ("sister of Ada", "a field"),
        ("ward/bed", "a field"),
        ("/tables/items/1/sku", "tables/items/1/sku"),
        ("/tables/items/1/parts/0/sku", "tables/items/1/parts/0/sku"),
        ("/tables/items/1/sister of Ada", "a field"),
        ("/tables/items/1/qty~1unit", "tables/items/1/qty~1unit"),
        ("date/time", "date/time"),
    ],
)
def test_a_name_is_in_the_audit_if_the_process_knows_it(name, noted):
    assert correcting._named(name, {"mrn", "sku", "bed", "qty/unit", "date/time"}) == noted


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"field.a": "1"}, {}),
        ({"field.a": " 1\n"}, {}),
        ({"field.a": "2"}, {"a": "2"}),
        ({"field.a": ""}, {"a": ""}),
        ({"field.b": "4"}, {"b": "4"}),
        ({"field.b": "3"}, {}),
        ({"field.list": "x"}, {}),
        ({"field.nobody": "x"}, {}),
        ({"a": "2", "field.": "x"}, {}),
        ({"field.field.a": "5"}, {"field.a": "5"}),
    ],
)
def test_a_correction_is_what_a_form_says_otherwise_of_one_value(monkeypatch, said, found):
    came = [("a", "1", True), ("b", " 3 ", True), ("list", "1\n2", False), ("field.a", "4", True)]
    every = [Given(name=name, value=value, single=single) for name, value, single in came]
    asked = []
    monkeypatch.setattr(showing, "preview", lambda *given: asked.append(given[1:]) or Given(every=every))
    monkeypatch.setattr(correcting, "service", lambda: Given(context=None))
    with Flask(__name__).test_request_context("/", method="POST", data=said):
        assert correcting.corrections("entry") == found
    assert asked == [("entry", {})]  # beside what came, whatever it was corrected to before


def test_the_outcome_of_an_action_is_told_in_few_words():
    assert acting._worded("held", Problem(Code.CONFIDENCE_LOW, "secret")) == "held: confidence-low"
    assert acting._worded("published", None) == "published"


@pytest.mark.parametrize(
    ("action", "confidence", "rules"), [("replay", False, False), ("release", True, False), ("overrule", True, True)]
)
def test_an_action_accepts_no_more_than_it_says(monkeypatch, action, confidence, rules):
    monkeypatch.setattr(replay, "replay", lambda _context, _entry, how: how)
    how = acting.redo(None, None, action, "ada")
    assert (how.accept_confidence, how.accept_rules, how.by) == (confidence, rules, "ada (console)")


@pytest.mark.parametrize(
    ("action", "confidence", "rules"), [("replay", False, False), ("release", True, False), ("overrule", True, True)]
)
def test_a_rehearsal_accepts_what_the_action_would(monkeypatch, action, confidence, rules):
    asked = []

    def rehearse(_context, _entry, **accepted):
        asked.append(accepted)
        return Given(result="would be held", problem=Problem(Code.RULE_BROKEN, "secret"))

    monkeypatch.setattr(rehearsal, "rehearse", rehearse)
    nothing = Given(processes={})
    assert acting.rehearse(nothing, Given(process="referrals"), action) == "would be held: rule-broken"
    assert asked == [{"accept_confidence": confidence, "accept_rules": rules}]


def test_a_process_that_is_gone_asks_for_no_second_person(monkeypatch):
    gone = Problem(Code.NO_SUCH_PROCESS, "There is no process referrals any more.")
    monkeypatch.setattr(acting, "redo", lambda *_: Given(result="failed", problem=gone))
    assert (
        acting.act(Given(processes={}), Given(process="referrals"), "release", "ada", "") == "failed: no-such-process"
    )


def test_what_came_again_since_it_was_looked_at_is_not_discarded(tmp_path):
    home = Home(tmp_path)
    seen = home.deliver(mrn="wrong")
    now = home.deliver(mrn="wrong")
    with pytest.raises(Problem, match="came again"):
        acting.discard(home.context, seen, "ada", "")
    assert acting.rehearse(home.context, now, "discard") == "would be discarded"
    acting.discard(home.context, now, "ada", "a test page")
    kept = home.ledger.find(now.id)
    assert acting.rehearse(home.context, kept, "discard") == "is not kept"
    assert (kept.status, kept.attempts[-1].note) == (Status.DISCARDED, "discarded by ada (console): a test page")
    with pytest.raises(Problem, match="Only what is held or refused"):
        acting.discard(home.context, kept, "ada", "")
    home.close()
