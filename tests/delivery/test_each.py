"""A record for each item of a list: rows of a table, documents, values of a repeated field, pages."""

import pytest

from receiver.core import limits
from receiver.core.delivery import Status
from receiver.core.problems import Code, Problem
from receiver.delivery import each
from tests.support.invoices import EACH, Invoices

TAXES = '[tables.taxes]\nwithin = "items"\nrows = "taxes"\ncolumns = { rate = "rate" }\n'
ALL = '[[records]]\ntemplate = "item.csv.j2"\npath = "{{ delivery.id }}.csv"\n'
SECRET = "Zebra-7731-Quagga"
LINES = [{"sku": "A", "qty": 2, "sure": 0.9}, {"sku": "B", "qty": 3, "sure": 0.9}]


@pytest.fixture
def site(tmp_path) -> Invoices:
    return Invoices(tmp_path)


def problem(site: Invoices, lines: object, **metadata: object) -> Problem:
    with pytest.raises(Problem) as caught:
        site.deliver(lines, **metadata)
    assert SECRET not in repr(caught.value.violations) + caught.value.detail
    return caught.value


def told(found: Problem) -> list[tuple[str, str]]:
    return [(each.where, each.rule) for each in found.violations]


def test_each_row_of_a_table_becomes_a_record(site):
    receipt = site.deliver(LINES)
    assert receipt.status is Status.PUBLISHED
    assert site.records(receipt) == ["1,2,A,2\n", "2,2,B,3\n"]
    assert [each.path.partition("-")[2] for each in receipt.records] == ["A.csv", "B.csv"]
    assert site.deliver(LINES).duplicate


def test_a_record_may_be_made_of_some_rows_only(site):
    site.write(EACH + 'when = "item.qty > 2"\n')
    assert site.records(site.deliver(LINES)) == ["2,2,B,3\n"]


def test_each_document_becomes_a_record(site):
    documents = EACH.replace("tables.items", "documents").replace("item.sku", "item.name")
    site.write(documents, "{{ item.path }},{{ item.size }}\n")
    receipt = site.deliver([], ("page_1", "%PDF-1.4 one"), ("page_2", "%PDF-1.4 three"))
    assert [text.partition(",")[2] for text in site.records(receipt)] == ["12\n", "14\n"]


def test_each_value_of_a_repeated_field_becomes_a_record(site):
    codes = EACH.replace("tables.items", "fields.code").replace("item.sku", "loop.index")
    site.write(codes, "{{ item }}\n")
    fields = [{"name": "code", "value": value} for value in ("I10", "R06")]
    assert site.records(site.deliver([], fields=fields)) == ["I10\n", "R06\n"]


def test_each_number_of_a_range_becomes_a_record(site):
    site.write(EACH.replace("tables.items", "range(2)").replace("item.sku", "item"), "{{ item + 1 }}\n")
    assert site.records(site.deliver([])) == ["1\n", "2\n"]


def test_a_loop_of_the_template_has_a_loop_of_its_own(site):
    site.write(EACH, "{% for x in [7, 8, 9] %}{{ loop.index }},{% endfor %}{{ loop.index }}\n")
    assert site.records(site.deliver(LINES)) == ["1,2,3,1\n", "1,2,3,2\n"]


def test_other_records_stand_beside_those_of_each(site):
    site.write(EACH + '[[records]]\ntemplate = "item.csv.j2"\npath = "{{ delivery.id }}.csv"\n', "total\n")
    assert [each.path.rpartition("/")[2][20:] for each in site.deliver(LINES).records] == ["-A.csv", "-B.csv", ".csv"]


def test_no_item_is_no_record(site):
    assert site.deliver([]).status is Status.HELD
    site.write('[delivery]\nwithout_records = "publish"\n' + EACH)
    assert site.deliver([], again=1).records == ()


def test_two_records_with_one_path_are_refused_in_words(site):
    found = problem(site, [*LINES, {"sku": "a", "qty": 1}])
    assert found.code is Code.NAME_TAKEN
    message = "Of the records of this delivery, number 1 and number 3 would get the same name."
    assert [each.message for each in found.violations] == [message]


def test_what_is_no_list_is_refused(site):
    for text, why in (("fields.name", "a text"), ("metadata", "an object"), ("fields.count", "not a list")):
        site.write(EACH.replace("tables.items", text).replace("item.sku", "loop.index"), "x\n")
        found = problem(site, [], fields=[{"name": "name", "value": SECRET}, {"name": "count", "value": 7}])
        assert found.code is Code.TEMPLATE_FAILED
        assert why in found.violations[0].message


def test_a_problem_names_the_row_that_it_is_of(site):
    found = problem(site, [LINES[0], {"sku": "B"}])
    assert (found.code, found.violations[0].where) == (Code.TEMPLATE_FAILED, "mappings/invoices/item.csv.j2:1")
    assert "tables.items.qty is not there" in found.violations[0].message
    assert found.violations[0].message.endswith("(item 1)")
    site.write(EACH, '{{ item.qty | date("%Y%m%d", "%Y-%m-%d") }}\n')
    found = problem(site, [{"sku": "A", "qty": "20260101"}, {"sku": "B", "qty": SECRET}])
    assert (found.code, told(found)) == (Code.FIELDS_INVALID, [("tables/items/1/qty", "date")])


@pytest.mark.parametrize(
    ("template", "where"),
    [
        ("{% for row in tables.items %}{{ row.qty | int }}\n{% endfor %}", "/1/qty"),
        ("{% for row in tables.items | sort(attribute='sku') %}{{ row.qty | int }}\n{% endfor %}", "/1/qty"),
        ("{% set row = tables.items[1] %}{{ row.qty | int }}", "/1/qty"),
        ("{{ tables.items | map(attribute='qty') | map('int') | join(' ') }}", ""),
        (
            "{% for row in tables.items %}{% for tax in row.taxes %}{{ tax.rate | int }}\n{% endfor %}{% endfor %}",
            "/0/taxes/1/rate",
        ),
    ],
)
def test_a_problem_within_a_loop_names_the_row(site, template, where):
    site.write(TAXES + ALL, template + "\n")
    taxes = [{"rate": "2026"}, {"rate": SECRET}]
    found = problem(site, [{"sku": "B", "qty": "2026", "taxes": taxes}, {"sku": "A", "qty": SECRET}])
    assert (found.code, told(found)) == (Code.FIELDS_INVALID, [("tables/items" + where, "int")])


def test_only_the_first_few_failures_are_told(site):
    assert len(problem(site, [{"sku": str(number)} for number in range(50)]).violations) == each.MAX_FAILED


def test_values_are_escaped_in_records_of_each(site):
    assert site.records(site.deliver([{"sku": "A", "qty": 'x"y,z'}])) == ['1,1,A,"x""y,z"\n']


def test_records_are_bounded(site, monkeypatch):
    monkeypatch.setattr(each, "MAX_RECORDS", 2)
    assert len(site.deliver(LINES).records) == 2
    found = problem(site, [*LINES, {"sku": "C", "qty": 1}])
    assert (found.code, told(found)) == (Code.TEMPLATE_FAILED, [("records", "limit")])
    assert "more than 2 records" in found.violations[0].message


@pytest.mark.parametrize("limit", ["MAX_RECORDS_SIZE", "MAX_RECORDS_SECONDS"])
def test_what_all_records_take_together_is_bounded(site, monkeypatch, limit):
    monkeypatch.setattr(each, limit, 0)
    assert told(problem(site, LINES)) == [("records", "limit")]


def test_ten_thousand_records_are_within_the_bound():
    assert limits.MAX_RECORDS == 10_000


def test_cells_below_their_minimum_hold_a_delivery(site):
    confidence = '[confidence]\nminimum = 0.5\nfields = { "items.qty" = 0.95, "items.sku" = 0 }\nbelow = "refuse"\n'
    site.write(confidence + EACH)
    found = problem(site, [*LINES, {"sku": SECRET, "qty": 1}])
    assert found.code is Code.CONFIDENCE_LOW
    assert told(found) == [(f"tables/items/{row}/qty", "confidence") for row in range(3)]
    site.write(confidence.replace("0.95", "0.9") + EACH)
    assert site.deliver(LINES).status is Status.PUBLISHED


def test_templates_read_the_lowest_confidence_of_a_column(site):
    site.write(EACH, '{{ confidence["items.qty"] }},{{ confidence["items.sku"] | default("none") }}\n')
    lines = [{"sku": "A", "qty": 2, "sure": 0.9}, {"sku": "B", "qty": 3, "sure": 0.4}, {"sku": "C", "qty": 1}]
    assert site.records(site.deliver(lines)) == ["0.4,none\n"] * 3


def test_item_is_nothing_outside_of_each(tmp_path):
    site = Invoices(tmp_path, EACH.replace('each = "tables.items"\n', ""))
    with pytest.raises(Exception, match="write each = "):
        site.deliver([])
