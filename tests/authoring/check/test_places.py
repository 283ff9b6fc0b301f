"""`receiver check` proves the paths to places on the page: by the metadata's schema, and by the samples."""

import json

import pytest

from receiver.authoring.check import check
from receiver.core.faults import Severity
from tests.support.invoices import EACH, Invoices

ONE = '[[records]]\ntemplate = "item.csv.j2"\npath = "{{ delivery.id }}.csv"\n'
FIELD = {"name": "total", "value": "12.50", "page": 1, "box": [620, 877, 1000, 900]}
PLACE = '[fields.place]\npage = "page"\nbox = "box"\n'


@pytest.fixture
def told(tmp_path):
    site = Invoices(tmp_path, ONE)
    (site.folder / "samples/plain/expected").mkdir(parents=True)
    (site.folder / "samples/plain/metadata.json").write_text(json.dumps({"id": "1", "fields": [FIELD], "lines": []}))

    def of(place: str) -> list[str]:
        site.write(EACH, "{{ tables.items | length }}\n")
        toml = site.folder / "process.toml"
        toml.write_text(toml.read_text().replace("[tables.items]", f"{place}[tables.items]", 1))
        found = [fault for fault in check(site.settings, {}) if fault.severity is not Severity.INFO]
        return [
            f"{fault.code}: {fault.message}"
            for fault in found
            if "place" in fault.message or fault.code == "wrong-path"
        ]

    return of


def test_places_in_pixels_need_the_size_of_the_page(told):
    assert told(PLACE) == [
        "unknown-path: no field has a place on its page by these paths in any of the samples (1)",
    ]
    assert told(PLACE + 'size = "`[1240, 1754]`"\n') == []


def test_a_path_that_is_none_is_told(told):
    assert [each.partition(":")[0] for each in told(PLACE + 'size = "pages["\n')] == ["wrong-path"]
