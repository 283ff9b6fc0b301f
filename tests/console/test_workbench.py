"""The workbench: drafts are tried, saved only when check and test find nothing, and touch nothing before."""

from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace as Given

import pytest
from flask import Flask, g
from werkzeug.exceptions import NotFound, RequestEntityTooLarge

from receiver.authoring.cases.cases import NotARequestError
from receiver.core.delivery import Status
from receiver.core.faults import ConfigurationError
from receiver.core.problems import Code, Problem
from receiver.store.accounts import Role
from receiver.store.entry import Entry
from receiver.store.ledger import KEPT, Ledger
from receiver.web.console import drafts, showing, workbench

from .conftest import NUMBERS, deliver, opened_by
from .test_console import OURS, client

TEMPLATE = "mdm_t02.hl7.j2"
ELSEWHERE = [
    "../../schemas/x.schema.json",
    "samples/faxed-letter/metadata.json",
    "/etc/hostname",
    "x.j2",
]


@pytest.fixture
def path(settings, service):
    """Return the template's path; it is again as it was afterwards."""
    found = settings.site / "mappings/referrals" / TEMPLATE
    before = found.read_bytes()
    yield found
    found.write_bytes(before)


def form(path, text, name=TEMPLATE, source="case:faxed-letter"):
    return {"file": name, "seen": drafts.digest(path.read_bytes()), "text": text, "source": source}


def attempt(console, path, text, **more):
    data = form(path, text, **more)
    return client(console, Role.OWNER).post("/workbench/referrals/try", data=data, headers=OURS).text


def save(console, path, text, **more):
    data = form(path, text) | more
    return client(console, Role.OWNER).post("/workbench/referrals/save", data=data, headers=OURS)


def test_an_owner_sees_the_files_of_a_process(console, path):
    page = client(console, Role.OWNER).get("/workbench/referrals").text
    assert "process.toml" in page
    assert TEMPLATE in page
    assert "samples/" not in page
    assert "case:faxed-letter" in page


def test_a_draft_shows_the_records_it_makes_and_touches_nothing(console, path):
    before = path.read_bytes()
    page = attempt(console, path, before.decode().replace("REFERRALS", "ELSEWHERE"))
    assert "|ELSEWHERE|" in page
    assert path.read_bytes() == before


def test_findings_have_their_lines(console, path):
    page = attempt(console, path, path.read_text().replace("fields.mrn", "fields.mrm"))
    assert "data-line=" in page
    assert "mrm" in page


def test_a_draft_of_process_toml_is_tried_as_well(console, path, settings):
    toml = path.with_name("process.toml")
    page = attempt(console, toml, toml.read_text().replace("minimum = 0.80", "minimun = 0.80"), name="process.toml")
    assert "did you mean" in page


def test_a_kept_delivery_is_tried_and_the_look_is_noted(console, path, accounts, ids):
    page = attempt(console, path, path.read_text(), source=f"delivery:{ids['held']}")
    assert "PID|1||00071234" in page
    look = accounts.looks(delivery=ids["held"])[0]
    assert (look.person, look.event, look.note) == ("owner person", "view", "workbench")


def test_a_kept_delivery_is_tried_as_the_version_that_it_would_be(console, path, settings, service):
    source = f"V-{next(NUMBERS)}"
    deliver(service, source, {})
    deliver(service, source, {"mrn": ("00071234", 0.61)})
    (held,) = Ledger(settings.ledger).search(source_id=source, status=Status.HELD)
    text = path.read_text() + "ZZZ|{{ delivery.version }}|{{ delivery.previous.version if delivery.previous }}\n"
    assert "ZZZ|2|1" in attempt(console, path, text, source=f"delivery:{held.id}")


def test_what_check_and_test_find_nothing_against_is_saved_and_the_former_state_kept(console, path, settings, accounts):
    before = path.read_bytes()
    path.chmod(0o600)
    text = before.decode() + "{# seen #}"
    mode = path.stat().st_mode
    assert save(console, path, text.replace("\n", "\r\n")).status_code == 303
    assert path.read_text() == text
    look = accounts.looks(person="owner person")[0]
    assert (look.event, look.note.partition(":")[0]) == ("save", f"referrals/{TEMPLATE}")
    former = list((settings.data / drafts.FOLDER / "referrals" / TEMPLATE).iterdir())
    assert before in [each.read_bytes() for each in former]
    assert path.stat().st_mode == mode
    folder = settings.data / drafts.FOLDER / "referrals" / TEMPLATE
    assert not folder.stat().st_mode & 0o027


def test_kept_deliveries_are_offered_and_no_others(console, path, ids):
    page = client(console, Role.OWNER).get("/workbench/referrals").text
    offered = {status: f'value="delivery:{ids[status]}"' in page for status in ("held", "refused", "published")}
    assert offered == {"held": True, "refused": True, "published": False}


@pytest.mark.parametrize(("old", "new", "why"), [("fields.mrn", "fields.mrm", "mrm"), ("REFERRALS", "X", "samples/")])
def test_what_check_or_test_finds_is_not_saved(console, path, old, new, why):
    before = path.read_bytes()
    answer = save(console, path, before.decode().replace(old, new))
    assert answer.status_code == 200
    assert "Not saved" in answer.text
    assert why in answer.text
    assert path.read_bytes() == before


def test_two_owners_do_not_overwrite_each_other(console, path):
    assert save(console, path, path.read_text() + "{# one #}", seen="0" * 64).status_code == 409


def test_where_the_site_is_read_only_it_says_so(console, path, monkeypatch):
    monkeypatch.setattr(drafts, "is_read_only", lambda _: True)
    answer = save(console, path, path.read_text() + "{# one #}")
    assert answer.status_code == 403
    assert "read-only" in answer.text
    assert "read-only" in client(console, Role.OWNER).get("/workbench/referrals").text


@pytest.mark.parametrize("name", ELSEWHERE)
def test_no_file_but_those_of_the_process_is_shown_or_saved(console, path, name):
    made = client(console, Role.OWNER)
    assert made.get("/workbench/referrals", query_string={"file": name}).status_code == 404
    assert made.post("/workbench/referrals/save", data=form(path, "x", name=name), headers=OURS).status_code == 404


@pytest.mark.parametrize(
    ("former", "saved"),
    [(b"", b"a\nb\n"), (b"x\n", b"a\nb\n"), (b"x\r\n", b"a\r\nb\r\n")],
)
def test_a_file_keeps_its_line_ends(former, saved):
    assert drafts.as_saved("a\r\nb\n", former) == saved


@pytest.mark.parametrize(("refused", "is_read_only"), [("file", True), ("folder", True), ("", False)])
def test_a_file_is_saved_where_it_and_its_folder_can_be_written(monkeypatch, refused, is_read_only):
    path = Path("folder/file")
    monkeypatch.setattr(drafts, "os", Given(access=lambda asked, _: asked.name != refused, W_OK=2))
    assert drafts.is_read_only(path) is is_read_only


def test_a_draft_may_be_longer_than_any_other_form(console, path):
    assert "|REFERRALS|" in attempt(console, path, path.read_text() + f"{{# {'x' * 100_000} #}}")


def test_no_delivery_of_another_process_is_tried(console, path, ids):
    file = path.parents[1] / "lab-reports/process.toml"
    data = form(file, file.read_text(), name="process.toml", source=f"delivery:{ids['held']}")
    assert client(console, Role.OWNER).post("/workbench/lab-reports/try", data=data, headers=OURS).status_code == 404


def test_the_workbench_is_for_owners(console, path):
    made = client(console)
    assert made.get("/workbench/referrals").status_code == 403
    assert made.post("/workbench/referrals/save", data=form(path, "x"), headers=OURS).status_code == 403


def test_a_saved_file_is_shown_again_and_said_to_be_saved(console, path):
    made = client(console, Role.OWNER)
    text = path.read_text() + "{# again #}"
    answer = made.post("/workbench/referrals/save", data=form(path, text), headers=OURS)
    assert (answer.status_code, answer.location) == (303, f"/workbench/referrals?file={TEMPLATE}&saved=1")
    page = made.get(answer.location).text
    assert "Saved. The service" in page
    assert "{# again #}" in page
    assert "Saved. The service" not in made.get("/workbench/referrals").text


def test_what_the_header_has_seen_decides_as_in_the_form(console, path):
    made, data = client(console, Role.OWNER), form(path, path.read_text())
    headers = [OURS | {"If-Match": f'"{seen}"'} for seen in ("0" * 64, data.pop("seen"))]
    answers = [made.post("/workbench/referrals/save", data=data, headers=each).status_code for each in headers]
    assert answers == [409, 303]


def test_there_is_a_workbench_only_for_what_is_configured(console, path):
    made = client(console, Role.OWNER)
    assert made.get("/workbench/nothing").status_code == 404
    assert made.post("/workbench/nothing/try", data=form(path, "x"), headers=OURS).status_code == 404


def entered(id_: str, process: str = "scans") -> Entry:
    return Entry(id_, process, "1", 1, datetime(2026, 1, 2, tzinfo=UTC), "", "")


@pytest.fixture
def bench(monkeypatch):
    """Return what the ledger is asked for; views show what they are given."""
    asked = []

    def search(**how):
        asked.append(how)
        return [entered(how["status"].value), "a damaged row"]

    processes = {"scans": "compiled"}
    context = Given(processes=processes, ledger=Given(search=search))
    monkeypatch.setattr(workbench, "service", lambda: Given(context=context, settings="settings"))
    monkeypatch.setattr(workbench, "render_template", lambda template, /, **shown: shown | {"template": template})
    monkeypatch.setattr(drafts, "names", lambda *_: ["process.toml", "a.j2"])
    monkeypatch.setattr(drafts, "path_of", lambda _settings, _process, name: Path(name))
    monkeypatch.setattr(drafts, "is_read_only", lambda path: path.name == "a.j2")
    monkeypatch.setattr(workbench, "cases", lambda process: [Given(name=f"case of {process}")])
    return asked


@pytest.mark.parametrize(
    ("name", "query", "read_only"), [("process.toml", "", ""), ("a.j2", "?saved=1", workbench.READ_ONLY)]
)
def test_a_file_is_shown_with_what_it_may_be_tried_on(bench, name, query, read_only):
    with Flask(__name__).test_request_context(f"/{query}"):
        shown = workbench._page("scans", name, "text", "seen", ["line"])
    assert bench == [{"process": "scans", "status": each, "limit": workbench.OFFERED} for each in KEPT]
    assert [each.id for each in shown.pop("kept")] == [each.value for each in KEPT]
    assert shown == {
        "template": "workbench.html",
        "process": "scans",
        "name": name,
        "names": ["process.toml", "a.j2"],
        "text": "text",
        "seen": "seen",
        "against": ["line"],
        "cases": ["case of compiled"],
        "read_only": read_only,
        "saved": bool(query),
    }


@pytest.mark.parametrize(
    ("process", "wanted", "found"),
    [("scans", "", "process.toml"), ("scans", "a.j2", "a.j2"), ("scans", "b.j2", 404), ("other", "", 404)],
)
def test_the_first_file_is_shown_unless_another_one_is_asked_for(bench, process, wanted, found):
    if found == 404:
        with pytest.raises(NotFound):
            workbench._name(process, wanted)
    else:
        assert workbench._name(process, wanted) == found


def test_nothing_is_shown_of_a_process_without_files(bench, monkeypatch):
    monkeypatch.setattr(drafts, "names", lambda *_: [])
    with pytest.raises(NotFound):
        workbench._name("scans", "")


def refuse(error):
    def raised(*_):
        raise error

    return raised


@pytest.mark.parametrize(
    ("source", "case", "kept", "found"),
    [
        ("case:one:two", lambda *given: given, None, (("draft", "scans", "one:two"), "")),
        ("delivery:ID", None, lambda *given: (given[0], given[2].id), (("draft", "ID"), "")),
        ("case:one", refuse(NotARequestError("It is none.")), None, (None, "It is none.")),
        ("delivery:ID", None, refuse(Problem(Code.STORAGE_FAILED, "It is gone.")), (None, "It is gone.")),
        ("case:one", refuse(ConfigurationError([])), None, (None, "")),
        ("", None, None, (None, "")),
        ("other:one", None, None, (None, "")),
    ],
)
def test_a_draft_is_tried_on_what_is_chosen_or_it_is_told_why_not(bench, monkeypatch, source, case, kept, found):
    monkeypatch.setattr(drafts, "of_case", case)
    monkeypatch.setattr(drafts, "of_kept", kept)
    monkeypatch.setattr(workbench, "_viewed", lambda _process, id_: entered(id_))
    with Flask(__name__).test_request_context("/", method="POST", data={"source": source}):
        assert workbench._outcome("draft", "scans") == found


@pytest.mark.parametrize(("process", "noted"), [("scans", [("ada", "view", "ID", "workbench")]), ("labs", [])])
def test_a_look_at_a_delivery_of_the_process_is_noted(bench, monkeypatch, process, noted):
    notes = []
    monkeypatch.setattr(workbench, "entry_of", lambda id_: entered(id_, process))
    monkeypatch.setattr(workbench, "accounts", lambda: Given(note=lambda *note: notes.append(note)))
    with Flask(__name__).test_request_context("/"):
        g.user = Given(name="ada")
        with suppress(NotFound):
            assert workbench._viewed("scans", "ID").id == "ID"
    assert notes == noted


@pytest.mark.parametrize("outcome", [None, Given(problem="problem", rendered=None, batches=())])
def test_what_becomes_of_a_draft_is_told_with_its_findings(bench, monkeypatch, outcome):
    monkeypatch.setattr(workbench, "_draft", lambda process: ("a.j2", b"text", "seen"))
    monkeypatch.setattr(workbench, "_outcome", lambda *_: (outcome, "missing"))
    monkeypatch.setattr(drafts, "drafted", lambda *_: nullcontext("draft"))
    monkeypatch.setattr(drafts, "findings", lambda *_: ["found"])
    monkeypatch.setattr(showing, "records", lambda _: iter([("path", "text")]))
    with Flask(__name__).test_request_context("/"):
        g.user = Given(name="ada", role=Role.OWNER)
        assert workbench.attempt("scans") == {
            "template": "tried.html",
            "found": ["found"],
            "here": "mappings/scans/a.j2",
            "missing": "missing",
            "problem": "problem" if outcome else None,
            "records": [("path", "text")] if outcome else [],
        }


@pytest.mark.parametrize(("more", "taken"), [(-1_000, True), (1, False)])
def test_a_draft_may_be_as_long_as_its_form_writes_it_and_no_longer(bench, monkeypatch, tmp_path, more, taken):
    monkeypatch.setattr(drafts, "LONGEST", 1_000)
    monkeypatch.setattr(drafts, "path_of", lambda *_: tmp_path / "a.j2")
    (tmp_path / "a.j2").write_bytes(b"former")
    data = {"file": "a.j2", "seen": "1", "text": "x" * (4 * drafts.LONGEST + more)}
    with Flask(__name__).test_request_context("/", method="POST", data=data):
        if taken:
            assert workbench._draft("scans") == ("a.j2", data["text"].encode(), "1")
        else:
            with pytest.raises(RequestEntityTooLarge):
                workbench._draft("scans")


def test_a_draft_is_tried_while_it_is_typed(browser, url, path):
    for page in opened_by(browser, url, "owner person"):
        page.goto(f"{url}/workbench/referrals?file={TEMPLATE}")
        page.wait_for_selector("#tried summary:has-text('.hl7')")
        text = page.locator("[name=text]")
        text.press("Control+End")
        page.keyboard.type("ZZZ|{{ fields.unheard_of }}")
        page.wait_for_selector("#tried [data-line]")
        page.click("#tried [data-line] >> nth=0")
        assert "fields.unheard_of" in page.evaluate("getSelection().toString()")
        assert page.locator(".gutter .error, .gutter .warning").count() == 1
