"""Where on the page a field was read: by the platform's coordinates, or in the text of a PDF, marked over its image."""

import os
from pathlib import Path
from types import SimpleNamespace as Given

import pytest

from receiver.core.delivery import Region, Status
from receiver.core.problems import Code, Problem
from receiver.store.accounts import Role
from receiver.store.ledger import Ledger
from receiver.web.console import places, showing
from tests.support.text_pdfs import HEIGHT, WIDTH, text_pdf

from .conftest import NUMBERS, deliver
from .test_accessible import AXE, SERIOUS
from .test_console import OURS, client

PLACE = """
[tables.items.place]
page = "page"
box = "box"
[fields.place]
page = "page"
box = "box"
size = "`[1728, 2290]`"
"""
MRN = [864, 229, 1296, 458]  # of a fax in pixels
FAX = {"mrn": ("00071234", 0.61, 2, MRN), "patient_name": ("Ada Example", 0.97)}
FORM = [(80, 650, "Patient name"), (300, 650, "Ada Example"), (80, 500, "MRN"), (300, 500, "00071234")]
COVER = [(80, 700, "Referral of Ada Example")]


@pytest.fixture(scope="module")
def settings(settings):
    with (settings.site / "mappings/referrals/process.toml").open("a") as file:
        file.write(PLACE)
    return settings


def delivered(service, settings, changes, **more) -> str:
    source = f"P-{next(NUMBERS)}"
    deliver(service, source, changes, **more)
    return Ledger(settings.ledger).search(source_id=source)[0].id


def nothing_held(settings) -> None:
    ledger = Ledger(settings.ledger)
    for entry in ledger.search(status=Status.HELD):
        assert ledger.discard(entry, entry.attempts[-1])


@pytest.fixture
def fax(settings, service) -> str:
    return delivered(service, settings, FAX)


@pytest.fixture
def form(settings, service) -> str:
    """The id of a held PDF whose second page is a form."""
    return delivered(service, settings, {"mrn": ("00071234", 0.61)}, pdf=text_pdf(COVER, FORM))


@pytest.fixture
def told(console):
    made = client(console)

    def of(id_, name):
        answer = made.post(f"/deliveries/{id_}/region", data={"name": name}, headers=OURS)
        assert answer.status_code == 200
        return answer.json

    return of


def test_the_platform_says_where(told, fax):
    assert told(fax, "mrn") == {"said": "on page 2", "document": 0, "page": 2, "boxes": [[0.5, 0.1, 0.75, 0.2]]}


def test_of_a_fax_nothing_is_known_that_the_platform_does_not_say(told, fax):
    found = told(fax, "patient_name")
    assert (found["document"], found["boxes"]) == (None, [])
    assert found["said"] == places.NOT_SAID


def test_a_page_that_is_not_there_is_told(told, settings, service):
    id_ = delivered(service, settings, {"mrn": ("00071234", 0.61, 9, MRN)})
    assert told(id_, "mrn")["said"] == places.NO_SUCH_PAGE


@pytest.mark.parametrize(("page", "found"), [(2, (0, 2)), (3, (1, 1)), (5, (1, 3)), (6, (None, 0))])
def test_the_platform_counts_the_pages_of_all_documents(monkeypatch, page, found):
    counts = {"first": 2, "second": 3}
    monkeypatch.setattr(showing, "documents_of", lambda _kept: list(counts))
    monkeypatch.setattr(showing, "page_count", lambda part, _process: counts[part])
    place = places._counted(Given(name="referrals"), None, Region(page, ((0.1, 0.1, 0.2, 0.2),)))
    assert (place.document, place.page) == found


def test_the_text_of_a_pdf_says_where(told, form):
    found = told(form, "patient_name")
    assert (found["page"], found["said"]) == (2, "on page 2, one of 2 places that have this value")
    assert found["boxes"][0][0] == pytest.approx(300 / WIDTH, abs=0.01)
    assert told(form, "patient_dob")["said"] == places.NOT_FOUND
    assert told(form, "no such field") == {"said": places.NOT_SENT, "document": None, "page": 0, "boxes": []}


def test_of_a_field_that_came_many_times_so_many_values_are_sought(monkeypatch):
    sought = []
    monkeypatch.setattr(showing, "values", lambda *_: [f"value {number}" for number in range(places.SOUGHT + 1)])
    monkeypatch.setattr(showing, "documents_of", lambda _kept: ["document"])
    monkeypatch.setattr(places.documents, "find", lambda _part, value, *_: sought.append(value))
    assert places._by_text(Given(name="referrals"), None, "mrn").said == places.NOT_SAID
    assert len(sought) == places.SOUGHT


@pytest.mark.parametrize(("count", "more"), [(1, ""), (2, ", one of 2 places that have this value")])
def test_a_value_is_looked_for_in_each_document_beside_the_name_of_its_column(monkeypatch, count, more):
    boxes, asked = ((0.1, 0.1, 0.2, 0.2),), []
    found = {("first", "A1"): True, ("second", "A1"): False, ("first", "A2"): False}

    def find(part, value, name, process):
        asked.append((part, value, name, process))
        return found.get((part, value), Region(3, boxes, count))

    monkeypatch.setattr(showing, "values", lambda *_: ["A1", "A2"])
    monkeypatch.setattr(showing, "documents_of", lambda _kept: ["first", "second"])
    monkeypatch.setattr(places.documents, "find", find)
    place = places._by_text(Given(name="referrals"), None, "/tables/items/0/qty~1unit")
    assert place == places.OnPage(f"on page 3{more}", 1, 3, boxes)
    assert asked == [(part, value, "qty/unit", "referrals") for value in ("A1", "A2") for part in ("first", "second")]


@pytest.mark.parametrize(
    ("texts", "said"), [((True, False), places.NOT_FOUND), ((False, True), places.NOT_FOUND), ((False, False), None)]
)
def test_a_value_is_not_in_the_text_if_any_document_has_one(monkeypatch, texts, said):
    monkeypatch.setattr(showing, "values", lambda *_: ["A1"])
    monkeypatch.setattr(showing, "documents_of", lambda _kept: [0, 1])
    monkeypatch.setattr(places.documents, "find", lambda part, *_: texts[part])
    assert places._by_text(Given(name="referrals"), None, "mrn").said == (said or places.NOT_SAID)


def test_a_field_without_a_value_came_without_one(monkeypatch):
    monkeypatch.setattr(showing, "values", lambda *_: [])
    assert places._by_text(Given(name="referrals"), None, "mrn") == places.OnPage(places.NOT_SENT)


REGION = Region(2, ((0.1, 0.1, 0.2, 0.2),))


@pytest.mark.parametrize(
    ("has_places", "has_metadata", "regions", "found"),
    [
        (True, True, lambda *_: {"mrn": REGION}, REGION),
        (True, True, lambda *_: {"other": REGION}, None),
        (True, True, None, None),
        (True, False, lambda *_: {"mrn": REGION}, None),
        (False, True, lambda *_: {"mrn": REGION}, None),
    ],
)
def test_the_platform_is_asked_where_its_metadata_may_tell(monkeypatch, has_places, has_metadata, regions, found):
    def refuse(*_):
        raise Problem(Code.METADATA_MALFORMED, "It is none.")

    metadata = Given(read=lambda: b"{}", charset=None) if has_metadata else None
    monkeypatch.setattr(showing, "metadata_of", lambda _kept: metadata)
    process = Given(metadata=Given(has_places=has_places, regions=regions or refuse))
    assert places._by_platform(process, None, "mrn") is found


class Rendered:
    """A delivery of which one record is rendered with each other value, and what is refused."""

    def __init__(self, monkeypatch, value: str, refused: int = 0, *, single: bool = True) -> None:
        self.value, self.refused, self.single, self.tried = value, refused, single, []
        monkeypatch.setattr(showing, "preview", self.preview)

    def preview(self, _context, _entry, corrections=None):
        if corrections is None:
            corrections = {"mrn": self.value, "other": "9"}
        else:
            self.tried.append(corrections)
        problem = "refused" if 0 < len(self.tried) <= self.refused else None
        every = [Given(name="other", value="9", single=True), Given(name="mrn", value=self.value, single=self.single)]
        record = f"A|{corrections['mrn']}\nB|{corrections['other']}"
        return Given(corrections=corrections, every=every, records=[("a.hl7", record)], problem=problem)


def test_a_field_is_where_a_record_differs_with_another_value_that_is_taken(monkeypatch):
    rendered = Rendered(monkeypatch, "12", refused=1)
    assert places.places(None, None, "mrn") == [places.Place("a.hl7", 0, 2, 4)]
    assert rendered.tried == [{"mrn": "11", "other": "9"}, {"mrn": "22", "other": "9"}]


@pytest.mark.parametrize(("value", "single", "tried"), [("1234567890", True, places.TRIES), ("12", False, 0)])
def test_a_field_has_no_place_if_no_other_value_is_taken(monkeypatch, value, single, tried):
    rendered = Rendered(monkeypatch, value, refused=99, single=single)
    assert places.places(None, None, "mrn") == []
    assert len(rendered.tried) == tried


def test_a_value_with_which_there_are_no_records_is_passed_over(monkeypatch):
    rendered = Rendered(monkeypatch, "12")
    found = [rendered.preview(None, None, {"mrn": "22", "other": "9"}), Given(records=[], problem=None)]
    found.append(rendered.preview(None, None))
    monkeypatch.setattr(showing, "preview", lambda *_: found.pop())
    assert places.places(None, None, "mrn") == [places.Place("a.hl7", 0, 2, 4)]


def test_other_values_have_the_same_shape():
    assert list(places._others("1x-5Xa")) == ["1x-5Xx", "1x-5Ya", "1x-1Xa", "1y-5Xa", "2x-5Xa"]
    assert list(places._others("")) == []


@pytest.mark.parametrize(
    ("one", "other", "span"),
    [
        ("PID|1||0007^^A", "PID|1||0001^^A", (7, 11)),
        ("ab", "xb", (0, 2)),
        ("ab", "ax", (0, 2)),
        ("|a|", "|x|", (1, 2)),
        ("--", "---", (2, 2)),
        ("---", "--", (2, 3)),
        ("|ab cd|", "|ab xd|", (4, 6)),
        ("|ab cd|", "|xb cd|", (1, 3)),
    ],
)
def test_a_place_is_the_whole_word_that_differs(one, other, span):
    assert places._span(one, other) == span


def test_records_are_compared_line_by_line_if_they_have_as_many():
    before = {"a": "1\n2\n3", "b": "1\n2", "gone": "1\n2"}
    after = {"a": "1\n5\n6", "b": "1\n2\n3"}
    assert list(places._differing(before, after)) == [places.Place("a", 1, 0, 1), places.Place("a", 2, 0, 1)]


def test_a_cell_of_a_table_is_found(told, settings, service):
    lines = [{"cells": [{"name": "sku", "value": "A-1-77", "confidence": 0.9}]}]
    id_ = delivered(service, settings, {}, lines=lines, pdf=text_pdf([(100, 600, "Sku"), (100, 580, "A-1-77")]))
    assert told(id_, "/tables/items/0/sku")["page"] == 1
    assert told(id_, "/tables/items/7/sku")["document"] is None
    assert told(id_, "/tables/items/x/y/z")["document"] is None


def test_a_cell_is_where_the_platform_says(told, settings, service):
    lines = [{"cells": [{"name": "sku", "value": "A-1-77", "confidence": 0.9, "page": 2, "box": [0.1, 0.2, 0.3, 0.4]}]}]
    id_ = delivered(service, settings, {}, lines=lines)
    assert (told(id_, "/tables/items/0/sku")["page"], told(id_, "mrn")["document"]) == (2, None)


def test_auditors_and_other_sites_are_not_told(console, form):
    asked = {"path": f"/deliveries/{form}/region", "data": {"name": "mrn"}}
    assert client(console, Role.AUDITOR).post(**asked, headers=OURS).status_code == 403
    assert client(console).post(**asked, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def marked(page) -> dict[str, float]:
    """Return the middle of what is marked, as fractions of the page that is seen under it."""
    page.wait_for_selector(".marks rect", state="attached")
    return page.evaluate(
        """() => {
          const box = document.querySelector(".marks rect").getBoundingClientRect();
          const paper = document.querySelector(".sheet img").getBoundingClientRect();
          return {
            across: (box.x + box.width / 2 - paper.x) / paper.width,
            down: (box.y + box.height / 2 - paper.y) / paper.height,
          };
        }"""
    )


def test_a_focused_field_is_marked_on_its_page_however_that_is_zoomed_and_turned(page, url, fax):
    page.goto(f"{url}/deliveries/{fax}")  # the doubtful field has the cursor
    page.wait_for_selector(".found:text-is('mrn: on page 2')")
    assert page.inner_text("[data-page]") == "2"
    middle = {"across": 0.625, "down": 0.15}
    assert marked(page) == pytest.approx(middle, abs=0.01)
    page.keyboard.press("Alt+ArrowUp")
    page.wait_for_selector(".paper.w150")
    assert marked(page) == pytest.approx(middle, abs=0.01)
    page.keyboard.press("Alt+r")
    page.wait_for_selector(".paper.t90")
    assert marked(page) == pytest.approx({"across": 0.85, "down": 0.625}, abs=0.01)
    page.keyboard.press("PageUp")
    page.wait_for_selector(".marks:not(:has(rect))", state="attached")
    page.keyboard.press("PageDown")
    page.wait_for_selector(".marks rect", state="attached")


def test_a_click_on_a_name_shows_its_page_and_what_is_not_known_is_said(page, url, form):
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    page.goto(f"{url}/deliveries/{form}")
    page.click("[data-place=patient_name]")
    page.wait_for_selector(".found:has-text('patient_name: on page 2')")
    middle = {"across": (300 + 33) / WIDTH, "down": 1 - 655 / HEIGHT}
    assert marked(page) == pytest.approx(middle, abs=0.02)
    page.click("[data-place=patient_dob]")
    page.wait_for_selector(".found:has-text('patient_dob: this value is not')")
    assert page.locator(".marks rect").count() == 0


def test_a_marked_page_has_no_serious_finding(page, url, form):
    page.goto(f"{url}/deliveries/{form}")
    marked(page)
    page.evaluate(AXE)
    found = page.evaluate("axe.run().then((found) => found.violations)")
    assert [each["id"] for each in found if each["impact"] in SERIOUS] == []


@pytest.mark.skipif("PICTURES" not in os.environ, reason="PICTURES names no folder to draw into")
def test_picture_for_the_docs(page, url, settings, service):
    nothing_held(settings)
    letter = {"patient_name": ("John Smith", 0.97), "date_of_encounter": ("01/30/2018", 0.95)}
    delivered(service, settings, letter | {"mrn": ("142637A", 0.61, 1, [222, 496, 376, 532])})
    page.goto(f"{url}/station/referrals")
    marked(page)
    page.screenshot(path=str(Path(os.environ["PICTURES"]) / "console-place.png"))


def test_at_the_station_the_mark_goes_with_the_cursor(page, url, settings, service):
    nothing_held(settings)
    doubtful = {"patient_name": ("Ada Example", 0.61), "mrn": ("00071234", 0.61)}
    delivered(service, settings, doubtful, pdf=text_pdf(COVER, FORM))
    page.goto(f"{url}/station/referrals")
    page.wait_for_selector("[name='field.patient_name']:focus")
    page.wait_for_selector(".found:has-text('on page 2, one of 2')")
    assert marked(page)["down"] == pytest.approx(1 - 655 / HEIGHT, abs=0.01)
    page.keyboard.press("Enter")
    page.wait_for_selector("[name='field.mrn']:focus")
    page.wait_for_selector(".found:text-is('mrn: on page 2')")
    assert marked(page)["down"] == pytest.approx(1 - 505 / HEIGHT, abs=0.01)
