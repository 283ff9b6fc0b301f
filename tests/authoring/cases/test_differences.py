"""Differences are told in the terms of the format."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.formats.comparing import RecordStyle, differences

HL7 = "MSH|^~\\&|A|B\rPID|1||123^^^CLINIC^MR~9||Smith^John\rDG1|1||I10\rDG1|2||R06\rDG1|3||E11\r"
JSON = {"id": 1, "patient": {"name": "Ada", "codes": ["I10", "R06", "E11"]}, "gone": None}
XML = '<n xmlns="urn:x"><p mrn="1"><name>Ada</name></p><d code="I10"/><d code="R06"/><d code="E11"/></n>'
CSV = "mrn,name\r\n1,Ada\r\n2,Bob\r\n3,Cyd\r\n"


def told(form, expected, got):
    return differences(RecordStyle(form), expected.encode(), got.encode())


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("Smith", "Smyth", 'PID-5.1: expected "Smith", got "Smyth"'),
        ("^MR", "^PI", 'PID-3[1].5: expected "MR", got "PI"'),
        ("~9", "~8", 'PID-3[2]: expected "9", got "8"'),
        ("R06", "R07", 'DG1[2]-3: expected "R06", got "R07"'),
        ("R06", "R06&x", 'DG1[2]-3.2: expected "", got "x"'),
        ("|A|", "|C|", 'MSH-3: expected "A", got "C"'),
        ("\\&|A", "\\&#|A", 'MSH-2: expected "^~\\&", got "^~\\&#"'),
        ("DG1|2||R06\r", "", 'DG1[2]: missing, expected "DG1|2||R06"'),
        ("DG1|2", "NTE|1||x\rDG1|2", 'NTE: not expected, got "NTE|1||x"'),
    ],
)
def test_hl7_by_segment_field_repetition_component_and_subcomponent(old, new, line):
    assert line in told("hl7", HL7, HL7.replace(old, new))


def test_one_more_segment_makes_no_other_differ():
    assert told("hl7", HL7, HL7.replace("DG1|2||R06\r", "")) == ['DG1[2]: missing, expected "DG1|2||R06"']


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"id": 2}, "/id: expected 1, got 2"),
        ({"id": "1"}, '/id: expected 1, got "1"'),
        ({"id": True}, "/id: expected 1, got true"),
        ({"patient": {"name": "Eva", "codes": ["I10", "R06", "E11"]}}, '/patient/name: expected "Ada", got "Eva"'),
        ({"patient": {"name": "Ada", "codes": ["I10", "E11"]}}, '/patient/codes/1: missing, expected "R06"'),
        ({"patient": {"name": "Ada", "codes": []}}, '/patient/codes/0: missing, expected "I10"'),
        ({"new/one": 5}, "/new~1one: not expected, got 5"),
    ],
)
def test_json_by_path(change, line):
    assert line in told("json", json.dumps(JSON), json.dumps(JSON | change))


def test_a_missing_json_member_is_told():
    assert told("json", json.dumps(JSON), json.dumps({k: v for k, v in JSON.items() if k != "gone"})) == [
        "/gone: missing, expected null"
    ]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (">Ada<", ">Eva<", '/n/p/name: expected "Ada", got "Eva"'),
        ('mrn="1"', 'mrn="2"', '/n/p/@mrn: expected "1", got "2"'),
        ('mrn="1"', "", '/n/p/@mrn: missing, expected "1"'),
        ('<d code="R06"/>', "", '/n/d[2]: missing, expected "<d code="R06">"'),
        ('"R06"', '"R07"', '/n/d[2]/@code: expected "R06", got "R07"'),
        ("<name>Ada</name>", "<name>Ada</name><x/>", '/n/p/x: not expected, got "<x>"'),
        ("</p>", "</p>loose", '/n/p (after it): expected "", got "loose"'),
    ],
)
def test_xml_by_path(old, new, line):
    assert told("xml", XML, XML.replace(old, new)) == [line]


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ("2,Bob", "2,Bert", ['row 3, name: expected "Bob", got "Bert"']),
        ("2,Bob\r\n", "", ['row 3: missing, expected "2, Bob"']),
        ("2,Bob", "2,Bob\r\n9,Zoe", ['row 4: not expected, got "9, Zoe"']),
        (
            "mrn,name",
            "mrn,full",
            ['row 1: missing, expected the column "name"', 'row 1: not expected, got the column "full"'],
        ),
    ],
)
def test_csv_by_row_and_column(old, new, lines):
    assert told("csv", CSV, CSV.replace(old, new)) == lines


def test_csv_columns_in_another_order_are_told_once():
    assert told("csv", "a;b\r\n1;2\r\n", "b;a\r\n2;1\r\n") == ["row 1: expected a, b, got b, a"]


def test_a_table_without_a_header_is_told_by_columns():
    assert told("csv", "1,Ada\r\n", "1,Eva\r\n") == ['row 1, column 2: expected "Ada", got "Eva"']


def test_other_text_by_lines():
    assert told("text", "a\nb\nc\n", "a\nB\nc\n") == ["@@ -1,3 +1,3 @@", " a", "-b", "+B", " c"]


@pytest.mark.parametrize("form", ["hl7", "json", "xml", "csv"])
def test_what_is_not_of_its_format_is_told_by_lines(form):
    assert told(form, '"no\nformat', '"no\nform')[-1] == "+form"


def test_a_long_value_is_shown_where_it_parts():
    (line,) = told("hl7", "MSH|^~\\&|" + "A" * 5000 + "BC", "MSH|^~\\&|" + "A" * 5000 + "BD")
    assert line == f'MSH-3: expected "…{"A" * 19}BC", got "…{"A" * 19}BD"'


def test_records_that_differ_everywhere_do_not_fill_the_screen():
    assert len(told("json", json.dumps(list(range(500))), json.dumps(list(range(500, 1000))))) == 51


@pytest.mark.parametrize("form", ["hl7", "json", "xml", "csv", "text"])
def test_other_line_ends_are_a_difference_too(form):
    assert told(form, "x\r\n", "x\n") == [
        "the bytes differ, though not in what they say: line ends, spaces or the encoding"
    ]


RECORDS = st.sampled_from([HL7, json.dumps(JSON), XML, CSV, ""])


@given(st.sampled_from(["hl7", "json", "xml", "csv", "text"]), RECORDS | st.text(), RECORDS | st.text())
def test_different_bytes_always_have_a_difference_and_equal_ones_none(form, one, other):
    one, other = one.encode("utf-8", "replace"), other.encode("utf-8", "replace")
    assert bool(differences(RecordStyle(form), one, other)) == (one != other)
    assert differences(RecordStyle(form), one, one) == []
