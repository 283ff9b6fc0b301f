"""Every screen by axe-core, light and dark: nothing serious stands between a person and what the page is for."""

from pathlib import Path

import pytest

from .conftest import opened_by
from .test_browser import SCREENS

AXE = (Path(__file__).parent / "vendored" / "axe.min.js").read_text()
SERIOUS = {"serious", "critical"}


@pytest.mark.parametrize("colors", ["light", "dark"])
def test_no_screen_has_a_serious_finding(browser, url, ids, colors):
    for page in opened_by(browser, url, "owner person"):
        page.emulate_media(color_scheme=colors)
        for path in ("/login", "/jobs", "/deliveries?status=held", *SCREENS.values()):
            page.goto(url + path.format(**ids))
            page.wait_for_load_state("networkidle")
            page.evaluate(AXE)
            found = page.evaluate("axe.run().then((found) => found.violations)")
            serious = [
                f"{each['id']}: {node['html'][:200]} {node['failureSummary'][:200]}"
                for each in found
                if each["impact"] in SERIOUS
                for node in each["nodes"]
            ]
            assert serious == [], path
