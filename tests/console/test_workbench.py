"""The workbench: drafts are tried, saved only when check and test find nothing, and touch nothing before."""

from pathlib import Path
from types import SimpleNamespace as Given

import pytest

from receiver.core.delivery import Status
from receiver.store.accounts import Role
from receiver.store.ledger import Ledger
from receiver.web.console import drafts

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
