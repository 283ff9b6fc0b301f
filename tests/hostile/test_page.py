"""docs/http.md and docs/hardening.md tell what the tests prove."""

import re

from receiver.core.problems import Code

from .page import ADVICE, PAGES, bounds, hostile, limits, written


def test_the_tables_are_up_to_date():
    for page in PAGES:
        assert written(page.read_text()) == page.read_text(), f"{page.name}: run `make docs`"


def test_every_code_has_advice():
    assert set(ADVICE) == set(Code)


def test_every_limit_has_a_reason_or_a_unit():
    rows = [row for row in [*limits(), *bounds()] if re.match(r"\| [0-9]", row)]
    assert len(rows) > 60
    assert all(row.split(" | ")[1].strip() for row in rows)


def test_the_table_has_every_row():
    assert sum(row.count("\n") == 0 and row.startswith("| ") for row in hostile()) > 300
