"""Tables as the field sends them, and what is read out of each; all values are invented."""

from typing import Any

import pytest

from tests.support.tables_of import json_with, tables_reader

AZURE = """
[tables.items]
rows = "lines.valueArray"
columns = { name = { value = "valueObject.Description.content", confidence = "valueObject.Description.confidence" } }
"""
PLAIN = '[tables.items]\nrows = "lines.item"\ncolumns = { name = "plu", price = "price" }\n'
GROUPS = '[tables.items]\nrows = "lines[].LineItems[]"\neach = "Fields"\nname = "Type.Text"\nvalue = "Value.Text"\n'
GROUPS += 'confidence = "Value.Confidence"\nscale = 100\n'
GLOVES = {"Description": {"type": "string", "content": "Gloves", "confidence": 0.9}}


def expense(kind: str, text: str) -> dict[str, Any]:
    return {"Type": {"Text": kind, "Confidence": 99.9}, "Value": {"Text": text, "Confidence": 97.5}}


@pytest.mark.parametrize(
    ("source", "toml", "lines", "rows"),
    [
        ("Cheedoong/xml2json #15: one row is an object", PLAIN, {"item": {"plu": "000001", "price": 75}}, 1),
        ("the same with two", PLAIN, {"item": [{"plu": "000001", "price": 75}, {"plu": "000006", "price": 3495}]}, 2),
        ("sanand0/xmljson #26: one row that is empty", PLAIN, {"item": {}}, 1),
        ("oozcitak/xmlbuilder2 #30: no row, so no list at all", PLAIN, {}, 0),
        ("Azure/azure-sdk-for-python #19341: a receipt that is not itemized", AZURE, None, 0),
        ("Azure/azure-sdk-for-js #8508: a field that is null", AZURE, {"type": "array", "valueArray": None}, 0),
        (
            "Azure/azure-sdk-for-java #22781: a row without valueObject",
            AZURE,
            {"valueArray": [{"type": "object", "valueObject": None}, {"type": "object", "valueObject": GLOVES}]},
            2,
        ),
        (
            "Azure/azure-sdk-for-net #32940: a cell that is an empty object",
            AZURE,
            {"valueArray": [{"type": "object", "valueObject": {"Description": {}, "Amount": {}}}]},
            1,
        ),
        ("aws-samples/amazon-textract-textractor #216: a group without rows", GROUPS, [{"LineItems": []}], 0),
        (
            "rows of two groups, one of them null",
            GROUPS,
            [{"LineItems": [{"Fields": [expense("ITEM", "Gloves")]}]}, {"LineItems": None}],
            1,
        ),
    ],
    ids=lambda value: value.partition(":")[0] if isinstance(value, str) and "\n" not in value else "",
)
def test_rows_are_read_as_they_come(source: str, toml: str, lines: Any, rows: int) -> None:
    assert len(tables_reader(toml).read(json_with(lines)).tables["items"]) == rows, source


def test_a_code_keeps_its_zeros_and_an_amount_its_digits() -> None:
    # Cheedoong/xml2json #15 shows codes such as 000001 beside numbers
    (row,) = tables_reader(PLAIN).read(json_with({"item": {"plu": "000001", "price": 75}})).tables["items"]
    assert row == {"name": "000001", "price": 75}


def test_percent_of_a_cell_beside_its_name() -> None:
    # Amazon Textract writes a confidence for the kind of a cell, and another for its value
    reading = tables_reader(GROUPS).read(json_with([{"LineItems": [{"Fields": [expense("ITEM", "Gloves")]}]}]))
    assert reading.tables["items"] == [{"ITEM": "Gloves"}]
    assert [cell.confidence for cell in reading.cells] == [0.975]
