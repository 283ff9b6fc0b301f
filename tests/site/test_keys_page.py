"""docs/reference.md lists every key of process.toml as its schema has it."""

import re

from receiver.site.config import schema
from tests.site.keys_page import BEGIN, END, PAGE, page


def test_the_page_is_what_make_docs_writes():
    assert PAGE.read_text() == page(), "run make docs"


def test_every_key_and_every_section_is_in_it():
    table = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    for key, homes in schema.homes().items():
        assert re.search(rf"^\| `{key}` \||^### `\[+[^`]*\b{key}\b", table, re.MULTILINE), (key, homes)
    assert table.count("\n### ") + table.startswith("### ") >= 10
