"""Every screen by axe-core, light and dark, at each width: nothing serious stands between a person and its purpose."""

from pathlib import Path

import pytest

from .conftest import opened_by
from .test_browser import SCREENS

AXE = (Path(__file__).parent / "vendored" / "axe.min.js").read_text()
SERIOUS = {"serious", "critical"}
SIZES = {
    "wide": {"width": 1500, "height": 1000},
    "phone": {"width": 390, "height": 844},
    "twice as large": {"width": 750, "height": 500},  # zoomed to 200 %: half as many CSS pixels
}


def serious(page):
    """Return what axe finds on a page that keeps people from what it is for."""
    if page.locator("#tried").count():
        page.wait_for_selector("#tried > :not(.quiet)")  # what the workbench has tried is on the page
    page.evaluate(AXE)
    found = page.evaluate("axe.run().then((found) => found.violations)")
    return [
        f"{each['id']}: {node['html'][:200]} {node['failureSummary'][:200]}"
        for each in found
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]


def cut_off(page):
    """Return how many pixels a page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.mark.parametrize(
    ("colors", "size"), [("light", "wide"), ("dark", "wide"), ("dark", "phone"), ("light", "twice as large")]
)
def test_no_screen_has_a_serious_finding_or_is_cut_off(browser, url, ids, colors, size):
    paths = ("/jobs", "/deliveries?status=held&since=2026-01-01", "/deliveries/{refused}", *SCREENS.values())
    for page in opened_by(browser, url, "owner person"):
        page.emulate_media(color_scheme=colors)
        page.set_viewport_size(SIZES[size])
        for path in paths:
            page.goto(url + path.format(**ids))
            assert (serious(page), cut_off(page)) == ([], 0), path
        page.keyboard.press("?")
        assert serious(page) == [], "the keys"
        page.goto(f"{url}/deliveries?status=held&process=referrals")
        page.click("text=Count and try first")
        page.wait_for_selector("text=The dry run is complete")
        assert (serious(page), cut_off(page)) == ([], 0), "a job"
        page.context.clear_cookies()
        page.goto(f"{url}/login")
        assert (serious(page), cut_off(page)) == ([], 0), "login"
