"""docs/http.md tells what the tests prove."""

import re

from receiver.core.problems import Code

from .page import ADVICE, PAGE, hostile, limits, written


def test_the_tables_are_up_to_date():
    page = PAGE.read_text()
    assert written(page) == page, "run `make docs`"


def test_every_code_has_advice():
    assert set(ADVICE) == set(Code)


def test_every_limit_has_a_reason_or_a_unit():
    rows = [row for row in limits() if re.match(r"\| [0-9]", row)]
    assert len(rows) > 30
    assert all(row.split(" | ")[1].strip() for row in rows)


def test_the_table_has_every_row():
    assert sum(row.count("\n") == 0 and row.startswith("| ") for row in hostile()) > 300
