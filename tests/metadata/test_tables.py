"""Tables in the metadata become rows of cells, or a problem that names each cell and never its value."""

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.core.problems import Problem
from receiver.metadata import json as json_form
from receiver.metadata import tables
from receiver.metadata.fields import cells_below_minimum
from receiver.metadata.reader import MetadataReader
from tests.support.tables_of import json_with, tables_reader

SECRET = "Zebra-7731-Quagga"
BY_CELLS = """
[tables.items]
rows = "lines"
each = "cells"
"""
BY_COLUMNS = """
[tables.items]
rows = "lines"
columns = { sku = "code", qty = { value = "quantity.content", confidence = "quantity.confidence" } }
"""
FLAT = """
[tables.items]
rows = "lines"
each = "@"
name = "key"
value = "value"
"""


def items(reader: MetadataReader, content: bytes) -> list[dict]:
    return reader.read(content).tables["items"]


def told(reader: MetadataReader, content: bytes) -> list[tuple[str, str]]:
    with pytest.raises(Problem) as caught:
        reader.read(content)
    assert SECRET not in repr(caught.value.violations)
    return [(each.where, each.rule) for each in caught.value.violations]


def said(reader: MetadataReader, lines: object) -> list[str]:
    with pytest.raises(Problem) as caught:
        reader.read(json_with(lines))
    return [each.message for each in caught.value.violations]


def cell(name: str, value: object, confidence: object = None) -> dict:
    return {"name": name, "value": value, "confidence": confidence}


def test_cells_that_carry_their_names_become_rows() -> None:
    reading = tables_reader(BY_CELLS).read(
        json_with([{"cells": [cell("sku", "A1", 0.9), cell("qty", 2)]}, {"cells": [cell("sku", "B2", 0.5)]}])
    )
    assert reading.tables == {"items": [{"sku": "A1", "qty": 2}, {"sku": "B2"}]}
    assert [(each.steps, each.shown, each.name, each.confidence) for each in reading.cells] == [
        (("tables", "items", 0, "sku"), "(cell 1)", "items.sku", 0.9),
        (("tables", "items", 0, "qty"), "(cell 2)", "items.qty", None),
        (("tables", "items", 1, "sku"), "(cell 1)", "items.sku", 0.5),
    ]


def test_columns_lead_from_a_row_to_each_value() -> None:
    reading = tables_reader(BY_COLUMNS).read(
        json_with([{"code": "A1", "quantity": {"content": 2, "confidence": 0.7}}, {"code": None}, {}])
    )
    assert reading.tables["items"] == [{"sku": "A1", "qty": 2}, {}, {}]
    assert [(each.name, each.confidence) for each in reading.cells] == [("items.sku", None), ("items.qty", 0.7)]


def test_a_row_may_be_an_object_of_plain_values() -> None:
    assert items(tables_reader(FLAT), json_with([{"sku": "A1", "qty": 2}, {"sku": "B2", "qty": None}])) == [
        {"sku": "A1", "qty": 2},
        {"sku": "B2"},
    ]


def test_percent_are_scaled() -> None:
    reader = tables_reader(BY_CELLS + "scale = 100\n")
    (found,) = reader.read(json_with([{"cells": [cell("sku", "A", "87.5")]}])).cells
    assert found.confidence == 0.875


@pytest.mark.parametrize("lines", [[], None, [None]], ids=repr)
def test_a_table_may_be_empty(lines: object) -> None:
    assert items(tables_reader(BY_COLUMNS), json_with(lines)) == []


def test_a_table_may_be_absent() -> None:
    assert items(tables_reader(BY_COLUMNS), b'{"id": "1", "fields": []}') == []
    assert items(tables_reader(BY_COLUMNS.replace('"lines"', '"pages[].lines[]"')), json_with([])) == []


def test_a_row_that_is_null_does_not_count() -> None:
    # .NET's serialisers and gaps of sparse arrays write null
    assert items(tables_reader(BY_COLUMNS), json_with([{"code": "A"}, None, {"code": "B"}])) == [
        {"sku": "A"},
        {"sku": "B"},
    ]


def test_a_single_row_may_come_as_an_object() -> None:
    # as converters of XML to JSON write a list of one (Cheedoong/xml2json #15, oozcitak/xmlbuilder2 #30)
    assert items(tables_reader(BY_COLUMNS), json_with({"code": "A"})) == [{"sku": "A"}]


def test_rows_may_be_collected_over_pages() -> None:
    reader = tables_reader(BY_COLUMNS.replace('"lines"', '"pages[].lines[]"'))
    pages = [{"lines": [{"code": "A"}]}, {}, {"lines": [{"code": "B"}, {"code": "C"}]}]
    assert [row["sku"] for row in items(reader, json_with([], pages=pages))] == ["A", "B", "C"]


def test_rows_may_be_the_first_ones_of_a_list() -> None:
    reader = tables_reader(BY_COLUMNS.replace('"lines"', '"lines[0:2]"'))
    assert items(reader, json_with([{"code": "A"}, {"code": "B"}, {"code": "C"}])) == [{"sku": "A"}, {"sku": "B"}]


def test_rows_may_be_lists_of_values() -> None:
    reader = tables_reader('[tables.items]\nrows = "lines"\ncolumns = { sku = "[0]", qty = "[1]" }\n')
    assert items(reader, json_with([["A", 2], ["B"]])) == [{"sku": "A", "qty": 2}, {"sku": "B"}]


def test_numbers_stay_as_they_are_written() -> None:
    content = b'{"id": "1", "fields": [], "lines": [{"code": 12345678901234567890.10}]}'
    (row,) = items(tables_reader(BY_COLUMNS), content)
    assert row["sku"] == Decimal("12345678901234567890.10") or str(row["sku"]) == "12345678901234567890.10"


def test_what_cannot_be_read_is_told_by_table_row_and_cell() -> None:
    row = {"properties": {"sku": {}, "qty": {}}}
    reader = tables_reader(BY_CELLS + 'schema = "items.json"\n', row=row)
    lines = [
        {"cells": [cell("sku", "A"), cell("sku", SECRET)]},
        {"cells": [cell("sku", SECRET, SECRET), cell("qty", 1, 7), cell(SECRET, 1, SECRET)]},
        {"cells": SECRET},
        {"cells": [{"value": SECRET}, cell("", SECRET), cell("x" * 201, SECRET)]},
    ]
    assert told(reader, json_with(lines)) == [
        ("tables/items/0/sku", "repeated"),
        ("tables/items/1/sku", "confidence"),
        ("tables/items/1/qty", "confidence"),
        ("tables/items/1/(cell 3)", "confidence"),
        ("tables/items/2", "cells"),
        ("tables/items/3/(cell 1)", "name"),
        ("tables/items/3/(cell 2)", "name"),
        ("tables/items/3/(cell 3)", "name"),
    ]


def test_rows_that_are_no_list_are_refused() -> None:
    assert told(tables_reader(BY_COLUMNS), json_with(SECRET)) == [("tables/items", "rows")]


def test_each_row_is_judged_by_its_schema() -> None:
    row = {
        "required": ["sku"],
        "properties": {"sku": {"pattern": "^[A-Z]$"}, "qty": {"type": "integer"}},
        "additionalProperties": False,
    }
    reader = tables_reader(FLAT + 'schema = "items.json"\n', row=row)
    found = told(reader, json_with([{"sku": "A"}, {"qty": SECRET}, {"sku": SECRET, "other": 1, SECRET: 2}]))
    assert sorted(found) == [
        ("tables/items/1", "required"),
        ("tables/items/1/qty", "type"),
        ("tables/items/2/(cell 2)", "additionalProperties"),
        ("tables/items/2/(cell 3)", "additionalProperties"),
        ("tables/items/2/sku", "pattern"),
    ]


def test_cells_are_listed_as_they_are_configured() -> None:
    by_schema = tables_reader(BY_CELLS + 'schema = "items.json"\n', row={"properties": {"qty": {}, "sku": {}}})
    readers = tables_reader(BY_COLUMNS), by_schema, tables_reader(BY_CELLS)
    assert [reader.tables[0].listed for reader in readers] == [("sku", "qty"), ("qty", "sku"), ()]


def test_an_outline_has_the_cells_that_have_a_value() -> None:
    lines = [None, {"cells": [cell("sku", "A", 0.9), cell("qty", None), {"name": "n", "value": 1}]}, {"cells": 5}]
    reader = tables_reader(BY_CELLS)
    (found, empty) = tables.outline({"lines": lines}, json_form, reader.tables)
    assert found == ("items", [("sku", "0.9"), ("n", "Absent.MISSING")], [])
    assert empty == ("items", [], [])
    assert list(tables.outline({"lines": 5}, json_form, reader.tables)) == []
    nested = {"claims": [{"number": 1, "services": [{"code": "X", "adjustments": []}]}]}
    assert list(tables.outline(nested, json_form, tables_reader(NESTED).tables)) == [
        ("claims", [("number", "None")], [("services", [("code", "None")], [])])
    ]


def test_a_corrected_field_leaves_the_tables_as_they_are() -> None:
    reading = tables_reader(BY_COLUMNS).read(json_with([{"code": "A"}]), "", {"mrn": "5"})
    assert (reading.fields, reading.tables) == ({"mrn": "5"}, {"items": [{"sku": "A"}]})


def test_a_cell_that_is_configured_is_told_by_its_name_where_the_schema_has_none() -> None:
    row = {"properties": {"qty": {}}, "additionalProperties": False}
    reader = tables_reader(BY_COLUMNS + 'schema = "items.json"\n', row=row)
    assert told(reader, json_with([{"code": SECRET}])) == [("tables/items/0/sku", "additionalProperties")]


def test_so_many_faults_are_not_all_told() -> None:
    reader = tables_reader(BY_COLUMNS + 'schema = "items.json"\n', row={"required": ["sku"]})
    found = told(reader, json_with([{}] * 5_000))
    assert len(found) == 101
    assert found[-1] == ("tables", "more")


def test_rows_and_cells_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(items(tables_reader(BY_COLUMNS), json_with([{"code": 1}] * tables.MAX_ROWS))) == tables.MAX_ROWS
    assert told(tables_reader(BY_COLUMNS), json_with([{}] * (tables.MAX_ROWS + 1))) == [("tables", "more")]
    monkeypatch.setattr(tables, "MAX_ROWS", 2)
    assert said(tables_reader(BY_CELLS), [{}, {}, {"cells": SECRET}]) == ["there are more than 2 rows"]
    monkeypatch.setattr(tables, "MAX_ROWS", 10)
    monkeypatch.setattr(tables, "MAX_CELLS", 3)
    assert len(items(tables_reader(FLAT), json_with([{"a": 1, "b": 2}, {"a": 1}, {}]))) == 3
    assert said(tables_reader(FLAT), [{"a": 1, "b": 2}, {"a": 1, "b": 2}, {}]) == ["there are more than 3 cells"]
    beyond = [{"cells": [cell(name, 1) for name in "abcd"]}, {"cells": [cell("a", 1), cell("a", SECRET)]}]
    assert told(tables_reader(BY_CELLS), json_with(beyond)) == [("tables", "more")], "what comes then is not read"


NESTED = """
[tables.claims]
rows = "claims"
columns = { number = "number" }
[tables.services]
within = "claims"
rows = "services"
columns = { code = "code" }
[tables.adjustments]
within = "services"
rows = "adjustments[]"
columns = { reason = { value = "reason", confidence = "sure" } }
"""


def test_tables_lie_within_rows_to_two_levels() -> None:
    claims = [
        {"number": 1, "services": [{"code": "X", "adjustments": [{"reason": "CO", "sure": 0.4}]}, {"code": "Y"}]},
        {"number": 2},
    ]
    reading = tables_reader(NESTED).read(json_with([], claims=claims))
    assert reading.tables == {
        "claims": [
            {
                "number": 1,
                "services": [{"code": "X", "adjustments": [{"reason": "CO"}]}, {"code": "Y", "adjustments": []}],
            },
            {"number": 2, "services": []},
        ]
    }
    low = cells_below_minimum(reading.cells, 0.5, {"claims.number": 0, "services.code": 0}, accept_unknown=False)
    assert [each.where for each in low] == ["tables/claims/0/services/0/adjustments/0/reason"]


def test_the_rows_within_a_row_are_no_cell_of_it() -> None:
    reader = tables_reader(FLAT + '[tables.taxes]\nwithin = "items"\nrows = "taxes"\ncolumns = { rate = "rate" }\n')
    reading = reader.read(json_with([{"sku": "A", "taxes": [{"rate": 19}]}]))
    assert reading.tables["items"] == [{"sku": "A", "taxes": [{"rate": 19}]}]
    assert [each.name for each in reading.cells] == ["items.sku", "taxes.rate"]


def test_cells_below_their_minimum_are_told_by_place_and_bounded() -> None:
    reader = tables_reader(BY_COLUMNS)
    reading = reader.read(json_with([{"code": "A", "quantity": {"content": 1, "confidence": 0.7}}] * 80))
    low = cells_below_minimum(reading.cells, 0.8, {"items.sku": 0.1}, accept_unknown=False)
    assert (low[0].where, low[0].message) == (
        "tables/items/0/sku",
        "there is no confidence, and its minimum is 0.1",
    )
    assert (low[1].where, low[1].message) == ("tables/items/0/qty", "the confidence is below 0.8")
    assert (len(low), low[-1].where, low[-1].message) == (101, "tables", "60 more")
    known = cells_below_minimum(reading.cells, 0.5, {}, accept_unknown=True)
    assert known == []


def test_a_person_who_mends_metadata_sees_its_tables() -> None:
    content = json.dumps({"fields": [], "lines": [{"code": "A"}]}).encode()
    assert tables_reader(BY_COLUMNS).peek(content, "").tables == {"items": [{"sku": "A"}]}


def test_a_table_that_cannot_be_read_is_empty_for_who_mends_it() -> None:
    assert tables_reader(BY_COLUMNS).peek(json_with(SECRET), "").tables == {"items": []}


def test_of_a_cell_that_comes_twice_the_first_is_seen_by_who_mends_it() -> None:
    content = json_with([{"cells": [cell("sku", "A", 0.9), cell("sku", "B", 0.1)]}])
    reading = tables_reader(BY_CELLS).peek(content, "")
    assert reading.tables == {"items": [{"sku": "A"}]}
    assert [each.confidence for each in reading.cells] == [0.9]


def test_a_cell_that_cannot_be_read_is_not_called_missing() -> None:
    reader = tables_reader(BY_CELLS + 'schema = "items.json"\n', row={"required": ["sku"]})
    nameless = {"cells": [{"value": "A"}]}
    assert told(reader, json_with([nameless, {"cells": []}])) == [
        ("tables/items/0/(cell 1)", "name"),
        ("tables/items/1", "required"),
    ]


def test_the_outline_of_tables_has_names_and_confidences_of_the_cells_that_have_a_value() -> None:
    claims = [{"number": 1, "services": [{"code": None, "adjustments": [{"reason": SECRET, "sure": 0.4}, {}]}]}, None]
    reader = tables_reader(NESTED)
    found = list(tables.outline({"claims": claims}, reader.form, reader.tables))
    adjustments = [("adjustments", [("reason", "0.4")], []), ("adjustments", [], [])]
    assert found == [("claims", [("number", "None")], [("services", [], adjustments)])]


def test_metadata_with_tables_may_have_no_fields() -> None:
    assert tables_reader(BY_COLUMNS).read(b'{"id": "1", "lines": [{"code": "A"}]}').fields == {}
    assert told(tables_reader(BY_COLUMNS), b'{"id": "1", "fields": 7, "lines": []}') == [("/fields", "fields")]


def test_a_cell_is_corrected_by_its_place_also_one_that_did_not_come() -> None:
    content = json_with([{"cells": [cell("sku", "A1", 0.9), cell("qty", 2, 0.2)]}, {"cells": [cell("sku", "B2", 0.5)]}])
    corrections = {"/tables/items/0/qty": "3", "/tables/items/1/qty": "4", "/tables/items/9/qty": "5"}
    reading = tables_reader(BY_CELLS).read(content, "", corrections)
    assert reading.tables == {"items": [{"sku": "A1", "qty": 3}, {"sku": "B2", "qty": "4"}]}
    assert sorted((each.steps[2:], each.confidence) for each in reading.cells) == [
        ((0, "qty"), 1.0),
        ((0, "sku"), 0.9),
        ((1, "qty"), 1.0),
        ((1, "sku"), 0.5),
    ]
    assert reading.fields == tables_reader(BY_CELLS).read(content).fields


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("Qty/Unit", "/tables/items/0/Qty~1Unit"),
        ("a~b", "/tables/items/0/a~0b"),
        ("soft\u00adhyphen", "/tables/items/0/soft\u00adhyphen"),
        ("x" * 200, f"/tables/items/0/{'x' * 200}"),
    ],
)
def test_a_cell_is_corrected_whatever_its_name(name: str, place: str) -> None:
    content = json_with([{"cells": [cell(name, "A1", 0.9)]}])
    reading = tables_reader(BY_CELLS).read(content, "", {place: "B2"})
    assert reading.tables == {"items": [{name: "B2"}]}


def test_a_cell_of_a_row_within_a_row_is_corrected_there_alone() -> None:
    claims = [{"number": 1, "services": [{"code": "X"}]}, {"number": 2}]
    found = tables_reader(NESTED).read(
        json_with([], claims=claims), "", {"/tables/claims/0/services/0/code": "Z", "/tables/claims/1/number": "3"}
    )
    assert found.tables["claims"] == [
        {"number": 1, "services": [{"code": "Z", "adjustments": []}]},
        {"number": 3, "services": []},
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.just(SECRET),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["cells", "code", "quantity", "name", "value", "confidence", SECRET]), inner)
    ),
    max_leaves=20,
)
TOMLS = (BY_CELLS, BY_COLUMNS, FLAT)
READERS = [tables_reader(toml + 'schema = "items.json"\n', row={"required": ["sku"]}) for toml in TOMLS]


def outcome(reader: MetadataReader, content: bytes) -> list[dict] | Problem:
    try:
        return items(reader, content)
    except Problem as problem:
        return problem


@given(JSON)
@settings(max_examples=200, deadline=None)
def test_whatever_stands_where_rows_are_looked_for_is_read_or_told(lines: object) -> None:
    for reader in READERS:
        found = outcome(reader, json_with(lines))
        if isinstance(found, Problem):
            assert found.violations
            assert SECRET not in repr(found.violations)
        else:
            assert all("sku" in row for row in found)
