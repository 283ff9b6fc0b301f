"""Where on the page a field was read: by the platform's coordinates, or in the text of a PDF, marked over its image."""

import os
from pathlib import Path
from types import SimpleNamespace as Given

import pytest

from receiver.core.delivery import Region, Status
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
