"""docs/filters.md names every filter, and each of its examples is true."""

import json
import re
from pathlib import Path

import pytest

from receiver.core.problems import Problem
from receiver.templates.filters import FILTERS, MARKS
from tests.support.mapped import Mapped

PAGE = (Path(__file__).parents[3] / "docs" / "filters.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FIELDS = next(json.loads(text) for language, _, text in BLOCKS if language == "json")
TABLE = next(text for language, _, text in BLOCKS if language == "csv")
EXAMPLES = [
    (kind or "text", *line.split(" → "))
    for language, kind, text in BLOCKS
    if language == "jinja"
    for line in text.splitlines()
]


def test_the_page_has_every_filter_and_no_other():
    headings = re.findall(r"^### (.*)$", PAGE, re.MULTILINE)
    named = [name for heading in headings for name in re.findall(r"`(\w+)`", heading)]
    assert sorted(named) == sorted({*FILTERS, *MARKS, "lookup"})


def test_every_filter_has_an_example():
    shown = " ".join(template for _, template, _ in EXAMPLES)
    assert {name for name in {*FILTERS, *MARKS, "lookup"} if not re.search(rf"\b{name}\b", shown)} == set()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    mapped = Mapped(tmp_path_factory.mktemp("filters"))
    mapped.write("tables/gender.csv", TABLE)
    return mapped


@pytest.mark.parametrize(("kind", "template", "becomes"), EXAMPLES, ids=[example[1] for example in EXAMPLES])
def test_an_example_is_true(site, kind, template, becomes):
    assert shown(site, kind, template) == becomes


def shown(site, kind, template):
    try:
        return site.compile(template, kind).render(site.names() | {"fields": FIELDS}).rstrip("\r\n")
    except Problem as problem:
        (violation,) = problem.violations
        return f"refused: {violation.message}"
