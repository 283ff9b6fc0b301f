"""What an attacker of the console would try: roles, other sites, sessions, ids, caches, logs, scripts."""

import logging

import pytest

from receiver.core.delivery import Status
from receiver.core.settings import Settings
from receiver.store.accounts import Accounts, Role, User
from receiver.store.ledger import Ledger
from receiver.web.console import create_app

from .conftest import HASH
from .sample import PASSWORD
from .test_console import OURS, act, client, log_in, seen

OPEN = {"/login", "/static/<path:filename>"}
TRAIL = {"/", "/deliveries", "/deliveries/<id_>", "/audit", "/logout"}  # what an auditor may ask for


def rules(console, method):
    return sorted({rule.rule for rule in console.url_map.iter_rules() if method in rule.methods} - OPEN)


def filled(rule, ids):
    """Return a path that a rule leads to."""
    words = {"id_": ids["held"], "process": "referrals", "action": "release", "step": "do", "int:number": "0"}
    words |= {"int:page": "1", "path:name": "mdm_t02.hl7.j2", "name": "process.toml"}
    return "/".join(words.get(part.removesuffix(".png").strip("<>"), part.strip("<>")) for part in rule.split("/"))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_page_but_the_login_asks_who_it_is(console, ids, method):
    made = client(console, None)
    for rule in rules(console, method):
        answer = made.open(filled(rule, ids), method=method, headers=OURS)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/login"), rule


def test_no_role_climbs_above_itself(console, ids):
    auditor = client(console, Role.AUDITOR)
    for method in ("GET", "POST"):
        for rule in set(rules(console, method)) - TRAIL:
            assert auditor.open(filled(rule, ids), method=method, headers=OURS).status_code in (403, 404), rule


def test_every_action_of_every_page_is_refused_from_another_site(console, settings, ids):
    made = client(console, Role.OWNER)
    for rule in rules(console, "POST"):
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://localhost.example.org"}, {}):
            assert made.post(filled(rule, ids), headers=headers).status_code == 403, rule
    assert Ledger(settings.ledger).find(ids["held"]).status is Status.HELD


def test_nothing_but_reading_comes_by_get(console):
    assert [rule.rule for rule in console.url_map.iter_rules() if {"GET", "POST"} <= rule.methods] == ["/login"]


def test_a_session_that_somebody_has_planted_is_nobodys(console):
    made = client(console, None)
    made.set_cookie("receiver_console", "planted")
    log_in(made, "operator person")
    other = console.test_client()
    other.set_cookie("receiver_console", "planted")
    assert other.get("/").status_code == 303


def test_who_is_removed_has_no_session_any_more(console, accounts):
    accounts.put(User("passing person", Role.OPERATOR, HASH))
    made = client(console, None)
    log_in(made, "passing person")
    assert made.get("/").status_code == 200
    accounts.remove("passing person")
    assert made.get("/").status_code == 303


@pytest.mark.parametrize("id_", ["..", "%2e%2e%2f%2e%2e", "A" * 20, "%00", "x' OR '1'='1"])
def test_an_id_leads_nowhere_but_to_its_delivery(console, id_):
    made = client(console)
    for path in (f"/deliveries/{id_}", f"/deliveries/{id_}/documents/0/1.png", f"/jobs/{id_}"):
        assert made.get(path).status_code in (404, 405), path


ODD = [
    *(
        f"/deliveries/{id_}"
        for id_ in ("%00", "%0d%0aX: 1", "%ff", "%ed%a0%80", "A" * 3000, "{held}/", "%2e%2e%2f%2e%2e")
    ),
    *(f"/deliveries?process={name}" for name in ("%00", "%ff%fe", "%ed%a0%80", "x" * 3000, "' OR ''='", "a&process=b")),
    *(
        f"/deliveries?since={at}"
        for at in ("0001-01-01T00:00%2B14:00", "9999-12-31T23:59-14:00", "-1", "%00", "9" * 900)
    ),
    *(f"/deliveries?{name}=0001-01-01T00:00%2B14:00" for name in ("before", "older")),
    *(f"/deliveries/{{held}}/documents/0/{page}.png" for page in ("01", "9" * 30, "1.png%00")),
    "/deliveries/{held}?done=<script>seen()</script>",
    "/audit?person=%00&delivery=%ff",
    "/station/%2e%2e%2f",
    "/station/referrals/next?not=%00&not=%ff",
    "/workbench/referrals?file=process.toml%00.j2",
    "/workbench/referrals?file=../../../etc/passwd",
    "/static/%2e%2e/access.py",
    "/static/..%5caccess.py",
    "//evil.example/",
    "/login?next=//evil.example",
]


def test_an_odd_request_gets_an_answer_like_any_other(console, ids):
    made = client(console, Role.OWNER)
    for path in ODD:
        with made.get(path.format(held=ids["held"])) as answer:
            assert answer.status_code < 500, path
            assert "Content-Security-Policy" in answer.headers, path
            assert "evil.example" not in answer.headers.get("Location", ""), path
            assert b"seen()" not in answer.get_data(), path


FORMS = [
    ("correct", b"field.mrn=" + b"x" * 70_000, 413),
    ("correct", b"&".join(b"f%d=1" % number for number in range(2000)), 409),
    ("correct", b"seen={seen}&field.mrn=%00", 200),
    ("correct", b"seen={seen}&field.mrn=%ED%A0%80", 200),
    ("correct", b"seen={seen}&field.mrn=1%0d%0aZZZ", 200),
    ("correct", b"seen={seen}&field.nobody=1&field./tables/x/0/y=1", 200),
    ("correct", b"seen=1e9&field.mrn=1", 409),
    ("correct", b"field.mrn=1", 409),
    ("places", b"name=%00", 200),
    ("explode", b"seen={seen}", 404),
]


def test_an_odd_form_changes_nothing(console, settings, ids):
    made, headers = client(console), OURS | {"Content-Type": "application/x-www-form-urlencoded"}
    for action, form, status in FORMS:
        form = form.replace(b"{seen}", seen(settings, ids["held"]).encode())
        answer = made.post(f"/deliveries/{ids['held']}/{action}", data=form, headers=headers)
        assert answer.status_code == status, form[:60]
        entry = Ledger(settings.ledger).find(ids["held"])
        assert (entry.status, entry.attempt_count) == (Status.HELD, 1), form[:60]


def test_no_other_method_does_anything(console, settings, ids):
    made = client(console, Role.OWNER)
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"):
        for path in ("/", f"/deliveries/{ids['held']}", f"/deliveries/{ids['held']}/release", "/login", "/jobs"):
            assert made.open(path, method=method, headers=OURS).status_code == 405, (method, path)
    assert Ledger(settings.ledger).find(ids["held"]).status is Status.HELD


def test_if_match_means_one_state_and_no_other(console, settings, ids):
    made, count = client(console), seen(settings, ids["held"])
    for etag in ("*", f'W/"{count}"', f'"0", "{count}"', ""):
        answer = made.post(f"/deliveries/{ids['held']}/release", headers=OURS | {"If-Match": etag})
        assert answer.status_code == 409, etag


ORIGINS = [
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "same-origin, cross-site"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "", "Host": ""},
    {"Origin": "http://["},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://localhost@evil.example"},
    {"Origin": "//localhost:81"},
    {"Referer": "http://localhost/"},
]


@pytest.mark.parametrize("headers", ORIGINS, ids=str)
def test_an_origin_that_is_not_ours_acts_on_nothing(console, headers):
    assert (
        client(console).post("/jobs", data={"action": "release", "status": "held"}, headers=headers).status_code == 403
    )


@pytest.mark.parametrize(
    "path", ["documents/-1/1.png", "documents/99/1.png", "documents/0/0.png", "documents/0/999.png"]
)
def test_a_document_that_is_not_there_is_not_shown(console, ids, path):
    assert client(console).get(f"/deliveries/{ids['held']}/{path}").status_code in (404, 422)


@pytest.mark.parametrize("path", ["deliveries/NONE", "deliveries/NONE/documents/0/1.png"])
def test_what_is_asked_of_a_delivery_that_is_not_there_is_not_found(console, path):
    answer = client(console).get(f"/{path}")
    assert (answer.status_code, "no such delivery" in answer.text) == (404, True)


def test_a_delivery_is_not_published_at_another_process_station(console, settings, ids):
    form = {"seen": seen(settings, ids["held"])}
    answer = client(console).post(f"/station/lab-reports/{ids['held']}", data=form, headers=OURS)
    assert answer.status_code == 404
    assert Ledger(settings.ledger).find(ids["held"]).status is Status.HELD


def test_if_match_decides_as_the_form_does(console, settings, ids):
    made, count = client(console), seen(settings, ids["held"])
    path = f"/deliveries/{ids['held']}/release"
    assert made.post(path, headers=OURS | {"If-Match": '"999"'}, data={"seen": count}).status_code == 409
    assert made.post(path, headers=OURS | {"If-Match": f'"{count}"'}).status_code == 303


def test_no_answer_with_values_may_be_kept_by_anybody(console, ids):
    made = client(console)
    for rule in rules(console, "GET"):
        assert made.get(filled(rule, ids)).headers["Cache-Control"] == "no-store", rule


def test_no_value_and_no_password_comes_into_the_log(console, settings, ids, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    made = client(console)
    made.post("/deliveries", data={"known": "77712345"}, headers=OURS)
    log_in(console.test_client(), "a password in the wrong place", "another one")
    act(made, settings, ids["held"], "correct", **{"field.mrn": "77712345", "field.patient_dob": "77712345"})
    for secret in ("77712345", "wrong place", "another one", PASSWORD):
        assert secret not in caplog.text
        for path in settings.data.glob("ledger.db*"):
            assert secret.encode() not in path.read_bytes()


def test_a_name_that_is_not_there_has_to_wait_as_others_do(console):
    made = client(console, None)
    answers = [log_in(made, "nobody at all", "wrong", "192.0.2.77").status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]


@pytest.fixture
def proxied(settings, accounts):
    environ = settings.variables() | {"RECEIVER_CONSOLE_PROXIES": "192.0.2.5", "RECEIVER_CONSOLE_USER": "X-Remote-User"}
    return create_app(Settings.from_environment(environ)).test_client()


def asked(made, address, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return made.get("/", headers=named, environ_base={"REMOTE_ADDR": address})


def test_a_trusted_proxy_names_the_user_and_nobody_else_does(proxied):
    assert "operator person (operator)" in asked(proxied, "192.0.2.5", X_Remote_User="operator person").text
    assert asked(proxied, "192.0.2.6", X_Remote_User="operator person").status_code == 303
    assert asked(proxied, "192.0.2.6", X_Remote_User="operator person", X_Forwarded_For="192.0.2.5").status_code == 303
    assert asked(proxied, "192.0.2.5", X_Remote_User="nobody").status_code == 403
    assert asked(proxied, "192.0.2.5").status_code == 303


@pytest.mark.parametrize(("address", "scheme", "secure"), [("192.0.2.5", "https", True), ("192.0.2.6", "https", False)])
def test_the_cookie_is_secure_behind_tls(proxied, accounts, address, scheme, secure):
    headers = OURS | {"X-Forwarded-Proto": scheme, "X-Forwarded-For": "198.51.100.9"}
    form = {"name": "operator person", "password": PASSWORD}
    answer = proxied.post("/login", data=form, headers=headers, environ_base={"REMOTE_ADDR": address})
    assert ("Secure" in answer.headers["Set-Cookie"]) is secure
    assert accounts.looks()[0].note == ("198.51.100.9" if secure else address)


# What has gone through the filters of others: after the kinds of the Big List of Naughty Strings, in our own words.
NAUGHTY = [
    "<script>seen()</script>",
    '"><img src=x onerror=seen()>',
    "'><svg onload=seen()>",
    "</textarea><script>seen()</script>",
    "</title><script>seen()</script>",
    "javascript:seen()",
    "{{ 7 * 7 }}{% raw %}",
    "${seen()}",
    "\u2028seen()\u2029",
    "\u202egnirts",
    "<a href=javascript:seen() hx-get=/x hx-on:click=seen()>",
    "<!-- --!><script>seen()</script>",
    "&lt;script&gt;seen()&lt;/script&gt;",
    "\x3cscript\x3e",
    "<b\tonmouseover=seen()>",
    "<iframe srcdoc='<script>parent.seen()</script>'>",
]


def test_no_value_name_header_or_file_name_is_ever_more_than_text(page, url, console, settings, service):
    from .conftest import deliver

    bad = "".join(NAUGHTY)
    changes = {"mrn": (bad[:200], 0.5), "patient_name": (bad, 0.9), **{text: (text, 0.4) for text in NAUGHTY[:10]}}
    deliver(service, NAUGHTY[0], changes, filename=NAUGHTY[1].replace('"', "%22"), agent=NAUGHTY[0])
    lines = [{"cells": [{"name": text, "value": text, "confidence": 0.9} for text in NAUGHTY]}]
    deliver(service, NAUGHTY[1], {"mrn": (NAUGHTY[0], 0.5), "patient_name": (NAUGHTY[3], 0.9)}, lines=lines)
    Accounts(Ledger(settings.ledger).connections).note(NAUGHTY[0], NAUGHTY[1], note=NAUGHTY[2])
    page.expose_function("seen", lambda: pytest.fail("a script of a sender has run"))
    found = Ledger(settings.ledger).search(limit=2)
    for path in ("/", "/deliveries", "/audit", "/station/referrals", *(f"/deliveries/{each.id}" for each in found)):
        page.goto(url + path)
        page.wait_for_load_state("load")
        live = "main script, main iframe, main [onerror], main [onload], main [hx-on\\:click]"
        assert page.locator(live).count() == 0
        if path == f"/deliveries/{found[0].id}":
            assert NAUGHTY[0] in page.locator(".cells").inner_text()
        if "deliveries/" in path:
            assert page.locator("h1").inner_text().startswith((NAUGHTY[0], NAUGHTY[1]))
