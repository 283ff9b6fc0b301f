"""Tables in XML: rows and cells by XPath, namespaces left away."""

import pytest

from receiver.core.problems import Problem
from tests.support.tables_of import tables_reader

ATTRIBUTES = """
[tables.items]
rows = ".//line"
columns = { sku = "@code", qty = { value = "quantity", confidence = "quantity/@confidence" } }
"""
ELEMENTS = """
[tables.items]
rows = "lines/line"
each = "*"
name = "name()"
"""
CELLS = """
[tables.items]
rows = "lines/line"
each = "cell"
"""


def reading(toml: str, lines: str):
    return tables_reader(toml, "xml").read(f"<doc><id>1</id>{lines}</doc>".encode())


def told(toml: str, lines: str) -> list[tuple[str, str]]:
    with pytest.raises(Problem) as caught:
        reading(toml, lines)
    return [(each.where, each.rule) for each in caught.value.violations]


def test_cells_are_attributes_and_elements() -> None:
    found = reading(ATTRIBUTES, '<lines><line code="A"><quantity confidence="0.7">2</quantity></line><line/></lines>')
    assert found.tables == {"items": [{"sku": "A", "qty": "2"}, {}]}
    assert [(each.name, each.confidence) for each in found.cells] == [("items.sku", None), ("items.qty", 0.7)]


def test_each_child_may_be_a_cell_of_its_own_name() -> None:
    found = reading(ELEMENTS, '<lines><line><sku>A</sku><qty confidence="0.9">2</qty></line></lines>')
    assert found.tables["items"] == [{"sku": "A", "qty": "2"}]
    assert [each.confidence for each in found.cells] == [None, 0.9]


def test_cells_may_carry_their_names() -> None:
    found = reading(CELLS, '<lines><line><cell name="sku" confidence="0.9">A</cell></line></lines>')
    assert found.tables["items"] == [{"sku": "A"}]


def test_namespaces_are_left_away() -> None:
    lines = (
        '<u:lines xmlns:u="urn:lines"><u:line xmlns:c="urn:c" c:code="A"><c:quantity>2</c:quantity></u:line></u:lines>'
    )
    assert reading(ATTRIBUTES, lines).tables["items"] == [{"sku": "A", "qty": "2"}]


def test_nil_is_no_row_and_no_cell() -> None:
    nil = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"'
    lines = f'<line code="A"><quantity {nil}/></line><line {nil}/><line code="B"/>'
    assert reading(ATTRIBUTES, lines).tables["items"] == [{"sku": "A"}, {"sku": "B"}]


def test_there_may_be_no_rows() -> None:
    assert reading(ATTRIBUTES, "").tables == {"items": []}


def test_two_elements_are_not_one_value() -> None:
    lines = '<lines><line code="A"><quantity>1</quantity><quantity>2</quantity></line></lines>'
    assert told(ATTRIBUTES, lines) == [("tables/items/0/qty", "value")]
    assert told(ELEMENTS, "<lines><line><a>1</a><a>2</a></line></lines>") == [("tables/items/0/(cell 2)", "repeated")]


def test_rows_that_are_no_elements_are_refused() -> None:
    assert told(ATTRIBUTES.replace(".//line", "count(.//line)"), "") == [("tables/items", "rows")]


def test_a_path_from_a_row_may_lead_out_of_it() -> None:
    toml = '[tables.items]\nrows = ".//line"\ncolumns = { page = "../@number", sku = "@code" }\n'
    pages = '<page number="1"><line code="A"/></page><page number="2"><line code="B"/></page>'
    assert [row["page"] for row in reading(toml, pages).tables["items"]] == ["1", "2"]


def test_tables_lie_within_rows() -> None:
    toml = ELEMENTS + '[tables.taxes]\nwithin = "items"\nrows = "taxes/tax"\ncolumns = { rate = "@rate" }\n'
    lines = '<line><sku>A</sku><taxes><tax rate="19"/><tax rate="7"/></taxes></line><line><sku>B</sku></line>'
    assert reading(toml, f"<lines>{lines}</lines>").tables["items"] == [
        {"sku": "A", "taxes": [{"rate": "19"}, {"rate": "7"}]},
        {"sku": "B", "taxes": []},
    ]


@pytest.mark.parametrize(
    ("row", "value"),
    [
        ('<a><b c="1"/></a>', "1"),
        ("<a><b/></a>", None),
        ("<a/>", None),
        ('<a><b/></a><a><b c="1"/></a>', "1"),
        ('<a><b c="1"/><b c="2"/></a>', "several"),
        ('<a><b n:c="1" xmlns:n="urn:n"/></a>', "1"),
    ],
)
def test_an_attribute_below_is_found_as_xpath_finds_it(row: str, value: str | None) -> None:
    for path in ("a/b/@c", "a/b/attribute::c"):  # the second is left to the XPath library
        toml = f'[tables.items]\nrows = "row"\ncolumns = {{ c = "{path}" }}\n'
        if value == "several":
            assert told(toml, f"<row>{row}</row>") == [("tables/items/0/c", "value")]
        else:
            assert reading(toml, f"<row>{row}</row>").tables["items"] == [{} if value is None else {"c": value}]


@pytest.mark.parametrize(
    "rows", [".//row", ".//row[@code]", "page//row[@code]", ".//*[@code]", "(.//row[@code])", ".//*/@code"]
)
def test_rows_come_in_the_order_of_the_document_however_deep_they_are(rows: str) -> None:
    pages = '<page><part><row code="A"/></part><row code="B"/></page><page><row code="C"/></page>'
    toml = f'[tables.items]\nrows = "{rows}"\ncolumns = {{ code = "{"." if rows.endswith("@code") else "@code"}" }}\n'
    assert reading(toml, pages).tables["items"] == [{"code": code} for code in "ABC"]


def test_a_path_to_values_leads_to_no_rows() -> None:
    toml = '[tables.items]\nrows = "row/1"\ncolumns = { code = "@code" }\n'
    assert told(toml, "<row/><row/>") == [("tables/items", "rows")]
