"""Tables of each platform's shape are found in a sample, drafted, and read whole."""

import json
from pathlib import Path

import pytest

from receiver.authoring.cases.cases import cases, incoming, processes
from receiver.authoring.cases.outcome import run
from receiver.authoring.check import check
from receiver.authoring.draft.draft import create_site, draft, save
from receiver.authoring.draft.wanted import Wanted
from receiver.core.faults import Severity
from receiver.core.settings import Settings

SAMPLES = Path(__file__).parent / "tables"
CHECKED = {"RECEIVER_TOKEN": "a-token-that-is-long-enough-for-a-draft"}
# sample → its tables, the columns of each, and the cells of the first row
EXPECTED = {
    "rossum.json": {
        "line_item": {"item_description": "Gloves", "item_quantity": "2", "item_amount_total": "60"},
        "tax_detail": {"tax_detail_rate": "19", "tax_detail_tax": "20"},
    },
    "azure-document-intelligence.json": {
        "items": {"Description": "Gloves", "Quantity": "2", "Amount": "$60.00"},
    },
    "google-document-ai.json": {
        "line_item": {"line_item/description": "Gloves", "line_item/quantity": "2", "line_item/amount": "60.00"},
        "vat": {"vat/tax_rate": "19", "vat/amount": "20.90"},
    },
    "abbyy-vantage.json": {"items": {"Description": "Gloves", "Quantity": "2", "Total Price": "60.00"}},
    "docsumo.json": {"line_items": {"Description": "Gloves", "Quantity": "2", "Amount": "60.00"}},
    "aws-textract-expense.json": {"line_items": {"ITEM": "Gloves", "QUANTITY": "2", "PRICE": "$60.00"}},
    "mindee-invoice.json": {
        "line_items": {
            "description": "Gloves",
            "product_code": "GL",
            "quantity": 2.0,
            "tax_rate": 19.0,
            "total_amount": 60.0,
            "unit_price": 30.0,
        },
    },
    "plain-lines.json": {
        "lines": {
            "sku": "GL-1",
            "description": "Gloves",
            "qty": 2,
            "amount": 60.0,
            "taxes": [{"rate": 19, "amount": 9.58}, {"rate": 1, "amount": 0.5}],
        },
    },
    "nested-claim.xml": {
        "service": {
            "code": "99213",
            "units": "1",
            "charge": "120.00",
            "adjustment": [{"reason": "CO-45", "amount": "20.00"}, {"reason": "PR-1", "amount": "5.00"}],
        },
    },
    "named-cells.xml": {"table": {"sku": "A1", "qty": "2"}},
}
MEASURED = {name for name in EXPECTED if name not in ("plain-lines.json",)}
FIELDS = {  # names of fields that the tables must not have taken
    "rossum.json": "document_id",
    "azure-document-intelligence.json": "InvoiceId",
    "google-document-ai.json": "invoice_id",
    "abbyy-vantage.json": "Invoice Number",
    "docsumo.json": "Invoice_Number",
    "aws-textract-expense.json": "INVOICE_RECEIPT_ID",
    "mindee-invoice.json": "invoice_number",
    "plain-lines.json": "invoice_number",
    "nested-claim.xml": "mrn",
    "named-cells.xml": "supplier",
}


def test_every_sample_is_expected():
    assert sorted(EXPECTED) == sorted(path.name for path in SAMPLES.iterdir()) == sorted(FIELDS)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_tables_of_a_platform_are_drafted(tmp_path, name):
    create_site(tmp_path)
    settings = Settings.from_environment({"RECEIVER_SITE": str(tmp_path)})
    drafted = draft("drafted", [SAMPLES / name], "json", settings, Wanted())
    save(drafted, tmp_path)
    assert drafted.refused == ()
    process = processes(settings)["drafted"]
    (case,) = cases(process)
    reading = run(process, incoming(case, settings.max_body)).reading
    assert reading is not None
    assert {table: rows[0] for table, rows in reading.tables.items()} == EXPECTED[name]
    assert all(len(rows) == 2 for rows in reading.tables.values())
    assert any(cell.confidence for cell in reading.cells) is (name in MEASURED)
    assert FIELDS[name] in reading.fields
    faults = [fault for fault in check(settings, CHECKED) if fault.severity is Severity.ERROR]
    assert faults == []


@pytest.mark.parametrize("name", EXPECTED)
def test_a_row_has_a_schema_of_its_own(tmp_path, name):
    create_site(tmp_path)
    settings = Settings.from_environment({"RECEIVER_SITE": str(tmp_path)})
    drafted = draft("drafted", [SAMPLES / name], "json", settings, Wanted())
    for table in drafted.tables:
        schema = json.loads(drafted.files[f"schemas/drafted.{table.name}.schema.json"])
        assert set(schema["properties"]) == {seen.name for seen in table.seen}


def test_a_list_of_words_on_pages_is_no_table():
    drafted = draft(
        "d", [SAMPLES / "azure-document-intelligence.json"], "json", Settings.from_environment({}), Wanted()
    )
    assert [table.name for table in drafted.tables] == ["items"]
