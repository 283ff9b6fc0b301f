"""docs/reference.md shows what a template can read, and each of its examples is true."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from receiver.core.delivery import Reading
from receiver.metadata import json as json_metadata
from receiver.metadata import xml as xml_metadata
from receiver.templates.names import NAMES, DocumentView, names, with_documents
from tests.support.mapped import DELIVERY, Mapped

PAGE = (Path(__file__).parents[2] / "docs" / "reference.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+) (\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
METADATA = {language: text.encode() for language, kind, text in BLOCKS if kind == "metadata"}
EXAMPLES = [
    (kind, *line.split(" → ")) for language, kind, text in BLOCKS if language == "jinja" for line in text.splitlines()
]
FIELDS = {"mrn": "142637A", "date of birth": "02/20/1964", "codes": ["R06.09", "I10"]}
TABLES = {
    "items": [
        {"sku": "A-1", "amount": Decimal("12.50"), "taxes": [{"rate": 19}, {"rate": 7}]},
        {"sku": "B-2", "amount": 7.5, "taxes": []},
    ]
}
LIBRARY = "{% macro labelled(label, value) %}{{ label }}: {{ value }}{% endmacro %}"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    mapped = Mapped(tmp_path_factory.mktemp("reference"))
    mapped.write("lib.j2", LIBRARY)
    return mapped


@pytest.mark.parametrize(("kind", "template", "becomes"), EXAMPLES, ids=[example[1] for example in EXAMPLES])
def test_an_example_is_true(site, kind, template, becomes):
    language = {"json": json_metadata, "xml": xml_metadata}[kind]
    metadata = language.as_names(language.parse(METADATA[kind]))
    reading = Reading("42", FIELDS, dict.fromkeys(FIELDS, 0.93), metadata, TABLES)
    view = DocumentView(site.part(0), DELIVERY.process)
    view["path"] = "file0.pdf"
    assert site.compile(template, "text").render(with_documents(names(DELIVERY, reading), [view])) == becomes


def test_every_name_and_all_that_it_has_is_told(site):
    view = site.names()
    assert set(NAMES) == set(view)
    told = PAGE.partition("## What a template can read")[2].partition("## Every key")[0]
    for name in NAMES:
        assert f"`{name}`" in told, name
    for owner in ("delivery", "document"):
        for member in json.loads(json.dumps(view[owner], default=str)):
            assert f"`{owner}.{member}`" in told, (owner, member)
    assert "`document.pages`" in told
