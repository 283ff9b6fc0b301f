"""What reports on samples say of tables, and that a scrubbed table keeps its rows."""

import json

import pytest
from click.testing import CliRunner

from receiver import cli
from receiver.authoring.cases.capturing import Sent
from receiver.authoring.cases.cases import processes
from receiver.authoring.scrub import scrub
from receiver.core.delivery import Role, Section
from tests.support.invoices import EACH, Invoices

CELLS = '[tables.lines]\nrows = "rows"\neach = "cells"\n'
ROSSUM = """[tables.entries]
rows = "entries"
columns = { code = "children[?id=='item_code'].text | [0]" }
"""


@pytest.fixture
def site(tmp_path) -> Invoices:
    return Invoices(tmp_path, CELLS + ROSSUM + EACH.replace("item.sku", "loop.index"))


def sample(site: Invoices, told: dict) -> None:
    (site.folder / "samples" / "plain").mkdir(parents=True)
    (site.folder / "samples" / "plain" / "metadata.json").write_text(json.dumps(told))


def receiver(site: Invoices, *arguments: str) -> str:
    environment = {"RECEIVER_SITE": str(site.root), "RECEIVER_DATA": str(site.root / "var")}
    return CliRunner().invoke(cli.main, arguments, env=environment, catch_exceptions=False).output


def test_scrubbed_rows_keep_their_number_names_and_confidences(site):
    told = {
        "id": "1",
        "fields": [],
        "lines": [{"sku": "Ada Invented", "qty": 2, "sure": 0.91}, {"sku": "Grace Invented", "qty": 3}],
        "rows": [{"cells": [{"name": "patient", "value": "Ada Invented", "confidence": 0.93}]}] * 2,
        "entries": [{"children": [{"id": "item_code", "text": "Zebra 12"}, {"id": "note", "text": "Quagga"}]}],
    }
    process = processes(site.settings, ["invoices"])["invoices"]
    section = Section("metadata", "m.json", "application/json")
    (made,) = scrub(process, [Sent(section, Role.METADATA, ".json", json.dumps(told).encode())]).parts
    text = made.content.decode()
    for value in ("Ada", "Grace", "Zebra", "Quagga"):
        assert value not in text
    reading = process.metadata.read(made.content)
    assert [len(reading.tables[name]) for name in ("items", "lines", "entries")] == [2, 2, 1]
    assert [set(row) for row in reading.tables["lines"]] == [{"patient"}] * 2
    assert reading.tables["lines"][0] == reading.tables["lines"][1]
    assert [cell.confidence for cell in reading.cells] == [None, 0.91, None, None, 0.93, 0.93, None]
    assert "code" in reading.tables["entries"][0]


def test_a_try_shows_rows_and_cells(site):
    sample(site, {"id": "1", "fields": [], "lines": [{"sku": "A", "qty": 2, "sure": 0.9}, {"sku": "B", "qty": 3}]})
    shown = receiver(site, "try", "invoices", str(site.folder / "samples" / "plain"))
    assert "table items (2 rows)" in shown
    assert ["0", "qty", "0.90", "2"] in [line.split() for line in shown.splitlines()]
    assert "table lines (0 rows)" in shown


def test_coverage_names_cells_that_no_sample_carries(site):
    sample(site, {"id": "1", "fields": [], "lines": [{"sku": "A", "qty": 2}]})
    receiver(site, "test", "--update")
    assert "no sample carries: entries.code" in receiver(site, "test", "--coverage")
