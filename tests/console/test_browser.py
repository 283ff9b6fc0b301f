"""The console in a real browser, under its own strict policy: a held fax is published by keyboard alone."""

import os
from pathlib import Path

import pytest

from receiver.core.delivery import Status
from receiver.store.ledger import Ledger

from .conftest import deliver, opened_by, settled


def drawn(page):
    image = page.locator(".sheet img")
    image.evaluate("image => image.decode()")
    return image


def test_a_held_fax_is_corrected_and_published_by_keyboard_alone(page, url, settings, ids):
    page.goto(f"{url}/deliveries?status=held")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-doubt]:focus")  # the doubtful field is where the cursor stands
    assert ids["held"] in page.url
    drawn(page)  # what is asked for while it moves is drawn where it lies then, if its originals are kept
    page.keyboard.press("Control+a")
    page.keyboard.type("00071235")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("text=The delivery was corrected.")
    entry = settled(settings, ids["held"])
    assert entry.status is Status.PUBLISHED
    record = next(output.path for output in entry.outputs if output.path.endswith(".hl7"))
    assert b"|00071235^" in (settings.output / record).read_bytes()


def test_the_pages_of_a_document_turn_and_grow_by_key(page, url, ids):
    page.goto(f"{url}/deliveries/{ids['published']}")
    page.goto(f"{url}/deliveries/{ids['held']}")
    image = drawn(page)
    assert image.evaluate("image => image.naturalWidth") > 1_000
    page.locator("h1").click()
    page.keyboard.press("+")
    page.keyboard.press("r")
    assert page.get_attribute(".paper", "class") == "paper w150 t90"
    with page.expect_response("**/documents/0/2.png") as answered:
        page.keyboard.press("n")
    assert answered.value.status == 200
    assert page.inner_text("[data-page]") == "2"


def test_each_key_of_the_list_and_of_the_document_does_what_it_says(page, url, ids):
    page.goto(f"{url}/deliveries")
    rows = page.locator(".list tbody tr")
    for key, at in (("j", 0), ("j", 1), ("k", 0), ("k", 0)):
        page.keyboard.press(key)
        assert rows.nth(at).get_attribute("class") == "at"
    page.keyboard.press("/")
    assert page.locator("#search").evaluate("field => field === document.activeElement")
    page.keyboard.type("jk/")  # a letter that is typed is no key
    assert page.input_value("#search") == "jk/"
    page.goto(f"{url}/deliveries/{ids['held']}")
    drawn(page)
    page.locator("h1").click()
    for key, looks in (("+", " w150"), ("+", " w200"), ("-", " w150"), ("-", ""), ("-", "")):
        page.keyboard.press(key)
        assert page.get_attribute(".paper", "class") == f"paper{looks}"
    for key, number in (("n", "2"), ("n", "2"), ("p", "1"), ("p", "1")):
        page.keyboard.press(key)
        page.wait_for_selector(f"[data-page]:text-is('{number}')")


def test_an_id_is_copied_by_one_click(page, url, ids):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{url}/deliveries/{ids['held']}")
    page.click("[data-copy]")
    page.wait_for_selector("[data-copy]:text-is('copied')")
    assert page.evaluate("navigator.clipboard.readText()") == ids["held"]


def test_what_was_typed_is_not_lost_unasked_nor_released_without_it(page, url, settings, ids):
    # paperless-ngx #955, paperless-ng #57
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.goto(f"{url}/deliveries/{ids['held']}")
    page.wait_for_selector("[data-doubt]:focus")
    page.keyboard.type("9")
    with page.expect_event("dialog"):
        page.click("text=Release: I have looked", no_wait_after=True)
    assert asked == ["beforeunload"]
    assert Ledger(settings.ledger).find(ids["held"]).status is Status.HELD
    page.keyboard.press("Control+Enter")  # publishing them asks nothing
    page.wait_for_selector("text=The delivery was corrected.")
    assert asked == ["beforeunload"]


def test_moments_are_written_as_the_browser_does_and_told_by_their_age(page, url, ids):
    page.goto(f"{url}/deliveries")
    first = page.locator(".list tbody tr").first
    assert page.evaluate("document.querySelector('.list time').textContent.includes('T')") is False
    assert "ago" in first.locator(".age").inner_text() or first.locator(".age").inner_text() == "now"


def test_a_click_on_a_field_marks_where_it_stands_in_the_record(page, url, ids):
    page.goto(f"{url}/deliveries/{ids['held']}")
    page.click("[data-place=mrn]")
    page.wait_for_selector("pre mark:text-is('00071234')")
    page.click("[data-place=patient_dob]")
    page.wait_for_selector("pre mark:text-is('19640220')")
    assert "00071234" not in page.locator("pre mark").all_inner_texts()


def test_the_keys_are_listed_and_the_list_closes(page):
    page.keyboard.press("?")
    page.wait_for_selector("#keys", state="visible")
    page.keyboard.press("Escape")
    page.wait_for_selector("#keys", state="hidden")


def test_what_a_rehearsal_says_comes_into_the_page(page, url, ids):
    page.goto(f"{url}/deliveries/{ids['held']}")
    page.click("text=What would that change?")
    page.wait_for_selector("#rehearsal h2")
    assert "would be published" in page.inner_text("#rehearsal")


SCREENS = {
    "now": "/",
    "deliveries": "/deliveries",
    "delivery": "/deliveries/{held}",
    "station": "/station/referrals",
    "workbench": "/workbench/referrals?file=mdm_t02.hl7.j2",
    "audit": "/audit",
}


@pytest.mark.skipif("PICTURES" not in os.environ, reason="PICTURES names no folder to draw into")
def test_pictures_for_the_docs(browser, url, settings, service):
    folder = Path(os.environ["PICTURES"])
    letter = {"patient_name": ("John Smith", 0.97), "date_of_encounter": ("01/30/2018", 0.95)}
    for number in range(14):
        changes = {"mrn": (f"8{number:06}", 0.99 if number % 4 else 0.72)} if number % 7 else {"mrn": None}
        deliver(service, f"{20260001 + 37 * number}", letter | changes)
    deliver(service, "20260731", letter | {"mrn": ("142637H", 0.61)})
    ids = {"held": Ledger(settings.ledger).search(source_id="20260731")[0].id}
    for entry in Ledger(settings.ledger).search(status=Status.HELD, process="referrals")[1:]:
        Ledger(settings.ledger).discard(entry, entry.attempts[-1])
    for page in opened_by(browser, url, "owner person"):
        for name, path in SCREENS.items():
            page.goto(url + path.format(**ids))
            page.wait_for_load_state("networkidle")
            page.screenshot(path=str(folder / f"console-{name}.png"))
        page.emulate_media(color_scheme="dark")
        page.goto(f"{url}/deliveries/{ids['held']}")
        page.wait_for_load_state("networkidle")
        page.screenshot(path=str(folder / "console-dark.png"))
        page.set_viewport_size({"width": 390, "height": 844})
        page.emulate_media(color_scheme="light")
        page.goto(url)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=str(folder / "console-phone.png"))


def test_a_job_shows_how_far_it_has_come_until_it_is_done(page, url, settings, ids):
    page.goto(f"{url}/deliveries?status=held&process=referrals")
    page.select_option("[name=action]", "release")
    page.click("text=Count and try first")
    page.wait_for_selector("text=The dry run is complete")  # the page looks again by itself
    page.click("button:has-text('Release these')")
    page.wait_for_selector("[role=status]:has-text('Done.')")
    assert settled(settings, ids["held"]).status is Status.PUBLISHED
